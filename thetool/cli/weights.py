"""`thetool weights`: the models' files on this machine."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thetool.cli.problems import CommandFailed
from thetool.cli.service import settings_here
from thetool.cli.show import console, json_option, print_json, print_table

if TYPE_CHECKING:
    from thetool.web.problems import Problem
    from thetool.weights.pull import Progress, ProgressCallback

MIB = 2**20
SHORT_VERSION = 12  # of a hub's commit, which has 40 digits
GROUPS = ("restyle",)
"""Names of several models that are pulled together, out of a hub."""


@click.group()
def weights() -> None:
    """See, fetch and check the model weights on this machine."""


@weights.command("list")
@json_option
def list_weights(as_json: bool) -> None:
    """List what each model is for, which one is chosen, and whether it is here."""
    from thetool.weights.listing import listing

    with _told():
        found = listing(settings_here())
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
        return
    rows = [
        (
            each.role,
            each.name,
            each.version[:SHORT_VERSION],
            each.licence,
            "?" if each.size is None else f"{each.size / MIB:.0f} MiB",
            each.present,
        )
        for each in found
    ]
    print_table(("role", "model", "version", "licence", "size", "here"), rows, empty="No models.")
    for each in found:
        if each.how_to:
            click.echo(f"{each.role}: {each.how_to}", err=True)
        if each.others:
            click.echo(f"{each.role}: {each.setting} chooses it; there are also {', '.join(each.others)}", err=True)


@weights.command()
@click.argument("roles", metavar="[ROLE]...", nargs=-1)
def pull(roles: tuple[str, ...]) -> None:
    """Fetch the weights of each ROLE; what is here and right is kept.

    Without one: of all but `restyle`, which takes several GB and a machine that can use them.
    """
    from thetool.weights.catalogue import catalogue
    from thetool.weights.problems import WeightsUnavailable
    from thetool.weights.together import pull_group, pull_together

    outcomes: dict[str, dict[str, Path] | WeightsUnavailable] = {}
    groups = [role for role in roles if role in GROUPS]
    with _ended_as_by_ctrl_c(), _shown() as show:
        for group in groups:
            outcomes |= pull_group(settings_here(), group, show)
        if rest := [role for role in roles or catalogue().roles if role not in groups]:
            outcomes |= pull_together(settings_here(), rest, show)
    failed = []
    for role, outcome in outcomes.items():
        if isinstance(outcome, WeightsUnavailable):
            failed.append(role)
            click.echo(f"{role}: {_words(outcome)}", err=True)
        elif role.startswith(GROUPS):
            click.echo(f"{role}: {next(iter(outcome.values()))}" if outcome else f"{role}: none is chosen")
        else:
            folder = next(iter(outcome.values())).parent
            click.echo(f"{role}: {len(outcome)} {'file' if len(outcome) == 1 else 'files'} in {folder}")
    if failed:
        raise CommandFailed(f"{len(failed)} of {len(outcomes)} could not be fetched: {', '.join(failed)}.")


@weights.command()
@click.argument("role", required=False)
def verify(role: str | None) -> None:
    """Read the weights of ROLE (of all, without one) and compare them with the catalogue."""
    from thetool.weights.folder import verify as check
    from thetool.weights.pull_repository import check_group

    with _told():
        checks = [] if role in GROUPS else check(settings_here(), role)
        rows = [(each.role, each.name, each.file, str(each.state)) for each in checks]
        for group in GROUPS if role is None else [role] if role in GROUPS else []:
            rows += check_group(settings_here(), group)
    print_table(("role", "model", "file", "state"), rows, empty="No files.")
    wrong = [row for row in rows if row[3] != "ok"]
    if wrong:
        raise CommandFailed(f"{len(wrong)} of {len(rows)} files are not right. Fetch them with: thetool weights pull")


@weights.command()
@click.argument("role", required=False)
def where(role: str | None) -> None:
    """Print the folder that the weights (of ROLE) are kept in, whether they are here or not."""
    from thetool.weights.folder import chosen, folder_of

    settings = settings_here()
    if role is None:
        click.echo(settings.weights_folder)
        return
    with _told():
        click.echo(settings.weights_folder / role if role in GROUPS else folder_of(settings, chosen(settings, role)))


@contextmanager
def _told() -> Iterator[None]:
    from thetool.web.problems import Problem

    try:
        yield
    except Problem as problem:
        raise CommandFailed(_words(problem)) from problem


def _words(problem: Problem) -> str:
    return f"{problem.title}: {problem.detail or ''} ({problem.code})"


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """By SIGTERM and a closed terminal, too: what this process started ends with it, and what it left is removed."""
    heeded = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, lambda number, _: sys.exit(128 + number)) for each in heeded}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _shown() -> Iterator[ProgressCallback]:
    """A bar of bytes for each role, in a terminal."""
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars

    screen = console(error=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(binary_units=True))
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:

        def show(progress: Progress) -> None:
            if progress.role not in tasks:
                tasks[progress.role] = bars.add_task(progress.role, total=None)
            what = f"{progress.role}: {' '.join(filter(None, (progress.file, progress.stage)))}"
            bars.update(tasks[progress.role], description=what, completed=progress.done, total=progress.total)

        yield show
