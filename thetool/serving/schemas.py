"""What the routes of models take and answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, Field

from thetool.serving.runtime.inspection import Found
from thetool.serving.runtime.signature import Signature
from thetool.serving.runtime.tensors import TensorSpec
from thetool.serving.semver import MAX_CHARACTERS, precedence
from thetool.web.pagination import PageQuery
from thetool.web.schemas import Input

Status = Literal["pending", "uploaded", "validating", "ready", "error", "archived"]
Moment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]

_not_a_name = re.compile(r"[\x00-\x1f\x7f/\\]")
_is_tag = re.compile(r"[^\x00-\x1f\x7f,]{1,50}").fullmatch
is_alias = re.compile(r"[a-z][a-z0-9_-]{0,49}").fullmatch
LATEST = "latest"
MOST_METADATA_BYTES = 64 * 1024


def _name(value: str) -> str:
    if value != value.strip() or _not_a_name.search(value) or value in {".", ".."}:
        raise ValueError("has no slashes or control characters, and no blanks at its ends")
    return value


def _version(value: str) -> str:
    precedence(value)
    return value


def _tags(values: list[str]) -> list[str]:
    if not all(_is_tag(value) for value in values):
        raise ValueError("a tag has 1 to 50 characters, and no commas")
    return list(dict.fromkeys(values))


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_name)]
Version = Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS), AfterValidator(_version)]


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    if len(orjson.dumps(value)) > MOST_METADATA_BYTES:
        raise ValueError(f"has more than {MOST_METADATA_BYTES:,} bytes")
    return value


Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
Tags = Annotated[list[str], Field(max_length=50), AfterValidator(_tags)]


class BatchingIn(Input):
    """How rows of several requests share a run of the model, where the model allows that."""

    enabled: bool = Field(True, description="Whether they do.")
    max_size: int = Field(64, ge=1, le=4096, description="Rows of a run at most.")
    max_delay_ms: float = Field(
        0, ge=0, le=1000, description="Milliseconds that a request waits for others. 0: for nobody."
    )


class ModelIn(Input):
    """A new model, or a new version of one."""

    name: Name = Field(description="What it is called; versions of one model have one name.", examples=["iris"])
    version: Version = Field("1.0.0", description="By Semantic Versioning.", examples=["1.0.0"])
    description: str | None = Field(None, max_length=10_000)
    model_metadata: Metadata = Field({}, description="Whatever you want to keep with it.")
    tags: Tags = Field([], description="Words to find it by.")
    batching: BatchingIn | None = None
    signature: Signature | None = Field(None, description="How it takes pictures or texts.")


class ModelPatch(Input):
    """What to change of a model; what is left out stays."""

    name: Name | None = None
    version: Version | None = None
    description: str | None = Field(None, max_length=10_000)
    status: Status | None = Field(None, description="`archived`, or, of an archived model, what it was: `ready`.")
    model_metadata: Metadata | None = None
    tags: Tags | None = None
    batching: BatchingIn | None = None
    signature: Signature | None = Field(None, description="How it takes pictures or texts; null: not at all.")


class ModelsQuery(PageQuery):
    """Filters and page of the list of models."""

    name: str | None = Field(None, max_length=255, description="Only versions of this model.")
    status: Status | None = Field(None, description="Only models of this status.")
    tag: str | None = Field(None, max_length=50, description="Only models with this tag.")
    search: str | None = Field(None, max_length=255, description="Only models with these words in name or description.")
    page: int | None = Field(None, ge=1, le=10_000, description="Page by number; the answer then has `total`.")
    page_size: int = Field(20, ge=1, le=100, description="Rows of a page by number.")


class FoundOut(Found):
    """What validation found in the file, besides inputs and outputs."""

    input_schema: list[TensorSpec] = Field(exclude=True)
    output_schema: list[TensorSpec] = Field(exclude=True)


class ModelOut(BaseModel):
    """One version of a model."""

    id: UUID
    owner_id: UUID
    name: str
    version: str
    description: str | None
    tags: list[str]
    status: Status
    error_message: str | None = Field(description="Why the file cannot be served; with the status `error`.")
    file_size_bytes: int | None
    file_hash: str | None = Field(description="SHA-256 of the file, in hexadecimal.")
    input_schema: list[TensorSpec] | None = Field(description="What it takes; null until it was validated.")
    output_schema: list[TensorSpec] | None = Field(description="What it gives.")
    model_metadata: dict[str, Any]
    found: FoundOut | None = Field(description="What validation found in the file.")
    batching: BatchingIn
    signature: Signature | None = Field(description="How it takes pictures or texts.")
    aliases: list[str] = Field(description="The aliases that name it.")
    created_at: Moment
    updated_at: Moment


class ModelPage(BaseModel):
    """Models, newest first."""

    items: list[ModelOut]
    next: str | None = Field(None, description="Address of the next page; null on the last.")
    page: int | None = None
    page_size: int | None = None
    total: int | None = None


class UploadQuery(BaseModel):
    """What to do after the upload."""

    validate_now: bool = Field(
        False, alias="validate", description="Validate the file at once; what cannot be served is refused with 422."
    )


class ValidationOut(BaseModel):
    """What became of a validation, or that it goes on (then the status is 202)."""

    id: UUID
    valid: bool | None = Field(description="Null while it goes on.")
    status: Status
    error_message: str | None = None
    input_schema: list[TensorSpec] | None = None
    output_schema: list[TensorSpec] | None = None
    model_metadata: dict[str, Any] | None = None
    job_id: UUID | None = Field(None, description="The job that validates it.")


class UploadOut(BaseModel):
    """The file as it was kept."""

    id: UUID
    file_size_bytes: int
    file_hash: str = Field(description="SHA-256, in hexadecimal.")
    status: Status = "uploaded"
    message: str = "The file is kept. Validate it next: POST /api/v1/models/{id}/validate."
    validation: ValidationOut | None = Field(None, description="With `?validate=true`: that it is ready, or goes on.")


class VersionOut(BaseModel):
    """A version in short."""

    id: UUID
    version: str
    status: Status
    aliases: list[str]
    created_at: Moment


class VersionsOut(BaseModel):
    """The versions of a model, the highest first."""

    name: str
    versions: list[VersionOut]
    total: int
    latest_version: str | None = Field(description="The highest ready one; a release before any pre-release.")


class LatestQuery(BaseModel):
    """Which one is meant."""

    ready_only: bool = Field(False, description="Only among those that are ready.")


class AliasIn(Input):
    """What an alias is to name."""

    version: Version = Field(description="The version that it names from now on; it must be ready.")
    canary_version: Version | None = Field(None, description="Another ready version that gets a share.")
    canary_percent: float = Field(0, ge=0, le=100, description="Which share of predictions that is, in percent.")


class AliasOut(BaseModel):
    """What an alias names."""

    name: str
    alias: str
    version: str
    model_id: UUID
    canary_version: str | None
    canary_model_id: UUID | None
    canary_percent: float
    earlier: list[UUID] = Field(description="The models that it named before; the last one is what rolling back takes.")
    updated_at: Moment


class AliasesOut(BaseModel):
    """All aliases of a model's name."""

    name: str
    aliases: list[AliasOut]
