"""The loaded models of a process stay within their bytes."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import pytest

from tests.serving import graphs
from thetool.serving.runtime import session_cache
from thetool.serving.runtime.problems import InvalidModel, ModelTooLarge, PredictionsBusy
from thetool.serving.runtime.session_cache import SessionCache
from thetool.serving.runtime.sessions import Session, open_session

SIZE = 2**20


def load() -> Session:
    return open_session(graphs.doubling(), run_bytes=2**28, size=SIZE)


def test_fifty_models_in_turn_stay_within_the_budget() -> None:
    cache = SessionCache(5 * SIZE)
    first = weakref.ref(cache.get("0", SIZE, load))
    for number in range(50):
        cache.get(str(number), SIZE, load)
        assert cache.bytes <= 5 * SIZE
    assert len(cache) == 5
    assert [str(number) in cache for number in (44, 45, 49)] == [False, True, True]
    gc.collect()
    assert first() is None, "what made room is not held by anybody"


def test_what_was_used_last_stays() -> None:
    cache = SessionCache(2 * SIZE)
    kept = cache.get("a", SIZE, load)
    cache.get("b", SIZE, load)
    assert cache.get("a", SIZE, load) is kept
    cache.get("c", SIZE, load)
    assert ("a" in cache, "b" in cache) == (True, False)
    assert not cache.has_room(1)


def test_many_that_ask_at_once_load_it_once() -> None:
    cache = SessionCache(10 * SIZE)
    loads: list[int] = []
    given: set[Session] = set()

    def slow() -> Session:
        loads.append(1)
        time.sleep(0.05)
        return load()

    threads = [threading.Thread(target=lambda: given.add(cache.get("one", SIZE, slow))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == len(given) == 1


def test_models_that_are_loaded_at_once_stay_within_the_budget_too() -> None:
    cache = SessionCache(3 * SIZE)
    lock = threading.Lock()
    now = most = 0

    def slow() -> Session:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return load()

    threads = [threading.Thread(target=lambda n=n: cache.get(str(n), SIZE, slow)) for n in range(12)]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 3
    assert (len(cache), cache.bytes) == (3, 3 * SIZE)


def test_one_that_made_room_counts_as_long_as_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_cache, "ROOM_SECONDS", 0.1)
    cache = SessionCache(2 * SIZE)
    used, idle = cache.get("used", SIZE, load), weakref.ref(cache.get("idle", SIZE, load))
    cache.get("used", SIZE, load)
    cache.get("a", SIZE, load)
    assert idle() is None
    with pytest.raises(PredictionsBusy, match="MODEL_CACHE_BYTES"):
        cache.get("both", 2 * SIZE, load)
    assert used.outputs
    waiting = threading.Thread(target=lambda: cache.get("b", 2 * SIZE, load))
    monkeypatch.setattr(session_cache, "ROOM_SECONDS", 10)
    waiting.start()
    del used
    waiting.join(5)
    assert "b" in cache
    assert cache.bytes <= 2 * SIZE


def test_what_cannot_be_loaded_is_tried_again_by_the_next() -> None:
    cache = SessionCache(2 * SIZE)

    def broken() -> Session:
        return open_session(b"no model", run_bytes=2**28)

    with pytest.raises(InvalidModel):
        cache.get("a", SIZE, broken)
    assert cache.bytes == 0
    assert cache.get("a", SIZE, load)
    with pytest.raises(ModelTooLarge, match="MODEL_CACHE_BYTES"):
        cache.get("b", 3 * SIZE, load)
    assert "a" in cache, "one that can never fit makes nobody leave"


def test_a_retired_session_is_given_to_nobody() -> None:
    cache = SessionCache(2 * SIZE)
    first = cache.get("a", SIZE, load)
    cache.retire(first)
    assert cache.get("a", SIZE, load) is not first
    cache.drop("a")
    assert len(cache) == 0
