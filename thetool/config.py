"""Every environment variable that TheTool reads, with its default, its other names and its reason.

`docs/settings.md` is made from this file; a test fails when the two differ.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MINIMUM_SECRET_LENGTH = 32


class SettingsError(Exception):
    """A setting has a value that TheTool cannot start with; the message is one line and names it."""


def _named(name: str, *aliases: str, default: Any = ..., description: str, **constraints: Any) -> Any:
    """Declare a setting read from `name`, or from one of the `aliases` that the five older systems used."""
    return Field(default, validation_alias=AliasChoices(name, *aliases), description=description, **constraints)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """The settings of one process, read once at its start."""

    model_config = SettingsConfigDict(
        case_sensitive=True, extra="ignore", env_ignore_empty=True, frozen=True, allow_inf_nan=False
    )

    # --- where it runs
    environment: Literal["development", "production"] = _named(
        "ENVIRONMENT",
        "FLASK_ENV",
        default="development",
        description="`production` refuses weak keys and a throw-away database. It is the default when "
        "`RAILWAY_ENVIRONMENT` is set, and in our image.",
    )
    home: Path = _named(
        "THETOOL_HOME",
        default=Path("~/.thetool"),
        description="Folder for the embedded database, the local key, model weights and caches.",
    )
    weights_dir: Path | None = _named(
        "WEIGHTS_DIR", default=None, description="Folder of the model weights; else `weights` inside `THETOOL_HOME`."
    )
    host: str = _named("HOST", "API_HOST", default="127.0.0.1", description="Address to listen on.")
    port: int = _named("PORT", "API_PORT", default=8000, ge=1, le=65535, description="Port to listen on.")
    debug: bool = _named("DEBUG", default=False, description="Reload on code changes; refused in production.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _named(
        "LOG_LEVEL", default="INFO", description="Least severe log line to write."
    )
    log_format: Literal["json", "console"] | None = _named(
        "LOG_FORMAT", default=None, description="`json` (the default in production) or `console` (else)."
    )
    public_url: str | None = _named(
        "PUBLIC_URL",
        default=None,
        description="Address that callers use, such as `https://tool.example.com`; links start with it.",
    )
    trusted_proxies: int = _named(
        "TRUSTED_PROXIES",
        default=0,
        ge=0,
        le=10,
        description="Proxies in front of the service, believed about the caller's address (1 by default on Railway).",
    )

    # --- processes
    workers: int = _named(
        "WEB_CONCURRENCY",
        "WORKERS",
        "MAX_WORKERS",
        default=max(2, min(4, _cores())),
        ge=1,
        le=64,
        description="Gunicorn worker processes (2 to 4, by the number of cores).",
    )
    threads: int = _named(
        "THREADS",
        default=300,
        ge=4,
        le=2000,
        description="Request threads of a worker. They are cheap; what runs at once is bounded elsewhere.",
    )
    max_requests: int = _named(
        "MAX_REQUESTS", default=1000, ge=0, description="A worker is replaced after this many requests; 0 is never."
    )
    worker_max_rss_mb: int = _named(
        "WORKER_MAX_RSS_MB",
        default=2048,
        ge=0,
        description="A worker that holds more MiB of memory is replaced; 0 is never (also while it holds a device).",
    )
    graceful_timeout: float = _named(
        "GRACEFUL_TIMEOUT",
        default=60,
        gt=0,
        description="Seconds that a stopping worker lets its jobs run before it hands them back.",
    )
    max_streams: int = _named(
        "MAX_STREAMS", default=250, ge=1, description="Open event streams of a worker; past it 503 at once."
    )

    # --- database
    database_url: str | None = _named(
        "DATABASE_URL",
        default=None,
        description="Postgres to use. Without it an embedded Postgres runs under `THETOOL_HOME` (not in production).",
    )
    database_unpooled_url: str | None = _named(
        "DATABASE_UNPOOLED_URL",
        default=None,
        description="Address that bypasses a connection pooler, for the queue, LISTEN, locks and migrations.",
    )
    database_pool_size: int = _named(
        "DATABASE_POOL_SIZE", default=3, ge=1, le=100, description="Connections of a process's pool."
    )
    allow_embedded_database: bool = _named(
        "ALLOW_EMBEDDED_DATABASE",
        default=False,
        description="Start without `DATABASE_URL` in production: only where `THETOOL_HOME` is on a disk that is kept.",
    )
    max_database_blob_bytes: int = _named(
        "MAX_DATABASE_BLOB_BYTES",
        default=10 * 2**30,
        ge=0,
        description="Bytes of files that Postgres may hold in all; past it, set a bucket.",
    )

    # --- access
    master_api_key: SecretStr | None = _named(
        "MASTER_API_KEY",
        "API_SECRET_KEY",
        default=None,
        description="The key that may do everything; at least 32 characters in production. "
        "Without it, locally, one is made and kept.",
    )
    secret_key: SecretStr | None = _named(
        "SECRET_KEY", default=None, description="Signs cookies and links; else derived from the master key."
    )
    cors_origins: str = _named(
        "CORS_ORIGINS",
        default="",
        description="Origins, with commas, whose pages may call the API; empty is none, `*` is refused in production.",
    )
    rate_limit_enabled: bool = _named(
        "RATE_LIMIT_ENABLED", default=True, description="Limit how often issued keys and addresses may call."
    )
    rate_limit_per_minute: int = _named(
        "RATE_LIMIT_PER_MINUTE", default=60, ge=1, description="Requests a minute of one caller."
    )
    rate_limit_burst: int = _named(
        "RATE_LIMIT_BURST", default=100, ge=1, description="Requests of one caller that may come at once."
    )
    redis_url: SecretStr | None = _named(
        "REDIS_URL", default=None, description="Optional Redis for rate limits; never for jobs."
    )
    redis_enabled: bool = _named("REDIS_ENABLED", default=True, description="`false` ignores `REDIS_URL`.")
    metrics_enabled: bool = _named(
        "METRICS_ENABLED", default=True, description="Serve Prometheus metrics at `/metrics`."
    )
    metrics_token: SecretStr | None = _named(
        "METRICS_TOKEN", default=None, description="Bearer token for `/metrics`, beside the master key."
    )

    # --- what comes in
    max_upload_bytes: int = _named(
        "MAX_UPLOAD_BYTES",
        "MAX_FILE_SIZE",
        default=50 * 2**20,
        ge=1,
        description="Largest request body for text and images, in bytes.",
    )
    max_upload_size_mb: int | None = _named(
        "MAX_UPLOAD_SIZE_MB", default=None, ge=1, description="The same in MiB, where `MAX_UPLOAD_BYTES` is not set."
    )
    max_files_per_batch: int = _named("MAX_FILES_PER_BATCH", default=100, ge=1, description="Files in one request.")
    max_total_upload_size: int = _named(
        "MAX_TOTAL_UPLOAD_SIZE", default=500 * 2**20, ge=1, description="Bytes of all files in one request."
    )
    enable_compression: bool = _named(
        "ENABLE_COMPRESSION", default=True, description="Compress JSON answers above 1 KiB with gzip."
    )

    # --- analyses and jobs
    analyze_wait_seconds: float = _named(
        "ANALYZE_WAIT_SECONDS",
        default=10,
        ge=0,
        le=300,
        description="How long `POST /analyze` waits for its result before it answers 202.",
    )
    analysis_retention_hours: float = _named(
        "ANALYSIS_RETENTION_HOURS", default=24, gt=0, description="Hours that an analysis is kept."
    )
    cache_enabled: bool = _named(
        "CACHE_ENABLED", "ENABLE_CACHING", default=True, description="Answer repeated analyses from the cache."
    )
    cache_ttl: int = _named(
        "CACHE_TTL", "CACHE_TTL_SECONDS", default=3600, ge=1, description="Seconds that a cached analysis is good for."
    )
    max_queued_jobs: int = _named(
        "MAX_QUEUED_JOBS", default=10_000, ge=1, description="Waiting jobs past which a submit is answered 429."
    )
    job_lease_seconds: float = _named(
        "JOB_LEASE_SECONDS",
        default=30,
        ge=1,
        description="A worker that is silent for so long loses its jobs to others.",
    )
    job_retention_days: float = _named(
        "JOB_RETENTION_DAYS", default=7, gt=0, description="Days that a finished job is kept."
    )
    job_threads: int = _named(
        "JOB_THREADS",
        default=max(1, _cores() // 2),
        ge=1,
        le=64,
        description="Jobs that one worker runs at a time in threads (half the cores).",
    )
    job_processes: int = _named(
        "JOB_PROCESSES", default=1, ge=0, le=64, description="Jobs that one worker runs at a time in child processes."
    )
    embeddings_model: str = _named(
        "TEXT_MODEL_NAME",
        default="minilm-int8",
        description="Catalogue name of the model that turns sentences into vectors (topics).",
    )

    # --- files in a bucket
    s3_endpoint_url: str | None = _named(
        "S3_ENDPOINT_URL", "R2_ENDPOINT_URL", default=None, description="S3 or R2 endpoint; without it AWS's own."
    )
    s3_access_key_id: str | None = _named(
        "S3_ACCESS_KEY_ID", "R2_ACCESS_KEY_ID", default=None, description="Access key of the bucket."
    )
    s3_secret_access_key: SecretStr | None = _named(
        "S3_SECRET_ACCESS_KEY", "R2_SECRET_ACCESS_KEY", default=None, description="Secret of that access key."
    )
    s3_bucket_name: str | None = _named(
        "S3_BUCKET_NAME",
        "R2_BUCKET_NAME",
        default=None,
        description="Bucket for files; without it they are kept in Postgres.",
    )
    s3_region: str = _named("S3_REGION", default="auto", description="Region of the bucket.")

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_place(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Railway is production behind one proxy; `MAX_UPLOAD_SIZE_MB` is an older name in other units."""
        if os.environ.get("RAILWAY_ENVIRONMENT"):
            if not {"ENVIRONMENT", "FLASK_ENV"} & values.keys():
                values["ENVIRONMENT"] = "production"
            values.setdefault("TRUSTED_PROXIES", 1)
        megabytes = str(values.get("MAX_UPLOAD_SIZE_MB", ""))
        if megabytes.isdecimal() and not {"MAX_UPLOAD_BYTES", "MAX_FILE_SIZE"} & values.keys():
            values["MAX_UPLOAD_BYTES"] = max(1, int(megabytes) * 2**20)
        return values

    @field_validator("home", "weights_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        try:
            return value.expanduser().absolute() if value else None
        except RuntimeError as error:  # `~name` of nobody
            raise ValueError(str(error)) from None

    @field_validator("database_url", "database_unpooled_url")
    @classmethod
    def _plain_postgres_url(cls, value: str | None) -> str | None:
        """Take the schemes of the older guides: `postgres://`, `postgresql+asyncpg://`."""
        if value is None:
            return None
        scheme, separator, rest = value.partition("://")
        if not separator or scheme.split("+")[0] not in {"postgres", "postgresql"}:
            raise ValueError("must start with postgresql://")
        return f"postgresql://{rest}"

    @field_validator("master_api_key", "metrics_token")
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        """Headers lose blanks at both ends and know no letters beyond ASCII: such a key would never be right."""
        if value is None:
            return None
        key = value.get_secret_value().strip()
        if not key or not all("!" <= character <= "~" for character in key):
            raise ValueError("must be printable ASCII without blanks")
        return SecretStr(key)

    @field_validator("public_url")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc):
            raise ValueError("must be an http:// or https:// address")
        return value.rstrip("/") if value else None

    @model_validator(mode="after")
    def _safe_in_production(self) -> Settings:
        if not self.production:
            return self
        if self.debug:
            raise ValueError("DEBUG: must be false in production")
        if self.master_api_key is None:
            raise ValueError("MASTER_API_KEY: must be set in production; make one with: openssl rand -hex 32")
        if len(self.master_api_key.get_secret_value()) < MINIMUM_SECRET_LENGTH:
            raise ValueError(
                f"MASTER_API_KEY: needs at least {MINIMUM_SECRET_LENGTH} characters in production; "
                "make one with: openssl rand -hex 32"
            )
        if self.secret_key is not None and len(self.secret_key.get_secret_value()) < MINIMUM_SECRET_LENGTH:
            raise ValueError(f"SECRET_KEY: needs at least {MINIMUM_SECRET_LENGTH} characters in production")
        if self.database_url is None and not self.allow_embedded_database:
            raise ValueError(
                "DATABASE_URL: must be set in production (or ALLOW_EMBEDDED_DATABASE=true where the disk is kept)"
            )
        if "*" in self.cors_origin_list:
            raise ValueError(
                "CORS_ORIGINS: '*' is refused in production, because the pages use cookies; name the origins"
            )
        return self

    @property
    def production(self) -> bool:
        """Whether the strict rules of production hold."""
        return self.environment == "production"

    @property
    def cors_origin_list(self) -> list[str]:
        """The origins of `CORS_ORIGINS`, without blanks."""
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]

    @property
    def weights_folder(self) -> Path:
        """Where model weights are kept."""
        return self.weights_dir or self.home / "weights"

    @property
    def json_logs(self) -> bool:
        """Whether log lines are JSON."""
        return self.log_format == "json" or (self.log_format is None and self.production)


