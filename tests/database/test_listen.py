"""LISTEN, fanned out inside a process."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from thetool.database.connection import connect
from thetool.database.embedded import EmbeddedServer
from thetool.database.listen import Listener

SECONDS = 60


@pytest.fixture
def listener(database: str) -> Iterator[Listener]:
    listener = Listener(database)
    listener.start()
    yield listener
    listener.close()


def notify(url: str, channel: str, payload: str) -> None:
    with contextlib.closing(connect(url, name="test")) as connection:
        connection.cursor().execute("select pg_notify(%s, %s)", (channel, payload))


def listening(listener: Listener, channel: str) -> tuple[queue.Queue[str | None], Callable[[], None]]:
    """Subscribe to a channel that nobody listens to, and wait for the word that it is listened to."""
    heard: queue.Queue[str | None] = queue.Queue()
    unsubscribe = listener.subscribe(channel, heard.put)
    assert heard.get(timeout=SECONDS) is None
    return heard, unsubscribe


def test_every_subscriber_hears_its_channel_alone(listener: Listener, database: str) -> None:
    first, _ = listening(listener, "jobs")
    second: queue.Queue[str | None] = queue.Queue()
    listener.subscribe("jobs", second.put)
    other, _ = listening(listener, "Another channel; drop table jobs")
    notify(database, "jobs", "one")
    notify(database, "Another channel; drop table jobs", "two")
    assert first.get(timeout=SECONDS) == "one"
    assert second.get(timeout=SECONDS) == "one"
    assert other.get(timeout=SECONDS) == "two"
    assert first.empty()


def test_one_connection_serves_all(listener: Listener, database: str) -> None:
    for number in range(5):
        listening(listener, f"channel_{number}")
    with contextlib.closing(connect(database, name="test")) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        assert cursor.fetchone() == (1,)


def test_who_unsubscribes_hears_no_more(listener: Listener, database: str) -> None:
    gone, unsubscribe = listening(listener, "jobs")
    there: queue.Queue[str | None] = queue.Queue()
    listener.subscribe("jobs", there.put)
    unsubscribe()
    unsubscribe()
    notify(database, "jobs", "one")
    assert there.get(timeout=SECONDS) == "one"
    assert gone.empty()


def test_the_last_who_unsubscribes_ends_the_listening(listener: Listener, database: str) -> None:
    for _ in range(3):
        _, unsubscribe = listening(listener, "jobs")
        unsubscribe()
        _, unsubscribe_other = listening(listener, "other")
        unsubscribe_other()


def test_a_callback_that_fails_harms_no_other(
    listener: Listener, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(payload: str | None) -> None:
        raise RuntimeError("a subscriber's own mistake")

    listener.subscribe("jobs", fail)
    heard, _ = listening(listener, "jobs")
    notify(database, "jobs", "one")
    assert heard.get(timeout=SECONDS) == "one"
    assert "a subscriber's own mistake" in caplog.text


def test_a_lost_connection_is_made_again_and_subscribers_are_told(listener: Listener, database: str) -> None:
    heard, _ = listening(listener, "jobs")
    with contextlib.closing(connect(database, name="test")) as connection, connection.cursor() as cursor:
        for _ in range(3):
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'thetool listen' and datname = current_database()"
            )
            assert heard.get(timeout=SECONDS) is None
    notify(database, "jobs", "one")
    assert heard.get(timeout=SECONDS) == "one"


def test_it_waits_for_a_database_that_is_away(used_home: Path) -> None:
    server = EmbeddedServer(used_home)
    server.start(20)  # where the path is long, the address is known from the first start on
    server.stop()
    listener = Listener(server.dsn)
    heard: queue.Queue[str | None] = queue.Queue()
    listener.subscribe("jobs", heard.put)
    listener.start()
    server.start(20)
    try:
        assert heard.get(timeout=SECONDS) is None
        server.stop()
        server.start(20)
        assert heard.get(timeout=SECONDS) is None
        notify(server.dsn, "jobs", "one")
        assert heard.get(timeout=SECONDS) == "one"
    finally:
        listener.close()
        server.stop()


def test_subscriptions_come_and_go_from_many_threads(listener: Listener, database: str) -> None:
    def come_and_go(number: int) -> None:
        channel = f"channel_{number % 3}"
        for turn in range(20):
            heard: queue.Queue[str | None] = queue.Queue()
            unsubscribe = listener.subscribe(channel, heard.put)
            word = f"{number}:{turn}"
            notify(database, channel, word)
            while (said := heard.get(timeout=SECONDS)) != word:
                if said is None:  # the first may have been missed
                    notify(database, channel, word)
            unsubscribe()

    errors: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            come_and_go(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_closing_leaves_nothing_open(database: str) -> None:
    process = psutil.Process()
    before = process.num_fds(), threading.active_count()
    for _ in range(3):
        listener = Listener(database)
        listener.start()
        _, unsubscribe = listening(listener, "jobs")
        listener.close()
        unsubscribe()
    assert (process.num_fds(), threading.active_count()) == before
