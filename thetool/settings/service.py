"""Settings: where the service runs, and in how many processes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import SecretStr, field_validator, model_validator

from thetool.settings.group import Group, cores, named


class ServiceSettings(Group):
    """The place, the address, the processes."""

    # --- where it runs
    environment: Literal["development", "production"] = named(
        "ENVIRONMENT",
        "FLASK_ENV",
        default="development",
        description="`production` refuses weak keys and a throw-away database. It is the default when "
        "`RAILWAY_ENVIRONMENT` is set, and in our image.",
    )
    home: Path = named(
        "THETOOL_HOME",
        default=Path("~/.thetool"),
        description="Folder for the embedded database, the local key, model weights and caches.",
    )
    weights_dir: Path | None = named(
        "WEIGHTS_DIR", default=None, description="Folder of the model weights; else `weights` inside `THETOOL_HOME`."
    )
    offline: bool = named(
        "OFFLINE",
        "HF_HUB_OFFLINE",
        default=False,
        description="Never call out for model weights: what is not on this machine is missing.",
    )
    host: str = named("HOST", "API_HOST", default="127.0.0.1", description="Address to listen on.")
    port: int = named("PORT", "API_PORT", default=8000, ge=1, le=65535, description="Port to listen on.")
    debug: bool = named("DEBUG", default=False, description="Reload on code changes; refused in production.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = named(
        "LOG_LEVEL", default="INFO", description="Least severe log line to write."
    )
    log_format: Literal["json", "console"] | None = named(
        "LOG_FORMAT", default=None, description="`json` (the default in production) or `console` (else)."
    )
    sentry_dsn: SecretStr | None = named(
        "SENTRY_DSN", default=None, description="Where to report errors (Sentry, GlitchTip); never bodies, never keys."
    )
    public_url: str | None = named(
        "PUBLIC_URL",
        default=None,
        description="Address that callers use, such as `https://tool.example.com`; links start with it.",
    )
    trusted_proxies: int = named(
        "TRUSTED_PROXIES",
        default=0,
        ge=0,
        le=10,
        description="Proxies in front of the service, believed about the caller's address (1 by default on Railway).",
    )

    # --- processes
    workers: int = named(
        "WEB_CONCURRENCY",
        "WORKERS",
        "MAX_WORKERS",
        default=max(2, min(4, cores())),
        ge=1,
        le=64,
        description="Gunicorn worker processes: as many as cores, within these bounds.",
    )
    threads: int = named(
        "THREADS",
        default=300,
        ge=4,
        le=2000,
        description="Request threads of a worker. They are cheap; what runs at once is bounded elsewhere.",
    )
    max_requests: int = named(
        "MAX_REQUESTS", default=1000, ge=0, description="A worker is replaced after this many requests; 0 is never."
    )
    worker_max_rss_mb: int = named(
        "WORKER_MAX_RSS_MB",
        default=2048,
        ge=0,
        description="A worker that holds more MiB of memory, besides models that are served, is replaced; 0 is never "
        "(also while it holds a device).",
    )
    graceful_timeout: float = named(
        "GRACEFUL_TIMEOUT",
        default=60,
        gt=0,
        description="Seconds that a stopping worker lets its jobs run before it hands them back.",
    )
    max_streams: int = named(
        "MAX_STREAMS", default=250, ge=1, description="Open event streams of a worker; past it 503 at once."
    )

    @field_validator("sentry_dsn")
    @classmethod
    def _dsn(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"https?://[^@/\s]+@[^/\s]+/(\S+/)?\d+", value.get_secret_value()):
            raise ValueError("must be https://KEY@HOST/NUMBER, as the project's settings there show it")
        return value

    @model_validator(mode="after")
    def _streams_leave_threads_free(self) -> Self:
        if "max_streams" in self.model_fields_set and self.max_streams > self.threads_to_hold:
            raise ValueError(
                f"MAX_STREAMS: must leave a tenth of the threads to other requests: at most {self.threads_to_hold} "
                f"with THREADS={self.threads}"
            )
        return self

    @property
    def threads_to_hold(self) -> int:
        """How many request threads may be held by streams and waiting callers together."""
        return self.threads * 9 // 10
