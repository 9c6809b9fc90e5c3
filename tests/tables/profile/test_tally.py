"""Counting in bounded memory: exact as long as it can be, and never further off than it says."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetool.tables.profile import tally
from thetool.tables.profile.tally import Tally


def counted(batches: list[list[str]]) -> Tally:
    found = Tally()
    for number, batch in enumerate(batches, 1):
        counts = pl.Series("value", batch, dtype=pl.String).value_counts(name="rows")
        found.add(counts, more_to_come=number < len(batches))
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdefghijkl"), max_size=30), min_size=1, max_size=5))
def test_batches_count_like_the_whole(batches: list[list[str]]) -> None:
    whole = Counter(value for batch in batches for value in batch)
    found = counted(batches)
    assert found.distinct().exact
    assert found.distinct().count == len(whole)
    assert found.top(5) == sorted(whole.items(), key=lambda pair: (-pair[1], pair[0]))[:5]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 60).map(str), min_size=1, max_size=200), min_size=2, max_size=6))
def test_past_the_limit_no_count_is_too_high_or_lower_than_is_said(batches: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "KEPT", 8)
        found = counted(batches)
    whole = Counter(value for batch in batches for value in batch)
    for value, count in found.counts.select("value", "rows").iter_rows():
        assert whole[value] - found.lost <= count <= whole[value]
    kept = set(found.counts["value"])
    assert all(count <= found.lost for value, count in whole.items() if value not in kept)


def test_many_different_values_are_estimated_within_three_standard_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "KEPT", 5_000)
    monkeypatch.setattr(tally, "SKETCH", 4_096)
    random = np.random.default_rng(8)
    batches = [[f"user{number}@example.com" for number in random.integers(0, 60_000, 40_000)] for _ in range(4)]
    real = len({value for batch in batches for value in batch})
    found = counted(batches).distinct()
    assert not found.exact
    assert "k minimum values" in found.method
    assert "1.6 %" in found.method
    assert found.count == pytest.approx(real, rel=3 / 64)


def test_few_frequent_values_among_many_rare_ones_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "KEPT", 100)
    batches = [["often"] * 300 + [f"{batch}-{number}" for number in range(400)] for batch in range(3)]
    found = counted(batches)
    (value, count), *_ = found.top(3)
    assert value == "often"
    assert 900 - found.lost <= count <= 900
