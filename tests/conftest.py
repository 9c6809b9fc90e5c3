"""What every room's tests stand on: a real embedded Postgres, one for the run, and a fresh database for each test."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from thetool.config import Settings
from thetool.database.embedded import EmbeddedServer
from thetool.database.migrate import upgrade

MASTER_KEY = "test-master-key-0123456789abcdef0123456789abcdef"
TEMPLATE = "template_migrated"
MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30
POSTGRES_FOLDER = "thetool-tests-"
TOGETHER = ("tests/e2e/pages", "tests/pages", "tests/storage", "tests/text", "tests/web")
FIRST = ("tests/e2e/pages", "tests/e2e", "tests/chaos", "tests/database")
# Hundreds of databases are made, and none outlives its test: nothing is gained by waiting for a disk.
QUICK = ("fsync = off", "full_page_writes = off", "max_wal_size = '256MB'")


def _forget_the_surroundings() -> None:
    """The settings of whoever runs the tests must not change what they see."""
    for field in Settings.model_fields.values():
        for name in field.validation_alias.choices:  # type: ignore[union-attr]
            os.environ.pop(str(name), None)
    os.environ.pop("RAILWAY_ENVIRONMENT", None)
    os.environ["ENV_FILE"] = os.devnull
    if programs := os.environ.get("THETOOL_TEST_POSTGRES"):
        os.environ["PG_BIN"] = programs


_forget_the_surroundings()


def _loggers_follow_the_configuration() -> None:
    """Tests configure logging anew; a logger that is cached at its first use would keep what it found then."""
    configure = structlog.configure
    structlog.configure = lambda **values: configure(**values | {"cache_logger_on_first_use": False})


_loggers_follow_the_configuration()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The rooms with the longest tests come first; what needs torch is skipped where it is not installed."""
    if find_spec("torch") is None:
        missing = pytest.mark.skip(reason="requirements-gpu.txt is not installed; scripts/test runs it in .venv-gpu")
        for item in items:
            if item.get_closest_marker("torch"):
                item.add_marker(missing)
    items.sort(key=lambda item: [not item.nodeid.startswith(f"{room}/") for room in FIRST])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """How tests are dealt out to processes (`-n 5`): a file each, or a room whose files share what is dear."""
    from xdist.scheduler import LoadScopeScheduling

    class ByRoom(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((room for room in TOGETHER if nodeid.startswith(f"{room}/")), nodeid.partition("::")[0])

    config.option.loadscopereorder = False
    return ByRoom(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where the tools are promised (`CI=true`), a test that is skipped for want of one has failed."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and "needs Debian's" in str(report.longrepr):
        report.outcome = "failed"
    return report


def _run(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)


def _named(url: str, database: str) -> str:
    """The same server's address, for another of its databases."""
    return re.sub(r"/\w*(\?|$)", rf"/{database}\1", url, count=1)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a Postgres of this test run, which holds a migrated template.

    `THETOOL_TEST_POSTGRES` names the folder of another version's programs to run it with.
    """
    with tempfile.TemporaryDirectory(prefix=POSTGRES_FOLDER, dir=_quick_folder()) as folder:
        server = EmbeddedServer(Path(folder))
        url = server.start(max_connections=300)
        try:
            for setting in QUICK:
                _run(url, f"alter system set {setting}")
            _run(url, "select pg_reload_conf()")
            _run(url, f"create database {TEMPLATE}")
            upgrade(Settings(DATABASE_URL=_named(url, TEMPLATE)))
            yield url
        finally:
            server.stop()


def _quick_folder() -> Path | None:
    """Memory, where the system offers enough of it as a folder; None for the usual place."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None


@contextmanager
def migrated_database(postgres_url: str) -> Iterator[str]:
    """Address of a fresh, migrated database, which goes afterwards."""
    name = f"test_{uuid4().hex}"
    _run(postgres_url, f"create database {name} template {TEMPLATE} strategy file_copy")
    try:
        yield _named(postgres_url, name)
    finally:
        _run(postgres_url, f"drop database {name} with (force)")


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """Address of a fresh, migrated database, which goes when the test ends."""
    with migrated_database(postgres_url) as url:
        yield url


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[str]:
    """Address of a fresh database without a table, which goes when the test ends."""
    name = f"test_{uuid4().hex}"
    _run(postgres_url, f"create database {name}")
    yield _named(postgres_url, name)
    _run(postgres_url, f"drop database {name} with (force)")


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """Settings for that database, with a home of their own and a known master key."""
    return Settings(DATABASE_URL=database, THETOOL_HOME=tmp_path / "home", MASTER_API_KEY=MASTER_KEY)


@pytest.fixture(scope="session")
def weights_dir() -> Path:
    """A weights folder that holds the default models: pulled once, kept from run to run."""
    from thetool.weights.catalogue import catalogue
    from thetool.weights.pull import pull

    folder = Path(os.environ.get("THETOOL_TEST_WEIGHTS", "~/.cache/thetool-tests/weights")).expanduser()
    settings = Settings(WEIGHTS_DIR=folder)
    for role in catalogue().roles:
        pull(settings, role)
    return folder


@pytest.fixture
def app(settings: Settings) -> Flask:
    """The whole application, as a worker builds it."""
    from thetool.app import create_app

    return create_app(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A caller without a key."""
    return app.test_client()


@pytest.fixture
def master() -> dict[str, str]:
    """Headers of the master key."""
    return {"Authorization": f"Bearer {MASTER_KEY}"}
