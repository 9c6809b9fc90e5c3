"""Who may do what to a row."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from thetool.access.caller import MASTER_CALLER, Caller
from thetool.access.policy import Action, may, require
from thetool.web.problems import NotFound


@dataclass(frozen=True)
class Row:
    owner_id: UUID


def caller_of(owner_id: UUID) -> Caller:
    return Caller(owner_id, key_id=uuid4(), scopes=frozenset({"read", "write", "admin"}), is_master=False, name="a key")


@pytest.mark.parametrize("action", ["read", "write", "delete"])
def test_only_the_owner_and_the_master(action: Action) -> None:
    row = Row(uuid4())
    assert may(caller_of(row.owner_id), action, row)
    assert may(MASTER_CALLER, action, row)
    assert not may(caller_of(uuid4()), action, row)


def test_a_stranger_cannot_tell_a_hidden_row_from_none() -> None:
    row = Row(uuid4())
    assert require(caller_of(row.owner_id), "read", row) is row
    problems = []
    for hidden in (row, None):
        with pytest.raises(NotFound) as caught:
            require(caller_of(uuid4()), "read", hidden)
        problems.append(caught.value.body("r"))
    assert problems[0] == problems[1]
