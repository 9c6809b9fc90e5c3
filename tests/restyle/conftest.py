"""Tiny models, a photo of a room (painted by us), and a house with a device that restyles."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.analyze.house import House
from tests.conftest import MASTER_KEY, migrated_database
from tests.restyle.rooms import room
from thetool import gpu
from thetool.config import Settings
from thetool.gpu.watch import DeviceWatch


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings that name them; made once a run."""
    from tests.restyle.tiny_models import make_all

    return make_all(tmp_path_factory.mktemp("tiny-models"))


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A JPEG of a room, 200 × 150 pixels."""
    file = io.BytesIO()
    room(200, 150).save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.fixture(scope="module")
def restyler(
    postgres_url: str, weights_dir: Path, tiny_models: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A house that restyles, on the CPU, with tiny models: the tests of a module share it."""
    with migrated_database(postgres_url) as url:
        house = House(
            Settings(
                DATABASE_URL=url,
                THETOOL_HOME=tmp_path_factory.mktemp("home"),
                MASTER_API_KEY=MASTER_KEY,
                WEIGHTS_DIR=weights_dir,
                RATE_LIMIT_ENABLED=False,
                LOG_LEVEL="WARNING",
                DEVICE_LOCKS_DIR=tmp_path_factory.mktemp("locks"),
                GPU_COST_PER_HOUR=3.6,
                RESTYLE_DTYPE="float32",  # the same on each machine
                **tiny_models,
            )
        )
        assert house.runner is not None
        watch = DeviceWatch(house.settings, house.runner)
        watch.look()
        assert gpu.held() is not None
        yield house
        watch.close()
        house.close()


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Each step takes 50 ms; gives the steps that were taken."""
    from thetool.restyle import painting

    taken: list[int] = []
    call = painting._Watching.__call__

    def watched(self: Any, pipeline: Any, step: int, timestep: Any, values: Any) -> Any:
        taken.append(step)
        time.sleep(0.05)
        return call(self, pipeline, step, timestep, values)

    monkeypatch.setattr(painting._Watching, "__call__", watched)
    return taken
