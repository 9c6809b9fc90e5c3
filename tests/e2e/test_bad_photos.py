"""Every hostile photo and address through the real route: told what it is, nothing is left behind, the worker lives."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import threading
import zlib
from contextlib import closing
from typing import Any

import psycopg2
from PIL import Image, ImageCms

from tests.e2e.conftest import MakeService
from tests.e2e.service import KEY, Service, until
from tests.jobs.webhooks.receiver import misbehaving
from tests.vision.pictures import chunk, encoded, photo, png
from thetool.config import Settings

PICTURE = photo(320, 240)
JPEG, PNG = encoded(PICTURE, "JPEG"), encoded(PICTURE, "PNG")
BOMB = zlib.compress(b"A" * 30_000_000)
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
FRAMES = [Image.new("RGB", (16, 16), (number % 256, number // 256, 0)) for number in range(2_000)]
SEGMENT_OF_EXIF = b"\xff\xe1" + (65_533).to_bytes(2, "big") + b"Exif\0\0" + bytes(65_525)

REFUSED = {
    "truncated": (JPEG[: len(JPEG) // 2], 422, "damaged_image"),
    "truncated PNG": (PNG[: len(PNG) // 2], 422, "damaged_image"),
    "corrupt": (PNG[:60] + os.urandom(2_000), 422, "damaged_image"),
    "a bomb": (png(2**31 - 1, 2**31 - 1, rows=bytes(100)), 422, "image_too_large"),
    "20,000 x 20,000": (png(20_000, 20_000, bits=1, rows=bytes(2_501 * 20_000)), 422, "image_too_large"),
    "a bomb in its text": (png(2, 2, extra=chunk(b"zTXt", b"a\0\0" + BOMB)), 422, "damaged_image"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", 415, "unsupported_media_type"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>', 415, "unsupported_media_type"),
    "EXIF of 60 MB": (JPEG[:2] + SEGMENT_OF_EXIF * 920 + JPEG[2:], 413, "too_large"),
}
ANSWERED = {
    "one pixel": encoded(Image.new("RGB", (1, 1)), "PNG"),
    "2,000 frames": encoded(FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:], lossless=True, method=0),
    "also an archive": JPEG + b"PK\x03\x04<script>alert(1)</script>",
    "EXIF of 40 MB": JPEG[:2] + SEGMENT_OF_EXIF * 610 + JPEG[2:],
    "a profile that lies": encoded(PICTURE, "JPEG", icc_profile=LAB),
}


def analyze(service: Service, content: bytes, media_type: str) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": media_type}
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=120)) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
            connection.request("POST", "/analyze?tasks=info,palette,quality&wait=60", content, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def fetched(service: Service, url: str) -> tuple[int, dict[str, Any]]:
    return analyze(service, json.dumps({"url": url}).encode(), "application/json")


def streams_for_ever(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff")
    while not over.is_set():
        connection.sendall(bytes(1 << 20))


def redirects_to(url: str) -> Any:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n".encode())

    return serve


def kept(service: Service) -> list[tuple[str | None]]:
    """The names of all stored files; a photo that waits to be looked at has none."""
    assert service.database_url
    with closing(psycopg2.connect(service.database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("select filename from blobs")
        return cursor.fetchall()


def test_hostile_photos_and_addresses(make_service: MakeService) -> None:
    service = make_service(WEB_CONCURRENCY=1, FETCH_ALLOW_PRIVATE=True).start()
    (worker,) = service.workers()
    assert analyze(service, JPEG, "image/jpeg")[0] == 200
    files_open, answered = worker.num_fds(), 1
    for name, (content, status, code) in REFUSED.items():
        found, problem = analyze(service, content, "image/png")
        assert (found, problem.get("code")) == (status, code), (name, problem)
        assert problem["detail"].endswith("."), (name, "it says what to do next")
    for name, content in ANSWERED.items():
        found, body = analyze(service, content, "image/png")
        assert (found, body["status"]) == (200, "completed"), (name, body)
        answered += 1
    with misbehaving(streams_for_ever) as port:
        found, problem = fetched(service, f"http://127.0.0.1:{port}/cat.jpg")
        assert (found, problem["code"]) == (413, "too_large")
    for place in ("http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "http://[fe80::1]/"):
        with misbehaving(redirects_to(place)) as port:
            found, problem = fetched(service, f"http://127.0.0.1:{port}/cat.jpg")
            assert (found, problem["code"], problem["reason"]) == (422, "not_fetched", "redirect"), place

    assert service.workers() == [worker], "the same process answers"
    assert "Traceback" not in service.log()
    assert kept(service) == [("thumbnail.jpg",)] * answered
    children = worker.children(recursive=True)
    assert len(children) <= Settings().job_threads, "decoders alone, no more than decode at once"
    until(lambda: worker.num_fds() <= files_open + 2 * len(children) + 2, "no file is left open")
