"""All mailboxes of a workspace as administrators may see them: state and counts, nothing of what mail says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import case, func

from storage.database import is_id
from storage.headcount import Counts, Holder
from storage.records import Health
from storage.sealing import Seals, mailbox_record
from storage.statements import plain
from storage.tables import EntryRow, MailboxRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Mailbox
    from storage.vault import Vault

_WELL: Final = (Health.NEW, Health.OK)

_HOLDERS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A mailbox, how many posts are on their way to Slack for it, and the rank of the administrator who suspended it."""

    mailbox: Mailbox
    waiting: int
    suspended_rank: int | None = None


class Surveys:
    """The store of mailboxes, seen by workspace; for administrators alone."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    async def counts(self, workspace: str) -> Counts:
        """How many there are, fail, are suspended."""
        failing = case((_is_failing(), 1), else_=0)
        suspended = case((_is_suspended(), 1), else_=0)
        query: Any = sqlalchemy.select(func.count(), func.sum(failing), func.sum(suspended))
        async with self._database.read() as session:
            row = (await session.exec(query.select_from(plain(MailboxRow)).where(_of(workspace)))).one()
        return Counts(*(int(number or 0) for number in row))

    async def owned(self, workspace: str) -> list[Holder]:
        """All of them, in clear columns alone; some at a time, since thousands would hold up the loop."""
        mailbox, found = plain(MailboxRow).c, list[Holder]()
        query: Any = sqlalchemy.select(mailbox.id, mailbox.owner, mailbox.is_active).where(_of(workspace))
        query = query.order_by(mailbox.id).limit(_HOLDERS_AT_ONCE)
        async with self._database.read() as session:
            while rows := (
                await session.exec(query.where(mailbox.id > (found[-1].id if found else "")))
            ).all():
                found += [Holder(*row) for row in rows]
        return found

    async def page(self, workspace: str, skipped: int, limit: int) -> list[Surveyed]:
        """Some of them, those that need somebody first: failing, suspended, the others, each the longest without success."""
        mailbox = plain(MailboxRow)
        worst = case((_is_failing(), 0), (_is_suspended(), 1), else_=2)
        query: Any = sqlalchemy.select(mailbox).where(_of(workspace))
        order = (
            worst,
            mailbox.c.failures.desc(),
            func.coalesce(mailbox.c.last_success_at, mailbox.c.created_at),
        )
        async with self._database.read() as session:
            rows = (
                await session.exec(query.order_by(*order, mailbox.c.id).offset(skipped).limit(limit))
            ).all()
            waiting = await _waiting(session, [row.id for row in rows])
        return [self._surveyed(row, waiting) for row in rows]

    async def one(self, workspace: str, mailbox_id: str) -> Surveyed | None:
        """One of them; None when it is gone, or of another workspace."""
        if not is_id(mailbox_id):
            return None
        mailbox = plain(MailboxRow)
        query: Any = sqlalchemy.select(mailbox).where(_of(workspace), mailbox.c.id == mailbox_id)
        async with self._database.read() as session:
            row = (await session.exec(query)).first()
            if row is None:
                return None
            return self._surveyed(row, await _waiting(session, [row.id]))

    def _surveyed(self, row: Any, waiting: dict[str, int]) -> Surveyed:
        key = self._vault.data_key(row.wrapped_key, row.workspace, row.id)
        mailbox = mailbox_record(row, Seals(key, row.workspace, row.id))
        return Surveyed(mailbox, waiting.get(row.id, 0), row.suspended_rank)


def _of(workspace: str) -> ColumnElement[bool]:
    """Those whose removal has not begun."""
    mailbox = plain(MailboxRow).c
    return (mailbox.workspace == workspace) & mailbox.wrapped_key.is_not(None)


def _is_suspended() -> ColumnElement[bool]:
    suspended: ColumnElement[bool] = plain(MailboxRow).c.suspension.is_not(None)
    return suspended


def _is_failing() -> ColumnElement[bool]:
    mailbox = plain(MailboxRow).c
    is_polled = mailbox.is_active & mailbox.is_paused.is_(False) & ~_is_suspended()
    return is_polled & mailbox.health.not_in(_WELL)


async def _waiting(session: AsyncSession, ids: list[str]) -> dict[str, int]:
    """Posts of messages on their way, by mailbox."""
    entry = plain(EntryRow)
    open_ones = entry.c.finished_at.is_(None) & entry.c.message_id.is_not(None)
    query: Any = sqlalchemy.select(entry.c.mailbox_id, func.count()).where(
        entry.c.mailbox_id.in_(ids), open_ones
    )
    rows = (await session.exec(query.group_by(entry.c.mailbox_id))).all()
    return {mailbox_id: int(count) for mailbox_id, count in rows}
