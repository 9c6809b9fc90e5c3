"""Where pictures wait to be painted, and the thread that paints them: waiting jobs of one size share a batch.

The threads of jobs put pictures here and wait. It is none of theirs that paints: it would go on for the others when its
own job is cancelled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from thetool.restyle.painting import Picture

LOOK_SECONDS = 0.1
GATHER_SECONDS = 1.0
IDLE_SECONDS = 60.0


class Easel:
    """Pictures on their way.

    Args:
        paint: paints a batch, and never raises: each picture is `painted` or `stopped` then.
        most: how many pictures a batch has at most.
    """

    def __init__(self, paint: Callable[[list[Picture]], None], most: int) -> None:
        self._paint = paint
        self._most = most
        self._waiting: list[Picture] = []
        self._preparing: set[int] = set()
        self._changed = threading.Condition()
        self._painter: threading.Thread | None = None
        self.batches: list[int] = []
        """How many pictures each of the last calls painted."""

    def paint(self, pictures: Sequence[Picture], check: Callable[[], None]) -> float:
        """Have these painted, with whatever fits of others; gives the seconds of the device that they took.

        Args:
            pictures: of one job.
            check: is called while they wait, and may raise to take them off.

        Raises:
            Whatever `check` or their watches raised: Interrupted, mostly.
            OutOfDeviceMemory: the device is too small for one of them.
        """
        with self._changed:
            self._waiting += pictures
            self._preparing.discard(threading.get_ident())
            self._have_painter()
            self._changed.notify_all()
        try:
            while any(waits(picture) for picture in pictures):
                check()
                with self._changed:
                    self._changed.wait_for(lambda: not any(waits(picture) for picture in pictures), LOOK_SECONDS)
        except BaseException as error:
            with self._changed:
                self._waiting = [picture for picture in self._waiting if picture not in pictures]
            for picture in pictures:  # the painter may have them in hand
                picture.stopped = picture.stopped or error
            raise
        for picture in pictures:
            if picture.stopped is not None:
                raise picture.stopped
        return sum(picture.seconds for picture in pictures)

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Say that this thread will soon have pictures to paint: the painter waits a moment for them."""
        with self._changed:
            self._preparing.add(threading.get_ident())
        try:
            yield
        finally:
            with self._changed:
                self._preparing.discard(threading.get_ident())
                self._changed.notify_all()

    def _have_painter(self) -> None:
        if self._painter is None:
            self._painter = threading.Thread(target=self._work, name="restyle-painter", daemon=True)
            self._painter.start()

    def _work(self) -> None:
        while self._paint_batch():
            pass

    def _paint_batch(self) -> bool:
        """Paint what is next, and forget it: pictures are large. False when nothing came for long."""
        batch = self._next_batch()
        if not batch:
            return False
        self._paint(batch)
        with self._changed:
            self.batches = [*self.batches[-99:], len(batch)]
            self._changed.notify_all()
        return True

    def _next_batch(self) -> list[Picture]:
        """What is painted next: the picture that waits longest, and others with its key. Nothing ends the thread."""
        with self._changed:
            while self._changed.wait_for(lambda: self._waiting, IDLE_SECONDS):
                self._gather()
                if self._waiting:  # they may have been taken off meanwhile
                    break
            else:
                self._painter = None
                return []
            batch = [picture for picture in self._waiting if picture.key == self._waiting[0].key][: self._most]
            self._waiting = [picture for picture in self._waiting if picture not in batch]
            return batch

    def _gather(self) -> None:
        """Wait while others prepare theirs, which takes a fraction of a painting, as long as there is room for them."""

        def gathered() -> bool:
            alike = sum(picture.key == self._waiting[0].key for picture in self._waiting) if self._waiting else 0
            return not self._preparing or not alike or alike >= self._most

        self._changed.wait_for(gathered, GATHER_SECONDS)


def waits(picture: Picture) -> bool:
    """Whether it is neither painted nor given up."""
    return picture.painted is None and picture.stopped is None
