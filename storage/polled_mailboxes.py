"""The mailboxes as whoever polls them sees them: claimed, renewed, finished, put off, counted.

A poll holds a lease and a fencing number; a change by the owner raises the number, so it can write nothing more.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
import structlog
from sqlalchemy import func
from sqlmodel import col, select

from storage.ending import columns, finish
from storage.errors import KeyUnknown, LeaseLost, NotFound, SealBroken
from storage.fencing import ANY_CLAIM, FREED, is_claimed, is_free, this_claim, update_held
from storage.overdue import spread
from storage.owing import owe
from storage.owned import RAISED
from storage.records import Claim, Health
from storage.sealing import Seals, mailbox_record
from storage.statements import plain, update_rows
from storage.tables import MailboxRow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime, timedelta

    from storage.database import Database
    from storage.records import Mailbox, Passwords, PollResult
    from storage.vault import Vault

log = structlog.get_logger(__name__)


class PolledMailboxes:
    """What a poll asks of the store of mailboxes; `storage.mailboxes.Mailboxes` has it with the rest."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    async def claim_due(
        self, now: datetime, *, lease: timedelta, worker: str, limit: int, busy: Collection[str] = ()
    ) -> list[Claim]:
        """Lease mailboxes that are due and that nobody polls, oldest first.

        Args:
            busy: ids the worker still has in hand.
        """
        query = select(MailboxRow).where(col(MailboxRow.due_at) <= now, is_free(MailboxRow, now))
        query = query.where(col(MailboxRow.suspension).is_(None))
        if busy:
            query = query.where(col(MailboxRow.id).not_in(busy))
        query = query.order_by(col(MailboxRow.due_at)).limit(limit).with_for_update(skip_locked=True)
        async with self._database.write() as session:
            rows = (await session.exec(query)).all()
            if rows:
                ids = [row.id for row in rows]
                values = {**RAISED, "lease_owner": worker, "lease_until": now + lease}
                await update_rows(session, MailboxRow, col(MailboxRow.id).in_(ids), values)
        return [claim for row in rows if (claim := self._claim(row))]

    def _claim(self, row: MailboxRow) -> Claim | None:
        """One mailbox that does not open holds up no other; its lease keeps it from coming back at once."""
        try:
            return Claim(self._record(row), row.fence + 1)
        except (KeyUnknown, SealBroken) as error:
            log.error("mailbox_does_not_open", mailbox=row.id, error=type(error).__name__)  # noqa: TRY400 - no traceback
            return None

    async def renew(self, claim: Claim, until: datetime) -> None:
        """Hold the lease until then; LeaseLost when it is another's by now."""
        async with self._database.write() as session:
            await update_held(session, MailboxRow, is_claimed(claim), {"lease_until": until})

    async def claimed_passwords(self, claim: Claim) -> Passwords:
        """The passwords for the login at hand; LeaseLost when the claim no longer holds."""
        async with self._database.read() as session:
            row = (await session.exec(_claimed_row(), params=this_claim(claim))).first()
        if row is None:
            raise LeaseLost("The mailbox is another's to poll now.")
        return self._seals(row).opened_passwords(row)

    async def finish(self, claim: Claim, result: PollResult) -> None:
        """Record how a poll went, owe its notice, end the lease; LeaseLost when the claim no longer holds."""
        due = {} if result.due_at is None else {"decided": result.due_at, "claimed_due": claim.mailbox.due_at}
        values = {**this_claim(claim), **FREED, **columns(result), **due}
        async with self._database.write() as session:
            finished = await session.exec(finish(stops=result.due_at is None), params=values)
            if finished.rowcount != 1:
                raise LeaseLost("The lease is another's now.")
            if result.notice is not None:
                due_at = claim.mailbox.due_at or claim.mailbox.created_at
                until = result.notice_until
                await owe(
                    self._database, session, claim.mailbox, now=due_at, notice=result.notice, not_before=until
                )

    async def put_off(self, claim: Claim, until: datetime) -> None:
        """End the lease without a poll; due again then, or sooner if the owner asked meanwhile.

        Raises:
            LeaseLost: the claim no longer holds.
        """
        due = {"decided": until, "claimed_due": claim.mailbox.due_at}
        async with self._database.write() as session:
            ended = await session.exec(finish(stops=False), params={**this_claim(claim), **FREED, **due})
            if ended.rowcount != 1:
                raise LeaseLost("The lease is another's now.")

    async def spread(
        self, now: datetime, farthest: datetime, times: Callable[[int], Sequence[datetime]]
    ) -> int:
        """Give overdue mailboxes new times in their order, as `storage.overdue.spread` says; how many those are."""
        return await spread(self._database, now, farthest, times)

    async def release(self, worker: str) -> None:
        """At start: end the leases a dead predecessor of this name held."""
        async with self._database.write() as session:
            await update_rows(session, MailboxRow, col(MailboxRow.lease_owner) == worker, RAISED)

    async def count_by_health(self) -> dict[Health, int]:
        """How many mailboxes are polled, by health; everybody's, for whoever runs the bot."""
        is_polled = col(MailboxRow.is_active) & col(MailboxRow.is_paused).is_(False)
        is_polled &= col(MailboxRow.suspension).is_(None)
        query = select(MailboxRow.health, func.count()).where(is_polled).group_by(col(MailboxRow.health))
        async with self._database.read() as session:
            return {Health(health): count for health, count in (await session.exec(query)).all()}

    def _seals(self, row: Any) -> Seals:
        if row.wrapped_key is None:
            raise NotFound("The mailbox is being removed.")
        return Seals(self._vault.data_key(row.wrapped_key, row.workspace, row.id), row.workspace, row.id)

    def _record(self, row: Any) -> Mailbox:
        return mailbox_record(row, self._seals(row))


# What every poll runs, built once.


@cache
def _claimed_row() -> Any:
    return sqlalchemy.select(plain(MailboxRow)).where(is_claimed(ANY_CLAIM))
