"""What input and output models have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Input(BaseModel):
    """Input from outside: a field that is not declared is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
