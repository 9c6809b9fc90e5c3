"""Request ids, headers, CORS, proxies, compression: what every answer gets."""

from __future__ import annotations

import gzip
import json
import logging
import re
import sys
from collections.abc import Callable

import pytest
import structlog
from apiflask import APIFlask
from flask.testing import FlaskClient

from thetool.telemetry import metrics
from thetool.web.request_id import current_request_id

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ORIGIN = "https://app.example.com"


@pytest.mark.parametrize("given", ["a", "4f7c.A_b-9", "x" * 128])
def test_sane_request_id_is_taken(api: FlaskClient, given: str) -> None:
    response = api.get("/who", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] == response.json["id"] == given


@pytest.mark.parametrize(
    "given", ["", "x" * 129, "a b", "a\tb", "ä", "<script>", "a;b", "a,b", "${jndi:x}", "a%0d%0ab"]
)
def test_evil_request_id_is_replaced(api: FlaskClient, given: str) -> None:
    response = api.get("/who", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])
    assert response.json["id"] == response.headers["X-Request-ID"]


def test_each_request_has_its_own_id(api: FlaskClient) -> None:
    assert api.get("/who").json["id"] != api.get("/who").json["id"]


def test_outside_a_request_there_is_a_new_id() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", current_request_id())


@pytest.mark.parametrize("path", ["/who", "/nowhere", "/wrong/unexpected", "/openapi.json"])
def test_data_may_load_nothing(api: FlaskClient, path: str) -> None:
    headers = api.get(path).headers
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


def test_answers_are_not_kept_by_caches(api: FlaskClient) -> None:
    assert api.get("/who").headers["Cache-Control"] == "no-store"


def test_page_runs_only_what_has_the_nonce(api: FlaskClient) -> None:
    response = api.get("/page")
    policy = response.headers["Content-Security-Policy"]
    nonce = re.search(r"script-src 'self' 'nonce-([^']+)'", policy)
    assert nonce is not None
    assert f"nonce='{nonce[1]}'" in response.text
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert nonce[1] not in api.get("/page").headers["Content-Security-Policy"]


def test_page_without_a_script_needs_no_nonce(api: FlaskClient) -> None:
    assert "nonce" not in api.get("/plain-page").headers["Content-Security-Policy"]


def test_a_view_may_set_its_own_policy_and_caching(api: FlaskClient) -> None:
    headers = api.get("/own-policy").headers
    assert headers.getlist("Content-Security-Policy") == ["sandbox"]
    assert headers.getlist("Cache-Control") == ["private, max-age=5"]


def production(make_api: Callable[..., APIFlask], **settings: object) -> FlaskClient:
    return make_api(ENVIRONMENT="production", DATABASE_URL="postgresql://x@y/z", **settings).test_client()


def test_https_is_kept_only_in_production_over_https(make_api: Callable[..., APIFlask], api: FlaskClient) -> None:
    client = production(make_api)
    secure = client.get("/who", base_url="https://x").headers
    assert secure["Strict-Transport-Security"].startswith("max-age=")
    assert "Strict-Transport-Security" not in client.get("/who", base_url="http://x").headers
    assert "Strict-Transport-Security" not in api.get("/who", base_url="https://x").headers


FORWARDED = {"X-Forwarded-For": "6.6.6.6, 9.9.9.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}


def test_no_proxy_is_believed_by_default(api: FlaskClient) -> None:
    seen = api.get("/who", headers=FORWARDED).json
    assert (seen["address"], seen["scheme"]) == ("127.0.0.1", "http")


def test_one_proxy_is_believed_about_one_address(make_api: Callable[..., APIFlask]) -> None:
    client = make_api(TRUSTED_PROXIES=1).test_client()
    seen = client.get("/who", headers=FORWARDED).json
    assert (seen["address"], seen["scheme"]) == ("9.9.9.9", "https")
    assert "evil.example" not in client.get("/items?limit=1", headers=FORWARDED).json["next"]


def test_no_origin_may_call_by_default(api: FlaskClient) -> None:
    assert "Access-Control-Allow-Origin" not in api.get("/who", headers={"Origin": ORIGIN}).headers


def test_named_origin_may_call_without_cookies(make_api: Callable[..., APIFlask]) -> None:
    client = make_api(CORS_ORIGINS=f"{ORIGIN}, https://b.example").test_client()
    headers = client.get("/who", headers={"Origin": ORIGIN}).headers
    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in headers
    exposed = headers["Access-Control-Expose-Headers"]
    for name in ("X-Request-ID", "X-Cache", "Location", "Retry-After", "RateLimit-Remaining"):
        assert name in exposed
    assert "Origin" in headers["Vary"]
    assert "Access-Control-Allow-Origin" not in client.get("/who", headers={"Origin": "https://evil.example"}).headers
    problem = client.get("/nowhere", headers={"Origin": ORIGIN})
    assert problem.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_preflight(make_api: Callable[..., APIFlask]) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, idempotency-key, prefer",
    }
    response = make_api(CORS_ORIGINS=ORIGIN).test_client().options("/orders", headers=asked)
    assert response.status_code == 200
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    for name in asked["Access-Control-Request-Headers"].split(", "):
        assert name in allowed


