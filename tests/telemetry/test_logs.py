"""Log lines: JSON or readable, with their ids, from every library, on standard error."""

from __future__ import annotations

import json
import logging
import re
import threading
from datetime import datetime
from typing import Any

import pytest
import structlog

from thetool.config import Settings
from thetool.telemetry.logs import bind, bind_only, bound, configure_logging

MASTER = "master-key-that-must-stay-secret-0123456789"


def settings(**values: Any) -> Settings:
    return Settings(MASTER_API_KEY=MASTER, **values)


class Written:
    """What goes to standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    def getvalue(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Written:
    configure_logging(settings(LOG_FORMAT="json"))
    return Written(capsys)


def lines(written: Written) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().split("\n") if line]


log = structlog.get_logger("thetool.tests")


def test_line_is_one_json_object(written: Written) -> None:
    log.info("it\nhappened", answer=42, nothing=None, text="ä\u2028")
    [line] = lines(written)
    assert line["event"] == "it\nhappened"
    assert (line["level"], line["logger"], line["answer"], line["text"]) == ("info", "thetool.tests", 42, "ä\u2028")
    assert datetime.fromisoformat(line["timestamp"]).utcoffset().total_seconds() == 0  # type: ignore[union-attr]


def test_other_libraries_lines_are_the_same(written: Written) -> None:
    bind(request_id="r1")
    logging.getLogger("gunicorn.error").warning("worker %s left", 7)
    [line] = lines(written)
    assert (line["event"], line["level"], line["logger"]) == ("worker 7 left", "warning", "gunicorn.error")
    assert line["request_id"] == "r1"


def test_ids_are_on_each_line_of_the_block_only(written: Written) -> None:
    with bound(job_id="j1", correlation_id="c1"):
        log.info("inside")
        with bound(job_id="j2"):
            log.info("deeper")
        log.info("inside again")
    log.info("outside")
    assert [line.get("job_id") for line in lines(written)] == ["j1", "j2", "j1", None]
    assert [line.get("correlation_id") for line in lines(written)] == ["c1", "c1", "c1", None]


def test_a_pooled_thread_forgets_the_request_before(written: Written) -> None:
    bind(request_id="r1", caller="somebody")
    bind_only(request_id="r2")
    log.info("next")
    [line] = lines(written)
    assert line["request_id"] == "r2"
    assert "caller" not in line


def test_ids_stay_in_their_thread(written: Written) -> None:
    bind(request_id="r1")
    thread = threading.Thread(target=lambda: log.info("elsewhere"))
    thread.start()
    thread.join()
    assert "request_id" not in lines(written)[0]


def test_traceback_is_inside_the_line(written: Written) -> None:
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("failed")
        logging.getLogger("sqlalchemy").exception("failed too")
    for line in lines(written):
        assert "Traceback" in line["exception"]
        assert "ValueError: why" in line["exception"]


def test_traceback_shows_no_variables(written: Written) -> None:
    configure_logging(settings(LOG_FORMAT="console"))
    try:
        hidden = "value-of-a-local-variable"
        raise ValueError(len(hidden))
    except ValueError:
        log.exception("failed")
    assert "ValueError" in written.getvalue()
    assert "value-of-a-local" not in written.getvalue().replace('hidden = "value-of-a-local-variable"', "")


@pytest.mark.parametrize("value", ["\ud800", 2**70, b"\xff", object(), {1: {2}}, float("nan")])
def test_no_value_loses_a_line(written: Written, value: object) -> None:
    log.info("odd", value=value)
    [line] = lines(written)
    assert line["event"] == "odd"


def test_secrets_are_masked_wherever_they_are(written: Written) -> None:
    log.info("called", headers={"Authorization": "Bearer abcdefgh12345678"}, text=f"with {MASTER}")
    logging.getLogger("urllib3").warning("GET /x?signature=abc123 failed")
    try:
        raise ValueError("postgresql://me:hunter2@host/db")
    except ValueError:
        log.exception("no connection")
    text = written.getvalue()
    for secret in (MASTER, "abcdefgh12345678", "abc123", "hunter2"):
        assert secret not in text
    assert len(lines(written)) == 3


def test_level_is_the_settings(written: Written) -> None:
    configure_logging(settings(LOG_FORMAT="json", LOG_LEVEL="WARNING"))
    log.info("no")
    logging.getLogger("somebody").info("no")
    log.warning("yes")
    assert [line["event"] for line in lines(written)] == ["yes"]


def test_chatty_libraries_are_quiet(written: Written) -> None:
    logging.getLogger("botocore.hooks").info("no")
    logging.getLogger("alembic.runtime.migration").info("no")
    logging.getLogger("thetool.database.migrate").info("yes")
    assert [line["event"] for line in lines(written)] == ["yes"]


def test_configured_twice_a_line_comes_once(written: Written) -> None:
    configure_logging(settings(LOG_FORMAT="json"))
    log.info("once")
    assert len(lines(written)) == 1


def test_console_is_readable(written: Written) -> None:
    configure_logging(settings(LOG_FORMAT="console"))
    log.info("happened", answer=42)
    assert "happened" in written.getvalue()
    assert "answer=42" in written.getvalue()
    assert "\x1b[" not in written.getvalue()


def test_no_value_steers_the_terminal_or_feigns_a_line(written: Written) -> None:
    configure_logging(settings(LOG_FORMAT="console"))
    log.info("request", path="/\x1b[31mred\x07", name="a\u2028b\u202e")
    logging.getLogger("gunicorn.error").warning("Invalid request: %s", "\x1b[2J\nfeigned line")
    text = written.getvalue()
    assert not re.search(r"[^\n -~]", text)
    assert len(text.splitlines()) == 2
    assert r"/\x1b[31mred\x07" in text
    assert r"\x1b[2J\nfeigned line" in text


def test_nothing_goes_to_standard_output(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    log.info("a line")
    assert capsys.readouterr().out == ""


def test_uncaught_errors_are_lines_too(written: Written) -> None:
    def fail() -> None:
        raise RuntimeError("in a thread")

    thread = threading.Thread(target=fail, name="poor thing")
    thread.start()
    thread.join()
    [line] = lines(written)
    assert line["event"] == "uncaught error in thread poor thing"
    assert "in a thread" in line["exception"]
