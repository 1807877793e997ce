"""Who did what about sharing, kept for a year: ids and words of ours, never content, a name or a secret.

The other stores write their entries by `add_audit`, in the transaction of what the entry is about.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import delete, update
from sqlmodel import col

from storage.database import is_id
from storage.sharing import Act, AudienceKind, AuditEntry, GrantKind
from storage.sharing_tables import AuditRow
from storage.statements import insert_rows, plain, update_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Person
    from storage.sharing import Grant, Share

KEEP_AUDIT: Final = timedelta(days=365)
"""How long an entry is kept."""

ERASED: Final = "erased"
"""Stands where the id of a person stood who had everything about them erased."""

_PURGE_BATCH: Final = 5_000
_MOST_SUBJECT: Final = 60
_MOST_DIGITS: Final = 18


class Audits:
    """The store of audit entries."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def add(self, entry: AuditEntry) -> None:
        """Record an entry of its own; of what somebody may not and tries again in the same minute, the first only."""
        row = _row(entry) | {"subject": fitted(entry.subject)}
        if entry.act is Act.REFUSED:
            row["once"] = f"{entry.workspace}:{entry.actor}:{entry.mailbox_id}:{entry.at:%Y%m%d%H%M}"
        statement = self._database.insert(plain(AuditRow)).values(row)
        async with self._database.write() as session:
            await session.exec(statement.on_conflict_do_nothing(index_elements=["once"]))

    async def purge(self, now: datetime) -> int:
        """Forget what is past its time; how many."""
        count = 0
        audit = plain(AuditRow).c
        old: Any = sqlalchemy.select(audit.number).where(audit.at < now - KEEP_AUDIT).limit(_PURGE_BATCH)
        while True:
            async with self._database.write() as session:
                numbers = (await session.exec(old)).scalars().all()
                await session.exec(delete(AuditRow).where(col(AuditRow.number).in_(numbers)))
            count += len(numbers)
            if len(numbers) < _PURGE_BATCH:
                return count

    async def list(
        self,
        workspace: str,
        *,
        actor: str | None = None,
        owner: str | None = None,
        act: Act | None = None,
        since: datetime | None = None,
        before: str | None = None,
        limit: int,
    ) -> Sequence[AuditEntry]:
        """The newest entries, the newest first.

        Args:
            since: entries of this time or later.
            before: those that follow the entry of this id in the list.
        """
        if before is not None and not (before.isdecimal() and len(before) <= _MOST_DIGITS):
            return []
        if any(each is not None and not is_id(each) for each in (actor, owner)):
            return []
        audit = plain(AuditRow)
        query: Any = sqlalchemy.select(audit).where(audit.c.workspace == workspace)
        for column, wanted in ((audit.c.actor, actor), (audit.c.owner, owner), (audit.c.act, act)):
            if wanted is not None:
                query = query.where(column == wanted)
        if since is not None:
            query = query.where(audit.c.at >= since)
        if before is not None:
            query = query.where(audit.c.number < int(before))
        async with self._database.read() as session:
            rows = (await session.exec(query.order_by(audit.c.number.desc()).limit(limit))).all()
        return [_entry(row) for row in rows]


def fitted(subject: str) -> str:
    """What an entry names, as far as it can stand there: an id in it may have come with a payload."""
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in subject[:_MOST_SUBJECT])


async def add_audit(session: AsyncSession, *entries: AuditEntry) -> None:
    """Record entries in the transaction of what they are about."""
    if entries:
        await insert_rows(session, AuditRow, [_row(entry) for entry in entries])


async def audit_of(session: AsyncSession, person: Person, limit: int) -> Sequence[AuditEntry]:
    """The newest entries that name a person as who acted or whose mailbox it was, the newest first."""
    audit = plain(AuditRow)
    found: dict[int, AuditEntry] = {}
    for column in (audit.c.actor, audit.c.owner):  # each by its own index
        query: Any = sqlalchemy.select(audit).where(
            audit.c.workspace == person.workspace, column == person.user
        )
        rows = (await session.exec(query.order_by(audit.c.number.desc()).limit(limit))).all()
        found |= {row.number: _entry(row) for row in rows}
    return [found[number] for number in sorted(found, reverse=True)[:limit]]


async def forget_in_audit(session: AsyncSession, person: Person) -> None:
    """Take a person out of the entries; what was done stays known."""
    audit = plain(AuditRow).c
    of_workspace = audit.workspace == person.workspace
    changes = {"once": None}
    await update_rows(
        session, AuditRow, of_workspace & (audit.actor == person.user), {"actor": ERASED, **changes}
    )
    await update_rows(session, AuditRow, of_workspace & (audit.owner == person.user), {"owner": ERASED})
    named = f"{AudienceKind.PERSON}:{person.user}"
    texts = (audit.subject, audit.before, audit.after)
    query: Any = sqlalchemy.select(audit.number, *texts).where(
        of_workspace, sqlalchemy.or_(*(each.contains(named, autoescape=True) for each in texts))
    )
    exactly = re.compile(rf"\b{re.escape(named)}\b")
    for number, *words in (await session.exec(query)).all():
        subject, before, after = (exactly.sub(f"{AudienceKind.PERSON}:{ERASED}", word) for word in words)
        this = update(AuditRow).where(col(AuditRow.number) == number)
        await session.exec(this.values(subject=subject, before=before, after=after))


# Words


def grant_words(grant: Grant | None, before: Grant | None = None) -> str:
    """What a grant says, without the domains: those name others. `before` tells how many of them are new."""
    if grant is None:
        return ""
    words = [str(grant.kind)]
    if grant.kind is not GrantKind.PRIVATE:
        words.append(grant.level.name.lower())
    if grant.kind is GrantKind.FIXED and grant.audience is not None:
        words.append(f"to {grant.audience.kind}:{grant.audience.id}")
    if grant.kind is GrantKind.CHOICE:
        words += [f"reach {grant.reach.name.lower()}", f"channels {grant.channels.name.lower()}"]
    words += [
        "may hold" if grant.may_hold else "may not hold",
        f"mailboxes {_limit(grant.mailboxes)}",
        f"active {_limit(grant.active)}",
        "may view" if grant.may_view else "may not view",
        "plain allowed" if grant.allows_plain else "plain not allowed",
        f"excluded domains {len(grant.excluded)}",
    ]
    fresh = 0 if before is None else len(grant.excluded - before.excluded)
    return ", ".join([*words, f"of them new {fresh}"] if fresh else words)


def _limit(most: int | None) -> str:
    return "unlimited" if most is None else str(most)


def share_words(share: Share | None) -> str:
    """What a share opens to whom."""
    if share is None:
        return ""
    words = [share.level.name.lower(), f"to {share.audience.kind}:{share.audience.id}"]
    if share.message_id is not None:
        words.append("one message")
    elif share.history:
        words.append("with history")
    if share.until is not None:
        words.append(f"until {share.until:%Y-%m-%dT%H:%MZ}")
    return ", ".join(words)


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": entry.at,
        "workspace": entry.workspace,
        "actor": entry.actor,
        "act": entry.act,
        "owner": entry.owner,
        "mailbox_id": entry.mailbox_id,
        "subject": entry.subject,
        "before": entry.before,
        "after": entry.after,
        "once": None,
    }


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(
        at=row.at,
        workspace=row.workspace,
        actor=row.actor,
        act=Act(row.act),
        owner=row.owner,
        mailbox_id=row.mailbox_id,
        subject=row.subject,
        before=row.before,
        after=row.after,
        id=str(row.number),
    )
