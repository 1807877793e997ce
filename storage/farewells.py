"""What those are told whom something of a mailbox was open to, when the mailbox is removed.

Each person and each channel once, however much of it they had; groups and roles are not told one by one. It outlives the
mailbox and does not name it: the right to know its name ends with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import text

from storage.copied import Telling, TellingKind
from storage.records import Person
from storage.sharing import AudienceKind
from storage.sharing_tables import IN_FORCE, ShareRow
from storage.statements import plain
from storage.tables import MailboxRow
from storage.tellings import tell

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database

_NAMED: Final = (AudienceKind.PERSON.value, AudienceKind.CHANNEL.value)


async def say_farewell(
    database: Database,
    session: AsyncSession,
    workspace: str,
    mailbox_ids: Collection[str],
    *,
    who: str,
    why: str = "",
    now: datetime,
) -> None:
    """Owe it to them, inside the transaction that removes these mailboxes; call it under the lock on sharing.

    Args:
        who: whose they are; "" where nothing may name that person any more.
        why: "administrator" where not the owner removes them.
    """
    mailbox, share = plain(MailboxRow), plain(ShareRow).c
    in_force = (text(IN_FORCE), share.until.is_(None) | (share.until > now))
    # Those whose end had begun before were said farewell then.
    is_there = sqlalchemy.exists().where(mailbox.c.id == share.mailbox_id, mailbox.c.wrapped_key.is_not(None))
    query: Any = sqlalchemy.select(share.audience_id, share.mailbox_id).where(
        share.mailbox_id.in_(list(mailbox_ids)), share.audience_kind.in_(_NAMED), *in_force, is_there
    )
    found: dict[str, set[str]] = {}
    for row in (await session.exec(query.distinct())).all():
        found.setdefault(row.audience_id, set()).add(row.mailbox_id)
    for audience_id, theirs in sorted(found.items()):
        telling = Telling(TellingKind.MAILBOX_DELETED, who=who, count=len(theirs), why=why)
        await tell(database, session, Person(workspace, audience_id), min(theirs), telling, now=now)
