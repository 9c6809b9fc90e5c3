"""What the API says about weights."""

from __future__ import annotations

from pydantic import BaseModel, Field

from thetool.weights.catalogue import WeightFile
from thetool.weights.folder import RoleStatus


class WeightFileOut(BaseModel):
    """One file of a model."""

    name: str
    size: int = Field(description="Bytes.")
    sha256: str
    sources: list[str] = Field(description="Where it can come from, in the order of trying.")
    conversion: str = Field(description="What was done to it on the way, in words.")

    @classmethod
    def of(cls, file: WeightFile) -> WeightFileOut:
        """Make it from what the catalogue says."""
        return cls(
            name=file.name,
            size=file.size,
            sha256=file.sha256,
            sources=file.source_names,
            conversion=file.conversion,
        )


class WeightsOut(BaseModel):
    """A role, the model that the settings choose for it, and whether that is here."""

    role: str = Field(examples=["embeddings"])
    purpose: str
    name: str = Field(description="Catalogue name of the model.", examples=["minilm-int8"])
    setting: str = Field(description="The setting that chooses the model.", examples=["TEXT_MODEL_NAME"])
    others: list[str] = Field(description="Catalogue names of the other models for this role.")
    title: str
    version: str
    licence: str = Field(examples=["Apache-2.0"])
    size: int = Field(description="Bytes of all files.")
    present: bool = Field(description="Whether all files are here, by their sizes.")
    how_to: str | None = Field(description="What to do when it is not here.")
    files: list[WeightFileOut]

    @classmethod
    def of(cls, status: RoleStatus) -> WeightsOut:
        """Make it from what the folder says."""
        model = status.model
        return cls(
            role=status.role,
            purpose=status.purpose,
            name=model.name,
            setting=status.setting,
            others=list(status.others),
            title=model.title,
            version=model.version,
            licence=model.licence,
            size=model.size,
            present=status.present,
            how_to=status.how_to,
            files=[WeightFileOut.of(file) for file in model.files],
        )


class WeightsList(BaseModel):
    """All roles."""

    items: list[WeightsOut]
