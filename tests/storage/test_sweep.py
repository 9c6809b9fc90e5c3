from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from thetool.storage.blobs import get, store
from thetool.storage.sweep import sweep

pytestmark = pytest.mark.usefixtures("context")

VICTIM = """
import sys, time, uuid
from tests.storage.upload_app import from_environment
from thetool.storage.blobs import store

def stream():
    yield bytes(20 << 20)
    print("half", flush=True)
    time.sleep(600)

with from_environment().app_context():
    store(stream(), owner_id=uuid.UUID(sys.argv[1]), media_type="text/plain")
"""


def test_expired_blobs_go_and_others_stay(owner: UUID, left: Callable[[], Any], query: Callable[..., Any]) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    kept = [store(b"x", owner_id=owner, media_type="text/plain", expires_at=at).id for at in (None, tomorrow)]
    expired = [store(b"x", owner_id=owner, media_type="text/plain", expires_at=tomorrow).id for _ in range(3)]
    query(
        "update blobs set expires_at = now() - interval '1 second' where id = any(%s::uuid[])", list(map(str, expired))
    )
    assert sweep() == 3
    assert sweep() == 0
    assert left() == (2, 2)
    assert all(get(blob_id) for blob_id in kept)


def test_a_killed_writer_leaves_what_the_sweep_takes_an_hour_later(
    owner: UUID, values: dict[str, Any], left: Callable[[], Any], query: Callable[..., Any]
) -> None:
    environment = {**os.environ, **{name: str(value) for name, value in values.items()}}
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(owner)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).parent.parent.parent,
    )
    try:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "half\n"
        os.kill(victim.pid, signal.SIGKILL)
    finally:
        victim.kill()
        victim.wait()
    rows, pieces = left()
    assert rows == 1
    assert pieces > 0
    assert sweep() == 0  # it might be a slow writer
    ((state, minutes),) = query("select state, extract(epoch from expires_at - now()) / 60 from blobs")
    assert state == "writing"
    assert 50 < minutes <= 60
    query("update blobs set expires_at = expires_at - interval '1 hour'")
    assert sweep() == 1
    assert left() == (0, 0)
