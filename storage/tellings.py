"""What people are told about sharing: an entry of the outbox each, its words made of facts when it is posted.

A telling outlives the mailbox it is about. About one share nobody is told the same twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy

from storage.copied import Telling, TellingKind
from storage.errors import NotFound
from storage.owing import owe_to
from storage.records import Notice, Person
from storage.sharing import Audience, AudienceKind, Level
from storage.sharing_tables import TellingRow
from storage.statements import insert_rows, plain

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.sharing import Share


class Tellings:
    """The store of tellings."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def get(self, entry_id: str) -> tuple[str, Telling]:
        """The mailbox that an entry is about, and what it tells.

        Raises:
            NotFound: it is gone.
        """
        row = plain(TellingRow)
        query: Any = sqlalchemy.select(row).where(row.c.entry_id == entry_id)
        async with self._database.read() as session:
            found = (await session.exec(query)).first()
        if found is None:
            raise NotFound("There is no such telling.")
        return found.mailbox_id, _telling(found)


async def tell(
    database: Database, session: AsyncSession, to: Person, mailbox_id: str, telling: Telling, *, now: datetime
) -> bool:
    """Owe somebody a telling, inside the transaction of what it tells; False where they were told that already.

    Args:
        to: a person, or a channel by its id.
    """
    if telling.share_id and await _was_told(session, to, telling):
        return False
    entry_id = await owe_to(database, session, to, None, now=now, notice=Notice.TOLD)
    audience = telling.audience
    values = {
        "entry_id": entry_id,
        "workspace": to.workspace,
        "person": to.user,
        "mailbox_id": mailbox_id,
        "kind": telling.kind,
        "who": telling.who,
        "level": int(telling.level),
        "until": telling.until,
        "share_id": telling.share_id,
        "count": telling.count,
        "audience_kind": None if audience is None else audience.kind,
        "audience_id": None if audience is None else audience.id,
        "message_id": telling.message_id,
        "why": telling.why,
    }
    await insert_rows(session, TellingRow, [values])
    return True


async def tell_audience(
    database: Database,
    session: AsyncSession,
    workspace: str,
    share: Share,
    telling: Telling,
    *,
    now: datetime,
) -> bool:
    """Tell those whom a share reaches, where that is a person, or a channel; groups and roles are not told one by one."""
    if share.audience.kind not in {AudienceKind.PERSON, AudienceKind.CHANNEL}:
        return False
    to = Person(workspace, share.audience.id)
    return await tell(database, session, to, share.mailbox_id, telling, now=now)


async def _was_told(session: AsyncSession, to: Person, telling: Telling) -> bool:
    row = plain(TellingRow).c
    same = (row.workspace == to.workspace) & (row.person == to.user) & (row.kind == telling.kind.value)
    same &= (row.share_id == telling.share_id) & (row.level == int(telling.level)) & (row.share_id != "")
    query: Any = sqlalchemy.select(row.entry_id).where(same)
    return (await session.exec(query)).first() is not None


def _telling(row: Any) -> Telling:
    has_audience = row.audience_kind is not None
    return Telling(
        kind=TellingKind(row.kind),
        who=row.who,
        level=Level(row.level),
        until=row.until,
        share_id=row.share_id,
        count=row.count,
        audience=Audience(AudienceKind(row.audience_kind), row.audience_id) if has_audience else None,
        message_id=row.message_id,
        why=row.why,
    )
