"""Decoding images in child processes, which hostile content may crash or keep busy, and which are killed then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from thetool.vision.photo import Photo

LONGEST = 1_600
"""Pixels of the longer side that a photo is decoded to unless told otherwise: enough for all finders but `text`."""


@dataclass(frozen=True)
class Limits:
    """What an image may cost: pixels in full size, seconds to decode, MiB of memory of the child."""

    pixels: int = 100_000_000
    seconds: float = 10.0
    memory_mb: int = 1_024


class Decoder:
    """A few child processes that decode images. Safe to use from several threads; one for a process is enough.

    Children are started when they are first needed, and `most` decode at once; further calls wait their turn.
    """

    def __init__(self, most: int = 2, limits: Limits | None = None) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Start the first child, so that the first photo does not wait for it (about 0.1 s)."""

    def decode(
        self, content: bytes, *, longest: int | None = LONGEST, check: Callable[[], None] = lambda: None
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
        raise NotImplementedError

    def close(self) -> None:
        """End all children; calls under way fail."""
