"""Names that the five older guides promise: each is read or served here, or docs/coming-from.md says what to use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from thetool.config import Settings

COMING_FROM = (Path(__file__).parents[2] / "docs/coming-from.md").read_text()

SETTINGS = """
DATABASE_URL DATABASE_UNPOOLED_URL DATABASE_POOL_SIZE THETOOL_HOME ALLOW_EMBEDDED_DATABASE ANALYZE_WAIT_SECONDS
MAX_QUEUED_JOBS MAX_STREAMS MAX_REQUESTS WORKER_MAX_RSS_MB GRACEFUL_TIMEOUT JOB_LEASE_SECONDS
MAX_DATABASE_BLOB_BYTES ANALYSIS_RETENTION_HOURS METRICS_TOKEN REDIS_URL REDIS_ENABLED MASTER_API_KEY API_SECRET_KEY
SECRET_KEY FLASK_ENV ENVIRONMENT DEBUG LOG_LEVEL PORT API_HOST API_PORT WEB_CONCURRENCY WORKERS MAX_WORKERS
CORS_ORIGINS PUBLIC_URL TRUSTED_PROXIES RATE_LIMIT_ENABLED RATE_LIMIT_PER_MINUTE RATE_LIMIT_BURST CACHE_ENABLED
CACHE_TTL ENABLE_CACHING CACHE_TTL_SECONDS MAX_FILE_SIZE MAX_UPLOAD_SIZE_MB MAX_UPLOAD_BYTES MAX_FILES_PER_BATCH
MAX_TOTAL_UPLOAD_SIZE JOB_RETENTION_DAYS R2_ENDPOINT_URL R2_ACCESS_KEY_ID R2_SECRET_ACCESS_KEY R2_BUCKET_NAME
TEXT_MODEL_NAME ENABLE_COMPRESSION METRICS_ENABLED SUPABASE_ MODAL_TOKEN_ID MODAL_TOKEN_SECRET NEXT_PUBLIC_API_URL
CDN_DOMAIN HUGGINGFACE_CACHE_DIR GPU_IDLE_UNLOAD_SECONDS GPU_COST_PER_HOUR
NEXTAUTH_ GITHUB_ID GITHUB_SECRET MODEL_CACHE_BYTES CACHE_MODEL_TTL CACHE_PREDICTION_TTL MAX_MODEL_SIZE_BYTES
""".split()  # noqa: SIM905  read more easily than a list of quoted words

DEFAULTS = {
    "ANALYZE_WAIT_SECONDS": 10,
    "MAX_QUEUED_JOBS": 10000,
    "MAX_STREAMS": 250,
    "MAX_REQUESTS": 1000,
    "WORKER_MAX_RSS_MB": 2048,
    "GRACEFUL_TIMEOUT": 60,
    "JOB_LEASE_SECONDS": 30,
    "MAX_DATABASE_BLOB_BYTES": 10 * 2**30,
    "ANALYSIS_RETENTION_HOURS": 24,
    "DATABASE_POOL_SIZE": 3,
    "RATE_LIMIT_PER_MINUTE": 60,
    "RATE_LIMIT_BURST": 100,
    "CACHE_TTL": 3600,
    "MAX_FILE_SIZE": 52428800,
    "MAX_FILES_PER_BATCH": 100,
    "MAX_TOTAL_UPLOAD_SIZE": 524288000,
    "JOB_RETENTION_DAYS": 7,
    "GPU_IDLE_UNLOAD_SECONDS": 600,
    "GPU_COST_PER_HOUR": None,
    "MODEL_CACHE_BYTES": 2**30,
    "CACHE_MODEL_TTL": 3600,
    "CACHE_PREDICTION_TTL": 300,
    "MAX_MODEL_SIZE_BYTES": 104857600,
}

ROUTES = """
POST /analyze
GET /health
GET /health/live
GET /health/ready
GET /health/detailed
GET /health/metrics
GET /api/v1/live
GET /api/v1/ready
GET /api/v1/health
GET /api/v1/health/live
GET /api/v1/health/ready
GET /api/v1/health/workers
GET /api/v1/health/celery
GET /api/v1/cache/metrics
POST /api/v1/cache/metrics/reset
GET /api/v1/metrics
GET /api/v1/jobs
GET /api/v1/jobs/{}
GET /api/v1/jobs/{}/result
POST /api/v1/jobs/{}/cancel
DELETE /api/v1/jobs/{}
POST /api/v1/models
GET /api/v1/models
GET /api/v1/models/{}
PATCH /api/v1/models/{}
DELETE /api/v1/models/{}
POST /api/v1/models/{}/upload
POST /api/v1/models/{}/validate
GET /api/v1/models/by-name/{}/versions
GET /api/v1/models/by-name/{}/latest
POST /api/v1/models/{}/predict
POST /api/v1/jobs
GET /api/v1/models/{}/predictions
GET /v2
GET /v2/health/live
GET /v2/health/ready
POST /v2/models/{}/infer
POST /v2/models/{}/versions/{}/infer
POST /transform/submit
GET /transform/status/{}
DELETE /transform/{}
GET /ws/transform/{}
GET /metrics
GET /docs
GET /openapi.json
""".strip().splitlines()


def names_of_settings() -> dict[str, object]:
    found: dict[str, object] = {}
    for field in Settings.model_fields.values():
        for name in field.validation_alias.choices:  # type: ignore[union-attr]
            found[str(name)] = field.default
    return found


@pytest.mark.parametrize("name", SETTINGS)
def test_setting_is_read_or_explained(name: str) -> None:
    assert name in names_of_settings() or f"`{name}" in COMING_FROM


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_setting_has_the_promised_default(name: str, default: object) -> None:
    assert names_of_settings()[name] == default


@pytest.fixture(scope="module")
def served() -> set[str]:
    from thetool.app import create_app

    app: Flask = create_app(Settings())
    rules = app.url_map.iter_rules()
    return {f"{method} {_without_names(rule.rule)}" for rule in rules for method in rule.methods or ()}


def _without_names(rule: str) -> str:
    return re.sub(r"<[^>]+>", "{}", rule)


@pytest.mark.parametrize("route", ROUTES)
def test_route_is_served(route: str, served: set[str]) -> None:
    assert route in served
