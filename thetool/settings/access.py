"""Settings: who may call, how often, and with how much."""

from __future__ import annotations

from pydantic import SecretStr

from thetool.settings.group import Group, named


class AccessSettings(Group):
    """Keys, origins, limits, and the size of what comes in."""

    # --- access
    master_api_key: SecretStr | None = named(
        "MASTER_API_KEY",
        "API_SECRET_KEY",
        default=None,
        description="The key that may do everything; at least 32 characters in production. "
        "Without it, locally, one is made and kept.",
    )
    secret_key: SecretStr | None = named(
        "SECRET_KEY", default=None, description="Signs cookies and links; else derived from the master key."
    )
    cors_origins: str = named(
        "CORS_ORIGINS",
        default="",
        description="Origins, with commas, whose pages may call the API; empty is none, `*` is refused in production.",
    )
    rate_limit_enabled: bool = named(
        "RATE_LIMIT_ENABLED", default=True, description="Limit how often issued keys and addresses may call."
    )
    rate_limit_per_minute: int = named(
        "RATE_LIMIT_PER_MINUTE", default=60, ge=1, description="Requests a minute of one caller."
    )
    rate_limit_burst: int = named(
        "RATE_LIMIT_BURST", default=100, ge=1, description="Requests of one caller that may come at once."
    )
    redis_url: SecretStr | None = named(
        "REDIS_URL", default=None, description="Optional Redis for rate limits; never for jobs."
    )
    redis_enabled: bool = named("REDIS_ENABLED", default=True, description="`false` ignores `REDIS_URL`.")
    metrics_enabled: bool = named(
        "METRICS_ENABLED", default=True, description="Serve Prometheus metrics at `/metrics`."
    )
    metrics_token: SecretStr | None = named(
        "METRICS_TOKEN", default=None, description="Bearer token for `/metrics`, beside the master key."
    )

    # --- what comes in
    max_upload_bytes: int = named(
        "MAX_UPLOAD_BYTES",
        "MAX_FILE_SIZE",
        default=50 * 2**20,
        ge=1,
        description="Largest text or image, in bytes.",
    )
    max_upload_size_mb: int | None = named(
        "MAX_UPLOAD_SIZE_MB", default=None, ge=1, description="The same in MiB, where `MAX_UPLOAD_BYTES` is not set."
    )
    max_table_bytes: int = named(
        "MAX_TABLE_BYTES",
        default=2**30,
        ge=1,
        description="Largest table (CSV, Parquet, Excel …), in bytes; packed ones may unpack to as much.",
    )
    max_files_per_batch: int = named("MAX_FILES_PER_BATCH", default=100, ge=1, description="Files in one request.")
    max_total_upload_size: int = named(
        "MAX_TOTAL_UPLOAD_SIZE",
        default=500 * 2**20,
        ge=1,
        description="Bytes of all files in one request, where they are several.",
    )
    fetch_allow_private: bool = named(
        "FETCH_ALLOW_PRIVATE",
        default=False,
        description='Let `{"url": …}` of `POST /analyze` reach private addresses, and `http://`: only where everybody '
        "who holds a key may reach them too.",
    )
    enable_compression: bool = named(
        "ENABLE_COMPRESSION", default=True, description="Compress JSON answers above 1 KiB with Zstandard or gzip."
    )
