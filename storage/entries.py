"""The rows of entries and of their DMs, as the outbox changes them inside its transactions."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, func, update

from storage.errors import LeaseLost
from storage.fencing import ANY_DM, is_held, this_dm
from storage.records import EntryState
from storage.statements import plain
from storage.tables import DmRow, EntryRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.records import Dm, Entry

_INTENDED: Final = frozenset({EntryState.POSTING, EntryState.FILING})
FINISHED: Final = frozenset({EntryState.SETTLED, EntryState.GIVEN_UP, EntryState.MUTED})


async def save(session: AsyncSession, entry: Entry, now: datetime, error: str | None) -> None:
    """Record where an entry stands; LeaseLost when it went with its mailbox."""
    values: dict[str, Any] = {
        "state": entry.state,
        "parent": entry.parent or "",
        "attempts": entry.attempts,
        "intended_at": entry.intended_at,
        "lookup_after": entry.lookup_after,
        "channel": entry.channel,
        "ts": entry.ts,
        "file_ids": json.dumps(entry.file_ids),
        "plain": entry.plain,
        "gives_way": entry.gives_way,
        "conversation": entry.conversation,
        "muted_by": entry.muted_by,
        "error": error,
        "finished_at": now if entry.state in FINISHED else None,
    }
    saved = await session.exec(
        _save_entry(), params={"this_number": entry.order, "this_id": entry.id, **values}
    )
    if saved.rowcount != 1:
        raise LeaseLost("The entry went with its mailbox.")


def is_intent(entry: Entry) -> bool:
    """Whether something is about to be asked of Slack, and when its outcome may be looked up is known."""
    return entry.state in _INTENDED and entry.lookup_after is not None


async def save_intent(
    session: AsyncSession, dm: Dm, entry: Entry, now: datetime, lease_until: datetime | None
) -> None:
    """What is about to be asked of Slack: until that may be looked up, nothing else goes to this DM."""
    assert entry.lookup_after is not None
    changes = {"to_channel": entry.channel, "look_at": max(entry.lookup_after, now), "until": lease_until}
    if (await session.exec(_intend(), params={**this_dm(dm), **changes})).rowcount != 1:
        raise LeaseLost("The DM is another's to post into now.")
    await save(session, entry, now, None)


@cache
def _intend() -> Any:
    dm = plain(DmRow)
    look_at = bindparam("look_at", type_=dm.c.due_at.type)
    changes = {
        "channel": func.coalesce(bindparam("to_channel", type_=dm.c.channel.type), dm.c.channel),
        "lease_until": func.coalesce(bindparam("until", type_=dm.c.lease_until.type), dm.c.lease_until),
        "due_at": sqlalchemy.case((dm.c.held_until > look_at, dm.c.held_until), else_=look_at),
    }
    return update(dm).where(is_held(ANY_DM)).values(changes)


@cache
def _save_entry() -> Any:
    entry = plain(EntryRow)
    this = (entry.c.number == bindparam("this_number")) & (entry.c.id == bindparam("this_id"))
    return update(entry).where(this)
