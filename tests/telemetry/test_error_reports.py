"""Errors reach a server that speaks Sentry's envelopes; secrets, bodies and variables do not."""

from __future__ import annotations

import gzip
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import structlog
from flask import request
from pydantic import SecretStr

from tests.e2e.service import until
from thetool.config import Settings
from thetool.telemetry.error_reports import ErrorReporter
from thetool.telemetry.logs import bound, configure_logging
from thetool.web.api import create_api

SECRET = "tt_0123456789abcdefghijklmnopqrstuvwxyz"  # noqa: S105
BODY = "Dear Mrs. Miller, your number is 4711"


class Collector(ThreadingHTTPServer):
    """Keeps the events of the envelopes that are posted to it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self.status = 200

    @property
    def dsn(self) -> SecretStr:
        return SecretStr(f"http://public@127.0.0.1:{self.server_port}/1")


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        text = (gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body).decode()
        self.server.raw.append(text)
        header, payload = text.splitlines()[1:3]
        assert json.loads(header)["type"] == "event"
        self.server.events.append(json.loads(payload))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def reporting(settings: Settings, collector: Collector) -> Iterator[Settings]:
    """Settings with a SENTRY_DSN, in use."""
    settings = settings.model_copy(update={"sentry_dsn": collector.dsn})
    configure_logging(settings)
    yield settings
    for handler in [one for one in logging.getLogger().handlers if isinstance(one, ErrorReporter)]:
        logging.getLogger().removeHandler(handler)
        handler.close()


def the_event(collector: Collector) -> dict[str, Any]:
    (event,) = until(lambda: list(collector.events), "the event has come")
    return event


def test_an_unexpected_error_of_a_request(reporting: Settings, collector: Collector) -> None:
    app = create_api(reporting)

    @app.post("/boom")
    def boom() -> str:
        letter = request.get_data(as_text=True)
        key = request.headers["X-API-Key"]
        raise RuntimeError(f"nobody expected this of {key} [parameters: {letter}]")

    answer = app.test_client().post("/boom", data=BODY, headers={"X-API-Key": SECRET, "X-Request-ID": "request-77"})
    assert answer.status_code == 500
    event = the_event(collector)
    (raised,) = event["exception"]["values"]
    assert raised["type"] == "RuntimeError"
    assert raised["stacktrace"]["frames"][-1]["function"] == "boom"
    assert raised["value"] == "nobody expected this of tt_*** ***"
    assert event["tags"]["request_id"] == "request-77"
    assert event["environment"] == "development"
    text = "".join(collector.raw)
    assert SECRET not in text
    assert BODY not in text
    assert "vars" not in raised["stacktrace"]["frames"][-1]
    assert "request" not in event


def test_an_error_in_a_job_names_it(reporting: Settings, collector: Collector) -> None:
    log = structlog.get_logger("thetool.test")
    with bound(job_id="job-1", kind="a.b"):
        log.error("the worker stumbled", api_key=SECRET, text=BODY)
    event = the_event(collector)
    assert event["tags"] == {"job_id": "job-1", "kind": "a.b"}
    assert event["logentry"]["formatted"] == "the worker stumbled"
    assert SECRET not in "".join(collector.raw)
    assert BODY not in "".join(collector.raw)


def test_rows_that_postgres_quotes_stay_here(reporting: Settings, collector: Collector) -> None:
    try:
        raise ValueError(f'violates "x"\nDETAIL:  Failing row contains ({BODY}).')
    except ValueError:
        logging.getLogger("thetool.test").exception("it failed")
    assert the_event(collector)["exception"]["values"][0]["value"] == 'violates "x" ***'


def test_warnings_are_no_errors_and_one_reporter_is_enough(reporting: Settings, collector: Collector) -> None:
    configure_logging(reporting)
    logging.getLogger("thetool.test").warning("nothing special")
    logging.getLogger("thetool.test").error("special")
    logging.getLogger().handlers[-1].flush()
    assert [event["logentry"]["formatted"] for event in collector.events] == ["special"]


def test_where_nobody_listens_nobody_waits(reporting: Settings, collector: Collector) -> None:
    collector.status = 500
    logging.getLogger("thetool.test").error("first")
    the_event(collector)
    logging.getLogger("thetool.test").error("second")


def test_without_an_address_the_library_is_not_loaded() -> None:
    program = (
        "import sys; from thetool.config import Settings; from thetool.telemetry.logs import configure_logging; "
        "configure_logging(Settings()); assert 'sentry_sdk' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)  # noqa: S603
