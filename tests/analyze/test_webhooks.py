"""POST /analyze with a `webhook_url`: in the query, the form and the JSON; for each file of a batch; wrong ones."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from tests.analyze.house import House, refused
from tests.jobs.making import until
from tests.jobs.webhooks.receiver import Receiver, receiving

URL = "https://hooks.example/thetool"
TEXT = "The chair has four legs. It is red."


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def told(make_house: Callable[..., House]) -> House:
    """A house whose master key has a secret, and whose webhooks may reach this machine."""
    house = make_house(webhook_allow_private=True)
    answer = house.client.post("/api/v1/keys/current/webhook-secret", headers=house.master)
    assert answer.status_code == 201, answer.text
    return house


def ways(url: str) -> dict[str, dict[str, Any]]:
    """The same request, with its webhook in each place."""
    return {
        "query": {"query": {"webhook_url": url, "tasks": "statistics"}, "data": TEXT, "content_type": "text/plain"},
        "form": {"data": {"text": f"{TEXT} A form.", "webhook_url": url, "tasks": "statistics"}},
        "json": {"text": f"{TEXT} JSON.", "webhook_url": url, "tasks": ["statistics"]},
    }


@pytest.mark.parametrize("way", ways(URL))
def test_the_receiver_gets_the_analysis(told: House, receiver: Receiver, way: str) -> None:
    answer = told.analyze(**ways(receiver.url)[way])
    assert answer.status_code == 200, answer.text
    until(lambda: receiver.requests, "the receiver is told")
    message = orjson.loads(receiver.requests[0].body)
    assert message["type"] == "job.completed"
    assert message["data"]["id"] == answer.json["id"]
    assert message["data"]["result"]["result"] == answer.json["result"]


def test_an_answer_from_the_cache_calls_nobody(told: House, receiver: Receiver) -> None:
    request = ways(receiver.url)["json"]
    told.analyze(**request)
    until(lambda: receiver.requests, "the receiver is told")
    assert told.analyze(**request).headers["X-Cache"] == "HIT"
    assert told.rows("select count(*) from jobs where delivery_of is not null") == [(1,)]


def test_each_file_of_a_batch_is_told_of(told: House, receiver: Receiver) -> None:
    files = [(io.BytesIO(f"{TEXT} Number {number}.".encode()), f"{number}.txt") for number in range(3)]
    form = {"files": files, "webhook_url": receiver.url, "tasks": "statistics"}
    answer = told.analyze(data=form)
    assert answer.status_code == 200, answer.text
    until(lambda: len(receiver.requests) == 3, "the receiver is told of each")
    ids = {orjson.loads(request.body)["data"]["id"] for request in receiver.requests}
    assert ids == {item["analysis"]["id"] for item in answer.json["results"]}
    batches = {orjson.loads(request.body)["data"]["batch_id"] for request in receiver.requests}
    assert batches == {answer.json["batch_id"]}


@pytest.mark.parametrize("way", ways(URL))
@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("ftp://hooks.example/", "https:// or http://"),
        ("https://me:secret@hooks.example/", "no user name"),
        (f"https://hooks.example/{'a' * 2048}", "at most 2,048"),
        ("https://hooks.example:25/", "port 25"),
        ("http://169.254.169.254/latest/meta-data/", "link-local"),
        ("http://[::1]:8000/", "this machine itself"),
    ],
    ids=["scheme", "user", "length", "port", "metadata", "loopback"],
)
def test_a_wrong_url_is_refused_with_the_rule(house: House, way: str, url: str, rule: str) -> None:
    problem = refused(house.analyze(**ways(url)[way]), 422, "validation_error")
    (error,) = problem["errors"]
    assert error["field"] == "webhook_url"
    assert error["location"] == {"json": "body"}.get(way, way)
    assert rule in error["message"]


def test_a_key_without_a_secret_is_told_how_to_make_one(house: House) -> None:
    problem = refused(house.analyze(**ways(URL)["json"]), 409, "no_webhook_secret")
    assert "/api/v1/keys/current/webhook-secret" in problem["detail"]
