"""Receivers that never answer hold threads for a while: those of one owner never all of them."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from tests.jobs.making import new_job, rows, until, wish
from tests.jobs.webhooks.receiver import misbehaving
from tests.jobs.webhooks.test_attempts import Make
from thetool.config import SettingsError, load_settings
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.webhooks.jobs import KIND

SOMEBODY = UUID("00000000-0000-7000-8000-00000000000a")
SOMEBODY_ELSE = UUID("00000000-0000-7000-8000-00000000000b")
MOST_OF_AN_OWNER, MOST_OF_A_HOST = 12, 4


def to_be_told(queue: Queue, owner_id: UUID, *hosts: str) -> None:
    """Jobs that have ended, one for each host."""
    for host in hosts:
        job = new_job(webhook_url=f"https://{host}/x", owner_id=owner_id)
        queue.enqueue(job)
        queue.cancel(job.id)


def claimed(queue: Queue) -> list[tuple[UUID, str]]:
    """Claims deliveries until there is none to claim; gives owner and host of each that runs then."""
    while queue.claim(wish(kind=KIND, runs="network")):
        pass
    statement = "select owner_id, substring(params->>'url' from '://([^/]+)') from jobs where status = 'running'"
    return [(UUID(owner), host) for owner, host in rows(queue.url, statement)]


def lane_of(queue: Queue, host: str) -> str:
    ((key,),) = rows(
        queue.url, "select distinct concurrency_key from jobs where params->>'url' = %s", f"https://{host}/x"
    )
    return str(key)


def test_any_number_of_silent_hosts_of_one_owner_leaves_room_to_another(queue: Queue) -> None:
    to_be_told(queue, SOMEBODY, *(f"silent{number}.example" for number in range(60)))
    assert Counter(owner for owner, _ in claimed(queue)) == {SOMEBODY: MOST_OF_AN_OWNER}
    to_be_told(queue, SOMEBODY_ELSE, "silent0.example")
    assert Counter(owner for owner, _ in claimed(queue)) == {SOMEBODY: MOST_OF_AN_OWNER, SOMEBODY_ELSE: 1}


def test_a_silent_host_leaves_room_to_the_others_of_its_owner(queue: Queue) -> None:
    to_be_told(queue, SOMEBODY, *["silent.example"] * 30)
    assert Counter(host for _, host in claimed(queue)) == {"silent.example": MOST_OF_A_HOST}
    others = [f"other{number}.example" for number in range(30)]
    to_be_told(queue, SOMEBODY, *others)
    running = claimed(queue)
    assert len(running) == MOST_OF_AN_OWNER
    lanes = {lane_of(queue, host) for host in others}
    assert len(lanes) == 3
    assert {lane_of(queue, host) for _, host in running} == lanes


def test_cleaning_up_waits_for_no_receiver(running: Runner, make: Make) -> None:
    asked = threading.Semaphore(0)

    def never(connection: socket.socket, over: threading.Event) -> None:
        asked.release()
        over.wait(60)

    with misbehaving(never) as port:
        for _ in range(2 * running.groups["network"].size):
            make("sample.noop", url=f"http://127.0.0.1:{port}/")
        for _ in range(running.groups["network"].size):
            assert asked.acquire(timeout=30)
        job = new_job(kind="system.cleanup", runs="housekeeping", timeout=60.0)
        running.queue.enqueue(job)
        running.wake()
        until(lambda: local.queue.status(job.id) == "completed", "it is done beside them")


def test_a_worker_that_could_tell_nobody_does_not_start(monkeypatch: Any) -> None:
    monkeypatch.setenv("JOB_NETWORK_THREADS", "0")
    with pytest.raises(SettingsError, match="JOB_NETWORK_THREADS"):
        load_settings()
