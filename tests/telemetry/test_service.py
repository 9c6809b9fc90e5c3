"""A real gunicorn with several workers: one log, one count, one uptime."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import migrated_database
from tests.e2e.conftest import _service
from tests.e2e.service import KEY, Service, until


def scraped(service: Service) -> str:
    connection = HTTPConnection("127.0.0.1", service.port, timeout=30)
    connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {KEY}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, text
    return text


def total(text: str, route: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "http_requests_total" and sample.labels["route"] == route
    )


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[Service]:
    with migrated_database(postgres_url) as url, _service(url, LOG_FORMAT="json") as service:
        yield service.start()


def test_counts_of_all_workers_and_of_those_replaced(service: Service) -> None:
    before = total(scraped(service), "/sample/pid")
    answered: list[int] = []
    while len(set(answered)) < 2:
        answered.append(service.get("/sample/pid")[1]["pid"])
    assert total(scraped(service), "/sample/pid") == before + len(answered)
    service.reload()
    assert total(scraped(service), "/sample/pid") == before + len(answered)


def test_uptime_is_the_services_not_the_workers(service: Service) -> None:
    until(lambda: service.get("/health")[1]["uptime_seconds"] > 2, "it is up for a while")
    service.reload()
    assert service.get("/health")[1]["uptime_seconds"] > 2


def test_log_is_json_throughout_and_holds_no_key(service: Service) -> None:
    job_id = service.submit("polite", 0.01)
    service.until_job(job_id, "completed")
    lines = [json.loads(line) for line in service.log().splitlines() if line.startswith("{")]
    assert [line for line in service.log().splitlines() if not line.startswith("{")] == []
    [request] = [line for line in lines if line.get("path") == "/sample/jobs/polite"]
    assert request["request_id"]
    assert KEY not in service.log()
    assert any(line["logger"] == "gunicorn.error" for line in lines)
