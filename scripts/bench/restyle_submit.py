#!/usr/bin/env python3
"""How long POST /transform/submit takes from a photo's last byte to the answer, with files in Postgres.

    scripts/bench/restyle_submit.py [--requests 60]

No worker paints here: a row that says that one elsewhere offers it stands in, as it is where a light copy takes in
what a copy with a GPU paints. Each photo is another file of about 1 MB (4,000 × 3,000 pixels).
"""

from __future__ import annotations

import argparse
import io
import json
import socket
import statistics
import time
from contextlib import closing

import numpy as np
import psycopg2
from PIL import Image, ImageDraw
from service import KEY, Service, service

from thetool.database.embedded import EmbeddedServer

BOUNDARY = "thetool-bench"


def photo(number: int) -> bytes:
    """A JPEG of a drawn room with grain, about 1 MB."""
    random = np.random.default_rng(number)
    image = Image.new("RGB", (4000, 3000), "#d8d0c4")
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, w, h = (int(value) for value in random.integers((0, 0, 100, 100), (3600, 2600, 900, 900)))
        draw.rectangle((x, y, x + w, y + h), fill=tuple(int(value) for value in random.integers(0, 255, 3)))
    grain = random.normal(0, 3, (3000, 4000, 1))
    pixels = (np.asarray(image, np.float32) + grain).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=82)
    return file.getvalue()


def offer(home: Service) -> None:
    """Say that a worker elsewhere restyles."""
    with (
        closing(psycopg2.connect(EmbeddedServer(home.home).dsn)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "insert into workers (id, host, pid, version, kinds, slots, running, draining, heartbeat_at) "
            "values (gen_random_uuid(), 'bench', 1, '0', '{restyle.run}', 1, 0, false, now() + interval '1 hour')"
        )


def seconds_of(port: int, content: bytes) -> float:
    """From the last byte sent to the whole answer."""
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="room.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n".encode()
        + content
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )
    head = (
        f"POST /transform/submit HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head + body)
        began = time.perf_counter()
        answer = b""
        while data := connection.recv(65_536):
            answer += data
        taken = time.perf_counter() - began
    status, _, rest = answer.partition(b"\r\n\r\n")
    if b" 200 " not in status.split(b"\r\n")[0]:
        raise RuntimeError(answer[:500].decode(errors="replace"))
    json.loads(rest)
    return taken


def main() -> None:
    """Print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=60)
    asked = parser.parse_args()
    photos = [photo(number) for number in range(8)]
    with service(RATE_LIMIT_ENABLED="false", MAX_REQUESTS="0") as running:
        offer(running)
        for content in photos[:4]:
            seconds_of(running.port, content)
        # A byte after the end makes each another file.
        taken = sorted(
            seconds_of(running.port, photos[number % 8] + str(number).encode()) * 1000
            for number in range(asked.requests)
        )
    size = statistics.mean(len(content) for content in photos) / 1e6
    print(f"{asked.requests} photos of {size:.2f} MB, one after the other, files in Postgres")
    print("| ms from the last byte | median | 95th percentile | worst |\n| --- | --- | --- | --- |")
    figures = (taken[len(taken) // 2], taken[int(len(taken) * 0.95)], taken[-1])
    print("| `POST /transform/submit` | " + " | ".join(f"{each:.1f}" for each in figures) + " |")


if __name__ == "__main__":
    main()
