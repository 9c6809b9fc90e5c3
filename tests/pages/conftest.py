"""Browsers for the pages without a browser: clients signed in, or about to be. One application serves them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import MASTER_KEY, migrated_database
from thetool.app import create_app
from thetool.config import Settings

FROM_OUR_PAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"}


@pytest.fixture(scope="package")
def app(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The whole application, without limits of how often it may be asked."""
    home: Path = tmp_path_factory.mktemp("pages")
    with migrated_database(postgres_url) as url:
        yield create_app(
            Settings(DATABASE_URL=url, THETOOL_HOME=home, MASTER_API_KEY=MASTER_KEY, RATE_LIMIT_ENABLED=False)
        )


@pytest.fixture
def signed_in(app: Flask) -> FlaskClient:
    """A browser that has signed in with the master key."""
    browser = app.test_client()
    response = browser.post("/sign-in", data={"key": MASTER_KEY}, headers=FROM_OUR_PAGE)
    assert response.status_code == 303
    return browser
