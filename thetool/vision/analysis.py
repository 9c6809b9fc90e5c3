"""All that is to be found in one photo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import BaseModel

from thetool.vision.info import find_info
from thetool.vision.labels import find_labels
from thetool.vision.models import ROLES, Models
from thetool.vision.objects import find_objects
from thetool.vision.ocr import find_text
from thetool.vision.palette import find_palette
from thetool.vision.photo import Photo
from thetool.vision.quality import find_quality
from thetool.vision.text_lines import LONGEST
from thetool.weights.problems import WeightsUnavailable
from thetool.weights.used import ModelUsed

Stage = Callable[[str], None]
"""Told what is being done now, in words for people; may raise to stop the work."""

TASKS = ("info", "labels", "objects", "text", "palette", "quality")
"""All tasks, in the order in which results have them."""
USUAL = tuple(task for task in TASKS if task != "text")
"""Those that take milliseconds; reading text takes a second or two."""

_SLOW = {"objects": "Looking for objects", "text": "Reading text"}


class Skipped(NamedTuple):
    """A task that was not done, rather than made up: why, and what can be done about it."""

    task: str
    reason: str
    how: str


class Note(NamedTuple):
    """What is to be known about a task that was done, in a sentence."""

    task: str
    note: str


@dataclass
class Findings:
    """What was found in a photo, by which models, and what was left out."""

    results: dict[str, BaseModel] = field(default_factory=dict)
    """By task: `Info`, `Labels`, `Objects`, `TextInImage`, `Palette`, `Quality`."""
    models: list[ModelUsed] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def analyze_photo(
    photo: Photo,
    models: Models,
    tasks: Sequence[str] = USUAL,
    *,
    by_name: bool = False,
    location: bool = False,
    stage: Stage = lambda _: None,
) -> Findings:
    """Do the tasks; the slow ones run beside the others, on a second core.

    Args:
        photo: as the decoder gives it.
        models: those of the installation.
        tasks: names out of `TASKS`.
        by_name: the caller named the tasks: one whose weights are not here is a problem then, and not skipped.
        location: whether `info` may say where the photo was taken.
        stage: is told what is being done.

    Raises:
        ValueError: a name is no task.
        WeightsUnavailable: with `by_name`, a task needs weights that are not here.
    """
    if unknown := set(tasks) - set(TASKS):
        raise ValueError(f"there is no task {', '.join(sorted(unknown))}; there are: {', '.join(TASKS)}")
    work = _Work(photo, models, location, stage)
    found = Findings()
    able = [task for task in TASKS if task in tasks and _able(task, models, by_name, found)]
    results = _done(work, able)
    found.results = {task: results[task] for task in able}
    found.models = [models.used(task) for task in able if task in ROLES]
    smaller = max(photo.facts.width, photo.facts.height) / LONGEST
    if "text" in able and smaller > 1:
        what = f"Lines were looked for at 1/{smaller:.2g} of its size; small print may be lost."
        found.notes.append(Note("text", what))
    return found


def _done(work: _Work, tasks: Sequence[str]) -> dict[str, BaseModel]:
    """The slow tasks in this thread, the others in one beside it."""
    slow = [task for task in tasks if task in _SLOW]
    quick = [task for task in tasks if task not in _SLOW]
    if not slow or not quick:
        return work.do_all(tasks)
    with ThreadPoolExecutor(1, "thetool-photo") as beside:
        rest = beside.submit(work.do_all, quick)
        return work.do_all(slow) | rest.result()


def _able(task: str, models: Models, by_name: bool, found: Findings) -> bool:
    """Whether the task can be done; if not, say so in `found`."""
    try:
        models.load(task)
    except WeightsUnavailable as missing:
        if by_name:
            raise
        found.skipped.append(Skipped(task, missing.what, missing.how_to))
        return False
    return True


class _Work:
    """The tasks of one photo."""

    def __init__(self, photo: Photo, models: Models, location: bool, stage: Stage) -> None:
        self._stage = stage
        self._finders: dict[str, Callable[[], BaseModel]] = {
            "info": lambda: find_info(photo, location),
            "labels": lambda: find_labels(photo, models.classifier()),
            "objects": lambda: find_objects(photo, models.detector()),
            "text": lambda: find_text(photo, models.reader(), lambda: stage(_SLOW["text"])),
            "palette": lambda: find_palette(photo),
            "quality": lambda: find_quality(photo),
        }

    def do_all(self, tasks: Iterable[str]) -> dict[str, BaseModel]:
        """Do these, one after the other; the slow ones tell what they are."""
        done = {}
        for task in tasks:
            if task in _SLOW:
                self._stage(_SLOW[task])
            done[task] = self._finders[task]()
        return done
