"""What a handler may do while its job runs: report, ask whether to stop, keep a file, act when the job finishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO, Protocol
from uuid import UUID


class Interrupted(BaseException):  # noqa: N818  like KeyboardInterrupt: `except Exception` in a handler must not catch it
    """The job is to stop now; a handler lets it pass, and cleans up in `finally`."""


class Cancelled(Interrupted):
    """Somebody asked that the job be cancelled."""


class TimedOut(Interrupted):
    """The job took longer than its timeout."""


class LostClaim(Interrupted):
    """The job is no longer ours: its lease ran out, or this worker handed it back. Nothing that it does now counts."""


class Desk(Protocol):
    """Where a context's wishes go: to the queue in the worker itself, to the parent in a child process."""

    def report(self, fraction: float, stage: str | None, message: str | None) -> None:
        """Tell how far the job is."""

    def store(self, stream: BinaryIO | bytes, *, media_type: str, filename: str | None) -> UUID:
        """Keep a file of the job's owner."""

    def open(self, file_id: UUID) -> BinaryIO:
        """Open a copy of a stored file of the job's owner."""


class JobContext:
    """One attempt at a job, as its handler sees it.

    `claim_token` is new for each attempt: key side effects outside the database by it.
    """

    def __init__(
        self, *, job_id: UUID, owner_id: UUID, correlation_id: str | None, attempt: int, claim_token: UUID, desk: Desk
    ) -> None:
        self.job_id = job_id
        self.owner_id = owner_id
        self.correlation_id = correlation_id
        self.attempt = attempt
        self.claim_token = claim_token
        self.finish_callbacks: list[Callable[[Any], None]] = []
        self.interruption: type[Interrupted] | None = None
        self._desk = desk

    def progress(self, fraction: float, stage: str | None = None, message: str | None = None) -> None:
        """Say how far the job is; may be called as often as one likes.

        Args:
            fraction: 0 to 1; what lies outside is cut off.
            stage: one word for programs, such as `generating`; None leaves it as it is.
            message: a sentence for people; None leaves it as it is.

        Raises:
            Interrupted: the job is to stop, as `checkpoint()` would say.
        """
        self.checkpoint()
        self._desk.report(min(max(float(fraction), 0.0), 1.0), stage, message)

    def checkpoint(self) -> None:
        """Stop here if the job is to stop; call it every second or so, it costs nothing.

        Raises:
            Cancelled: somebody cancelled the job.
            TimedOut: its time is up.
            LostClaim: it is no longer ours.
        """
        if self.interruption is not None:
            raise self.interruption

    def store(self, stream: BinaryIO | bytes, *, media_type: str, filename: str | None = None) -> UUID:
        """Keep a file that belongs to the job's owner, and give its id."""
        self.checkpoint()
        return self._desk.store(stream, media_type=media_type, filename=filename)

    def open(self, file_id: UUID) -> BinaryIO:
        """Open a stored file of the job's owner, to read it; its copy goes when it is closed.

        Raises:
            NotFound: there is none (in a child: RuntimeError).
            TransientError: the bucket is away.
        """
        self.checkpoint()
        return self._desk.open(file_id)

    def on_finish(self, callback: Callable[[Any], None]) -> None:
        """Call `callback(cursor)` in the transaction that completes the job, only if the claim still holds then.

        What it writes is kept exactly when the job is completed. When it raises, nothing is kept and the job fails.
        """
        self.finish_callbacks.append(callback)

    def interrupt(self, how: type[Interrupted]) -> None:
        """Make the next `checkpoint()` raise; the first reason stays. (For the runner, not for handlers.)"""
        if self.interruption is None:
            self.interruption = how
