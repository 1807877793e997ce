"""Grants as administrators wrote them; what holds where nothing is written, policy knows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete

from storage.audits import add_audit, grant_words
from storage.errors import NotPermitted, TooMany
from storage.facts import grants_in, lock_sharing
from storage.sharing import Act, AuditEntry, GrantKind
from storage.sharing_tables import GrantRow
from storage.statements import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from storage.database import Database
    from storage.records import Person
    from storage.sharing import Grant, Subject

MOST_GRANTS: Final = 500
"""In one workspace: every decision reads them all."""

_KEY: Final = ("workspace", "subject_kind", "subject_id")


class Grants:
    """The store of grants."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def all(self, workspace: str) -> list[Grant]:
        """Those that are written in a workspace."""
        async with self._database.read() as session:
            return list(await grants_in(session, workspace))

    async def set(
        self,
        workspace: str,
        grant: Grant,
        actor: Person,
        now: datetime,
        permits: Callable[[Sequence[Grant]], bool],
    ) -> Grant:
        """Write the grant of a subject; as stored, with who wrote it and since when.

        A FIXED grant that opens no more than before to the same audience, and of nobody else's, speaks since then, all
        others from now on.

        Args:
            permits: asked about all that are written so far.

        Raises:
            NotPermitted: the judge said no; nothing was written.
            TooMany: there are as many as there may be.
        """
        async with self._database.write() as session:
            await lock_sharing(self._database, session, workspace)
            grants = await grants_in(session, workspace)
            if actor.workspace != workspace or not permits(grants):
                raise NotPermitted("This grant may not be written.")
            before = _written(grants, grant.subject)
            if before is None and len(grants) >= MOST_GRANTS:
                raise TooMany("The workspace has too many grants.")
            after = replace(grant, written_by=actor.user, since=_since(before, grant, now))
            row = _row(workspace, after)
            statement = self._database.insert(plain(GrantRow)).values(row)
            changes = {name: value for name, value in row.items() if name not in _KEY}
            await session.exec(statement.on_conflict_do_update(index_elements=_KEY, set_=changes))
            entry = _entry(Act.GRANT_SET, workspace, actor, grant.subject, now)
            entry = replace(entry, before=grant_words(before), after=grant_words(after, before))
            await add_audit(session, entry)
        return after

    async def remove(
        self,
        workspace: str,
        subject: Subject,
        actor: Person,
        now: datetime,
        permits: Callable[[Sequence[Grant]], bool],
    ) -> None:
        """Take back what was written for a subject; nothing where nothing is.

        Raises:
            NotPermitted: the judge said no; nothing was written.
        """
        async with self._database.write() as session:
            await lock_sharing(self._database, session, workspace)
            grants = await grants_in(session, workspace)
            if actor.workspace != workspace or not permits(grants):
                raise NotPermitted("This grant may not be removed.")
            before = _written(grants, subject)
            if before is not None:
                await session.exec(delete(GrantRow).where(_is_for(workspace, subject)))
                entry = _entry(Act.GRANT_REMOVED, workspace, actor, subject, now)
                await add_audit(session, replace(entry, before=grant_words(before)))


def _written(grants: Sequence[Grant], subject: Subject) -> Grant | None:
    return next((grant for grant in grants if grant.subject == subject), None)


def _since(before: Grant | None, after: Grant, now: datetime) -> datetime:
    is_same = (
        before is not None
        and before.kind is after.kind is GrantKind.FIXED
        and before.audience == after.audience
        and after.level <= before.level
        and (before.rank is None or (after.rank is not None and after.rank <= before.rank))
    )
    return before.since if is_same and before is not None and before.since is not None else now


def _is_for(workspace: str, subject: Subject) -> ColumnElement[bool]:
    grant = plain(GrantRow).c
    of_kind = (grant.workspace == workspace) & (grant.subject_kind == subject.kind)
    return of_kind & (grant.subject_id == subject.id)


def _entry(act: Act, workspace: str, actor: Person, subject: Subject, now: datetime) -> AuditEntry:
    return AuditEntry(now, workspace, actor.user, act, subject=subject.key)


def _row(workspace: str, grant: Grant) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "subject_kind": grant.subject.kind,
        "subject_id": grant.subject.id,
        "kind": grant.kind,
        "level": int(grant.level),
        "audience_kind": grant.audience and grant.audience.kind,
        "audience_id": grant.audience and grant.audience.id,
        "reach": int(grant.reach),
        "channels": int(grant.channels),
        "may_hold": grant.may_hold,
        "mailboxes": grant.mailboxes,
        "active": grant.active,
        "may_view": grant.may_view,
        "excluded": json.dumps(sorted(grant.excluded)),
        "allows_plain": grant.allows_plain,
        "written_by": grant.written_by,
        "since": grant.since,
        "rank": grant.rank,
    }
