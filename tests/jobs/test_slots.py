"""What a slot does between its jobs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from tests.jobs.making import OWNER, until
from thetool.jobs.claims import Claim
from thetool.jobs.slots import Slot, SlotGroup


class Work:
    """A queue of batches, and what became of them."""

    def __init__(self) -> None:
        self.batches: list[list[Claim]] = []
        self.looks = 0
        self.done: list[object] = []
        self.hold = threading.Event()
        self.hold.set()

    def look(self, slot: Slot) -> list[Claim]:
        slot.asked = 3
        self.looks += 1
        return self.batches.pop(0) if self.batches else []

    def work(self, claims: list[Claim], slot: Slot) -> list[Claim]:
        self.hold.wait(10)
        self.done += claims
        return []


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def group(work: Work) -> Iterator[SlotGroup]:
    """One slot, which has looked in vain and sleeps."""
    group = SlotGroup("sample", 1, look=work.look, work=work.work)
    group.start()
    until(lambda: work.looks == 1 and group.at_rest(), "a first look")
    yield group
    work.hold.set()
    group.close(10)


def claims(count: int) -> list[Claim]:
    now = datetime.now(UTC)
    return [
        Claim(uuid4(), "sample.noop", "{}", OWNER, None, 1, 3, 60.0, uuid4(), created_at=now, started_at=now)
        for _ in range(count)
    ]


def test_who_emptied_the_queue_looks_once_more_a_little_later(group: SlotGroup, work: Work) -> None:
    work.batches = [claims(2), claims(1)]
    group.wake()
    until(lambda: work.looks == 4 and group.at_rest(), "two batches, and a look in vain")
    assert len(work.done) == 3


def test_a_slot_that_lingers_can_be_handed_a_job(group: SlotGroup, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thetool.jobs.slots.LINGER_SECONDS", 60.0)
    work.batches = [claims(2)]
    group.wake()
    until(lambda: len(work.done) == 2 and group.at_rest(), "it lingers")
    slot = group.reserve()
    assert slot is not None
    [claim] = claims(1)
    slot.hand(claim)
    until(lambda: work.done[2:] == [claim], "it runs")


def test_a_word_ends_the_lingering(group: SlotGroup, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thetool.jobs.slots.LINGER_SECONDS", 60.0)
    work.batches = [claims(1)]
    group.wake()
    until(lambda: len(work.done) == 1 and group.at_rest(), "it lingers")
    work.batches = [claims(1)]
    group.wake()
    until(lambda: len(work.done) == 2, "it looked at once")


def test_words_of_a_stream_wake_nobody(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thetool.jobs.slots.LINGER_SECONDS", 60.0)
    group = SlotGroup("sample", 2, look=work.look, work=work.work)
    group.start()
    try:
        until(lambda: work.looks and group.at_rest(), "the first looks")
        work.batches = [claims(2)]
        group.wake()
        until(lambda: len(work.done) == 2 and group.at_rest(), "it lingers")
        group.wake()
        assert group.at_rest(), "it looks again by itself"
    finally:
        group.close(10)


def test_a_job_with_keys_comes_alone_and_says_nothing_of_the_queue(
    group: SlotGroup, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thetool.jobs.slots.LINGER_SECONDS", 60.0)
    work.batches = [[replace(claim, alone=True)] for claim in claims(3)]
    group.wake()
    until(lambda: len(work.done) == 3, "one after another, at once")


def test_a_word_during_the_work_is_not_missed(group: SlotGroup, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thetool.jobs.slots.LINGER_SECONDS", 60.0)
    work.hold.clear()
    work.batches = [claims(1)]
    group.wake()
    until(lambda: work.looks == 2, "it works")
    work.batches = [claims(1)]
    group.wake()
    work.hold.set()
    until(lambda: len(work.done) == 2, "it looks when it is done")
