"""Use case: what administrators see and do of mailboxes and audit. They read nobody's mail, nor its senders.

Every call decides afresh, by asking Slack, whether the person who acts is an administrator; a refusal is an audit entry.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

import structlog

from bot.audit_file import MOST_ENTRIES, audit_file
from bot.errors import NoSuchMailbox
from bot.slack.views.admin import MAILBOXES_A_PAGE, MailboxState
from bot.slack.views.admin.audit import ENTRIES_A_PAGE
from bot.slack.views.values import Receipt
from storage.errors import NotFound
from storage.sharing import Act, AuditEntry, Suspension

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.administrators import Administrators
    from bot.mail.providers import Providers
    from bot.slack.views.admin import AuditFilter
    from storage.audits import Audits
    from storage.dossier import Holding
    from storage.holdings import Holdings
    from storage.records import Person
    from storage.sharing import Facts
    from storage.surveys import Surveyed, Surveys
    from storage.suspension import Suspensions

log = structlog.get_logger(__name__)


class Inspection:
    """Health of mailboxes, their suspension and end, and the audit."""

    def __init__(
        self,
        administrators: Administrators,
        *,
        surveys: Surveys,
        suspensions: Suspensions,
        holdings: Holdings,
        audits: Audits,
        providers: Providers,
        clock: Callable[[], datetime],
    ) -> None:
        self._administrators: Final = administrators
        self._surveys: Final = surveys
        self._suspensions: Final = suspensions
        self._holdings: Final = holdings
        self._audits: Final = audits
        self._providers: Final = providers
        self._clock: Final = clock

    # Mailboxes

    async def mailboxes(self, actor: Person, page: int) -> tuple[list[MailboxState], int, int]:
        """One page of all mailboxes, worst first; the page it is, and how many mailboxes there are."""
        await self._administrators.require(actor, "mailboxes")
        total = (await self._surveys.counts(self._administrators.workspace)).mailboxes
        last = max(0, (total - 1) // MAILBOXES_A_PAGE)
        page = min(max(page, 0), last)
        found = await self._surveys.page(
            self._administrators.workspace, page * MAILBOXES_A_PAGE, MAILBOXES_A_PAGE
        )
        return [self._state(each) for each in found], page, total

    def _state(self, found: Surveyed) -> MailboxState:
        mailbox = found.mailbox
        host = mailbox.profile.incoming.host
        provider = self._providers.by_host(host)
        return MailboxState(
            id=mailbox.id,
            owner=mailbox.owner.user,
            server=provider.name if provider else host,
            health=mailbox.health,
            is_active=mailbox.is_active,
            is_paused=mailbox.is_paused,
            suspension=mailbox.suspension,
            created_at=mailbox.created_at,
            last_success_at=mailbox.last_success_at,
            failures=mailbox.failures,
            waiting=found.waiting,
        )

    async def suspend(self, actor: Person, mailbox_id: str) -> MailboxState:
        """Stop a mailbox until an administrator lifts it; as it is then."""
        return await self._switch(actor, mailbox_id, is_suspended=True)

    async def lift(self, actor: Person, mailbox_id: str) -> MailboxState:
        """End what administrators set; what comes of the owner's role or account ends with its cause."""
        return await self._switch(actor, mailbox_id, is_suspended=False)

    async def _switch(self, actor: Person, mailbox_id: str, *, is_suspended: bool) -> MailboxState:
        await self._administrators.require(actor, f"mailbox:{mailbox_id}")
        workspace, now, store = self._administrators.workspace, self._clock(), self._suspensions
        try:
            if is_suspended:
                why = Suspension.ADMINISTRATOR
                await store.suspend(workspace, mailbox_id, why, actor, now, _anybody)
            else:
                await store.lift(workspace, mailbox_id, actor, now, _anybody)
        except NotFound as error:
            raise NoSuchMailbox from error
        log.info("mailbox_suspended" if is_suspended else "mailbox_lifted", mailbox=mailbox_id)
        return self._state(await self._one(mailbox_id))

    async def held(self, actor: Person, mailbox_id: str) -> tuple[MailboxState, Holding]:
        """What would go with a mailbox."""
        await self._administrators.require(actor, f"mailbox:{mailbox_id}")
        found = await self._one(mailbox_id)
        try:
            return self._state(found), await self._holdings.count(found.mailbox.owner, mailbox_id)
        except NotFound as error:
            raise NoSuchMailbox from error

    async def delete(self, actor: Person, mailbox_id: str) -> tuple[Person, Receipt]:
        """Destroy a mailbox as its owner's removal does; whose it was, and the receipt."""
        await self._administrators.require(actor, f"mailbox:{mailbox_id}")
        owner = (await self._one(mailbox_id)).mailbox.owner
        now = self._clock()
        entry = AuditEntry(
            at=now,
            workspace=self._administrators.workspace,
            actor=actor.user,
            act=Act.MAILBOX_DELETED,
            owner=owner.user,
            mailbox_id=mailbox_id,
        )
        try:
            held = await self._holdings.remove(owner, mailbox_id, entry)
        except NotFound as error:
            raise NoSuchMailbox from error
        receipt = Receipt(secrets.token_hex(6), now, held)
        log.info("mailbox_deleted", receipt=receipt.id, copies=held.copies, waiting=held.waiting)
        return owner, receipt

    async def _one(self, mailbox_id: str) -> Surveyed:
        found = await self._surveys.one(self._administrators.workspace, mailbox_id)
        if found is None:
            raise NoSuchMailbox
        return found

    # Audit

    async def audit(
        self, actor: Person, chosen: AuditFilter, before: str | None = None
    ) -> tuple[Sequence[AuditEntry], bool]:
        """One page, newest first, and whether there is more.

        Args:
            before: the id of the entry that the page comes after; None for the first page.
        """
        await self._administrators.require(actor, "audit")
        found = await self._entries(chosen, before, ENTRIES_A_PAGE + 1)
        return found[:ENTRIES_A_PAGE], len(found) > ENTRIES_A_PAGE

    async def export(self, actor: Person, chosen: AuditFilter) -> tuple[bytes, int, bool]:
        """The audit as a file, how many entries it holds, and whether there are more than it may hold."""
        await self._administrators.require(actor, "audit")
        entries: list[AuditEntry] = []
        while len(entries) <= MOST_ENTRIES:
            last = entries[-1].id if entries else None
            found = await self._entries(chosen, last, 1_000)
            if not found:
                break
            entries += found
        kept = entries[:MOST_ENTRIES]
        log.info("audit_exported", entries=len(kept))
        return await asyncio.to_thread(audit_file, kept), len(kept), len(entries) > len(kept)

    async def _entries(self, chosen: AuditFilter, before: str | None, limit: int) -> Sequence[AuditEntry]:
        return await self._audits.list(
            self._administrators.workspace,
            actor=chosen.actor,
            owner=chosen.owner,
            act=chosen.act,
            since=chosen.begins,
            before=before,
            limit=limit,
        )


def _anybody(_: Facts) -> bool:
    """That they are an administrator was asked of Slack just now; they may suspend whatever the mailbox's facts are."""
    return True
