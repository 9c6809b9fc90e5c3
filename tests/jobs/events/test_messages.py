from __future__ import annotations

from thetool.jobs.events.messages import Said


def test_progress_is_a_float_however_postgres_writes_it() -> None:
    found = {"id": 1, "stage": None, "message": None, "progress": 1, "created_at": "2026-01-01T00:00:00+00:00"}
    assert isinstance(Said.of(found).progress, float)
