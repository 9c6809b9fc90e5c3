"""Models are remembered only by whoever is sure to hear of a change."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import pytest

from tests.serving import graphs
from tests.serving.house import House
from thetool.serving import lookup as lookups


def count_reads(house: House, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    reads: list[Any] = []
    ask = lookups.first_row

    def counted(statement: str, **values: Any) -> Any:
        if statement == lookups._GET:
            reads.append(values)
        return ask(statement, **values)

    monkeypatch.setattr(lookups, "first_row", counted)
    return reads


def test_a_warm_predict_asks_nothing_and_hears_of_a_change(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    model_id = UUID(house.add("remembered", graphs.doubling()))
    lookup = house.serving.lookup
    deadline = time.monotonic() + 10
    while not lookup._listens() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert lookup.by_id(model_id)
    time.sleep(0.3)  # words of the validation have come
    assert lookup.by_id(model_id)
    reads = count_reads(house, monkeypatch)
    for _ in range(5):
        assert lookup.by_id(model_id)
    assert reads == []
    house.rows("update models set description = 'changed elsewhere' where id = %s", str(model_id))
    deadline = time.monotonic() + 10
    while not reads and time.monotonic() < deadline:
        assert lookup.by_id(model_id)
        time.sleep(0.01)
    assert reads, "another process's change was heard of"


def test_who_does_not_hear_its_own_word_asks_each_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pooler takes LISTEN and loses it: nothing is ever heard."""
    model_id = UUID(house.add("deaf", graphs.doubling()))
    with house.app.app_context():
        deaf = lookups.Lookup(house.settings, house.serving.database, on_change=lambda _: None)
    monkeypatch.setattr(house.runner, "listen", lambda channel, callback: callback(None))
    reads = count_reads(house, monkeypatch)
    for _ in range(3):
        assert deaf.by_id(model_id)
    assert len(reads) == 3
