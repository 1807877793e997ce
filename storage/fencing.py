"""What every write through a Claim or a Dm begins with: whose turn is it?

A fencing number that changed means another holder, or an owner who changed something: LeaseLost, nothing written.
The row stays locked until the transaction ends, so the answer stays true.

What every poll and every post asks is built once, for `ANY_CLAIM` or `ANY_DM`, and filled at each call: to build a
statement takes longer than to run it.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select
from sqlmodel import col

from storage.errors import LeaseLost
from storage.statements import plain, update_rows
from storage.tables import DmRow, MailboxRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.records import Claim, Dm, Person

FREED: dict[str, datetime | None] = {"lease_owner": None, "lease_until": None}

ANY_CLAIM: Final[Any] = SimpleNamespace(
    mailbox=SimpleNamespace(id=bindparam("claim_id")), fence=bindparam("claim_fence")
)
ANY_DM: Final[Any] = SimpleNamespace(
    owner=SimpleNamespace(workspace=bindparam("dm_workspace"), user=bindparam("dm_owner")),
    fence=bindparam("dm_fence"),
)


def this_claim(claim: Claim) -> dict[str, Any]:
    """What a statement built for `ANY_CLAIM` is filled with."""
    return {"claim_id": claim.mailbox.id, "claim_fence": claim.fence}


def this_dm(dm: Dm) -> dict[str, Any]:
    """What a statement built for `ANY_DM` is filled with."""
    return {**this_owner(dm.owner), "dm_fence": dm.fence}


def this_owner(owner: Person) -> dict[str, Any]:
    """The same without the fencing number."""
    return {"dm_workspace": owner.workspace, "dm_owner": owner.user}


def is_free(row: type[MailboxRow | DmRow], now: datetime) -> ColumnElement[bool]:
    """Nobody's lease is running at `now`."""
    return col(row.lease_until).is_(None) | (col(row.lease_until) <= now)


def is_claimed(claim: Claim) -> ColumnElement[bool]:
    """The mailbox row of a claim that still holds."""
    mailbox = plain(MailboxRow).c
    return (mailbox.id == claim.mailbox.id) & (mailbox.fence == claim.fence)


def is_dm_of(owner: Person) -> ColumnElement[bool]:
    """The DM row of a person."""
    dm = plain(DmRow).c
    return (dm.workspace == owner.workspace) & (dm.owner == owner.user)


def is_held(dm: Dm) -> ColumnElement[bool]:
    """The row of a DM whose lease still holds."""
    return is_dm_of(dm.owner) & (plain(DmRow).c.fence == dm.fence)


async def check_claim(session: AsyncSession, claim: Claim) -> None:
    """Lock the claimed mailbox; LeaseLost when the claim no longer holds."""
    if (await session.exec(_claimed(), params=this_claim(claim))).first() is None:
        raise LeaseLost("The mailbox is another's to poll now.")


@cache
def _claimed() -> Any:
    return select(plain(MailboxRow).c.id).where(is_claimed(ANY_CLAIM)).with_for_update(key_share=True)


async def held_dm(session: AsyncSession, dm: Dm) -> Any:
    """Lock the DM's row and return its columns; LeaseLost when its lease no longer holds."""
    row = (await session.exec(_held(), params=this_dm(dm))).first()
    if row is None:
        raise LeaseLost("The DM is another's to post into now.")
    return row


@cache
def _held() -> Any:
    return select(plain(DmRow)).where(is_held(ANY_DM)).with_for_update(key_share=True)


async def update_held(
    session: AsyncSession, table: type[MailboxRow | DmRow], holds: ColumnElement[bool], values: dict[str, Any]
) -> None:
    """Change the one row for which `holds` is true; LeaseLost when there is none."""
    if await update_rows(session, table, holds, values) != 1:
        raise LeaseLost("The lease is another's now.")
