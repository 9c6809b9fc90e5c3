"""Loading what the first text would wait for, once the worker is ready and has nothing better to do.

Only what costs little: the language detector, the list of words of mood and the pattern of words, 65 ms and 6 MB in
all. The sentence model takes 0.8 s and 146 MB, which a worker at rest is not to hold; the first text that wants topics
loads it.
"""

from __future__ import annotations

import threading

import structlog

AFTER_SECONDS = 0.5
"""So long the worker is left alone after it became ready."""

log = structlog.get_logger(__name__)

_TEXT = "The delivery was late, but I love this sofa."


def warm_later() -> threading.Timer:
    """Load it in a thread of its own, a moment from now; nothing waits for that."""
    timer = threading.Timer(AFTER_SECONDS, warm)
    timer.name, timer.daemon = "warming", True
    timer.start()
    return timer


def warm() -> None:
    """Load it now. What cannot be loaded is told by the first text that needs it."""
    from thetool.text.language import language
    from thetool.text.sentiment import sentiment
    from thetool.text.statistics import statistics

    for analysis in (language, sentiment, statistics):
        try:
            analysis(_TEXT)
        except Exception as error:
            log.warning("not loaded ahead", analysis=analysis.__name__, error=str(error))
