"""Models that are folders of a model hub: which one plays which part, is it here? Nothing here calls out."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from thetool.config import Settings
from thetool.weights.problems import UnknownModel, WeightsMissing
from thetool.weights.used import ModelUsed

MANIFEST = ".pulled.json"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Entry):
    """What a folder is used for, and the setting that names it. Without an `optional` one its group still works.

    `files` are all that is taken of a repository that is no folder of diffusers' or transformers': single checkpoints.
    """

    name: str
    group: str
    setting: str
    purpose: str
    marker: str
    optional: bool = False
    files: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable that chooses the folder."""
        return str(cast(AliasChoices, Settings.model_fields[self.setting].validation_alias).choices[0])


class Repositories(_Entry):
    """All parts, and the licences of the hub's models that we know."""

    parts: tuple[Part, ...]
    licences: dict[str, str]


class PulledFile(_Entry):
    """A file of a pulled revision, as the hub vouches for it: SHA-256, or, of small files, git's SHA-1."""

    name: str
    size: Annotated[int, Field(ge=0)]
    sha256: str | None = None
    git_sha1: str | None = None


class Manifest(_Entry):
    """Written last, when all files of a revision are here and right."""

    repository: str
    revision: str
    files: tuple[PulledFile, ...]


@dataclass(frozen=True)
class Place:
    """Where the model of a part is, or would be: a folder of the hub's (`repository`, `revision`), or ours."""

    part: Part
    folder: Path
    repository: str | None
    revision: str = "main"

    def used(self) -> ModelUsed:
        """The model as answers state it."""
        if self.repository is None:
            return ModelUsed(name=self.folder.name, version="a local folder", licence="unknown")
        manifest = read_manifest(self.folder)
        licence = repositories().licences.get(self.repository, "unknown")
        return ModelUsed(name=self.repository, version=manifest.revision if manifest else "?", licence=licence)


@cache
def repositories() -> Repositories:
    """The parts of this version of TheTool; read once."""
    text = resources.files("thetool.weights").joinpath("repositories.toml").read_text("utf-8")
    return Repositories.model_validate(tomllib.loads(text))


def parts_of(group: str) -> list[Part]:
    """The parts that are pulled together; empty when there is no such group."""
    return [part for part in repositories().parts if part.group == group]


def part_named(name: str) -> Part:
    """The part of this name.

    Raises:
        UnknownModel: there is none.
    """
    for part in repositories().parts:
        if part.name == name:
            return part
    raise UnknownModel(name, None, known=[part.name for part in repositories().parts])


def place_of(settings: Settings, part: Part) -> Place | None:
    """Where the model of a part is kept; None where the setting names none."""
    value = str(getattr(settings, part.setting) or "").strip()
    if not value:
        return None
    if value.startswith(("/", "~", ".")):
        return Place(part, Path(value).expanduser().absolute(), None)
    repository, _, revision = value.partition("@")
    folder = settings.weights_folder / part.group / repository.replace("/", "--")
    return Place(part, folder, repository, revision or "main")


def places(settings: Settings) -> list[Place]:
    """Where the models of all parts are, or would be; not of those whose setting names none."""
    return [place for part in repositories().parts if (place := place_of(settings, part)) is not None]


def require_folder(settings: Settings, name: str) -> Place:
    """The place of a part's model, with all that belongs to it, by size. Cheap: it reads no weights, calls nobody.

    Raises:
        WeightsMissing: it is not here, or half of it is; says the command that mends it.
    """
    part = part_named(name)
    place = place_of(settings, part)
    if place is None:
        raise WeightsMissing(part.group, part.name, f"{part.variable} is not set")
    if wrong := what_is_wrong(place):
        raise WeightsMissing(part.group, str(place.repository or place.folder), wrong)
    return place


def what_is_wrong(place: Place) -> str | None:
    """Why the model of a place cannot be used, in words; None when it can."""
    if place.repository is None:
        if not place.folder.is_dir():
            return f"there is no folder {place.folder}"
        if place.part.marker and not (place.folder / place.part.marker).is_file():
            return f"{place.folder} has no {place.part.marker}"
        if place.part.files and not any((place.folder / name).is_file() for name in place.part.files):
            return f"{place.folder} has no {' or '.join(place.part.files)}"
        if missing := _missing_parts(place.folder):
            return f"{place.folder} has no {missing[0]}"
        weighs = place.part.files or any(place.folder.rglob("*.safetensors"))
        return None if weighs else f"{place.folder} holds no safetensors"
    manifest = read_manifest(place.folder)
    if manifest is None:
        half = place.folder.is_dir() and any(place.folder.iterdir())
        return "only a part of it was pulled" if half else "it was not pulled"
    for file in manifest.files:
        path = place.folder / file.name
        if not path.is_file():
            return f"{file.name} is missing"
        if path.stat().st_size != file.size:
            return f"{file.name} is wrong in size"
    return None


def _missing_parts(folder: Path) -> list[str]:
    """What the index of a pipeline (diffusers' `model_index.json`) names, and the folder lacks; without a safety
    checker it still paints."""
    try:
        index = json.loads((folder / "model_index.json").read_bytes())
    except (OSError, ValueError):
        return []
    parts = index.items() if isinstance(index, dict) else ()
    named = {name for name, kind in parts if isinstance(kind, list) and all(kind)}
    return sorted(name for name in named - {"safety_checker", "feature_extractor"} if not (folder / name).is_dir())


def is_here(settings: Settings, group: str) -> bool:
    """Whether every part that a group cannot do without is here."""
    places = [place_of(settings, part) for part in parts_of(group) if not part.optional]
    return all(place is not None and what_is_wrong(place) is None for place in places)


def read_manifest(folder: Path) -> Manifest | None:
    """What was pulled into a folder; None when nothing was, or not all of it."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
