"""Browsers for the pages, without a browser: clients that are signed in, or about to be."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import MASTER_KEY

FROM_OUR_PAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"}


@pytest.fixture
def signed_in(app: Flask) -> FlaskClient:
    """A browser that has signed in with the master key."""
    browser = app.test_client()
    response = browser.post("/sign-in", data={"key": MASTER_KEY}, headers=FROM_OUR_PAGE)
    assert response.status_code == 303
    return browser
