"""Taking copies back inside the transaction in which their right ends.

What was not sent yet is given up; what Slack has, or may have, is noted for the withdrawal job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import delete

from storage.copied import WithdrawalState
from storage.database import new_id
from storage.entries import FINISHED
from storage.facts import lock_sharing
from storage.fencing import FREED, is_dm_of
from storage.outbox import refresh_due
from storage.records import EntryState, Notice, Person
from storage.sharing_tables import CopyRow, ShareRow, TellingRow, WithdrawalRow
from storage.statements import in_batches, insert_rows, plain, update_rows
from storage.tables import DmRow, EntryRow, MailboxRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database

WITHDRAWN: Final = "withdrawn"
"""The error of an entry whose right ended before it was finished."""

LOOK_BACK_SECONDS: Final = 86_400.0
"""Without an acknowledged post to begin at: far more than clocks differ."""


async def withdraw_copies(
    database: Database,
    session: AsyncSession,
    *,
    share_id: str | None = None,
    mailbox_id: str | None = None,
    entry_ids: Collection[str] | None = None,
    to: Person | None = None,
    is_told: bool = True,
    now: datetime,
) -> int:
    """End copies inside the transaction in which their right ends: those of a share, of a mailbox, or these.

    What was not sent yet is given up. What is posted, or on its way, is noted for the withdrawal job, which outlives
    mailbox and entry. Whoever delivers one of them now loses their lease, and posts and notes nothing more.

    It takes the lock on the sharing of the workspace (`lock_sharing`); take it before you touch any row yourself.

    Args:
        share_id: viewers' copies of its mailbox that name no share end with it.
        to: those for this person or channel.
        is_told: the owner is told of what cannot be called back.

    Returns:
        How many copies ended.
    """
    copy = plain(CopyRow).c
    conditions: list[ColumnElement[bool]] = []
    conditions += [] if share_id is None else [_of_share(share_id)]
    conditions += [] if mailbox_id is None else [copy.mailbox_id == mailbox_id]
    conditions += [] if entry_ids is None else [copy.entry_id.in_(list(entry_ids))]
    conditions += [] if to is None else [copy.workspace == to.workspace, copy.destination == to.user]
    assert conditions
    which = sqlalchemy.and_(copy.withdrawn_at.is_(None), *conditions)
    workspaces: Any = sqlalchemy.select(copy.workspace).where(*conditions).distinct()
    for workspace in sorted((await session.exec(workspaces)).scalars().all()):
        await lock_sharing(database, session, workspace)
    dms = await _locked_dms(session, which)
    rows = (await session.exec(_ending().where(which))).all()
    batch = new_id()
    for some in in_batches(rows):
        undone = [_withdrawal(row, dms, batch, now, is_told=is_told) for row in some if _may_be_there(row)]
        if undone:
            await insert_rows(session, WithdrawalRow, undone)
        ids = [row.entry_id for row in some]
        await update_rows(session, CopyRow, copy.entry_id.in_(ids), {"withdrawn_at": now})
        await _give_up(session, ids, now)
    for owner in dms:
        await refresh_due(session, owner, now)
    return len(rows)


async def forget_copies(
    database: Database, session: AsyncSession, person: Person, mailbox_ids: Sequence[str], now: datetime
) -> None:
    """Call back what was made of somebody's mail and what was posted to them, and forget who they are.

    They are told nothing of it afterwards.
    """
    await lock_sharing(database, session, person.workspace)
    for mailbox_id in mailbox_ids:
        await withdraw_copies(database, session, mailbox_id=mailbox_id, is_told=False, now=now)
    await withdraw_copies(database, session, to=person, now=now)
    entry, telling, withdrawal = plain(EntryRow).c, plain(TellingRow).c, plain(WithdrawalRow).c
    mine = (entry.workspace == person.workspace) & (entry.owner == person.user)
    await session.exec(delete(EntryRow).where(mine, entry.notice == Notice.COPY.value))
    by_them = (telling.workspace == person.workspace) & (telling.who == person.user)
    await update_rows(session, TellingRow, by_them, {"who": ""})
    theirs = (withdrawal.workspace == person.workspace) & (withdrawal.owner == person.user)
    await update_rows(session, WithdrawalRow, theirs, {"owner": ""})


def _of_share(share_id: str) -> ColumnElement[bool]:
    copy, share = plain(CopyRow).c, plain(ShareRow).c
    mine = sqlalchemy.select(share.mailbox_id).where(share.id == share_id).scalar_subquery()
    is_viewer = ~(copy.destination.startswith("C") | copy.destination.startswith("G"))
    found: ColumnElement[bool] = (copy.share_id == share_id) | (
        (copy.share_id == "") & (copy.mailbox_id == mine) & is_viewer
    )
    return found


async def _locked_dms(session: AsyncSession, which: ColumnElement[bool]) -> dict[Person, str | None]:
    """The DMs and channels that are owed one of these copies, taken from whoever delivers there now; the last `ts`."""
    copy, entry, dm = plain(CopyRow), plain(EntryRow), plain(DmRow)
    joined = copy.join(entry, entry.c.id == copy.c.entry_id)
    owed: Any = sqlalchemy.select(copy.c.workspace, copy.c.destination).select_from(joined).distinct()
    places = (await session.exec(owed.where(which, entry.c.finished_at.is_(None)))).all()
    found: dict[Person, str | None] = {}
    for owner in sorted((Person(*place) for place in places), key=lambda one: (one.workspace, one.user)):
        freed = {**FREED, "fence": dm.c.fence + 1}
        if await update_rows(session, DmRow, is_dm_of(owner), freed):
            query: Any = sqlalchemy.select(dm.c.last_ts).where(is_dm_of(owner))
            found[owner] = (await session.exec(query)).scalars().one()
    return found


def _ending() -> Any:
    copy, entry, mailbox = plain(CopyRow), plain(EntryRow), plain(MailboxRow)
    joined = copy.join(entry, entry.c.id == copy.c.entry_id)
    joined = joined.join(mailbox, mailbox.c.id == copy.c.mailbox_id)
    names = ("state", "ts", "channel", "file_ids", "intended_at", "lookup_after")
    columns = (
        copy.c.entry_id, copy.c.workspace, copy.c.destination, copy.c.mailbox_id, mailbox.c.owner,
        *(entry.c[name] for name in names),
    )  # fmt: skip
    return sqlalchemy.select(*columns).select_from(joined)


def _may_be_there(row: Any) -> bool:
    """Whether Slack has the post, or may have it: any but one that was never sent, or is known not to be there."""
    return row.ts is not None or row.state == EntryState.POSTING


def _withdrawal(
    row: Any, dms: dict[Person, str | None], batch: str, now: datetime, *, is_told: bool
) -> dict[str, Any]:
    begin = dms.get(Person(row.workspace, row.destination))
    if begin is None:
        intended = row.intended_at or now
        begin = f"{intended.timestamp() - LOOK_BACK_SECONDS:.6f}"
    return {
        "entry_id": row.entry_id,
        "batch": batch,
        "workspace": row.workspace,
        "owner": row.owner if is_told else "",
        "mailbox_id": row.mailbox_id,
        "channel": row.channel,
        "ts": row.ts,
        "file_ids": row.file_ids,
        "look_from": begin,
        "asked_at": now,
        "state": WithdrawalState.ASKED,
        "attempts": 0,
        # A post without an answer may still arrive: it is looked for when it cannot any more.
        "due_at": max(now, row.lookup_after or now) if row.ts is None else now,
        "lost_files": 0,
        "done_at": None,
    }


async def _give_up(session: AsyncSession, entry_ids: Sequence[str], now: datetime) -> None:
    entry = plain(EntryRow).c
    values = {
        "state": EntryState.GIVEN_UP, "error": WITHDRAWN, "finished_at": now, "lookup_after": None,
        "not_before": None,
    }  # fmt: skip
    which = entry.id.in_(list(entry_ids)) & entry.state.not_in([state.value for state in FINISHED])
    await update_rows(session, EntryRow, which, values)
