"""Tables longer than a batch say the same as when they are one batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.tables.profile.conftest import NOW, Profiled, write
from thetool.tables.profile import source, table
from thetool.tables.profile.schemas import ProfileOptions
from thetool.tables.profile.table import profile_table
from thetool.tables.profile.word_columns import TextSurvey
from thetool.tables.reading.table import read_table


@pytest.fixture
def columns() -> dict[str, pl.Series]:
    random = np.random.default_rng(1)
    words = pl.Series(["Berlin", "berlin", " Rome", "Paris", "n/a", None, "Wien", "Köln"])
    return {
        "id": pl.Series(np.arange(4000) + 7),
        "city": words.gather(random.integers(0, 8, 4000)),
        "email": "user" + pl.Series(random.integers(0, 9000, 4000)).cast(pl.String) + "@example.com",
        "amount": pl.Series(np.round(random.lognormal(3, 1, 4000), 2)),
        "count": pl.Series([None if number % 3 == 0 else number % 40 for number in range(4000)]),
        "day": pl.Series(np.datetime64("2024-01-01") + random.integers(0, 900, 4000).astype("timedelta64[D]")),
        "paid": pl.Series(random.integers(0, 2, 4000) == 1),
    }


@pytest.mark.parametrize("side_by_side", [False, True])
def test_batches_say_what_the_whole_says(
    profiled: Profiled, columns: dict[str, pl.Series], monkeypatch: pytest.MonkeyPatch, side_by_side: bool
) -> None:
    whole = profiled(columns)
    monkeypatch.setattr(source, "BATCH", 700)
    monkeypatch.setattr(source, "CELLS", 8000)
    monkeypatch.setattr(table, "LONG", 0 if side_by_side else 10**9)
    batches = profiled(columns)
    assert batches.memory_bytes == pytest.approx(whole.memory_bytes, rel=0.001)
    assert batches.model_copy(update={"memory_bytes": whole.memory_bytes}) == whole


def test_patterns_of_a_long_column_say_how_many_values_were_looked_at(profiled: Profiled) -> None:
    texts = profiled({"code": [f"AB-{number}" for number in range(25_000)]}).column_profiles[0].texts
    assert texts is not None
    assert texts.patterns_of == 12_500
    assert texts.patterns[0].pattern == "AA-9999" or texts.patterns[0].pattern == "AA-9+"


def test_rows_that_repeat_too_often_to_be_compared_are_told_by_their_hashes(
    profiled: Profiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thetool.tables.profile.duplicates.COMPARED", 10)
    values = [number % 20 for number in range(100)]
    found = profiled({"a": values, "b": values})
    assert (found.duplicate_rows.count, found.duplicate_rows.exact) == (80, False)
    issue = next(one for one in found.issues if one.code == "duplicate_rows")
    assert issue.message.startswith("About 80 rows")
    assert issue.example is not None
    assert issue.example.row == 21


def test_thousands_of_columns(tmp_path: Path) -> None:
    columns = {f"c{number}": ["x", "y", "x"] if number % 2 else [1, 2, number] for number in range(2000)}
    profile = profile_table(tmp_path, write(tmp_path, columns), now=NOW)
    assert profile.columns == 2000
    assert [column.name for column in profile.column_profiles] == list(columns)


def test_a_column_that_is_only_partly_typed_in_more_than_one_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "".join(f"{number},{number % 3}\n" for number in range(200)) + "few,1\nmany,1\nmany,1\n"
    (tmp_path / "a.csv").write_text("amount,code\n" + lines)
    reading = read_table(tmp_path / "a.csv", tmp_path)
    monkeypatch.setattr(source, "BATCH", 60)
    profile = profile_table(tmp_path, reading, ProfileOptions(), now=NOW)
    amount = profile.column_profiles[0]
    assert (amount.nulls, amount.blanks, amount.untyped) == (3, 0, 3)
    assert profile.duplicate_rows.count == 1


def test_the_sample_is_spread_over_all_batches() -> None:
    from thetool.tables.reading.report import ColumnType

    survey = TextSurvey("x", ColumnType.TEXT, 40_000, ProfileOptions(), None)
    for start in range(0, 40_000, 7_000):
        survey.add(start, pl.Series([str(row) for row in range(start, min(start + 7_000, 40_000))]))
    assert survey._sample == [str(row) for row in range(0, 40_000, 4)]
