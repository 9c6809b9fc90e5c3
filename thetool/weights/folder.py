"""The folder of weights: `<weights>/<role>/<name>/<file>`. Nothing here calls out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from pydantic import AliasChoices

from thetool.config import Settings
from thetool.weights.catalogue import Model, WeightFile, catalogue
from thetool.weights.problems import WeightsDamaged, WeightsMissing, WeightsUnavailable
from thetool.weights.sources.source import sha256_of

State = Literal["ok", "missing", "wrong_size", "damaged"]

RUNS_WHAT_IT_READS = ".pt"
"""Ending of PyTorch's checkpoints, which are pickles."""


@dataclass(frozen=True)
class FileCheck:
    """What was found of one file; `damaged` is the right size with another SHA-256."""

    role: str
    name: str
    file: str
    path: Path
    state: State


@dataclass(frozen=True)
class RoleStatus:
    """A role, the model that its setting chooses, the others there are, and whether the chosen is here (by size)."""

    role: str
    purpose: str
    setting: str
    model: Model
    others: tuple[str, ...]
    folder: Path
    present: bool
    how_to: str | None


def variable_of(role: str) -> str:
    """The environment variable that chooses the model of `role`."""
    names = Settings.model_fields[catalogue().roles[role].setting].validation_alias
    return str(cast(AliasChoices, names).choices[0])


def folder_of(settings: Settings, model: Model) -> Path:
    """Where the files of `model` are kept."""
    return settings.weights_folder / model.role / model.name


def chosen(settings: Settings, role: str, name: str | None = None) -> Model:
    """The model called `name`, or else the one that the settings choose for `role`.

    Raises:
        UnknownModel: when the catalogue has none such.
    """
    return catalogue().find(role, name) if name else catalogue().chosen(settings, role)


def locate(settings: Settings, role: str, name: str | None = None) -> dict[str, Path]:
    """The files of the role's model, by name, each of the right size. Cheap: it never reads them, never calls out.

    Raises:
        UnknownModel: when the catalogue has no such role or model.
        WeightsMissing: when a file is not here, or has the wrong size.
    """
    model = chosen(settings, role, name)
    folder = folder_of(settings, model)
    for file in model.files:
        state = _state_by_size(folder / file.name, file)
        if state != "ok":
            raise WeightsMissing(role, model.name, f"{file.name} is {state.replace('_', ' in ')}")
    return {file.name: folder / file.name for file in model.files}


@contextmanager
def loading(settings: Settings, role: str) -> Iterator[dict[str, Path]]:
    """The files of the role's model, while they are loaded: what fails because they are damaged says so.

    What could do harm when it is loaded is compared with the catalogue before.

    Raises:
        UnknownModel, WeightsMissing: as `locate`.
        WeightsDamaged: when a file has not the content that the catalogue names.
    """
    files = locate(settings, role)
    if any(name.endswith(RUNS_WHAT_IT_READS) for name in files):
        _require_whole(settings, role)
    try:
        yield files
    except WeightsUnavailable:
        raise
    except Exception:
        _require_whole(settings, role)
        raise


def verify(settings: Settings, role: str | None = None, name: str | None = None) -> list[FileCheck]:
    """Read the files of a role's model (of every role's without one) and compare their SHA-256.

    Raises:
        UnknownModel: when the catalogue has no such role or model.
    """
    roles = [role] if role else list(catalogue().roles)
    return [check for each in roles for check in check_files(settings, chosen(settings, each, name))]


def check_files(settings: Settings, model: Model) -> list[FileCheck]:
    """What is here of `model`, by SHA-256."""
    folder = folder_of(settings, model)
    found = [(file, folder / file.name) for file in model.files]
    return [FileCheck(model.role, model.name, file.name, path, _state(path, file)) for file, path in found]


def status(settings: Settings) -> list[RoleStatus]:
    """Every role with the model that the settings choose for it.

    Raises:
        UnknownModel: when a setting names a model that the catalogue does not have.
    """
    return [_status_of(settings, role) for role in catalogue().roles]


def _require_whole(settings: Settings, role: str) -> None:
    model = chosen(settings, role)
    if damaged := [check.file for check in check_files(settings, model) if check.state != "ok"]:
        raise WeightsDamaged(role, model.name, damaged)


def _status_of(settings: Settings, role: str) -> RoleStatus:
    model = chosen(settings, role)
    how_to = None
    try:
        locate(settings, role)
    except WeightsMissing as missing:
        how_to = missing.how_to
    return RoleStatus(
        role=role,
        purpose=catalogue().roles[role].purpose,
        setting=variable_of(role),
        model=model,
        others=tuple(name for name in catalogue().names(role) if name != model.name),
        folder=folder_of(settings, model),
        present=how_to is None,
        how_to=how_to,
    )


def _state(path: Path, file: WeightFile) -> State:
    by_size = _state_by_size(path, file)
    if by_size != "ok":
        return by_size
    return "ok" if sha256_of(path) == file.sha256 else "damaged"


def _state_by_size(path: Path, file: WeightFile) -> State:
    try:
        size = path.stat().st_size if path.is_file() else None
    except OSError:  # a folder on the way is a file, or may not be entered
        size = None
    if size is None:
        return "missing"
    return "ok" if size == file.size else "wrong_size"