def test_every_origin_never_has_cookies(make_api: Callable[..., APIFlask]) -> None:
    headers = make_api(CORS_ORIGINS="*").test_client().get("/who", headers={"Origin": ORIGIN}).headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers


GZIP = {"Accept-Encoding": "gzip"}


def test_long_json_is_compressed_for_who_accepts_it(api: FlaskClient) -> None:
    response = api.get("/text/5000", headers=GZIP)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.content_length == len(response.data) < 1000
    assert len(json.loads(gzip.decompress(response.data))["text"]) == 5000


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=0.5, zstd;q=0.9", "zstd"),
        ("gzip, zstd;q=0.5", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("*", "gzip"),
    ],
)
def test_zstandard_for_who_names_it(api: FlaskClient, accepted: str, encoding: str) -> None:
    response = api.get("/text/5000", headers={"Accept-Encoding": accepted})
    assert (response.headers["Content-Encoding"], response.headers["Vary"]) == (encoding, "Accept-Encoding")
    body = zstd.decompress(response.data) if encoding == "zstd" else gzip.decompress(response.data)
    assert response.content_length == len(response.data)
    assert len(json.loads(body)["text"]) == 5000


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "identity"])
def test_others_get_it_plain(api: FlaskClient, accepted: str) -> None:
    response = api.get("/text/5000", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in response.headers
    assert response.headers["Vary"] == "Accept-Encoding"
    assert len(response.json["text"]) == 5000


@pytest.mark.parametrize("path", ["/text/10", "/stream"])
def test_short_answers_and_streams_are_never_compressed(api: FlaskClient, path: str) -> None:
    assert "Content-Encoding" not in api.get(path, headers=GZIP).headers


def test_compression_can_be_switched_off(make_api: Callable[..., APIFlask]) -> None:
    client = make_api(ENABLE_COMPRESSION="false").test_client()
    assert "Content-Encoding" not in client.get("/text/5000", headers=GZIP).headers


def test_a_compressed_answer_has_a_weak_tag_that_still_matches(api: FlaskClient) -> None:
    tag = api.get("/tagged", headers=GZIP).headers["ETag"]
    assert tag == 'W/"abc"'
    again = api.get("/tagged", headers={"If-None-Match": tag, "Accept-Encoding": "zstd"})
    assert (again.status_code, again.headers["Vary"]) == (304, "Accept-Encoding")


def test_head_says_what_get_would(api: FlaskClient) -> None:
    response = api.head("/text/5000")
    assert response.status_code == 200
    assert response.data == b""
    assert response.content_length == api.get("/text/5000").content_length


def lines_of(caplog: pytest.LogCaptureFixture) -> list[tuple[int, dict[str, object]]]:
    return [
        (record.levelno, record.msg)
        for record in caplog.records
        if record.name == "thetool.request" and isinstance(record.msg, dict)
    ]


def test_one_line_for_a_request(api: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        api.get("/text/3?key=secret", headers={"X-Request-ID": "r1"})
    [(level, line)] = lines_of(caplog)
    assert level == logging.INFO
    assert (line["event"], line["method"], line["path"], line["status"]) == ("request", "GET", "/text/3", 200)
    assert line["request_id"] == "r1"
    assert isinstance(line["duration_ms"], float)


@pytest.mark.parametrize(
    ("method", "path", "level"),
    [
        ("GET", "/health/ready/200", logging.DEBUG),
        ("GET", "/health/ready/503", logging.INFO),
        ("GET", "/docs/assets/200", logging.DEBUG),
        ("GET", "/api/v1/jobs/200", logging.DEBUG),
        ("GET", "/api/v1/jobs/404", logging.INFO),
        ("DELETE", "/api/v1/jobs/204", logging.INFO),
        ("GET", "/api/v1/analyses/202", logging.DEBUG),
        ("GET", "/api/v1/analyses", logging.INFO),
    ],
)
def test_what_is_asked_all_the_time_is_quiet_unless_it_fails(
    make_api: Callable[..., APIFlask], caplog: pytest.LogCaptureFixture, method: str, path: str, level: int
) -> None:
    app = make_api()
    for prefix in ("/health/ready", "/docs/assets", "/api/v1/jobs", "/api/v1/analyses"):
        app.add_url_rule(f"{prefix}/<int:status>", prefix[1:], lambda status: ("", status), methods=["GET", "DELETE"])
    app.add_url_rule("/api/v1/analyses", "all", lambda: "")
    with caplog.at_level(logging.DEBUG):
        app.test_client().open(path, method=method)
    [(written, line)] = lines_of(caplog)
    assert (written, line["path"]) == (level, path)


def test_a_view_with_several_paths_is_counted_by_each(api: FlaskClient) -> None:
    for path in ("/older-name", "/newer-name"):
        api.get(path)
    counted = metrics.exposition().decode()
    for path in ("/older-name", "/newer-name"):
        assert f'http_requests_total{{method="GET",route="{path}",status="200"}}' in counted


def test_a_line_after_the_request_does_not_bear_its_ids(api: FlaskClient) -> None:
    assert api.get("/who", headers={"X-Request-ID": "r1"}).json["id"] == "r1"
    assert structlog.contextvars.get_contextvars() == {}
