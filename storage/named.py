"""What of sharing names a person: told to them, and taken out when they have everything about them erased.

Grants that administrators wrote for a person stay: they bind whatever the person does, else erasing would lift a limit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import delete, func
from sqlmodel import col

from storage.audits import ERASED, add_audit, audit_of, forget_in_audit, share_words
from storage.dossier import Brought, Named, Told
from storage.facts import grants_in, lock_sharing, share_of
from storage.sharing import Act, Audience, AudienceKind, AuditEntry, Level, Subject, SubjectKind
from storage.sharing_tables import AuditRow, CopyRow, GrantRow, ShareRow, TellingRow
from storage.statements import plain, update_rows
from storage.tables import MailboxRow
from storage.withdrawing import withdraw_copies

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Person

MOST_ENTRIES: Final = 1_000
"""Of the audit, of copies either way, and of what somebody was told, in one file; the newest."""


async def named_in(session: AsyncSession, person: Person) -> Named:
    """What shares, grants and audit say of a person."""
    mine = [share_of(row) for row in (await session.exec(_opened_by(person))).all()]
    to_them = [share_of(row) for row in (await session.exec(_opened_to(person))).all()]
    subject = Subject(SubjectKind.PERSON, person.user)
    audience = Audience(AudienceKind.PERSON, person.user)
    grants = await grants_in(session, person.workspace)
    return Named(
        opened=tuple(mine),
        received=tuple(to_them),
        grants=tuple(
            grant
            for grant in grants
            if grant.subject == subject or grant.audience == audience or grant.written_by == person.user
        ),
        audit=tuple(await audit_of(session, person, MOST_ENTRIES)),
        copies=await _copies(session, person),
        told=await _told(session, person),
    )


async def count_named(session: AsyncSession, person: Person) -> int:
    """How many rows would be taken out or changed, those apart that go with the person's mailboxes."""
    opened: Any = sqlalchemy.select(func.count()).select_from(_opened_to(person).subquery())
    audit = plain(AuditRow).c
    is_theirs = (audit.actor == person.user) | (audit.owner == person.user)
    entries: Any = sqlalchemy.select(func.count()).where(audit.workspace == person.workspace, is_theirs)
    return int((await session.exec(opened)).scalar_one()) + int((await session.exec(entries)).scalar_one())


async def forget_named(database: Database, session: AsyncSession, person: Person, now: datetime) -> None:
    """Take a person out: the shares that name them go, entries of the audit stay without them."""
    await lock_sharing(database, session, person.workspace)
    for row in (await session.exec(_opened_to(person, with_owner=True))).all():
        await _drop(database, session, person, row, now)
    grant = plain(GrantRow).c
    theirs = (grant.workspace == person.workspace) & (grant.written_by == person.user)
    await update_rows(session, GrantRow, theirs, {"written_by": ERASED})
    await forget_in_audit(session, person)


async def _drop(database: Database, session: AsyncSession, person: Person, row: Any, now: datetime) -> None:
    """One share that names them, with what it brought them."""
    await withdraw_copies(database, session, share_id=row.id, now=now)
    await session.exec(delete(ShareRow).where(col(ShareRow.id) == row.id))
    if row.ended_at is None:
        entry = AuditEntry(now, person.workspace, None, Act.SHARE_ENDED, row.owner, row.mailbox_id)
        await add_audit(session, replace(entry, subject=f"share:{row.id}", before=share_words(share_of(row))))


async def _copies(session: AsyncSession, person: Person) -> tuple[Brought, ...]:
    """Of their mailboxes, then for them."""
    copy, mailbox = plain(CopyRow), plain(MailboxRow)
    columns = (copy.c.mailbox_id, copy.c.message_id, copy.c.destination, copy.c.level, copy.c.share_id)
    joined = copy.join(mailbox, mailbox.c.id == copy.c.mailbox_id)
    is_owner = (mailbox.c.workspace == person.workspace) & (mailbox.c.owner == person.user)
    is_viewer = (copy.c.workspace == person.workspace) & (copy.c.destination == person.user)
    found: list[Any] = []
    for which in (is_owner & mailbox.c.wrapped_key.is_not(None), is_viewer):  # each by its own index
        query: Any = sqlalchemy.select(*columns, copy.c.withdrawn_at).select_from(joined).where(which)
        found += (await session.exec(query.order_by(copy.c.entry_id.desc()).limit(MOST_ENTRIES))).all()
    return tuple(
        Brought(
            row.mailbox_id, row.message_id, row.destination, Level(row.level), row.share_id, row.withdrawn_at
        )
        for row in found
    )


async def _told(session: AsyncSession, person: Person) -> tuple[Told, ...]:
    row = plain(TellingRow).c
    query: Any = sqlalchemy.select(plain(TellingRow)).where(
        row.workspace == person.workspace, row.person == person.user
    )
    found = (await session.exec(query.order_by(row.entry_id.desc()).limit(MOST_ENTRIES))).all()
    return tuple(
        Told(
            each.mailbox_id,
            each.message_id,
            each.kind,
            each.who,
            Level(each.level),
            each.until,
            each.share_id,
            each.count,
            f"{each.audience_kind}:{each.audience_id}" if each.audience_kind else "",
            each.why,
        )
        for each in found
    )


def _opened_by(person: Person) -> Any:
    mailbox, share = plain(MailboxRow), plain(ShareRow)
    joined = share.join(mailbox, mailbox.c.id == share.c.mailbox_id)
    theirs = (mailbox.c.workspace == person.workspace, mailbox.c.owner == person.user)
    query = sqlalchemy.select(share).select_from(joined)
    return query.where(*theirs, mailbox.c.wrapped_key.is_not(None)).order_by(share.c.id)


def _opened_to(person: Person, *, with_owner: bool = False) -> Any:
    mailbox, share = plain(MailboxRow), plain(ShareRow)
    joined = share.join(mailbox, mailbox.c.id == share.c.mailbox_id)
    to_them = (share.c.audience_kind == AudienceKind.PERSON, share.c.audience_id == person.user)
    columns = (share, mailbox.c.owner) if with_owner else (share,)
    query = sqlalchemy.select(*columns).select_from(joined)
    return query.where(mailbox.c.workspace == person.workspace, *to_them).order_by(share.c.id)
