"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import os
import threading
import time
from datetime import datetime
from uuid import UUID

_COUNTER_BITS = 42
_TAIL_BITS = 32
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


class _Clock:
    """The last millisecond and counter that this process gave out."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.milliseconds = 0
        self.counter = 0

    def tick(self) -> tuple[int, int]:
        with self.lock:
            now = time.time_ns() // 1_000_000
            # A clock set back, or a spent counter, must not break the order: then the last time is used on.
            if now > self.milliseconds or self.counter >= (1 << _COUNTER_BITS) - 1:
                self.milliseconds = max(now, self.milliseconds + 1)
                # The top bit starts at 0, so that 2^41 ids fit into one millisecond.
                self.counter = int.from_bytes(os.urandom(6), "big") >> (48 - _COUNTER_BITS + 1)
            else:
                self.counter += 1
            return self.milliseconds, self.counter


_clock = _Clock()


def _forget_after_fork() -> None:
    global _clock
    _clock = _Clock()


os.register_at_fork(after_in_child=_forget_after_fork)


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562): ids made one after the other in one process sort in that order.

    48 bits of Unix milliseconds, a 42-bit counter with a random start (section 6.2, method 1), 32 random bits.
    """
    milliseconds, counter = _clock.tick()
    tail = int.from_bytes(os.urandom(_TAIL_BITS // 8), "big")
    upper, lower = counter >> 30, counter & ((1 << 30) - 1)
    return UUID(int=milliseconds << 80 | _VERSION | upper << 64 | _VARIANT | lower << _TAIL_BITS | tail)


def first_id_at(moment: datetime) -> UUID:
    """The least id that is made at this moment: what was made before sorts below it.

    As far as clocks go: `new_id` goes on with the last time where the clock is set back.
    """
    milliseconds = max(0, round(moment.timestamp() * 1000))
    return UUID(int=milliseconds << 80 | _VERSION | _VARIANT)