def load_settings() -> Settings:
    """Read the settings from the environment (and the file named by `ENV_FILE`, or `.env`).

    Raises:
        SettingsError: with one line that names each setting whose value is wrong.
    """
    named, file = os.environ.get("ENV_FILE"), _env_file()
    if named and (not file.exists() or file.is_dir()):
        raise SettingsError(f"ENV_FILE: there is no file {named}")
    try:
        return Settings(_env_file=file)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"ENV_FILE: {file} cannot be read: {error}") from None
    except ValidationError as error:
        raise SettingsError("; ".join(_one_line(dict(problem)) for problem in error.errors())) from None


def older_names_in_use() -> dict[str, str]:
    """The settings that are given under an older system's name: that name, and the name here."""
    given = {**dotenv_values(_env_file()), **os.environ}
    found = {"MAX_UPLOAD_SIZE_MB": "MAX_UPLOAD_BYTES"} if given.get("MAX_UPLOAD_SIZE_MB") else {}
    for field in Settings.model_fields.values():
        name, *older = cast(AliasChoices, field.validation_alias).choices
        found |= {str(alias): str(name) for alias in older if given.get(str(alias)) and not given.get(str(name))}
    return found


def _env_file() -> Path:
    return Path(os.environ.get("ENV_FILE", ".env")).expanduser()


def _one_line(problem: dict[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    names = [str(part) for part in problem["loc"]]
    return f"{'.'.join(names)}: {message}" if names else message


@cache
def get_settings() -> Settings:
    """The settings of this process; read once."""
    return load_settings()
