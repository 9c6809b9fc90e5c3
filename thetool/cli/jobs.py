"""`thetool jobs`: list, show, cancel and requeue jobs, and count them."""

from __future__ import annotations

import sys
import time
from typing import Any
from uuid import UUID

import click

from thetool.cli.following import Lines, follow
from thetool.cli.service import Service, for_service
from thetool.cli.show import age, json_option, moment, number, percent, plain, print_fields, print_json, print_table

JOBS = "/api/v1/jobs"
STATUSES = ("queued", "running", "completed", "failed", "cancelled")
SECONDS = ("p50_seconds", "p95_seconds", "oldest_ready_seconds")
COLUMNS = ("id", "status", "stage", "created", "job")
WATCH_SECONDS = 2.0


@click.group()
def jobs() -> None:
    """List, show, cancel and requeue jobs, and count them."""


@jobs.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only jobs in this state.")
@click.option("--kind", help="Only jobs of this kind, such as analyze.text.")
@click.option("--batch", type=click.UUID, metavar="ID", help="Only jobs of this batch.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, metavar="N", help="How many. [default: 20]")
@click.option("--watch", is_flag=True, help="Show them again every 2 seconds, until Ctrl-C.")
@json_option
@for_service
def list_jobs(
    service: Service,
    status: str | None,
    kind: str | None,
    batch: UUID | None,
    limit: int,
    watch: bool,
    as_json: bool,
) -> None:
    """List jobs, newest first. With --json and --watch: a line of JSON each time."""
    query = {"status": status, "kind": kind, "batch_id": batch, "limit": min(limit, 200)}
    while True:
        listed = service.items(JOBS, query, most=limit)
        if watch and not as_json:
            click.clear()
        if as_json:
            print_json(listed, line=watch)
        else:
            print_table(COLUMNS, [_row(job) for job in listed], empty="No jobs.")
        if not watch:
            return
        time.sleep(WATCH_SECONDS)


@jobs.command()
@click.argument("job_id", metavar="ID", type=click.UUID)
@click.option("--watch", is_flag=True, help="Stay until it is finished, and tell on standard error how far it is.")
@json_option
@for_service
def show(service: Service, job_id: UUID, watch: bool, as_json: bool) -> None:
    """Show the job ID: its state, its result or what went wrong."""
    lines = None if sys.stderr.isatty() else Lines()
    job = follow(service, job_id, show=lines) if watch else service.get(f"{JOBS}/{job_id}").body
    if as_json:
        print_json(job)
        return
    print_fields(_fields(job))
    traceback = (job.get("error") or {}).get("traceback") if job["status"] != "cancelled" else None
    if traceback:
        click.echo(f"\n{plain(traceback).rstrip()}")
    if job.get("result") is not None:
        print_json(job["result"])


@jobs.command()
@click.argument("job_id", metavar="ID", type=click.UUID)
@json_option
@for_service
def cancel(service: Service, job_id: UUID, as_json: bool) -> None:
    """Cancel the job ID. One that is running stops at its next step."""
    job = service.post(f"{JOBS}/{job_id}/cancel").body
    if as_json:
        print_json(job)
    elif job["status"] == "cancelled":
        click.echo(f"Cancelled {job_id}.")
    else:
        click.echo(f"Asked {job_id} to stop; it is {job['status']}.")


@jobs.command()
@click.argument("job_id", metavar="[ID]", type=click.UUID, required=False)
@click.option("--kind", help="All failed jobs of this kind, the oldest 1,000 at a time.")
@json_option
@for_service
def requeue(service: Service, job_id: UUID | None, kind: str | None, as_json: bool) -> None:
    """Put the job ID, which failed or was cancelled, back into the queue; or all failed jobs of a kind."""
    if (job_id is None) == (kind is None):
        raise click.UsageError("Say which: an ID, or --kind.")
    body = {"kind": kind} if kind else None
    done = service.post(f"{JOBS}/requeue" if kind else f"{JOBS}/{job_id}/requeue", body).body
    if as_json:
        print_json(done)
    elif not kind:
        click.echo(f"Put {job_id} back.")
    else:
        left = f" {done['left']} are left: say it again." if done["left"] else ""
        click.echo(f"Put {done['requeued']} of {kind} back.{left}")


@jobs.command()
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=10_000, metavar="N", help="The newest N jobs. [default: 10000]"
)
@json_option
@for_service
def stats(service: Service, limit: int, as_json: bool) -> None:
    """Count the newest jobs by kind and state, with the median and the 95th percentile of how long they ran."""
    kinds = service.get(f"{JOBS}/stats", {"limit": limit}).body["kinds"]
    if as_json:
        print_json(kinds)
        return
    rows = [
        (kind["kind"], *(kind[status] for status in STATUSES), *(_seconds(kind[name]) for name in SECONDS))
        for kind in kinds
    ]
    print_table(("kind", *STATUSES, "median", "95th percentile", "longest wait"), rows, empty="No jobs.")


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{number(seconds)} s"


def _row(job: dict[str, Any]) -> tuple[Any, ...]:
    return (job["id"], _status(job), _stage(job), age(job.get("created_at")), _name(job))


def _name(job: dict[str, Any]) -> str:
    """What people call it: its title, such as a file's name, where it has one."""
    return f"{job['title']} ({job['kind']})" if job.get("title") else str(job["kind"])


def _status(job: dict[str, Any]) -> str:
    """How it stands, and why a failed one failed."""
    code = (job.get("error") or {}).get("code") if job["status"] == "failed" else None
    return f"failed ({code})" if code else str(job["status"])


def _stage(job: dict[str, Any]) -> str | None:
    """How far a running job is."""
    if job["status"] != "running":
        return None
    asked = "stopping" if job.get("cancel_requested_at") else job.get("stage")
    return " ".join(part for part in (percent(job.get("progress")), asked) if part)


def _error(job: dict[str, Any]) -> list[tuple[str, str]]:
    """Why it failed, or why its last attempt did while there may be another; of a cancelled one neither."""
    error = job.get("error")
    if not error or job["status"] == "cancelled":
        return []
    return [("error" if job["status"] == "failed" else "last attempt", f"{error.get('message')} ({error.get('code')})")]


def _fields(job: dict[str, Any]) -> list[tuple[str, Any]]:
    times = ("created_at", "started_at", "cancel_requested_at", "finished_at", "expires_at")
    return [
        *((name, job.get(name)) for name in ("id", "title", "kind", "status", "stage", "message")),
        ("progress", percent(job.get("progress"))),
        ("attempts", f"{job.get('attempts')} of {job.get('max_attempts')}"),
        *((name.removesuffix("_at").replace("_", " "), moment(job[name])) for name in times if job.get(name)),
        ("not before", moment(job["run_at"]) if job["status"] == "queued" and job.get("run_at") else None),
        *((name.replace("_id", ""), job.get(name)) for name in ("batch_id", "parent_id")),
        ("correlation id", job.get("correlation_id")),
        *_error(job),
    ]
