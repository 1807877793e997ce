"""What every write through a Claim or a Dm begins with: whose turn is it?

A fencing number that changed means another holder, or an owner who changed something: LeaseLost, nothing written.
The row stays locked until the transaction ends, so the answer stays true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from storage.errors import LeaseLost
from storage.statements import update_rows
from storage.tables import DmRow, MailboxRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.records import Claim, Dm, Person

FREED: dict[str, datetime | None] = {"lease_owner": None, "lease_until": None}


def is_free(row: type[MailboxRow | DmRow], now: datetime) -> ColumnElement[bool]:
    """Nobody's lease is running at `now`."""
    return col(row.lease_until).is_(None) | (col(row.lease_until) <= now)


def is_claimed(claim: Claim) -> ColumnElement[bool]:
    """The mailbox row of a claim that still holds."""
    return (col(MailboxRow.id) == claim.mailbox.id) & (col(MailboxRow.fence) == claim.fence)


def is_dm_of(owner: Person) -> ColumnElement[bool]:
    """The DM row of a person."""
    return (col(DmRow.workspace) == owner.workspace) & (col(DmRow.owner) == owner.user)


def is_held(dm: Dm) -> ColumnElement[bool]:
    """The row of a DM whose lease still holds."""
    return is_dm_of(dm.owner) & (col(DmRow.fence) == dm.fence)


async def check_claim(session: AsyncSession, claim: Claim) -> None:
    """Lock the claimed mailbox; LeaseLost when the claim no longer holds."""
    query = select(MailboxRow.id).where(is_claimed(claim)).with_for_update(key_share=True)
    if (await session.exec(query)).first() is None:
        raise LeaseLost("The mailbox is another's to poll now.")


async def held_dm(session: AsyncSession, dm: Dm) -> DmRow:
    """Lock and return the DM's row; LeaseLost when its lease no longer holds."""
    row = (await session.exec(select(DmRow).where(is_held(dm)).with_for_update(key_share=True))).first()
    if row is None:
        raise LeaseLost("The DM is another's to post into now.")
    return row


async def update_held(
    session: AsyncSession, table: type[MailboxRow | DmRow], holds: ColumnElement[bool], values: dict[str, Any]
) -> None:
    """Change the one row for which `holds` is true; LeaseLost when there is none."""
    if await update_rows(session, table, holds, values) != 1:
        raise LeaseLost("The lease is another's now.")
