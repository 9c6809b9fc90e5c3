"""Decoding images in child processes, which hostile content may crash or keep busy, and which are killed then."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from thetool.config import Settings
from thetool.jobs.process_tree import memory_bytes
from thetool.vision.decoding.process import ChildGone, DecoderProcess, Limits, Nonsense, OutOfTime
from thetool.vision.formats import HEAD, described, image_format
from thetool.vision.photo import Facts, Photo
from thetool.vision.problems import (
    TAKEN,
    DamagedImage,
    DecoderUnavailable,
    DecodingTimedOut,
    ImageTooLarge,
    UnsupportedImage,
)

__all__ = ["LONGEST", "Decoder", "Limits"]

log = structlog.get_logger("thetool.vision.decoder")

LONGEST = 1_600
"""Pixels of the longer side that a photo is decoded to unless told otherwise: enough for all finders but `text`."""

PHOTOS_OF_A_CHILD = 2_000
FAT_BYTES = 256 * 2**20
LOOK_SECONDS = 0.25
_KILLED = {-signal.SIGKILL, -signal.SIGTERM}
_SEND_WHOLE = "Open it in an image program, export it as JPEG or PNG, and send that."
_CONVERT = f"Images that are read are {TAKEN}; convert it to one of these."
_EIGHT_BITS = "Such are not read here: save it as TIFF or PNG with 8 or 16 bits a channel, and send that."
_SEND_SMALLER = "Send a smaller version."


@dataclass(frozen=True)
class _Told:
    """What a child says of an image that it decoded."""

    width: int
    height: int
    facts: Facts


_told = TypeAdapter(_Told)


class Decoder:
    """A few child processes that decode images. Safe to use from several threads; one for a process is enough.

    Children are started when they are first needed, and stay; `most` decode at once, further calls wait their turn.
    """

    def __init__(self, most: int = 2, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._most = most
        self._idle: list[DecoderProcess] = []
        self._busy: set[DecoderProcess] = set()
        self._starting = 0
        self._closed = False
        self._changed = threading.Condition()

    def start(self) -> None:
        """Start the first child and wait for it, so that the first photo does not (about 0.1 s).

        Raises:
            DecoderUnavailable: it could not be started.
        """
        self._give_back(self._take(_unchecked))

    def decode(
        self, content: bytes, *, longest: int | None = LONGEST, check: Callable[[], None] | None = None
    ) -> Photo:
        """Decode an image file.

        Args:
            content: the file.
            longest: a photo with a longer side than this is decoded smaller, to this; None: never.
            check: is called while waiting, and may raise to stop it.

        Raises:
            UnsupportedImage: it is no image, or of a format that is not read.
            DamagedImage: it is cut off or corrupt.
            ImageTooLarge: it has too many pixels, or needs too much memory.
            DecodingTimedOut: it took too long.
            DecoderUnavailable: no child could be started.
        """
        _require_known(content[:HEAD])
        try:
            return self._decode(content, longest, check or _unchecked)
        except ChildGone as gone:
            if gone.status not in _KILLED:
                raise self._crashed(gone) from None
        try:  # somebody killed it, which may have had nothing to do with this image
            return self._decode(content, longest, check or _unchecked)
        except ChildGone as gone:
            raise self._crashed(gone) from None

    def close(self) -> None:
        """End all children; calls under way fail."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            for child in self._busy:
                child.interrupt()
            self._changed.notify_all()
        for child in idle:
            child.kill()

    def _decode(self, content: bytes, longest: int | None, check: Callable[[], None]) -> Photo:
        child = self._take(check)
        try:
            answer = child.decode(content, longest, self.limits.seconds, check)
            outcome = self._problem(answer) or self._photo(child, answer)
        except OutOfTime:
            self._drop(child)
            raise DecodingTimedOut(
                f"Decoding it took longer than {self.limits.seconds:g} seconds and was stopped. {_SEND_WHOLE}"
            ) from None
        except Nonsense as error:
            self._drop(child)
            log.warning("decoder talks nonsense", error=str(error)[:500])
            raise DamagedImage(f"It could not be decoded. {_SEND_WHOLE}") from None
        except BaseException:
            self._drop(child)
            raise
        self._give_back(child)
        if isinstance(outcome, Photo):
            return outcome
        raise outcome

    def _take(self, check: Callable[[], None]) -> DecoderProcess:
        """A child that is ready, for this thread alone; the one that was used last, so that others may sleep."""
        with self._changed:
            while not self._idle and len(self._busy) + self._starting >= self._most and not self._closed:
                self._changed.wait(LOOK_SECONDS)
                check()
            if self._closed:
                raise DecoderUnavailable("The decoder is closed.")
            child = self._idle.pop() if self._idle else None
            if child is not None and child.is_alive():
                self._busy.add(child)
                return child
            self._starting += 1
        if child is not None:
            child.kill()
        return self._start(check)

    def _start(self, check: Callable[[], None]) -> DecoderProcess:
        child = None
        try:
            child = DecoderProcess(self.limits)
            child.wait_until_ready(check)
        except (ChildGone, OutOfTime, Nonsense, OSError) as error:
            log.error("decoder does not start", error=str(error))
            self._not_started(child)
            raise DecoderUnavailable("The process that decodes images did not start; try again.") from error
        except BaseException:
            self._not_started(child)
            raise
        with self._changed:
            self._starting -= 1
            self._busy.add(child)
        return child

    def _not_started(self, child: DecoderProcess | None) -> None:
        if child is not None:
            child.kill()
        with self._changed:
            self._starting -= 1
            self._changed.notify()

    def _give_back(self, child: DecoderProcess) -> None:
        """Keep a child for the next photo, unless it is old, or fat, or we are closed."""
        child.tidy()
        good = child.photos < PHOTOS_OF_A_CHILD and memory_bytes([child.pid]) < FAT_BYTES
        with self._changed:
            good = good and not self._closed
            if good:
                self._busy.discard(child)
                self._idle.append(child)
                self._changed.notify()
        if not good:
            self._drop(child)

    def _drop(self, child: DecoderProcess) -> None:
        child.kill()
        with self._changed:
            self._busy.discard(child)
            self._changed.notify()

    def _problem(self, answer: dict[str, Any]) -> DamagedImage | ImageTooLarge | UnsupportedImage | None:
        """The problem that the child tells, if it does."""
        kind = answer.get("problem")
        if kind is None:
            return None
        if kind == "large":
            return ImageTooLarge(f"It has more than {self.limits.pixels / 1e6:g} megapixels. {_SEND_SMALLER}")
        if kind == "memory":
            return ImageTooLarge(f"Decoding it needs more than {self.limits.memory_mb:,} MiB. {_SEND_SMALLER}")
        if kind == "kind":
            return UnsupportedImage(f"Its pixels are {str(answer.get('words'))[:200]}. {_EIGHT_BITS}")
        return DamagedImage(f"It could not be decoded: {str(answer.get('words'))[:200]}. {_SEND_WHOLE}")

    def _photo(self, child: DecoderProcess, answer: dict[str, Any]) -> Photo:
        """The photo that a child tells.

        Raises:
            Nonsense: it is none.
        """
        try:
            told = _told.validate_python(answer)
        except ValidationError as error:
            raise Nonsense(str(error)) from None
        facts = told.facts
        if not (0 < told.width <= facts.width and 0 < told.height <= facts.height):
            raise Nonsense(f"{told.width} × {told.height} pixels of {facts.width} × {facts.height}")
        if told.width * told.height > self.limits.pixels:
            raise Nonsense(f"{told.width} × {told.height} pixels are more than it was told to allow")
        scale = max(facts.width, facts.height) / max(told.width, told.height)
        return Photo(child.pixels(told.height, told.width), scale, facts)

    def _crashed(self, gone: ChildGone) -> DamagedImage | ImageTooLarge:
        log.warning("decoder died", error=str(gone))
        if gone.status in _KILLED:
            return ImageTooLarge(f"Decoding it needs more memory than there is. {_SEND_SMALLER}")
        return DamagedImage(f"It could not be decoded: it made the decoder crash. {_SEND_WHOLE}")


_decoders: dict[Settings, Decoder] = {}  # `setdefault` gives all threads the same one; `functools.cache` would not


def decoder_of(settings: Settings) -> Decoder:
    """The decoder of this process, for as many photos at a time as it looks at."""
    return _decoders.setdefault(settings, Decoder(most=settings.job_threads))


def _require_known(head: bytes) -> None:
    """Refuse what its first bytes say is no image, or one that is not read here."""
    name = image_format(head)
    if name is None:
        raise UnsupportedImage(f"This is {described(head)}. {_CONVERT}")
    if name == "HEIC" and find_spec("pillow_heif") is None:
        raise UnsupportedImage(
            f"This is a HEIC image, and the library for those, pillow-heif, is not installed here. {_CONVERT}"
        )


def _unchecked() -> None:
    """Nobody wants it stopped."""
