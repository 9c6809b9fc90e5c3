#!/usr/bin/env python3
"""How fast files go into Postgres and out of it, with chunks by binary COPY (as we do) and as statements' parameters.

    scripts/bench/files.py [--mebibytes 100] [--rounds 5]

Prints medians over the rounds, in MiB/s. `DATABASE_URL` may name a Postgres; else an embedded one is started.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from apiflask import APIFlask
from sqlalchemy import Engine, text

from thetool.access.records import MASTER_OWNER_ID
from thetool.config import Settings
from thetool.database import connection
from thetool.database.embedded import available
from thetool.database.ids import new_id
from thetool.database.migrate import upgrade
from thetool.storage import blobs, rows
from thetool.storage.place import CHUNK_BYTES, Key
from thetool.storage.routes import blueprint
from thetool.storage.state import storage
from thetool.web.api import create_api


class Parameters:
    """The way not taken: chunks as parameters and as fields of a row."""

    name = "postgres"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, key: Key, chunks: Iterable[bytes]) -> None:
        for number, chunk in enumerate(chunks):
            with self._engine.begin() as opened:
                opened.execute(
                    text("insert into blob_chunks values (:blob, :number, :data)"),
                    {"blob": key.blob_id, "number": number, "data": chunk},
                )

    def read(self, key: Key, start: int, stop: int) -> Iterator[bytes]:
        for number in range(-(-stop // CHUNK_BYTES)):
            with self._engine.connect() as opened:
                found = opened.scalar(
                    text("select data from blob_chunks where blob_id = :blob and number = :number"),
                    {"blob": key.blob_id, "number": number},
                )
            yield bytes(found)


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def by_copy(content: list[bytes]) -> tuple[float, float]:
    """Seconds in and out through `store` and `read`, SHA-256 and all."""
    made: list[blobs.Blob] = []
    into = seconds(lambda: made.append(blobs.store(content, owner_id=MASTER_OWNER_ID, media_type="text/plain")))
    out = seconds(lambda: sum(map(len, blobs.read(made[0].id))))
    blobs.delete(made[0].id)
    return into, out


def by_parameters(content: list[bytes]) -> tuple[float, float]:
    """The same through the way not taken (without a hash, which is to its advantage)."""
    engine = storage().engine
    place, key = Parameters(engine), Key(MASTER_OWNER_ID, new_id())
    rows.begin(engine, key, place.name, "text/plain", None)
    into = seconds(lambda: place.write(key, content))
    out = seconds(lambda: sum(map(len, place.read(key, 0, len(content) * CHUNK_BYTES))))
    blobs.delete(key.blob_id)
    return into, out


def application(settings: Settings) -> APIFlask:
    app = create_api(settings)
    connection.init_app(app, settings)
    app.register_blueprint(blueprint)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    logging.disable()
    content = [os.urandom(CHUNK_BYTES)] * arguments.mebibytes
    with tempfile.TemporaryDirectory(prefix="thetool-bench-") as home:
        settings = Settings(THETOOL_HOME=Path(home), LOG_LEVEL="ERROR")
        with available(settings):
            upgrade(settings)
            with application(settings).app_context():
                for name, way in (("binary COPY", by_copy), ("parameters", by_parameters)):
                    times = [way(content) for _ in range(arguments.rounds)]
                    rates = [arguments.mebibytes / statistics.median(each) for each in zip(*times, strict=True)]
                    print(f"| {name} | {rates[0]:,.0f} | {rates[1]:,.0f} |")


if __name__ == "__main__":
    main()
