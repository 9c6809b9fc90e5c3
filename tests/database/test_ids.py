"""Identifiers."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

import pytest

from thetool.database import ids
from thetool.database.ids import new_id


def test_an_id_is_a_uuid_of_version_7_with_the_time_of_now() -> None:
    before, made, after = time.time_ns() // 1_000_000, new_id(), time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before - 1 <= made.int >> 80 <= after + 1


def test_ids_sort_in_the_order_they_were_made() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert [str(value) for value in made] == sorted(str(value) for value in made)


def test_threads_never_get_the_same_id() -> None:
    made: list[list[UUID]] = [[] for _ in range(8)]

    def fill(mine: list[UUID]) -> None:
        mine.extend(new_id() for _ in range(5_000))

    threads = [threading.Thread(target=fill, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({value for mine in made for value in mine}) == 40_000
    assert all(mine == sorted(mine) for mine in made)


def test_a_clock_that_is_set_back_does_not_break_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    assert new_id() > first


def test_a_spent_counter_moves_on_to_the_next_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_clock", ids._Clock())  # the real one would go on from that time
    monkeypatch.setattr(time, "time_ns", lambda: 5_000_000_000_000_000_000)
    first = new_id()
    ids._clock.counter = 2**42 - 1
    second = new_id()
    assert second > first
    assert second.int >> 80 == (first.int >> 80) + 1


def test_a_forked_child_counts_on_its_own() -> None:
    new_id()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, new_id().bytes)
        os._exit(0)
    mine, theirs = new_id(), UUID(bytes=os.read(reader, 16))
    os.waitpid(child, 0)
    counters = [value.int >> 32 & (1 << 28) - 1 for value in (mine, theirs)]
    assert counters[0] != counters[1]
