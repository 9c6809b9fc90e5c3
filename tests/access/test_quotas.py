"""What an owner may keep, when no key is at hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.access.test_caller import change
from thetool.access.quotas import storage_quota_of
from thetool.access.records import MASTER_OWNER_ID
from thetool.database.orm import db


@pytest.mark.parametrize(
    ("quotas", "widest"),
    [([5], 5), ([5, 7], 7), ([5, None], None), ([0], 0)],
    ids=["one", "the widest", "one without a bound", "nothing"],
)
def test_the_widest_of_the_owners_keys(
    app: APIFlask, issue: Callable[..., dict[str, Any]], quotas: list[int | None], widest: int | None
) -> None:
    keys = [issue(owner="kept", storage_quota_bytes=quota) for quota in quotas]
    with app.app_context():
        assert storage_quota_of(UUID(keys[0]["owner_id"]), db.engine) == widest
        assert storage_quota_of(MASTER_OWNER_ID, db.engine) is None


def test_a_revoked_key_counts_no_more(app: APIFlask, client: FlaskClient, issue: Callable[..., dict[str, Any]]) -> None:
    narrow, wide = issue(owner="kept", storage_quota_bytes=5), issue(owner="kept")
    change(app, f"update api_keys set revoked_at = now() where id = '{wide['id']}'")
    with app.app_context():
        assert storage_quota_of(UUID(narrow["owner_id"]), db.engine) == 5
