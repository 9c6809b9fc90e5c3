"""Rows that nobody waits for: one that cannot be written costs no other, and memory ends."""

from __future__ import annotations

import psycopg2
import pytest

from thetool.serving import later
from thetool.serving.later import WriteLater


def test_one_that_is_not_taken_is_dropped_alone() -> None:
    written: list[int] = []

    def write(items: list[int]) -> None:
        if 13 in items:
            raise ValueError("not this one")
        written.extend(items)

    rows = WriteLater("numbers", write, lambda _: 1)
    for number in range(100):
        rows.add(number)
    rows.flush()
    assert sorted(written) == [number for number in range(100) if number != 13]
    assert rows.dropped == 1


def test_when_nothing_is_taken_it_ends_soon() -> None:
    tries: list[int] = []

    def write(items: list[int]) -> None:
        tries.append(len(items))
        raise ValueError("there is no such table")

    rows = WriteLater("numbers", write, lambda _: 1)
    for number in range(10_000):
        rows.add(number)
    rows.flush()
    assert rows.dropped == 10_000
    assert len(tries) < 2 * later.MOST_FAILURES + 100


def test_what_waits_for_postgres_is_bounded_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(later, "MOST_BYTES", 1000)
    away = [True]
    written: list[bytes] = []

    def write(items: list[bytes]) -> None:
        if away:
            raise psycopg2.OperationalError("could not connect to server")
        written.extend(items)

    rows = WriteLater("values", write, len)
    for _ in range(50):
        rows.add(bytes(100))
        rows.flush()
    assert rows.dropped == 40
    away.clear()
    rows.flush()
    assert len(written) == 10
    rows.add(bytes(100))
    rows.flush()
    assert len(written) == 11, "what was written makes room"
