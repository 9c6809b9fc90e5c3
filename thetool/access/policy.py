"""The only check of who may do what to a row."""

from __future__ import annotations

from typing import Literal, Protocol, TypeVar
from uuid import UUID

from thetool.access.caller import Caller
from thetool.web.problems import NotFound

Action = Literal["read", "write", "delete"]


class Owned(Protocol):
    """A row that belongs to somebody."""

    @property
    def owner_id(self) -> UUID:
        """Whose it is."""


Row = TypeVar("Row", bound=Owned)


def may(caller: Caller, action: Action, row: Owned) -> bool:
    """Whether the caller may do this to the row: the master all, everybody else only to their owner's rows.

    The actions are alike until rows have projects with members.
    """
    return caller.is_master or row.owner_id == caller.owner_id


def require(caller: Caller, action: Action, row: Row | None) -> Row:
    """The row, when there is one and the caller may do this to it.

    Raises:
        NotFound: else; a stranger cannot tell a row that is hidden from one that is not there.
    """
    if row is None or not may(caller, action, row):
        raise NotFound
    return row
