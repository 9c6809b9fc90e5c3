"""Settings: analyses and jobs."""

from __future__ import annotations

from thetool.settings.group import Group, cores, named


class JobSettings(Group):
    """How long is waited, how much may wait, how long things are kept."""

    # --- analyses and jobs
    analyze_wait_seconds: float = named(
        "ANALYZE_WAIT_SECONDS",
        default=10,
        ge=0,
        le=300,
        description="How long `POST /analyze` waits for its result before it answers 202.",
    )
    analysis_retention_hours: float = named(
        "ANALYSIS_RETENTION_HOURS", default=24, gt=0, description="Hours that an analysis is kept."
    )
    cache_enabled: bool = named(
        "CACHE_ENABLED", "ENABLE_CACHING", default=True, description="Answer repeated analyses from the cache."
    )
    cache_ttl: int = named(
        "CACHE_TTL", "CACHE_TTL_SECONDS", default=3600, ge=1, description="Seconds that a cached analysis is good for."
    )
    max_queued_jobs: int = named(
        "MAX_QUEUED_JOBS", default=10_000, ge=1, description="Waiting jobs past which a submit is answered 429."
    )
    job_lease_seconds: float = named(
        "JOB_LEASE_SECONDS",
        default=30,
        ge=1,
        description="A worker that is silent for so long loses its jobs to others.",
    )
    job_retention_days: float = named(
        "JOB_RETENTION_DAYS", default=7, gt=0, description="Days that a finished job is kept."
    )
    job_threads: int = named(
        "JOB_THREADS",
        default=max(1, cores() // 2),
        ge=1,
        le=64,
        description="Jobs that one worker runs at a time in threads.",
    )
    job_processes: int = named(
        "JOB_PROCESSES", default=1, ge=0, le=64, description="Jobs that one worker runs at a time in child processes."
    )
    job_network_threads: int = named(
        "JOB_NETWORK_THREADS",
        default=16,
        ge=1,
        le=64,
        description="Jobs that one worker runs at a time in threads that wait for other services. Deliveries of "
        "webhooks of one owner hold at most twelve in all workers together: with fewer, they may hold all.",
    )
    webhook_allow_private: bool = named(
        "WEBHOOK_ALLOW_PRIVATE",
        default=False,
        description="Let webhooks reach private addresses: only where everybody who holds a key may reach them too.",
    )
    embeddings_model: str = named(
        "TEXT_MODEL_NAME",
        default="minilm-int8",
        description="Catalogue name of the model that turns sentences into vectors (topics).",
    )
    image_model: str = named(
        "IMAGE_MODEL_NAME",
        default="efficientnet-lite0",
        description="Catalogue name of the model that says what a photo shows (labels).",
    )
    object_detection_model: str = named(
        "OBJECT_DETECTION_MODEL",
        default="nanodet-g",
        description="Catalogue name of the model that finds objects in a photo.",
    )
    ocr_model: str = named(
        "OCR_MODEL_NAME",
        default="pp-ocrv6-small",
        description="Catalogue name of the model that reads text in a photo.",
    )
