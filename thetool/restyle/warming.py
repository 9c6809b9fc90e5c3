"""Loading the models ahead, in the background, once this worker has its device, and leaving it to the next worker."""

from __future__ import annotations

import threading

import structlog

from thetool.config import Settings
from thetool.restyle.jobs import can_restyle

log = structlog.get_logger(__name__)

COOL_SECONDS = 60.0
"""So long may a step of painting take that nobody wants any more: on a CPU it is long."""


def warm(settings: Settings) -> None:
    """Begin to load them in a thread of its own, where they are here; what goes wrong the first job tells its owner."""
    if can_restyle(settings):
        threading.Thread(target=_load, args=(settings,), name="restyle-warming", daemon=True).start()


def cool(settings: Settings) -> bool:
    """Take the models out of the device's memory; False where what is computed with them does not end."""
    from thetool.restyle.engine import engine_of

    return engine_of(settings).unload(COOL_SECONDS)


def _load(settings: Settings) -> None:
    from thetool.restyle.engine import engine_of

    try:
        with engine_of(settings).on_device():
            log.info("the restyling models were loaded ahead")
    except Exception as error:
        log.warning("the restyling models could not be loaded ahead", error=str(error))
