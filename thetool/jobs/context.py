"""What a handler may do while its job runs: report, ask whether to stop, keep a file, act when the job finishes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Unpack
from uuid import UUID

from pydantic import BaseModel

if TYPE_CHECKING:
    from thetool.jobs.options import JobOptions


class Interrupted(BaseException):  # noqa: N818  like KeyboardInterrupt: `except Exception` in a handler must not catch it
    """The job is to stop now; a handler lets it pass, and cleans up in `finally`."""


class Cancelled(Interrupted):
    """Somebody asked that the job be cancelled."""


class TimedOut(Interrupted):
    """The job took longer than its timeout."""


class LostClaim(Interrupted):
    """The job is no longer ours: its lease ran out, or this worker handed it back. Nothing that it does now counts."""


class Suspended(Interrupted):
    """The job is laid aside until its children are finished; then its handler is called again."""


@dataclass(frozen=True)
class ChildJob:
    """A child of a job, as it was when the job's handler asked. `error` is `{code, message, traceback}`."""

    id: UUID
    kind: str
    status: str
    title: str | None
    error: dict[str, Any] | None
    read: Callable[[UUID], Any] = field(repr=False, compare=False)

    @property
    def finished(self) -> bool:
        """Whether it is completed, failed or cancelled."""
        return self.status not in ("queued", "running")

    @property
    def result(self) -> Any:
        """Its result as plain JSON types, read anew each time; None unless it is completed."""
        return self.read(self.id) if self.status == "completed" else None


class Desk(Protocol):
    """Where a context's wishes go: to the queue in the worker itself, to the parent in a child process."""

    def report(self, fraction: float, stage: str | None, message: str | None) -> None:
        """Tell how far the job is."""

    def store(
        self, stream: BinaryIO | bytes, *, media_type: str, filename: str | None, keep_seconds: float | None
    ) -> UUID:
        """Keep a file of the job's owner."""

    def open(self, file_id: UUID) -> BinaryIO:
        """Open a copy of a stored file of the job's owner."""

    def copy(self, file_id: UUID, path: Path) -> None:
        """Make a copy of a stored file of the job's owner."""

    def spawn(self, kind: str, params: BaseModel, options: JobOptions) -> UUID:
        """Note a child that is to be made."""

    def children(self) -> Sequence[ChildJob]:
        """The children that were made."""

    def must_wait(self) -> bool:
        """Whether there are children, made or to be made, that are not finished."""


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
        self.spawned: list[Any] = []
        self._children: tuple[ChildJob, ...] | None = None
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
        self._desk.report(min(max(0.0, float(fraction)), 1.0), stage, message)  # in this order NaN is 0

    def checkpoint(self) -> None:
        """Stop here if the job is to stop; call it every second or so, it costs nothing.

        Raises:
            Cancelled: somebody cancelled the job.
            TimedOut: its time is up.
            LostClaim: it is no longer ours.
        """
        if self.interruption is not None:
            raise self.interruption

    def store(
        self,
        stream: BinaryIO | bytes,
        *,
        media_type: str,
        filename: str | None = None,
        keep_seconds: float | None = None,
    ) -> UUID:
        """Keep a file that belongs to the job's owner, for so long or until it is deleted, and give its id."""
        self.checkpoint()
        return self._desk.store(stream, media_type=media_type, filename=filename, keep_seconds=keep_seconds)

    def open(self, file_id: UUID) -> BinaryIO:
        """Open a stored file of the job's owner, to read it; its copy goes when it is closed.

        Raises:
            InputGone: there is none (in a child process `Refused`, with its code).
            TransientError: the bucket is away.
        """
        self.checkpoint()
        return self._desk.open(file_id)

    def copy(self, file_id: UUID, path: Path) -> None:
        """Make a copy of a stored file of the job's owner at `path`, where nothing is; a process job may do so in its
        own folder (the current one), which is emptied after the job.

        Raises:
            As `open` does.
        """
        self.checkpoint()
        self._desk.copy(file_id, path)

    def on_finish(self, callback: Callable[[Any], None]) -> None:
        """Call `callback(cursor)` in the transaction that completes the job, only if the claim still holds then.

        What it writes is kept exactly when the job is completed. When it raises, nothing is kept and the job fails.
        """
        self.finish_callbacks.append(callback)

    def spawn(self, kind: str, params: BaseModel, **options: Unpack[JobOptions]) -> UUID:
        """Have a child: a job of the same owner. It is made when this attempt ends well, never else.

        That is, in the transaction that lays this job aside (`wait_for_children()`) or completes it, if the claim still
        holds then: an attempt that fails, is tried again or lost its claim has no children.

        Args:
            kind: a registered kind.
            params: its parameters.
            options: see `JobOptions`.

        Returns:
            The id that the child will have.

        Raises:
            UnknownKind, TypeError, ValueError, ValidationFailed: as `submit()` does (in a child process RuntimeError).
        """
        self.checkpoint()
        return self._desk.spawn(kind, params, options)

    def wait_for_children(self) -> None:
        """Lay this job aside until all its children are finished, however they end; then its handler is called anew.

        No thread waits, no attempt is used. Returns only when there is nothing to wait for. So a handler begins with
        what is there: `if not context.children: ...spawn...; context.wait_for_children()`, and goes on with
        `context.children`. Cancelling the job cancels its children.

        Raises:
            Suspended: always, when there are unfinished children; let it pass.
        """
        self.checkpoint()
        if self.awaits_children():
            raise Suspended

    def awaits_children(self) -> bool:
        """Whether there are children, made or to be made, that are not finished."""
        return self._desk.must_wait()

    @property
    def children(self) -> tuple[ChildJob, ...]:
        """The children of earlier rounds, in the order of their making; those of this round come with the next."""
        if self._children is None:
            self._children = tuple(self._desk.children())
        return self._children

    def interrupt(self, how: type[Interrupted]) -> None:
        """Make the next `checkpoint()` raise; the first reason stays. (For the runner, not for handlers.)"""
        if self.interruption is None:
            self.interruption = how
