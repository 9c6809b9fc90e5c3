"""An application, a runner and a receiver that it may reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.jobs.making import OWNER, until
from tests.jobs.sample_jobs import Params
from tests.jobs.webhooks.receiver import Receiver, receiving
from thetool.access.caller import MASTER_CALLER
from thetool.config import Settings
from thetool.jobs.submit import submit
from thetool.jobs.webhooks.asked import webhook_of

Send = Callable[..., Any]


@pytest.fixture
def job_settings(job_settings: Settings) -> Settings:
    return job_settings.model_copy(update={"webhook_allow_private": True})


@pytest.fixture
def api(client: FlaskClient, master: dict[str, str]) -> Send:
    """Sends requests with the master key; gives the body of the answer."""

    def send(method: str, path: str, status: int = 200, **more: Any) -> Any:
        answer = client.open(f"/api/v1{path}", method=method, headers={**master, **more.pop("headers", {})}, **more)
        assert answer.status_code == status, answer.text
        return answer.json

    return send


@pytest.fixture
def secret(api: Send) -> str:
    """The master key's secret."""
    return api("POST", "/keys/current/webhook-secret", 201)["webhook_secret"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def make(secret: str, receiver: Receiver) -> Callable[..., Any]:
    """Submits a sample job with a webhook; gives its id."""

    def make(kind: str, /, *, url: str | None = None, timeout: float | None = None, **params: Any) -> Any:
        webhook = webhook_of(MASTER_CALLER, url or receiver.url)
        return submit(kind, Params(**params), owner_id=OWNER, webhook=webhook, timeout=timeout).job_id

    return make


@pytest.fixture
def delivery(api: Send) -> Callable[..., Any]:
    """Waits until the newest delivery of a job is as it should be; gives it."""

    def delivery(job_id: Any, wanted: Callable[[Any], bool]) -> Any:
        def look() -> Any:
            items = api("GET", f"/jobs/{job_id}/deliveries")["items"]
            return items[0] if items and wanted(items[0]) else None

        return until(look, "the delivery is as it should be")

    return delivery
