"""What streams read of the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC
from uuid import UUID

from thetool.config import Settings
from thetool.jobs.events.fanout import MOST_SAID
from thetool.jobs.events.messages import News, Said
from thetool.jobs.queue import Queue

FILE_LINK_SECONDS = 3600


def news(queue: Queue, settings: Settings, asked: Mapping[UUID, int | None]) -> list[News]:
    """Of some jobs, how they are now and what they said after an event; jobs that are not there are left out.

    Raises:
        DatabaseUnavailable: Postgres is away.
    """
    from thetool.storage.links import signed_path  # not above: the queue is usable without Flask

    rows = queue.connection.run("news", {"ids": list(asked), "after": list(asked.values()), "limit": MOST_SAID})
    found = []
    for *values, files, last_event, said in rows:
        links = [signed_path(settings, UUID(blob_id), FILE_LINK_SECONDS) for blob_id in files]
        found.append(News(*(*values, links, last_event, [Said.of(each) for each in said])))
    return found


def said_between(queue: Queue, job_id: UUID, after: int, last: int) -> Iterator[Said]:
    """What a job said after one event, until another with that one; read a page at a time.

    Raises:
        DatabaseUnavailable: Postgres is away.
    """
    while after < last:
        bounds = {"id": job_id, "after": after, "last": last, "limit": MOST_SAID}
        rows = queue.connection.run("said_between", bounds)
        if not rows:
            return
        for number, stage, message, progress, created_at in rows:
            yield Said(number, stage, message, progress, created_at.astimezone(UTC))
        after = rows[-1][0]
