"""Which analyses there are for each kind of content, and which of them a request gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thetool.analyze.kinds import Kind
from thetool.config import Settings
from thetool.text import sentiment
from thetool.text.language import detector_model
from thetool.web.problems import ValidationFailed
from thetool.weights.folder import chosen, locate
from thetool.weights.problems import WeightsUnavailable
from thetool.weights.used import ModelUsed, of_weights

REVISION = 2
"""Raise it when the same models begin to answer otherwise, by our own code: older cached answers then count no more."""


@dataclass(frozen=True)
class Task:
    """One analysis. `role` is that of the weights which it needs, if any; `about` is for people."""

    name: str
    kind: Kind
    about: str
    role: str | None = None


TASKS = (
    Task("sentiment", "text", "positive, neutral or negative (English)"),
    Task("language", "text", "which language it is in"),
    Task("topics", "text", "what it is about, by meaning (English)", role="embeddings"),
    Task("statistics", "text", "characters, words, sentences, reading time"),
)


@dataclass(frozen=True)
class Plan:
    """What a request gets: the tasks to run, the models that they may use, and the tasks left out with the reason."""

    tasks: tuple[str, ...]
    models: tuple[ModelUsed, ...]
    unavailable: tuple[tuple[str, str, str], ...] = ()


def names_for(kind: Kind) -> tuple[str, ...]:
    """The tasks of a kind, in the order in which answers have them."""
    return tuple(task.name for task in TASKS if task.kind == kind)


def plan(kind: Kind, wanted: Sequence[str] | None, settings: Settings) -> Plan:
    """What to run for content of `kind`.

    Args:
        kind: of the content.
        wanted: the tasks asked for by name; None or empty is all that fit.
        settings: which models there are.

    Raises:
        ValidationFailed: a name is no task of this kind; `tasks` in the problem lists those that are.
        WeightsUnavailable: a task that was asked for by name has no weights here (503).
    """
    known = names_for(kind)
    require_known(wanted or (), known)
    tasks, models, unavailable = [], [], []
    for task in TASKS:
        if task.kind != kind or (wanted and task.name not in wanted):
            continue
        if task.role is not None:
            try:
                locate(settings, task.role)
            except WeightsUnavailable as missing:
                if wanted:
                    raise
                unavailable.append((task.name, missing.what, missing.how_to))
                continue
            models.append(of_weights(chosen(settings, task.role)))
        tasks.append(task.name)
    return Plan(tuple(tasks), (*_built_in(tasks), *models), tuple(unavailable))


def require_known(names: Sequence[str], known: Sequence[str]) -> None:
    """Raise ValidationFailed for the names that are not among `known`."""
    unknown = [name for name in names if name not in known]
    if unknown:
        listed = ", ".join(known)
        problem = ValidationFailed.of_fields(
            ("tasks", f"there is no task {name[:50]!r}; there are: {listed}", "body") for name in unknown
        )
        problem.extra["tasks"] = list(known)
        raise problem


def _built_in(tasks: Sequence[str]) -> tuple[ModelUsed, ...]:
    """The models that come inside packages; the language decides whether the English ones are asked at all."""
    if set(tasks) <= {"statistics"}:
        return ()
    return (detector_model(), *((sentiment.model(),) if "sentiment" in tasks else ()))
