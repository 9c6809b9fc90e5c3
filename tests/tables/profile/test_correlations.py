"""Correlations beside pandas'."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.tables.profile.conftest import Profiled
from thetool.tables.profile.schemas import ProfileOptions

ASKED = ProfileOptions(correlations=True)


def test_they_are_pandas_over_the_rows_that_have_both(profiled: Profiled) -> None:
    random = np.random.default_rng(3)
    a = random.normal(size=200)
    frame = pd.DataFrame({"a": a, "b": np.exp(a) + random.normal(size=200) / 5, "c": np.round(random.normal(size=200))})
    frame.loc[random.random(200) < 0.2, "a"] = np.nan
    frame.loc[random.random(200) < 0.2, "c"] = np.nan
    columns = {name: [None if pd.isna(cell) else float(cell) for cell in frame[name]] for name in frame}
    found = profiled(columns | {"word": ["x", "y"] * 100}, options=ASKED).correlations
    assert found is not None
    assert [pair.columns for pair in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    for pair in found:
        both = frame[list(pair.columns)].dropna()
        assert pair.pairs == len(both)
        assert pair.pearson == pytest.approx(both.corr("pearson").iloc[0, 1])
        assert pair.spearman == pytest.approx(both.rank().corr("pearson").iloc[0, 1])


def test_they_are_not_made_unasked(profiled: Profiled) -> None:
    assert profiled({"a": [1, 2, 3], "b": [3, 2, 1]}).correlations is None


def test_without_three_pairs_there_is_none(profiled: Profiled) -> None:
    found = profiled({"a": [1, 2, None, None], "b": [3, 2, 1, 5]}, options=ASKED).correlations
    assert found is not None
    assert (found[0].pairs, found[0].pearson, found[0].spearman) == (2, None, None)


def test_too_many_pairs_are_left_out_and_said(profiled: Profiled) -> None:
    columns = {f"c{number}": [1, 2, 3 + number, 4] for number in range(60)}
    profile = profiled(columns, options=ASKED)
    assert profile.correlations is not None
    assert len(profile.correlations) == 50 * 49 // 2
    assert any("first 50" in note for note in profile.notes)
