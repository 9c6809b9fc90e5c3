"""What health, readiness and metrics answer, with the database there and away, with and without a key."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from tests.conftest import MASTER_KEY
from tests.e2e.service import until
from tests.web.conftest import problem_of
from thetool import __version__
from thetool.access import health_routes, routes, setup
from thetool.config import Settings
from thetool.database import connection
from thetool.telemetry import health
from thetool.telemetry.health import register_probe
from thetool.telemetry.logs import configure_logging
from thetool.web.api import create_api

OPEN = ["/health", "/health/live", "/health/ready", "/api/v1/health", "/api/v1/health/live", "/api/v1/health/ready"]
OPEN += ["/api/v1/live", "/api/v1/ready"]
CLOSED = ["/health/detailed", "/health/metrics", "/api/v1/metrics", "/api/v1/health/workers", "/api/v1/health/celery"]
CLOSED += ["/metrics"]


def build(settings: Settings) -> APIFlask:
    configure_logging(settings)
    app = create_api(settings)
    connection.init_app(app, settings)
    setup.init_app(app, settings)
    app.register_blueprint(health_routes.blueprint)
    app.register_blueprint(routes.blueprint)
    return app


@pytest.fixture
def app(settings: Settings) -> APIFlask:
    return build(settings)


@pytest.fixture
def away(tmp_path: Path) -> FlaskClient:
    """A caller of a service whose database is nowhere."""
    url = "postgresql://somebody:hunter2@127.0.0.1:1/nowhere"
    return build(Settings(DATABASE_URL=url, THETOOL_HOME=tmp_path, MASTER_API_KEY=MASTER_KEY)).test_client()


@pytest.fixture
def reader(client: FlaskClient, master: dict[str, str]) -> dict[str, str]:
    """Headers of a key that may read."""
    issued = client.post("/api/v1/keys", json={"name": "reader", "scopes": ["read"]}, headers=master)
    return {"X-API-Key": issued.json["key"]}


@pytest.mark.parametrize("path", OPEN)
def test_open_without_a_key(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", CLOSED)
def test_closed_without_a_key(client: FlaskClient, path: str) -> None:
    problem_of(client.get(path), 401, "unauthenticated")


def test_health(client: FlaskClient) -> None:
    body = client.get("/health").json
    assert body.pop("uptime_seconds") >= 0
    assert body == {
        "status": "ok",
        "message": "backend running",
        "version": __version__,
        "authentication": "enabled",
        "database": "connected",
        "cache": {"enabled": True, "hit_rate": None, "hits": None, "misses": None},
    }


def test_health_behind_and_in_front_say_the_same(client: FlaskClient) -> None:
    front = client.get("/health").json
    behind = client.get("/health", headers={"Origin": "https://a.example"}).json
    del front["uptime_seconds"], behind["uptime_seconds"]
    assert behind == front


def test_cache_is_what_its_probe_says(client: FlaskClient) -> None:
    register_probe("cache", lambda: {"hits": 3, "misses": 1, "hit_rate": 0.75})
    assert client.get("/health").json["cache"] == {"enabled": True, "hit_rate": 0.75, "hits": 3, "misses": 1}


@pytest.mark.parametrize("path", ["/health/live", "/api/v1/health/live", "/api/v1/live"])
def test_alive(client: FlaskClient, path: str) -> None:
    assert client.get(path).json["status"] == "alive"


@pytest.mark.parametrize("path", ["/health/ready", "/api/v1/health/ready", "/api/v1/ready"])
def test_ready(client: FlaskClient, path: str) -> None:
    assert client.get(path).json["status"] == "ready"


def test_api_health(client: FlaskClient) -> None:
    body = client.get("/api/v1/health").json
    assert (body["status"], body["database"], body["environment"]) == ("healthy", "connected", "development")


def test_alive_while_the_database_is_away(away: FlaskClient) -> None:
    assert away.get("/health/live").status_code == 200
    body = away.get("/health")
    assert (body.status_code, body.json["status"], body.json["database"]) == (200, "degraded", "unavailable")
    assert away.get("/api/v1/health").json["status"] == "degraded"


def test_not_ready_while_the_database_is_away(away: FlaskClient) -> None:
    response = away.get("/health/ready")
    assert problem_of(response, 503, "not_ready")["waiting_for"] == ["database"]
    assert int(response.headers["Retry-After"]) > 0


def test_critical_while_the_database_is_away(away: FlaskClient, master: dict[str, str]) -> None:
    response = away.get("/health/detailed", headers=master)
    report = problem_of(response, 503, "unhealthy")["report"]
    assert report["status"] == "critical"
    assert report["services"]["database"]["status"] == "critical"
    assert "hunter2" not in response.text


@pytest.mark.parametrize("path", OPEN)
def test_open_paths_tell_nothing_of_where_things_are(away: FlaskClient, path: str) -> None:
    text = away.get(path).text
    for secret in ("127.0.0.1", "hunter2", "somebody", "psycopg2"):
        assert secret not in text


def test_other_routes_are_503_at_once(away: FlaskClient, master: dict[str, str]) -> None:
    problem_of(away.get("/api/v1/keys", headers=master), 503, "database_unavailable")


def test_without_tables_it_is_not_ready(empty_database: str, tmp_path: Path, master: dict[str, str]) -> None:
    settings = Settings(DATABASE_URL=empty_database, THETOOL_HOME=tmp_path, MASTER_API_KEY=MASTER_KEY)
    client = build(settings).test_client()
    problem_of(client.get("/health/ready"), 503, "not_ready")
    detail = problem_of(client.get("/health/detailed", headers=master), 503, "unhealthy")["detail"]
    assert "db_migrations.py" in detail


def test_it_becomes_ready_when_the_database_comes_back(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "YOUNG_SECONDS", 0)
    answer: list[Exception | None] = [ConnectionError("away")]

    def probe() -> dict[str, Any]:
        if answer[0]:
            raise answer[0]
        return {}

    register_probe("database", probe, required=True)
    problem_of(client.get("/health/ready"), 503, "not_ready")
    answer[0] = None
    until(lambda: client.get("/health/ready").status_code == 200, "it is ready")


@pytest.fixture
def stuck() -> Iterator[None]:
    go = threading.Event()

    def probe() -> dict[str, Any]:
        go.wait(60)
        return {}

    register_probe("stuck", probe)
    yield
    go.set()


def test_a_probe_that_hangs_degrades_and_no_more(
    client: FlaskClient, stuck: None, master: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.5)
    assert client.get("/health").json["status"] == "degraded"
    assert client.get("/health/ready").status_code == 200
    report = client.get("/health/detailed", headers=master).json
    assert report["status"] == "warning"
    assert report["services"]["stuck"]["error"].startswith("no answer")
    assert report["services"]["database"]["status"] == "ok"


def test_detailed(client: FlaskClient, reader: dict[str, str]) -> None:
    report = client.get("/health/detailed", headers=reader).json
    assert report["status"] == "ok"
    database = report["services"]["database"]
    assert 0 < database["connections_used"] < database["connections_limit"]
    assert database["migration"]
    assert report["services"]["gpu"] == {"status": "absent"}
    assert 0 <= report["system"]["disk_percent"] <= 100
    assert 0 < report["system"]["memory_percent"] <= 100
    assert report["process"]["memory_rss_mb"] > 1
    assert report["warnings"] == []


def test_machine_metrics(client: FlaskClient, reader: dict[str, str]) -> None:
    body = client.get("/health/metrics", headers=reader).json
    wanted = {"cpu_percent", "memory_percent", "memory_used_gb", "memory_total_gb", "disk_percent", "disk_free_gb"}
    assert wanted <= body["system"].keys()
    wanted = {"memory_rss_mb", "memory_vms_mb", "cpu_percent", "num_threads", "create_time"}
    assert wanted <= body["process"].keys()


def test_application_metrics(client: FlaskClient, reader: dict[str, str]) -> None:
    register_probe("workers", lambda: {"count": 2, "workers": []})
    body = client.get("/api/v1/metrics", headers=reader).json
    assert body["application"]["name"] == "TheTool"
    assert body["database"]["connected"] is True
    assert body["celery"] == {"status": "connected", "broker_connected": True, "worker_count": 2}


def test_workers_under_both_names(client: FlaskClient, reader: dict[str, str]) -> None:
    worker = {"host": "a", "pid": 1, "running": 0}
    register_probe("workers", lambda: {"count": 1, "workers": [worker]})
    ours, older = (client.get(f"/api/v1/health/{name}", headers=reader).json for name in ("workers", "celery"))
    assert ours.pop("timestamp") <= older.pop("timestamp")
    assert ours == older
    assert (ours["status"], ours["broker_connected"], ours["workers"]) == ("connected", True, [worker])


def test_no_workers(client: FlaskClient, reader: dict[str, str]) -> None:
    register_probe("workers", lambda: {"count": 0, "workers": []})
    assert client.get("/api/v1/health/workers", headers=reader).json["status"] == "no_workers"


def test_prometheus_needs_the_master_key(client: FlaskClient, reader: dict[str, str], master: dict[str, str]) -> None:
    problem_of(client.get("/metrics", headers=reader), 403, "forbidden")
    client.get("/api/v1/keys/00000000-0000-7000-8000-00000000000f", headers=master)
    response = client.get("/metrics", headers=master)
    assert response.content_type.startswith("text/plain; version=0.0.4")
    routes = {
        sample.labels["route"]
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
        if sample.name == "http_requests_total"
    }
    assert "/api/v1/keys/<uuid:key_id>" in routes
    assert "database_connections_used" in response.text
    assert not [route for route in routes if "00000000" in route]


def with_settings(settings: Settings, **changes: Any) -> FlaskClient:
    return build(settings.model_copy(update=changes)).test_client()


def test_prometheus_by_its_own_token(settings: Settings) -> None:
    client = with_settings(settings, metrics_token=SecretStr("scrape-me-0123456789"))
    assert client.get("/metrics", headers={"Authorization": "Bearer scrape-me-0123456789"}).status_code == 200
    problem_of(client.get("/metrics", headers={"Authorization": "Bearer scrape-me"}), 401, "invalid_key")
    problem_of(client.get("/metrics", headers={"Authorization": "Bearer \xe9"}), 401, "invalid_key")
    token = {"Authorization": "Bearer scrape-me-0123456789"}
    problem_of(client.get("/health/detailed", headers=token), 401, "invalid_key")


def test_prometheus_can_be_switched_off(settings: Settings, master: dict[str, str]) -> None:
    client = with_settings(settings, metrics_enabled=False)
    problem_of(client.get("/metrics", headers=master), 404, "not_found")


def test_document_says_which_need_a_key(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    validate(document)
    for path in OPEN:
        assert "security" not in document["paths"][path]["get"], path
    for path in CLOSED[:-1]:
        assert document["paths"][path]["get"]["security"], path
        assert "`invalid_key`" in document["paths"][path]["get"]["responses"]["401"]["description"]


def test_a_caller_is_named_on_the_line(
    client: FlaskClient, reader: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        client.get("/api/v1/metrics", headers=reader)
    [line] = [record.msg for record in caplog.records if record.name == "thetool.request"]
    assert isinstance(line, dict)
    assert line["caller"] == "reader"
