"""Pictures of rooms that we paint ourselves, and asking for them in another style."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageDraw

from tests.analyze.house import House


def room(width: int, height: int) -> Image.Image:
    """A wall, a floor, a window and a sofa."""
    image = Image.new("RGB", (width, height), "#d8d0c4")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height * 2 // 3, width, height), fill="#8b6b4a")
    draw.rectangle((width // 8, height // 8, width * 3 // 8, height // 2), fill="#a9c8e8", outline="#ffffff", width=3)
    draw.rectangle(
        (width // 2, height // 2, width * 7 // 8, height * 5 // 6), fill="#30508c", outline="#101820", width=2
    )
    return image


def as_file(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """The file of a picture."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def submit(house: House, content: bytes, *, mask: bytes | None = None, key: Any = None, **fields: Any) -> Any:
    """POST /transform/submit."""
    data: dict[str, Any] = {"file": (io.BytesIO(content), "room.jpg"), **fields}
    if mask is not None:
        data["mask"] = (io.BytesIO(mask), "mask.png")
    return house.client.post("/transform/submit", data=data, headers=key or house.master)


def restyled(house: House, content: bytes, *, seconds: float = 60, status: str = "completed", **fields: Any) -> Any:
    """What a restyling came to."""
    answer = submit(house, content, **fields)
    assert answer.status_code == 200, answer.json
    return finished(house, answer.json["job_id"], seconds=seconds, status=status)


def finished(house: House, job_id: str, *, seconds: float = 60, status: str = "completed") -> Any:
    """The state of a restyling once it is over."""
    deadline = time.monotonic() + seconds
    while True:
        data = state(house, job_id)
        if data["status"] in ("completed", "failed", "cancelled"):
            assert data["status"] == status, data
            return data
        assert time.monotonic() < deadline, data
        time.sleep(0.05)


def opened(house: House, link: str) -> Image.Image:
    """The picture at a signed link; no key is sent along."""
    answer = house.client.get(link)
    assert answer.status_code == 200, answer.json
    return Image.open(io.BytesIO(answer.data))


def state(house: House, job_id: str) -> Any:
    """How a restyling is now."""
    return house.get(f"/transform/status/{job_id}").json["data"]


def until(get: Callable[[], Any], seconds: float = 60) -> Any:
    """What `get` gives once that is something."""
    deadline = time.monotonic() + seconds
    while not (found := get()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found
