"""Pulling several roles at once: they come from different places, and the slowest says how long it takes."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from thetool.config import Settings
from thetool.weights.problems import WeightsUnavailable
from thetool.weights.pull import Progress, ProgressCallback, pull
from thetool.weights.pull_repository import pull_part
from thetool.weights.repositories import parts_of


class _StoppedError(Exception):
    """The caller gave up: what is under way ends at its next report."""


def pull_together(
    settings: Settings, roles: Iterable[str], progress: ProgressCallback
) -> dict[str, dict[str, Path] | WeightsUnavailable]:
    """Pull the chosen model of each role; one that cannot be had does not stop the others.

    Args:
        settings: the weights folder, and which model each role uses.
        roles: such as `labels` and `objects`.
        progress: called from several threads.

    Returns:
        For each role its files by name, or why they are not here.
    """
    stop = Event()

    def report(said: Progress) -> None:
        if stop.is_set():
            raise _StoppedError
        progress(said)

    def one(role: str) -> dict[str, Path] | WeightsUnavailable:
        try:
            return pull(settings, role, progress=report)
        except WeightsUnavailable as problem:
            return problem

    wanted = list(dict.fromkeys(roles))
    with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        pulls = {role: pool.submit(one, role) for role in wanted}
        try:
            return {role: each.result() for role, each in pulls.items()}
        except BaseException:
            stop.set()
            raise


def pull_group(
    settings: Settings, group: str, progress: ProgressCallback
) -> dict[str, dict[str, Path] | WeightsUnavailable]:
    """Pull the models of a group's parts, one after the other: they share the line. As `pull_together` answers."""
    outcomes: dict[str, dict[str, Path] | WeightsUnavailable] = {}
    for part in parts_of(group):
        try:
            folder = pull_part(settings, part, progress)
            outcomes[part.name] = {} if folder is None else {"": folder}
        except WeightsUnavailable as problem:
            outcomes[part.name] = problem
    return outcomes
