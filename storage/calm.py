"""Entries that are held back: added to a digest, let go when their time comes or their owner wants another one.

A held entry has a time, `not_before`, and stands apart from what a DM is owed now; let go, it has none. The DM knows
when the first of them is to be let go. A digest takes messages while it is held; they stand in its thread, are held as
long as it is, and give way to what stands in none.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, func, text, update
from sqlmodel import col, select

from storage.delivery import FLOOD_WAIT, Calm, Delivery
from storage.fencing import ANY_DM, is_dm_of, this_owner
from storage.owing import owe
from storage.records import Notice, Person
from storage.statements import plain
from storage.tables import OPEN_DIGEST, DmRow, EntryRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.delivery import Chosen, Held
    from storage.records import Claim

ZONE_KEPT: Final = timedelta(days=1)
"""So long a person's time zone counts before Slack is asked again."""

MOST_WOKEN: Final = 50
"""DMs in which one look lets go what is held; the next ones follow with the next."""


def calm_of(row: Any) -> Calm:
    """What the row of a mailbox says of when it may post."""
    return Calm(Delivery(row.delivery), row.daily_hour, row.quiet_from, row.quiet_to)


def calm_columns(calm: Calm, zone: str | None, now: datetime, known: str | None = None) -> dict[str, Any]:
    """The same as columns.

    Args:
        zone: what Slack has just said; None when it did not: it is asked at once then, where the zone matters.
        known: what it said before.
    """
    return {
        "delivery": calm.delivery,
        "daily_hour": calm.daily_hour,
        "quiet_from": calm.quiet_from,
        "quiet_to": calm.quiet_to,
        "zone": zone or known,
        "zone_due": (now + ZONE_KEPT if zone else now) if calm.needs_zone else None,
    }


async def choose(session: AsyncSession, row: Any, chosen: Chosen, now: datetime) -> dict[str, Any]:
    """Let a mailbox post as its owner has chosen: what it holds back follows at once; the columns to be set."""
    await reschedule(session, Person(row.workspace, row.owner), row.id, chosen.held, now)
    return calm_columns(chosen.calm, chosen.zone, now, known=row.zone)


async def digest_for(
    database: Database, session: AsyncSession, claim: Claim, now: datetime
) -> tuple[str | None, datetime | None]:
    """The digest that a message kept now is added to, and until when both are held; (None, None) for none.

    One that is held takes all that comes, so that nothing overtakes what stands in it. A new one is begun where the claim
    says that messages are held.
    """
    this = {"mailbox": claim.mailbox.id}
    found = (await session.exec(_open_digest(), params=this)).first()
    if found is not None and not database.is_sqlite:
        # Who lets it go locks the DM's row: what is open now stays so until this transaction ends.
        await session.exec(_dm_times(), params=this_owner(claim.mailbox.owner))
        found = (await session.exec(_open_digest(), params=this)).first()
    if found is not None:
        return found.id, found.not_before
    if claim.held_until is None:
        return None, None
    # A session may outlast that time; a digest that is let go at once would gather nothing.
    until = claim.held_until if claim.held_until > now else now + FLOOD_WAIT
    entry_id = await owe(database, session, claim.mailbox, now=now, notice=Notice.DIGEST, not_before=until)
    return entry_id, until


async def wake(session: AsyncSession, now: datetime) -> None:
    """Let go what was held until now or before, in every DM."""
    query = select(DmRow.workspace, DmRow.owner).where(col(DmRow.wake_at) <= now)
    query = query.order_by(col(DmRow.wake_at)).limit(MOST_WOKEN).with_for_update(skip_locked=True)
    for workspace, owner in (await session.exec(query)).all():
        await _change(session, Person(workspace, owner), now, [(_entry().not_before <= now, None)])


async def reschedule(
    session: AsyncSession, owner: Person, mailbox_id: str, held: Held, now: datetime
) -> None:
    """Hold what a mailbox holds back until then instead; what is not to be held any more is let go.

    So is what has come to its time already: a change at that very moment puts it off no further.
    """
    entry = _entry()
    mine = entry.mailbox_id == mailbox_id
    is_mail = entry.message_id.is_not(None) | (entry.notice == Notice.DIGEST)
    over, mail, notices = (
        entry.not_before <= now,
        (mine & is_mail, held.mail),
        (mine & ~is_mail, held.notices),
    )
    await _change(session, owner, now, [(mine & over, None), mail, notices])


async def _change(
    session: AsyncSession,
    owner: Person,
    now: datetime,
    changes: list[tuple[ColumnElement[bool], datetime | None]],
) -> None:
    """Give held entries of one DM another time or none, and keep the DM's own times right."""
    row = (await session.exec(_dm_times(), params=this_owner(owner))).first()
    if row is None:
        return
    entry, freed = plain(EntryRow), 0
    mine = is_held_back(owner)
    for which, until in changes:
        result = await session.exec(update(entry).where(mine, which).values(not_before=until))
        freed += result.rowcount if until is None else 0
    first = (await session.exec(select(func.min(entry.c.not_before)).where(mine))).one()
    due_at = row.due_at or (max(now, row.held_until or now) if freed else None)
    await session.exec(_set_times(), params={**this_owner(owner), "wake_at": first, "due_at": due_at})


def is_held_back(owner: Person) -> ColumnElement[bool]:
    """The entries of a person that wait for their time."""
    entry = plain(EntryRow).c
    mine = (entry.workspace == owner.workspace) & (entry.owner == owner.user)
    return mine & entry.not_before.is_not(None)


def _entry() -> Any:
    return plain(EntryRow).c


@cache
def _open_digest() -> Any:
    entry = _entry()
    query = sqlalchemy.select(entry.id, entry.not_before)
    return query.where(entry.mailbox_id == bindparam("mailbox"), text(OPEN_DIGEST)).order_by(
        entry.number.desc()
    )


@cache
def _dm_times() -> Any:
    dm = plain(DmRow).c
    query = sqlalchemy.select(dm.due_at, dm.held_until).where(is_dm_of(ANY_DM.owner))
    return query.with_for_update(key_share=True)


@cache
def _set_times() -> Any:
    return update(plain(DmRow)).where(is_dm_of(ANY_DM.owner))
