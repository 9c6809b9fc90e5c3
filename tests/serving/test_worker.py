"""A worker that has loaded models is replaced by the rest of its memory, not by its requests."""

from __future__ import annotations

import psutil
import pytest

from thetool.config import Settings
from thetool.worker import Worker


def test_loaded_models_do_not_wear_a_worker_out(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = object.__new__(Worker)
    used = psutil.Process().memory_info().rss
    worker.settings = Settings(MAX_REQUESTS=1, WORKER_MAX_RSS_MB=max(1, used // 2**20 // 2))
    worker.nr, worker.runner = 5, None
    monkeypatch.setattr("thetool.serving.state.loaded_bytes", lambda: 2 * used)
    assert worker._why_worn_out() is None
    monkeypatch.setattr("thetool.serving.state.loaded_bytes", lambda: 1)
    assert "MiB of memory in use" in str(worker._why_worn_out())
    monkeypatch.setattr("thetool.serving.state.loaded_bytes", lambda: 0)
    assert worker._why_worn_out() == "5 requests served"
