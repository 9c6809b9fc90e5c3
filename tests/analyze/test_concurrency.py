"""What many requests at once, and a database that goes and comes back, do to /analyze."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.analyze.house import House, refused
from thetool.analyze import cache, submission
from thetool.config import Settings
from thetool.database.embedded import EmbeddedServer
from thetool.database.migrate import upgrade

TEXT = "I love this sofa, but the delivery was late."


def together(number: int, ask: Callable[[int], TestResponse]) -> list[TestResponse]:
    """What `number` requests at the same time are answered."""
    start = threading.Barrier(number)
    answers: list[TestResponse] = []

    def one(which: int) -> None:
        start.wait(30)
        answers.append(ask(which))

    threads = [threading.Thread(target=one, args=(which,)) for which in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def ask_anew(house: House, text: str, headers: dict[str, str]) -> TestResponse:
    """Ask with a client of its own: one client is for one thread."""
    return house.app.test_client().post("/analyze?wait=60", json={"text": text}, headers={**house.master, **headers})


def test_the_same_request_many_times_at_once_makes_one_job(house: House) -> None:
    key = {"Idempotency-Key": "at-once"}
    text = f"{TEXT} At once."
    answers = together(
        8, lambda _: house.app.test_client().post("/analyze", json={"text": text}, headers={**house.master, **key})
    )
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json["id"] for answer in answers}) == 1
    assert house.rows("select count(*) from jobs where params->>'text' = %s", text) == [(1,)]


def test_of_two_equal_requests_the_one_that_misses_the_cache_gives_way(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looked before the first answer was kept and before the other took the key. Neither is a conflict."""
    key, text = {"Idempotency-Key": "hit-and-miss"}, f"{TEXT} Hit and miss."
    first = house.analyze(text).json
    assert house.analyze(text, headers=key).headers["X-Cache"] == "HIT"
    with monkeypatch.context() as too_early:
        too_early.setattr(submission, "recall", lambda idempotency: None)
        too_early.setattr(cache, "find", lambda *given: None)
        answer = house.analyze(text, headers=key)
    assert (answer.status_code, answer.json["id"]) == (200, first["id"])
    assert answer.headers["Idempotent-Replayed"] == "true"


def test_the_same_long_request_many_times_at_once_leaves_one_text(house: House) -> None:
    key = {"Idempotency-Key": "long-at-once"}
    text = "The delivery was late and nobody answered. " * 2_000
    answers = together(
        4,
        lambda _: house.app.test_client().post(
            "/analyze?wait=60", json={"text": text}, headers={**house.master, **key}
        ),
    )
    assert len({answer.json["id"] for answer in answers}) == 1
    assert house.rows("select count(*) from jobs where kind = 'analyze.long_text'") == [(1,)]
    assert house.rows("select count(*) from blobs where expires_at > now()") == [(0,)]


def test_each_of_many_callers_gets_its_own_answer(house: House) -> None:
    def ask(which: int) -> TestResponse:
        text = f"{TEXT} Number {'one ' * which}."
        return house.app.test_client().post("/analyze?tasks=statistics", json={"text": text}, headers=house.master)

    answers = together(16, ask)
    words = sorted(answer.json["result"]["statistics"]["words"] for answer in answers)
    assert words == [len(TEXT.split()) + 1 + which for which in range(16)]


@pytest.fixture
def away_and_back(tmp_path: Path, weights_dir: Path) -> Iterator[tuple[House, EmbeddedServer]]:
    server = EmbeddedServer(tmp_path / "home")
    settings = Settings(
        DATABASE_URL=server.start(max_connections=40),
        THETOOL_HOME=tmp_path / "home",
        MASTER_API_KEY="k" * 40,
        WEIGHTS_DIR=weights_dir,
        RATE_LIMIT_ENABLED=False,
    )
    upgrade(settings)
    house = House(settings)
    yield house, server
    house.close()
    server.stop()


def test_the_database_away_is_told_at_once_and_mends_itself(away_and_back: tuple[House, EmbeddedServer]) -> None:
    house, server = away_and_back
    assert house.analyze(TEXT, tasks=["language"]).status_code == 200
    server.stop()
    began = time.monotonic()
    for text in (TEXT, f"{TEXT} Another.", "A long one. " * 10_000):
        problem = refused(house.analyze(text, tasks=["language"]), 503, "database_unavailable")
        assert "cannot be reached" in problem["detail"]
    assert time.monotonic() - began < 30  # far below what a connection attempt may take
    server.start(max_connections=40)
    until = time.monotonic() + 60
    while (answer := house.analyze(f"{TEXT} After.", tasks=["language"])).status_code != 200:
        assert answer.status_code == 503
        assert time.monotonic() < until
        time.sleep(0.2)
    assert answer.json["cached"] is False
