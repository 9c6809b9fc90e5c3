"""News of jobs to all who listen in this process: one thread reads them, each listener has a mailbox.

The words of Postgres (NOTIFY) say only which job to look at; what is told is read from the tables, with one query for
all jobs. So a word that is lost costs `LOOK_SECONDS`, and words that come often cost one query in `PAUSE_SECONDS`. One
reader makes the order of what is told the order in which it happened.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

import structlog

from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.events import messages
from thetool.jobs.events.mailbox import Mailbox
from thetool.jobs.events.messages import Message, News
from thetool.web.problems import NotFound

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
PAUSE_SECONDS = 0.02
RETRY_SECONDS = 1.0
WOKEN_TOGETHER = 8
WAKE_SECONDS = 0.002
MOST_SAID = 500
"""Events of one job that one look gives."""

# Hundreds of threads that are woken at once all want the interpreter, and a request that comes then waits for them all.
# So a few are woken at a time: the last of 250 listeners hears some 60 ms after the first.

Read = Callable[[Mapping[UUID, int | None]], Iterable[News]]


class Topic:
    """One job that somebody here listens to.

    `position` is the last event that was told, `state` the last state; None before the first look. Who has come since
    then is `joining`, and gets a snapshot.
    """

    def __init__(self) -> None:
        self.position: int | None = None
        self.state: tuple[str, int, bool] | None = None
        self.listening: list[Mailbox] = []
        self.joining: list[Mailbox] = []


class Fanout:
    """The listeners of a process by their jobs. `read` gives the news of some jobs since the events named.

    `_rings` are the mailboxes that got something and whose bells are yet to ring, in that order.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._topics: dict[UUID, Topic] = {}
        self._waiting: set[UUID] = set()
        self._rings: dict[Mailbox, None] = {}
        self._stirred = threading.Event()
        self._thread: threading.Thread | None = None

    def join(self, job_id: UUID, mailbox: Mailbox) -> None:
        """Tell this mailbox of the job: first a snapshot, then all that happens after it."""
        with self._lock:
            self._topics.setdefault(job_id, Topic()).joining.append(mailbox)
            self._waiting.add(job_id)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="job-events", daemon=True)
                self._thread.start()
        self._stirred.set()

    def leave(self, job_id: UUID, mailbox: Mailbox) -> None:
        """Tell it no more; harmless twice."""
        with self._lock:
            topic = self._topics.get(job_id)
            if topic is None:
                return
            for mailboxes in (topic.listening, topic.joining):
                if mailbox in mailboxes:
                    mailboxes.remove(mailbox)
            if not topic.listening and not topic.joining:
                del self._topics[job_id]

    def hear(self, payload: str | None) -> None:
        """Something happened to jobs (their ids, with commas); None: to any. It only takes note, and is quick."""
        if not self._topics:
            return
        with self._lock:
            heard = self._topics if payload is None else map(UUID, payload.split(","))
            fresh = self._topics.keys() & set(heard)
            self._waiting |= fresh
        if fresh:
            self._stirred.set()

    def _run(self) -> None:
        """Look at what was heard of at once, and at every job now and then; ends when nobody listens any more."""
        next_look = time.monotonic() + LOOK_SECONDS
        while True:
            self._stirred.wait(max(0.0, next_look - time.monotonic()))
            self._stirred.clear()
            with self._lock:
                if not self._topics:
                    self._thread = None
                    return
                if time.monotonic() >= next_look:
                    self._waiting.update(self._topics)
                    next_look = time.monotonic() + LOOK_SECONDS
            well = self._turn()
            try:
                self._ring()
            except Exception:  # of one listener; the others' thread must live on
                log.exception("a listener was not told")
            time.sleep(PAUSE_SECONDS if well else RETRY_SECONDS)

    def _turn(self) -> bool:
        """Read and tell; False when the database is away."""
        with self._lock:
            due, self._waiting = self._waiting, set()
            topics = {job_id: self._topics[job_id] for job_id in due if job_id in self._topics}
            came = {job_id: list(topic.joining) for job_id, topic in topics.items()}
        if not topics:
            return True
        try:
            found = {news.id: news for news in self._read({job_id: topics[job_id].position for job_id in topics})}
        except DatabaseUnavailable as error:
            log.info("streams wait for the database", error=str(error))
            found = None
        except Exception:
            log.exception("no news of jobs")
            found = None
        with self._lock:
            if found is None:
                self._waiting |= due
                return False
            for job_id, topic in topics.items():
                self._tell(job_id, topic, came[job_id], found.get(job_id))
        return True

    def _tell(self, job_id: UUID, topic: Topic, came: list[Mailbox], news: News | None) -> None:
        if news is None:
            self._end(job_id, topic, messages.problem(NotFound("The job was deleted.").body("")))
            return
        if len(news.said) >= MOST_SAID:  # there may be more: its end must not overtake it
            for said in news.said:
                self._put(messages.progress(job_id, said), topic.listening)
            topic.position = news.last_event
            self._waiting.add(job_id)
            self._stirred.set()
            return
        for change in _changes(topic, news):
            self._put(change, topic.listening)
        topic.position, topic.state = news.last_event, news.state
        for mailbox in came:
            if mailbox in topic.joining:
                topic.joining.remove(mailbox)
                topic.listening.append(mailbox)
                self._put(messages.snapshot(news), (mailbox,))
        if news.finished and not topic.joining:
            self._end(job_id, topic, messages.status(news))

    def _end(self, job_id: UUID, topic: Topic, last: Message) -> None:
        self._put(last, (*topic.listening, *topic.joining))
        if self._topics.get(job_id) is topic:  # else others have come meanwhile
            del self._topics[job_id]

    def _put(self, message: Message, mailboxes: Iterable[Mailbox]) -> None:
        for mailbox in mailboxes:
            mailbox.put(message)
            self._rings[mailbox] = None

    def _ring(self) -> None:
        """Send what lies in the mailboxes; wake, a few at a time, those whose threads have to do that."""
        rings, self._rings = [mailbox for mailbox in self._rings if mailbox.since is not None], {}
        rings = [mailbox for mailbox in rings if not mailbox.direct()]
        for first in range(0, len(rings), WOKEN_TOGETHER):
            if first:
                time.sleep(WAKE_SECONDS)
            for mailbox in rings[first : first + WOKEN_TOGETHER]:
                mailbox.ring()


def _changes(topic: Topic, news: News) -> Iterable[Message]:
    """What those hear who know the state before: a start comes before what the job then said, all else after it."""
    changed = topic.state is not None and topic.state != news.state and not news.finished
    starts = changed and news.status == "running"
    if starts:
        yield messages.status(news).at(topic.position or 0)
    for said in news.said:
        yield messages.progress(news.id, said)
    if changed and not starts:
        yield messages.status(news)
