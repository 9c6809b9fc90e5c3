"""Services to test: real processes on a database of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import migrated_database
from tests.e2e.run_script import Run
from tests.e2e.service import Service

MakeService = Callable[..., Service]


@contextmanager
def _service(database_url: str | None, **environment: Any) -> Iterator[Service]:
    with tempfile.TemporaryDirectory(prefix="thetool-e2e-") as folder:
        service = Service(Path(folder), database_url, **environment)
        try:
            yield service
        finally:
            service.destroy()


@pytest.fixture(scope="session")
def service(postgres_url: str) -> Iterator[Service]:
    """A running service, shared by all tests that leave it as healthy as they found it."""
    with migrated_database(postgres_url) as url, _service(url) as service:
        yield service.start()


@pytest.fixture
def make_service(postgres_url: str) -> Iterator[MakeService]:
    """Makes services that are not started yet, each with a database of its own: `make_service(GRACEFUL_TIMEOUT=2)`.

    With `embedded=True` it starts an embedded Postgres itself.
    """
    with ExitStack() as stack:

        def make(*, embedded: bool = False, **environment: Any) -> Service:
            url = None if embedded else stack.enter_context(migrated_database(postgres_url))
            return stack.enter_context(_service(url, **environment))

        yield make


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a run of the script lives."""
    with tempfile.TemporaryDirectory(prefix="thetool-run-") as name:
        yield Path(name)


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    """The runs of a test, which end with it."""
    started: list[Run] = []
    yield started
    for run in started:
        run.destroy()
