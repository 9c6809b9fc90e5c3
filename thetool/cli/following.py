"""Staying with a job until it is finished, with its progress on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol
from uuid import UUID

import click

from thetool.cli.problems import EXIT_INTERRUPTED, CommandFailed, printable
from thetool.cli.service import Service
from thetool.cli.show import console, percent

FINISHED = frozenset({"completed", "failed", "cancelled"})
POLL_SECONDS = 1.0
LINE_SECONDS = 5.0


class Progress(Protocol):
    """Shows how far a job is."""

    def __call__(self, job: dict[str, Any]) -> None:
        """Show this state of it."""


def follow(
    service: Service, job_id: UUID | str, *, seconds: float | None = None, show: Progress | None = None
) -> dict[str, Any]:
    """The job when it is finished, or as it is after `seconds`; Ctrl-C offers to cancel it.

    It is shown by `show`, or else by a bar of its own.

    Raises:
        ServiceProblem, ServiceUnreachable: as the service answers.
        SystemExit: 130, after Ctrl-C.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        with nullcontext(show) if show else _shown() as show:
            while True:
                left = POLL_SECONDS if deadline is None else min(POLL_SECONDS, deadline - time.monotonic())
                job: dict[str, Any] = service.get(f"/api/v1/jobs/{job_id}", {"wait": f"{max(0.0, left):.3f}"}).body
                show(job)
                if job["status"] in FINISHED or (deadline is not None and time.monotonic() >= deadline):
                    return job
    except KeyboardInterrupt:
        _offer_to_cancel(service, job_id)
        sys.exit(EXIT_INTERRUPTED)


def require_completed(job: dict[str, Any]) -> dict[str, Any]:
    """The job, when it is completed. Raises CommandFailed with the job's own words when it failed or was cancelled."""
    if job["status"] == "completed":
        return job
    error = (job.get("error") or {}) if job["status"] == "failed" else {}  # else it is that of an earlier attempt
    reason = f": {error['message']} ({error.get('code')})" if error.get("message") else "."
    raise CommandFailed(f"The job {job['id']} {'failed' if job['status'] == 'failed' else 'was cancelled'}{reason}")


@contextmanager
def _shown() -> Iterator[Progress]:
    """A bar in a terminal; nothing in a log file."""
    if not sys.stderr.isatty():
        yield lambda job: None
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console(error=True), transient=True) as bars:
        bar = bars.add_task("waiting", total=1.0)

        def show(job: dict[str, Any]) -> None:
            said = job.get("message") or job.get("stage") or job["status"]
            bars.update(bar, completed=job.get("progress") or 0.0, description=printable(str(said)))

        yield show


class Lines:
    """A job's progress for a log file: a line at each change of status or stage, and of progress every 5 s."""

    def __init__(self) -> None:
        self._state: tuple[Any, ...] = ()
        self._line = ""
        self._told = 0.0

    def __call__(self, job: dict[str, Any]) -> None:
        """Print this state of it, when there is something to tell."""
        state = (job["status"], job.get("stage"))
        done = percent(job.get("progress")) if job["status"] == "running" else None
        line = "  ".join(str(part) for part in (job["status"], done, job.get("stage"), job.get("message")) if part)
        pause = time.monotonic() - self._told
        if state == self._state and (line == self._line or pause < LINE_SECONDS):
            return
        self._state, self._line, self._told = state, line, time.monotonic()
        click.echo(printable(line), err=True)


class ManyProgress(Protocol):
    """Shows how far a command is with several inputs."""

    def __call__(self, name: str, done: int, job: dict[str, Any] | None) -> None:
        """`done` of them are done and `name` is next; `job` is its job when it takes long."""


@contextmanager
def many(total: int, *, shown: bool) -> Iterator[ManyProgress]:
    """A bar over `total` inputs in a terminal; nothing in a log file, or when it is not to be `shown`."""
    if not shown or not sys.stderr.isatty():
        yield lambda name, done, job: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (MofNCompleteColumn(), BarColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with Bars(*columns, console=console(error=True), transient=True, redirect_stdout=False) as bars:
        bar = bars.add_task("", total=total)

        def show(name: str, done: int, job: dict[str, Any] | None) -> None:
            part = (job.get("progress") or 0.0) if job else 0.0
            said = f"{name} {part:.0%}" if job else name
            bars.update(bar, completed=done, description=printable(said))

        yield show


def _can_be_asked() -> bool:
    return sys.stdin.isatty()


def _offer_to_cancel(service: Service, job_id: UUID | str) -> None:
    """Ask whether the job shall go on without us; where nobody can be asked, it does."""
    if _can_be_asked() and click.confirm(f"\nCancel the job {job_id}?", err=True):
        service.post(f"/api/v1/jobs/{job_id}/cancel")
        click.echo("Asked it to stop.", err=True)
    else:
        click.echo(f"The job goes on; see: thetool jobs show {job_id}", err=True)
