"""What goes in and out of `/api/v1/keys`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from thetool.web.pagination import PageQuery

# Neither control characters nor those that break lines or turn the direction of what stands beside them.
_ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+$"
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_ONE_LINE)]
ScopeName = Literal["read", "write", "admin"]
MAX_BIGINT = 2**63 - 1
MAX_INTEGER = 2**31 - 1


class KeyIn(BaseModel):
    """A key to be issued."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(description="What the key is for.", examples=["reports"])
    owner: Name | None = Field(
        default=None,
        description="Whose the key's files, jobs and results are: a known owner or a new one. By default, with the "
        "master key, an owner of the same name as the key; with an issued key that key's own owner.",
    )
    scopes: list[ScopeName] = Field(
        default=["read", "write"],
        min_length=1,
        max_length=3,
        description="`read` looks, `write` sends and changes, `admin` manages the owner's keys.",
    )
    rate_limit_per_minute: int | None = Field(
        default=None, strict=True, ge=1, le=1_000_000, description="Requests a minute; else `RATE_LIMIT_PER_MINUTE`."
    )
    job_quota: int | None = Field(
        default=None, strict=True, ge=0, le=MAX_INTEGER, description="Unfinished jobs at one time; else no bound."
    )
    storage_quota_bytes: int | None = Field(
        default=None, strict=True, ge=0, le=MAX_BIGINT, description="Bytes of stored files at one time; else no bound."
    )
    expires_at: AwareDatetime | None = Field(
        default=None, description="When the key ends, with its offset from UTC; else never."
    )

    @field_validator("expires_at", mode="before")
    @classmethod
    def _no_number(cls, moment: Any) -> Any:
        """Pydantic would take a number, or true, for seconds since 1970."""
        if isinstance(moment, int | float):
            raise ValueError("must be a time such as 2027-01-31T12:00:00Z")
        return moment

    @field_validator("expires_at")
    @classmethod
    def _in_utc(cls, moment: datetime | None) -> datetime | None:
        """As it is kept: west of Greenwich the year 9999 ends in a year that Python cannot read back."""
        try:
            return moment.astimezone(UTC) if moment else None
        except OverflowError:
            raise ValueError("must lie between the years 1 and 9999 in UTC") from None

    @field_validator("scopes")
    @classmethod
    def _each_once(cls, scopes: list[ScopeName]) -> list[ScopeName]:
        return sorted(set(scopes))


class KeyOut(BaseModel):
    """An issued key, without its secret."""

    model_config = ConfigDict(from_attributes=True, validate_by_name=True)

    id: UUID
    name: str
    owner: str = Field(validation_alias="owner_name", description="Whose the key's files, jobs and results are.")
    owner_id: UUID
    key_prefix: str = Field(
        description="The first characters of the key, to recognise it by.", examples=["tt_Zk3x9Qa1"]
    )
    scopes: list[ScopeName]
    rate_limit_per_minute: int | None
    job_quota: int | None
    storage_quota_bytes: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="Within a minute.")
    replaced_by: UUID | None = Field(description="The key that took its place when it was rotated.")


class IssuedKeyOut(KeyOut):
    """A key that was just issued, with its secret."""

    key: str = Field(description="The key itself. It is shown this once and kept nowhere.")


class WebhookSecretOut(BaseModel):
    """A secret for webhooks that was just made."""

    key_id: UUID | None = Field(description="The key whose webhooks it signs; null for the master key.")
    webhook_secret: str = Field(
        description="What the receiver checks signatures with (Standard Webhooks). It is shown this once.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class KeyPageOut(BaseModel):
    """A page of keys, newest first."""

    items: list[KeyOut]
    next: str | None = Field(description="Address of the next page; null on the last.")


class KeysQuery(PageQuery):
    """Which keys to list."""

    owner: str | None = Field(default=None, max_length=100, description="Only the keys of the owner with this name.")
    revoked: bool = Field(default=False, description="Also keys that were revoked.")


class RotateQuery(BaseModel):
    """How to rotate a key."""

    model_config = ConfigDict(extra="forbid")

    grace_seconds: int = Field(
        default=0, ge=0, le=30 * 86_400, description="How long the old secret works beside the new one."
    )


class CallerOut(BaseModel):
    """Who the key that was sent stands for."""

    model_config = ConfigDict(from_attributes=True)

    key_id: UUID | None = Field(description="Null for the master key.")
    name: str
    owner: str = Field(validation_alias="owner_name")
    owner_id: UUID
    is_master: bool
    scopes: list[ScopeName]
    rate_limit_per_minute: int | None = Field(description="Null: the service's own limit, or none for the master key.")
    job_quota: int | None
    storage_quota_bytes: int | None

    @field_validator("scopes", mode="before")
    @classmethod
    def _in_order(cls, scopes: frozenset[str]) -> list[str]:
        return sorted(scopes)
