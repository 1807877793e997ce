"""Puts an entry into the outbox, inside the transaction of whoever owes it."""

from __future__ import annotations

import secrets
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, func
from sqlmodel import col

from storage.copied import is_channel
from storage.database import new_id
from storage.fencing import is_dm_of
from storage.records import EntryState, Notice
from storage.statements import insert_rows, plain, update_rows
from storage.tables import DmRow, EntryRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database, Insert
    from storage.records import Mailbox, Person

_FENCES: Final = 1 << 30


async def owe(
    database: Database,
    session: AsyncSession,
    mailbox: Mailbox,
    *,
    now: datetime,
    message_id: str | None = None,
    notice: Notice | None = None,
    parent: str | None = None,
    not_before: datetime | None = None,
) -> str:
    """Owe the mailbox's owner a message or a notice, and make their DM due.

    Args:
        now: when the DM becomes due, unless it is due already; a hold on it goes on.
        parent: the delivery id of the entry in whose thread it will stand; it then gives way to what stands in none.
        not_before: held back until then, the DM is not due for its sake; None owes it at once.

    Returns:
        Its delivery id.
    """
    return await owe_to(
        database,
        session,
        mailbox.owner,
        mailbox.id,
        now=now,
        message_id=message_id,
        notice=notice,
        parent=parent,
        not_before=not_before,
    )


async def owe_to(
    database: Database,
    session: AsyncSession,
    to: Person,
    mailbox_id: str | None,
    *,
    now: datetime,
    message_id: str | None = None,
    notice: Notice | None = None,
    parent: str | None = None,
    not_before: datetime | None = None,
    entry_id: str | None = None,
    conversation: str | None = None,
) -> str:
    """The same to anybody, or to a channel, whose id then stands in place of a user's.

    Args:
        mailbox_id: the mailbox it goes with, so that it ends with that; None for one that outlives it.
        entry_id: made before, where something else had to name it.
        conversation: that of the mail it tells of; it becomes the root when it loses its thread.
    """
    # The entry first: whoever locks the DM's row after us finds it.
    entry_id = entry_id or new_id()
    row = {
        "id": entry_id,
        "mailbox_id": mailbox_id,
        "workspace": to.workspace,
        "owner": to.user,
        "message_id": message_id,
        "notice": notice,
        "parent": parent or "",
        "state": EntryState.WAITING,
        "attempts": 0,
        "file_ids": "[]",
        "plain": False,
        # How far a mail is that somebody sends: while it may be undone, that must be seen.
        "gives_way": parent is not None and notice not in {Notice.OUTGOING, Notice.OUTGOING_NEWS},
        "conversation": conversation,
        "not_before": not_before,
    }
    await insert_rows(session, EntryRow, [row])
    # A DM that begins anew after its owner erased everything shares no fencing number with its former life.
    fence = secrets.randbelow(_FENCES)
    dm = {"workspace": to.workspace, "owner": to.user, "fence": fence}
    if not_before is None:
        await session.exec(_make_due(database.insert), params={**dm, "due_at": now})
    else:
        await session.exec(_let_wake(database.insert), params={**dm, "wake_at": not_before})
    if is_channel(to.user):
        # Nothing opens a channel: its id is where posts go.
        await update_rows(session, DmRow, is_dm_of(to) & col(DmRow.channel).is_(None), {"channel": to.user})
    return entry_id


@cache
def _make_due(insert: Insert) -> Any:
    statement = insert(plain(DmRow))
    held_or_now = func.coalesce(DmRow.held_until, statement.excluded.due_at)
    due = func.coalesce(DmRow.due_at, held_or_now)
    return statement.on_conflict_do_update(index_elements=["workspace", "owner"], set_={"due_at": due})


@cache
def _let_wake(insert: Insert) -> Any:
    dm = plain(DmRow)
    statement = insert(dm)
    wake_at = case(
        (dm.c.wake_at <= statement.excluded.wake_at, dm.c.wake_at), else_=statement.excluded.wake_at
    )
    return statement.on_conflict_do_update(index_elements=["workspace", "owner"], set_={"wake_at": wake_at})
