"""Suspended mailboxes: not fetched whatever their owners set, and nothing of them is shared meanwhile.

Two things suspend a mailbox, and each is lifted by itself: an administrator, and who its owner is to Slack now (a role that
may not hold one, or a deactivated account; one of the two). What was fetched already still reaches its owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlmodel import col, select

from storage.audits import add_audit
from storage.copied import Telling, TellingKind
from storage.database import is_id
from storage.errors import NotFound, NotPermitted
from storage.facts import facts_in, lock_sharing
from storage.outgoing_rows import note_standstill
from storage.owned import due_if_polled, raised
from storage.records import Health, Person
from storage.sealing import ERASED
from storage.sharing import Act, AuditEntry, Suspension
from storage.statements import plain
from storage.switching import keep_active
from storage.tables import MailboxRow
from storage.tellings import tell
from storage.withdrawing import withdraw_copies

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.sharing import Facts

_STRONGEST: Final = (Suspension.ADMINISTRATOR, Suspension.DEACTIVATED, Suspension.ROLE)
_OF_OWNER: Final = (Suspension.DEACTIVATED, Suspension.ROLE)


class Suspensions:
    """The store of suspensions."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def of(self, workspace: str) -> dict[str, Suspension]:
        """Why mailboxes of a workspace are suspended, by their id; those that are not are left out."""
        mailbox = plain(MailboxRow).c
        query: Any = sqlalchemy.select(mailbox.id, mailbox.suspension)
        query = query.where(mailbox.workspace == workspace, mailbox.suspension.is_not(None))
        async with self._database.read() as session:
            return {row.id: Suspension(row.suspension) for row in (await session.exec(query)).all()}

    async def suspend(  # noqa: PLR0917 - every one of them says something of its own
        self,
        workspace: str,
        mailbox_id: str,
        why: Suspension,
        actor: Person | None,
        now: datetime,
        permits: Callable[[Facts], bool],
        rank: int | None = None,
    ) -> bool:
        """Stop a mailbox; False when it is suspended for that cause already. A poll that runs writes nothing more.

        ROLE and DEACTIVATED take each other's place; ADMINISTRATOR holds beside them, for the highest who set it.

        Args:
            rank: of the role of the administrator who does it.

        Raises:
            NotFound: it is gone, or of another workspace.
            NotPermitted: the judge said no.
        """
        async with self._database.write() as session:
            row = await self._judged(session, workspace, mailbox_id, permits)
            is_known = getattr(row, f"suspended_{why}") is not None
            if rank is not None and (not is_known or (row.suspended_rank or 0) < rank):
                row.suspended_rank = rank
            if is_known:
                return False
            before = row.suspension
            if why in _OF_OWNER:
                row.suspended_deactivated = row.suspended_role = None
            setattr(row, f"suspended_{why}", now)
            row.suspension = _strongest(row)
            raised(row, due_at=None)
            await session.flush()
            await withdraw_copies(self._database, session, mailbox_id=mailbox_id, now=now)
            await note_standstill(session, mailbox_id)
            await self._note(session, row, Act.MAILBOX_SUSPENDED, actor, before=before, now=now)
            return True

    async def lift(
        self,
        workspace: str,
        mailbox_id: str,
        actor: Person | None,
        now: datetime,
        permits: Callable[[Facts], bool],
    ) -> bool:
        """End what this one may end; False when there is nothing of it. Without another cause the mailbox goes on.

        Args:
            actor: an administrator lifts what administrators set; None, Mailbox itself, what the owner's role did.

        Raises:
            NotFound: it is gone, or of another workspace.
            NotPermitted: the judge said no.
        """
        causes = _OF_OWNER if actor is None else (Suspension.ADMINISTRATOR,)
        async with self._database.write() as session:
            row = await self._judged(session, workspace, mailbox_id, permits)
            if all(getattr(row, f"suspended_{why}") is None for why in causes):
                return False
            before = row.suspension
            for why in causes:
                setattr(row, f"suspended_{why}", None)
            if row.suspended_administrator is None:
                row.suspended_rank = None
            row.suspension = _strongest(row)
            raised(row, due_at=due_if_polled(row, now))
            await session.flush()
            await note_standstill(session, mailbox_id)
            await self._note(session, row, Act.MAILBOX_LIFTED, actor, before=before, now=now)
            return True

    async def keep_active(self, owner: Person, most: int, now: datetime) -> list[str]:
        """Let rest what of a person's active mailboxes is more than so many; the ids of those."""
        async with self._database.write() as session:
            rested = await keep_active(self._database, session, owner, most)
            entries = [
                _entry(row, Act.MANAGED, None, now, before="active", after="not active") for row in rested
            ]
            if entries:
                await add_audit(session, *entries)
            return [row.id for row in rested]

    async def erase_overdue(self, workspace: str, before: datetime, now: datetime) -> int:
        """Destroy the passwords of mailboxes whose owners have been deactivated since before then; how many."""
        async with self._database.write() as session:
            query = select(MailboxRow).where(
                MailboxRow.workspace == workspace,
                col(MailboxRow.wrapped_key).is_not(None),
                col(MailboxRow.suspended_deactivated) <= before,
                col(MailboxRow.password_incoming) != ERASED,
            )
            rows = (await session.exec(query.with_for_update(key_share=True))).all()
            for row in rows:
                erased = {"password_incoming": ERASED, "password_outgoing": None}
                raised(row, **erased, health=Health.PASSWORD_ERASED, failures=1, due_at=None)
            if rows:
                await add_audit(session, *(_entry(row, Act.CREDENTIALS_ERASED, None, now) for row in rows))
        if rows:
            await self._database.checkpoint()
        return len(rows)

    async def _judged(
        self, session: AsyncSession, workspace: str, mailbox_id: str, permits: Callable[[Facts], bool]
    ) -> MailboxRow:
        if not is_id(mailbox_id):
            raise NotFound("There is no such mailbox.")
        await lock_sharing(self._database, session, workspace)
        query = select(MailboxRow).where(
            MailboxRow.id == mailbox_id,
            MailboxRow.workspace == workspace,
            col(MailboxRow.wrapped_key).is_not(None),
        )
        row = (await session.exec(query.with_for_update(key_share=True))).first()
        if row is None:
            raise NotFound("There is no such mailbox.")
        if not permits(await facts_in(session, mailbox_id)):
            raise NotPermitted("The judge said no.")
        return row

    async def _note(
        self,
        session: AsyncSession,
        row: MailboxRow,
        act: Act,
        actor: Person | None,
        *,
        before: str | None,
        now: datetime,
    ) -> None:
        """Audit it, and tell the owner what changed for them."""
        after = row.suspension
        await add_audit(session, _entry(row, act, actor, now, before=before or "", after=after or ""))
        if before == after:
            return
        kind = TellingKind.MAILBOX_LIFTED if after is None else TellingKind.MAILBOX_SUSPENDED
        is_erased = row.health == Health.PASSWORD_ERASED and row.failures > 0
        why = after or (Health.PASSWORD_ERASED.value if is_erased else "")
        telling = Telling(kind, who="" if actor is None else actor.user, why=why)
        await tell(self._database, session, Person(row.workspace, row.owner), row.id, telling, now=now)


def _strongest(row: MailboxRow) -> Suspension | None:
    return next((why for why in _STRONGEST if getattr(row, f"suspended_{why}") is not None), None)


def _entry(
    row: MailboxRow, act: Act, actor: Person | None, now: datetime, *, before: str = "", after: str = ""
) -> AuditEntry:
    return AuditEntry(
        at=now,
        workspace=row.workspace,
        actor=None if actor is None else actor.user,
        act=act,
        owner=row.owner,
        mailbox_id=row.id,
        subject=f"mailbox:{row.id}",
        before=before,
        after=after,
    )
