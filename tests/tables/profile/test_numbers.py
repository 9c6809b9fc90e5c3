"""Each statistic of numbers beside pandas' own."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables.profile.conftest import Profiled, write
from thetool.tables.profile.schemas import ColumnProfile
from thetool.tables.profile.table import profile_table


def profile_of(values: pl.Series) -> ColumnProfile:
    with tempfile.TemporaryDirectory() as folder:
        return profile_table(Path(folder), write(Path(folder), {"x": values})).column_profiles[0]


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def check_against_pandas(column: ColumnProfile, oracle: pd.Series) -> None:
    values = oracle.dropna()
    assert column.numbers is not None
    said = column.numbers
    assert column.nulls == oracle.isna().sum()
    assert column.distinct.count == values.nunique()
    assert column.distinct.exact
    assert said.min == values.min()
    assert said.max == values.max()
    assert said.mean == near(float(values.mean()))
    assert said.sum == near(float(values.sum()))
    assert (said.q1, said.median, said.q3) == near(tuple(values.quantile([0.25, 0.5, 0.75])))  # type: ignore[arg-type]
    assert said.std == (near(float(values.std())) if len(values) > 1 else None)
    assert said.zeros == (values == 0).sum()
    assert said.negative == (values < 0).sum()
    counts = values.value_counts()
    frequent = sorted(counts, reverse=True)[:10] if len(counts) <= 10 or counts.max() > 1 else []
    assert [top.count for top in column.top] == frequent
    assert all(counts[float(top.value)] == top.count for top in column.top)


def test_what_pandas_says_of_a_skewed_column_with_gaps() -> None:
    random = np.random.default_rng(4)
    values = np.round(random.lognormal(3, 1, 3000), 1)
    oracle = pd.Series(values).where(pd.Series(random.random(3000) > 0.1))
    column = profile_of(pl.Series(oracle.to_numpy()).fill_nan(None))
    check_against_pandas(column, oracle)
    assert column.numbers is not None
    assert column.numbers.skew == near(float(oracle.skew()))
    assert column.type == "number"


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.integers(-1000, 1000), st.integers(-(10**12), 10**12)), min_size=1, max_size=60
    ).filter(lambda cells: any(cell is not None for cell in cells))
)
def test_any_whole_numbers(cells: list[int | None]) -> None:
    column = profile_of(pl.Series(cells, dtype=pl.Int64))
    check_against_pandas(column, pd.Series(cells, dtype="float64"))
    assert column.type == "integer"
    assert column.histogram is not None
    assert sum(column.histogram.counts) == len(cells) - cells.count(None)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=3, max_size=60))
def test_any_numbers_have_pandas_skewness(cells: list[float]) -> None:
    said = profile_of(pl.Series(cells, dtype=pl.Float64)).numbers
    assert said is not None
    if len(set(cells)) == 1:
        assert said.skew is None
    else:
        assert said.skew == pytest.approx(float(pd.Series(cells).skew()), rel=1e-6, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-500, 500), min_size=2, max_size=200).filter(lambda cells: max(cells) - min(cells) >= 20))
def test_a_histogram_has_numpys_twenty_bins(cells: list[int]) -> None:
    histogram = profile_of(pl.Series(cells, dtype=pl.Float64)).histogram
    assert histogram is not None
    edges = [float(edge) for edge in histogram.edges]  # type: ignore[arg-type]
    assert edges == pytest.approx(np.histogram_bin_edges(cells, 20).tolist())
    assert histogram.counts == np.histogram(cells, np.array(edges))[0].tolist()


def test_whole_numbers_of_a_short_range_have_a_bin_each() -> None:
    histogram = profile_of(pl.Series([1, 1, 2, 5, 5, 5])).histogram
    assert histogram is not None
    assert histogram.edges == [1, 2, 3, 4, 5, 6]
    assert histogram.counts == [2, 1, 0, 0, 3]


@settings(max_examples=40, deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(1, 120))
def test_bins_of_whole_numbers_hold_as_many_of_them_each(low: int, span: int) -> None:
    histogram = profile_of(pl.Series(range(low, low + span))).histogram
    assert histogram is not None
    *counts, last = histogram.counts
    assert len(histogram.edges) - 1 == len(histogram.counts) <= 20
    assert set(counts) <= {max(1, -(-span // 20))}
    assert 0 < last <= max([last, *counts][:2])
    assert sum(counts) + last == span


def test_outliers_are_those_of_the_hand_written_fences(profiled: Profiled) -> None:
    values: list[float | None] = [10.0, 11, 12, None, 13, 14, 15, 99, -50, 12.5, 200]
    column = profiled({"x": values}).column_profiles[0]
    oracle = pd.Series(values, dtype="float64")
    q1, q3 = oracle.quantile(0.25), oracle.quantile(0.75)
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    beyond = oracle[(oracle < low) | (oracle > high)]
    assert column.outliers is not None
    assert (column.outliers.low, column.outliers.high) == near((low, high))  # type: ignore[arg-type]
    assert column.outliers.count == len(beyond) == 3
    shown = {(one.row, one.value) for one in column.outliers.examples}
    assert shown == {(at + 1, value) for at, value in beyond.items()}
    assert column.outliers.examples[0].value == 200


@pytest.mark.parametrize(
    "values",
    [
        [0.1, 0.2, 0.3],
        [1.1, 2.2, 3.3, 4.4, 5.5],
        [10.1 + step / 10 for step in range(1_001)],
        [1e9 + 0.1, 1e9 + 0.2, 1e9 + 0.3],
    ],
)
def test_the_rounding_of_a_symmetrical_column_is_no_skew(values: list[float]) -> None:
    said = profile_of(pl.Series(values)).numbers
    assert said is not None
    assert said.skew == 0


def test_a_little_skew_is_kept() -> None:
    said = profile_of(pl.Series([-1.0, 0.0, 1.0 + 1e-9])).numbers
    assert said is not None
    assert said.skew == pytest.approx(1.5e-9, rel=1e-3)


def test_nan_and_infinite_values_are_counted_apart() -> None:
    said = profile_of(pl.Series([1.0, math.nan, 3.0, math.inf, -math.inf, None])).numbers
    assert said is not None
    assert said.not_finite == 3
    assert (said.min, said.max, said.mean) == (1, 3, 2)


def test_the_largest_whole_numbers_are_exact() -> None:
    column = profile_of(pl.Series([2**63 - 1, 2**63 - 2, 2**63 - 1]))
    assert column.numbers is not None
    assert column.numbers.max == 2**63 - 1
    assert column.numbers.sum == 3 * 2**63 - 4
    assert column.top[0].value == str(2**63 - 1)
    assert column.top[0].count == 2


def test_the_largest_numbers_break_nothing() -> None:
    said = profile_of(pl.Series([1.7e308, -1.7e308, 1.7e308, 1.0])).numbers
    assert said is not None
    assert said.max == 1.7e308
    assert said.std is None


def test_a_column_without_values_has_no_statistics() -> None:
    column = profile_of(pl.Series([None, None], dtype=pl.Float64))
    assert column.nulls == column.blanks == 2
    assert column.histogram is None
    assert column.numbers is not None
    assert column.numbers.mean is None
