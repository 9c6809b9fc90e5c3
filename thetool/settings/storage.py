"""Settings: where everything durable is kept."""

from __future__ import annotations

from pydantic import SecretStr

from thetool.settings.group import Group, named


class StorageSettings(Group):
    """The database, and the bucket for files."""

    # --- database
    database_url: str | None = named(
        "DATABASE_URL",
        default=None,
        description="Postgres to use. Without it an embedded Postgres runs under `THETOOL_HOME` (not in production).",
    )
    database_unpooled_url: str | None = named(
        "DATABASE_UNPOOLED_URL",
        default=None,
        description="Address that bypasses a connection pooler, for the queue, LISTEN, locks and migrations.",
    )
    database_pool_size: int = named(
        "DATABASE_POOL_SIZE", default=3, ge=1, le=100, description="Connections of a process's pool."
    )
    allow_embedded_database: bool = named(
        "ALLOW_EMBEDDED_DATABASE",
        default=False,
        description="Start without `DATABASE_URL` in production: only where `THETOOL_HOME` is on a disk that is kept.",
    )
    max_database_blob_bytes: int = named(
        "MAX_DATABASE_BLOB_BYTES",
        default=10 * 2**30,
        ge=0,
        description="Bytes of files that Postgres may hold in all; past it, set a bucket.",
    )

    # --- files in a bucket
    s3_endpoint_url: str | None = named(
        "S3_ENDPOINT_URL", "R2_ENDPOINT_URL", default=None, description="S3 or R2 endpoint; without it AWS's own."
    )
    s3_access_key_id: str | None = named(
        "S3_ACCESS_KEY_ID", "R2_ACCESS_KEY_ID", default=None, description="Access key of the bucket."
    )
    s3_secret_access_key: SecretStr | None = named(
        "S3_SECRET_ACCESS_KEY", "R2_SECRET_ACCESS_KEY", default=None, description="Secret of that access key."
    )
    s3_bucket_name: str | None = named(
        "S3_BUCKET_NAME",
        "R2_BUCKET_NAME",
        default=None,
        description="Bucket for files; without it they are kept in Postgres.",
    )
    s3_region: str = named("S3_REGION", default="auto", description="Region of the bucket.")
    cdn_domain: str | None = named(
        "CDN_DOMAIN",
        default=None,
        description="Host of a CDN in front of this service, such as `cdn.example.com`: links to pictures lead there.",
    )
