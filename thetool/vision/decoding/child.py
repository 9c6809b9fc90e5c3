"""The process that decodes images: `python -m thetool.vision.decoding.child SOCKET SHARED LIMITS`.

It loads Pillow, for some images numpy, and nothing else; it has no secrets, opens no files and is killed, never asked,
to stop. A content comes in the shared file, the pixels go back in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import (  # noqa: F401  loaded before the first photo comes
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from thetool.jobs import frames
from thetool.jobs.frames import FrameReader
from thetool.vision.decoding.pixels import decode
from thetool.vision.decoding.tiff import unread_pixels

_BAND_BYTES = 4 * 2**20
_GRACE_SECONDS = 5


def main() -> None:
    """Decode what comes until the parent hangs up."""
    sock, shared = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    limits = json.loads(sys.argv[3])
    _be_modest(limits)
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = limits["pixels"] // 2  # Pillow warns above this number, and refuses above twice of it
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    reader = FrameReader(sock)
    frames.send(sock, b"R")
    while (asked := reader.wait()) is not None:
        signal.setitimer(signal.ITIMER_REAL, limits["seconds"] + _GRACE_SECONDS)  # ends it if the parent is gone
        answer = _answer(shared, **json.loads(asked[1]))
        signal.setitimer(signal.ITIMER_REAL, 0)
        frames.send(sock, b"D", json.dumps(answer).encode())


def _answer(shared: int, size: int, longest: int | None) -> dict[str, Any]:
    """Decode the content in the shared file, and leave its pixels there."""
    try:
        image, facts = decode(_read(shared, size), longest)
        _write(shared, image)
    except Image.DecompressionBombError:
        return {"problem": "large"}
    except MemoryError:
        return {"problem": "memory"}
    except Exception as error:
        if isinstance(error, UnidentifiedImageError) and (stored := unread_pixels(_read(shared, size))):
            return {"problem": "kind", "words": stored}
        return {"problem": "damaged", "words": _what_is_wrong(error)}
    return {"width": image.width, "height": image.height, "facts": asdict(facts)}


def _what_is_wrong(error: Exception) -> str:
    """In words of ours: what Pillow and the libraries below say is for programmers."""
    said = str(error)
    if "truncated" in said or isinstance(error, EOFError):
        return "it is cut off"
    if isinstance(error, OSError | SyntaxError) and not isinstance(error, UnidentifiedImageError):
        return "its data is corrupt, or of a kind that is not read here"
    if "too large" in said:
        return "a text or a colour profile inside it is too large"
    return "its parts do not fit together"


def _read(shared: int, size: int) -> bytes:
    content = os.pread(shared, size, 0)
    while len(content) < size:
        more = os.pread(shared, size - len(content), len(content))
        if not more:
            raise OSError("the content did not arrive")
        content += more
    return content


def _write(shared: int, image: Image.Image) -> None:
    """Write the rows, some at a time: `tobytes` needs twice the memory of what it makes."""
    rows = max(1, _BAND_BYTES // (image.width * 3))
    at = 0
    for top in range(0, image.height, rows):
        whole = rows >= image.height
        band = image if whole else image.crop((0, top, image.width, min(top + rows, image.height)))
        data = memoryview(band.tobytes())
        while data:
            written = os.pwrite(shared, data, at)
            at, data = at + written, data[written:]


def _be_modest(limits: dict[str, Any]) -> None:
    """Bounds that the kernel keeps; and when the machine runs out of memory, this process goes first."""
    memory = limits["memory_mb"] * 2**20
    for kind, bound in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, max(memory, limits["pixels"] * 3)),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS knows no RLIMIT_AS
            resource.setrlimit(kind, (bound, bound))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


if __name__ == "__main__":
    main()
