"""How long work on a text says how far it is, and is told to stop."""

from __future__ import annotations

from collections.abc import Callable

Watch = Callable[[float], None]
"""Called now and then with the share of the work that is done (0 to 1); raises to stop the work."""


def unwatched(fraction: float) -> None:
    """Watch nothing, stop nothing."""


def part_of(watch: Watch, start: float, end: float) -> Watch:
    """The watch of one part of a work, which goes from `start` to `end` of the whole."""

    def watch_part(fraction: float) -> None:
        watch(start + (end - start) * fraction)

    return watch_part
