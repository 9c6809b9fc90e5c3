"""Settings: the models that people upload, and the predictions made with them."""

from __future__ import annotations

from thetool.settings.group import Group, named


class ServingSettings(Group):
    """How large models may be, how long predictions may take, what is kept of both."""

    # --- models
    max_model_size_bytes: int = named(
        "MAX_MODEL_SIZE_BYTES", default=104_857_600, ge=1, description="Largest model file that is taken, in bytes."
    )
    model_cache_bytes: int = named(
        "MODEL_CACHE_BYTES",
        default=2**30,
        ge=2**20,
        description="Memory for loaded models in one process; those used longest ago make room.",
    )
    model_run_bytes: int = named(
        "MODEL_RUN_BYTES",
        default=2**30,
        ge=2**24,
        description="Memory that running models may take in one process, besides their weights; a prediction that "
        "needs more fails.",
    )
    model_validation_seconds: float = named(
        "MODEL_VALIDATION_SECONDS", default=60, gt=0, le=3600, description="How long validating a model may take."
    )
    predict_timeout_seconds: float = named(
        "PREDICT_TIMEOUT_SECONDS", default=30, gt=0, le=3600, description="How long one prediction may take."
    )
    cache_model_ttl: int = named(
        "CACHE_MODEL_TTL",
        default=3600,
        ge=0,
        description="Seconds that a process remembers a model's row; changes are heard of at once all the same.",
    )
    cache_prediction_ttl: int = named(
        "CACHE_PREDICTION_TTL", default=300, ge=0, description="Seconds that a cached prediction is good for."
    )
    prediction_cache_bytes: int = named(
        "PREDICTION_CACHE_BYTES", default=2**25, ge=0, description="Memory for cached predictions in one process."
    )
    prediction_retention_days: float = named(
        "PREDICTION_RETENTION_DAYS", default=7, gt=0, description="Days that the history of predictions is kept."
    )
