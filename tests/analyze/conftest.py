"""Houses: one for most tests of a module, and others with settings of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.analyze.house import House
from tests.conftest import MASTER_KEY, migrated_database
from thetool.config import Settings


@pytest.fixture(scope="module")
def house(
    request: pytest.FixtureRequest, postgres_url: str, weights_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A house that a module's tests share: each sends what no other sends. The module's `HOUSE` are its settings."""
    with migrated_database(postgres_url) as url:
        house = House(
            Settings(
                DATABASE_URL=url,
                THETOOL_HOME=tmp_path_factory.mktemp("home"),
                MASTER_API_KEY=MASTER_KEY,
                WEIGHTS_DIR=weights_dir,
                RATE_LIMIT_ENABLED=False,
                ANALYZE_WAIT_SECONDS=60,
                LOG_LEVEL="WARNING",
                **getattr(request.module, "HOUSE", {}),
            )
        )
        yield house
        house.close()


@pytest.fixture
def settings(settings: Settings, weights_dir: Path) -> Settings:
    """With weights, without limits that many quick requests would meet."""
    return settings.model_copy(
        update={"weights_dir": weights_dir, "rate_limit_enabled": False, "analyze_wait_seconds": 60.0}
    )


@pytest.fixture
def make_house(settings: Settings) -> Iterator[Callable[..., House]]:
    """Make a house with other settings (one at a time has a runner)."""
    houses: list[House] = []

    def make(*, work: bool = True, **changes: Any) -> House:
        houses.append(House(settings.model_copy(update=changes), work=work))
        return houses[-1]

    yield make
    for house in houses:
        house.close()
