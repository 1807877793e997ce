"""The mailboxes of a workspace as counts, and by whose they are; values without what anybody typed. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """The mailboxes of a workspace; `failing` are those that should be fetched and were not when last tried."""

    mailboxes: int = 0
    failing: int = 0
    suspended: int = 0


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a mailbox is, and whether it is their active one; `owner` is a user."""

    id: str
    owner: str
    is_active: bool
