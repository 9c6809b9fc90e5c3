"""What the API says about weights."""

from __future__ import annotations

from pydantic import BaseModel, Field

from thetool.weights.catalogue import WeightFile
from thetool.weights.folder import RoleStatus
from thetool.weights.repositories import Place, read_manifest, what_is_wrong


class WeightFileOut(BaseModel):
    """One file of a model."""

    name: str
    size: int = Field(description="Bytes.")
    sha256: str | None = Field(description="null: the hub vouches for a small file by git's SHA-1.")
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
    """A role, the model that the settings choose for it, and whether that is here.

    The roles that begin with `restyle-` are parts that restyling rooms needs: folders of a model hub, or of your own.
    """

    role: str = Field(examples=["embeddings"])
    purpose: str
    name: str = Field(description="Its name in the catalogue, or on the hub.", examples=["minilm-int8"])
    setting: str = Field(description="The setting that chooses the model.", examples=["TEXT_MODEL_NAME"])
    others: list[str] = Field(description="Catalogue names of the other models for this role.")
    title: str
    version: str
    licence: str = Field(examples=["Apache-2.0"])
    size: int | None = Field(description="Bytes of all files; null where the hub has not been asked yet.")
    optional: bool = Field(False, description="Whether what it is for works without it, if less well.")
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

    @classmethod
    def of_place(cls, place: Place) -> WeightsOut:
        """Make it from a folder of a hub, or of the operator's own."""
        used, wrong = place.used(), what_is_wrong(place)
        pulled = None if place.repository is None else read_manifest(place.folder)
        pull = f"run: thetool weights pull {place.part.group}"
        own = f"put the model into that folder, or let {place.part.variable} name one of the hub"
        return cls(
            role=place.part.name,
            purpose=place.part.purpose,
            name=used.name,
            setting=place.part.variable,
            others=[],
            title=used.name,
            version=used.version if place.repository is None or pulled else place.revision,
            licence=used.licence,
            size=None if pulled is None else sum(file.size for file in pulled.files),
            optional=place.part.optional,
            present=wrong is None,
            how_to=None if wrong is None else own if place.repository is None else pull,
            files=[
                WeightFileOut(name=file.name, size=file.size, sha256=file.sha256, sources=["hub"], conversion="none")
                for file in (pulled.files if pulled else ())
            ],
        )


class WeightsList(BaseModel):
    """All roles."""

    items: list[WeightsOut]
