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

REVISION = 4
"""Raise it when the same models begin to answer otherwise, by our own code: older cached answers then count no more."""


@dataclass(frozen=True)
class Task:
    """One analysis. `role` is that of the weights which it needs, if any; `about` is for people.

    One that is not `usual` takes so long that it is made only when it is asked for by name.
    """

    name: str
    kind: Kind
    about: str
    role: str | None = None
    usual: bool = True


TASKS = (
    Task("sentiment", "text", "positive, neutral or negative (English)"),
    Task("language", "text", "which language it is in"),
    Task("topics", "text", "what it is about, by meaning (English)", role="embeddings"),
    Task("statistics", "text", "characters, words, sentences, reading time"),
    Task("info", "image", "format, size, what the camera noted"),
    Task("labels", "image", "what it shows as a whole, out of 1,000 things", role="labels"),
    Task("objects", "image", "which objects it shows, and where", role="objects"),
    Task("text", "image", "the text that it shows (a second or two)", role="ocr", usual=False),
    Task("palette", "image", "its main colours"),
    Task("quality", "image", "sharpness, exposure, noise, resolution"),
    Task("profile", "table", "types, nulls, distribution and issues of each column"),
    Task("market", "table", "indicators and a verdict, where it holds prices (date, open, high, low, close)"),
    Task("correlations", "table", "how the columns of numbers go together", usual=False),
)

NEED_WEIGHTS = frozenset(task.name for task in TASKS if task.role is not None)

_NAMES = frozenset(task.name for task in TASKS)
_A: dict[Kind, str] = {"text": "a text", "image": "an image", "table": "a table"}
_AS_A_TABLE = "to have it read as a table, send it as text/csv, or as a file called .csv"
_FOR = {task.name: {"text": "texts", "image": "images", "table": "tables"}[task.kind] for task in TASKS}


@dataclass(frozen=True)
class Plan:
    """What a request gets: the tasks to run, the models that they may use, and the tasks left out with the reason."""

    tasks: tuple[str, ...]
    models: tuple[ModelUsed, ...]
    unavailable: tuple[tuple[str, str, str | None], ...] = ()


def names_for(kind: Kind) -> tuple[str, ...]:
    """The tasks of a kind, in the order in which answers have them."""
    return tuple(task.name for task in TASKS if task.kind == kind)


def plan(kind: Kind, wanted: Sequence[str] | None, settings: Settings) -> Plan:
    """What to run for content of `kind`.

    Args:
        kind: of the content.
        wanted: the tasks asked for by name; None or empty is all that are usual. Names for another kind are left out
            when there are others: a batch may hold both.
        settings: which models there are.

    Raises:
        ValidationFailed: a name is no task, or none of them is for this kind; `tasks` in the problem lists those.
        WeightsUnavailable: a task that was asked for by name has no weights here (503).
    """
    known = names_for(kind)
    _require_known(wanted or (), kind)
    unavailable: list[tuple[str, str, str | None]] = [
        (name, f"It is for {_FOR[name]}, and this is {_A[kind]}.", None)
        for name in dict.fromkeys(wanted or ())
        if name not in known
    ]
    tasks, models = [], []
    for task in TASKS:
        if task.kind != kind or (task.name not in wanted if wanted else not task.usual):
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
    return Plan(tuple(tasks), (*_built_in(tasks, kind), *models), tuple(unavailable))


def _require_known(wanted: Sequence[str], kind: Kind) -> None:
    known = names_for(kind)
    unknown = [name for name in wanted if name not in _NAMES]
    if wanted and not set(wanted) & set(known):
        unknown = list(wanted)
    if unknown:
        listed = ", ".join(known)
        hint = f"; {_AS_A_TABLE}" if kind == "text" and any(_FOR.get(name) == "tables" for name in unknown) else ""
        problem = ValidationFailed.of_fields(
            ("tasks", f"there is no task {name[:50]!r} for {_A[kind]}; there are: {listed}{hint}", "body")
            for name in unknown
        )
        problem.extra["tasks"] = list(known)
        raise problem


def _built_in(tasks: Sequence[str], kind: Kind) -> tuple[ModelUsed, ...]:
    """The models that come inside packages; the language decides whether the English ones are asked at all."""
    if kind != "text" or set(tasks) <= {"statistics"}:
        return ()
    return (detector_model(), *((sentiment.model(),) if "sentiment" in tasks else ()))
