"""Lets the processes of one host add their metrics up: the folder for `PROMETHEUS_MULTIPROC_DIR`."""

from __future__ import annotations

import os

from thetool.config import Settings


def share_counts(settings: Settings) -> None:
    """Name the folder to this process and its children; to be called before they are forked.

    Counts of processes that have ended stay in it, so a restart goes on counting where the last run stopped.
    """
    if settings.metrics_enabled:
        folder = settings.home / "run" / "metrics"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
