"""One house for the tests of a module: each of them makes models of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import MASTER_KEY, migrated_database
from tests.serving.house import House
from thetool.config import Settings


@pytest.fixture(scope="module")
def house(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A house that a module's tests share. The module's `HOUSE` are its settings."""
    with migrated_database(postgres_url) as url:
        house = House(
            Settings(
                DATABASE_URL=url,
                THETOOL_HOME=tmp_path_factory.mktemp("home"),
                MASTER_API_KEY=MASTER_KEY,
                RATE_LIMIT_ENABLED=False,
                LOG_LEVEL="WARNING",
                **getattr(request.module, "HOUSE", {}),
            )
        )
        yield house
        house.close()
