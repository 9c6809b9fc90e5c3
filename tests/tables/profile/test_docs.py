"""docs/profile.md has every word that a profile may say."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from thetool.tables.profile.issue_schemas import IssueCode, Operation
from thetool.tables.profile.schemas import ColumnProfile, Profile, SemanticType

PAGE = (Path(__file__).parents[3] / "docs/profile.md").read_text()


def test_every_code_meaning_operation_and_field_is_told() -> None:
    words = [*get_args(IssueCode), *get_args(SemanticType), *get_args(Operation)]
    words += [*Profile.model_fields, *ColumnProfile.model_fields]
    told = PAGE.replace("`, `", "` `")
    missing = [word for word in words if f"`{word}`" not in told and word not in ("name", "null_share")]
    assert missing == []
