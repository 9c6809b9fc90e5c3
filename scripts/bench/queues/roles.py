"""What each peer's script is asked to do: `SCRIPT setup | work | load N | enqueue N EVERY`. Python's own modules only.

`load` adds jobs as fast as the peer knows how; `enqueue` adds them one a call, `EVERY` seconds apart (0: at once), and
prints when it began and ended.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def paced(every: float, count: int, send: Callable[[float], object]) -> None:
    """Call `send(when)` so often; with a pace, `when` is what the job is to measure from."""
    began = time.monotonic()
    for number in range(count):
        if every:
            time.sleep(max(0.0, began + number * every - time.monotonic()))
        send(time.monotonic() if every else 0.0)
    print(began, time.monotonic(), flush=True)


def play(
    *,
    setup: Callable[[], object],
    work: Callable[[], object],
    load: Callable[[int], object],
    enqueue: Callable[[int, float], object],
) -> None:
    """Do what the command line says."""
    role, *values = sys.argv[1:]
    if role == "setup":
        setup()
    elif role == "work":
        work()
    elif role == "load":
        load(int(values[0]))
    else:
        enqueue(int(values[0]), float(values[1]))
