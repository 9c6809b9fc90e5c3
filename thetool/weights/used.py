"""Which model an answer came from, as the answer states it."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from pydantic import BaseModel, ConfigDict, Field

from thetool.weights.catalogue import Model


class ModelUsed(BaseModel):
    """A model that had a part in a result."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Its name in our catalogue, or the package that holds it.")
    version: str = Field(description="Its version; another version may answer otherwise.")
    licence: str = Field(description="Licence of the model (SPDX).")


@cache
def of_package(distribution: str, licence: str) -> ModelUsed:
    """A model that comes inside an installed Python package."""
    return ModelUsed(name=distribution, version=version(distribution), licence=licence)


def of_weights(model: Model) -> ModelUsed:
    """A model of the catalogue."""
    return ModelUsed(name=model.name, version=model.version, licence=model.licence)
