"""Use case: what administrators see and do of mailboxes and audit. They read nobody's mail, nor its senders.

Every call decides afresh, by asking Slack, whether the person who acts is an administrator; a refusal is an audit entry.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

import structlog

from bot import granting
from bot.audit_file import MOST_ENTRIES, audit_file
from bot.errors import NoSuchMailbox, NotAllowed
from bot.slack.views.admin import MAILBOXES_A_PAGE, MailboxState
from bot.slack.views.admin.audit import ENTRIES_A_PAGE
from bot.slack.views.values import Receipt
from storage.errors import NotFound, NotPermitted
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
    from storage.sharing import Facts, Member
    from storage.surveys import Surveyed, Surveys
    from storage.suspension import Suspensions

log = structlog.get_logger(__name__)


class SetAbove(NotAllowed):
    """Somebody who ranks above the actor suspended the mailbox."""

    words = (
        "Somebody who ranks above you suspended this mailbox, so nothing was changed. Please ask them, or somebody of their "
        "rank, to lift it."
    )


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
        member = await self._administrators.require(actor, "mailboxes")
        total = (await self._surveys.counts(self._administrators.workspace)).mailboxes
        last = max(0, (total - 1) // MAILBOXES_A_PAGE)
        page = min(max(page, 0), last)
        found = await self._surveys.page(
            self._administrators.workspace, page * MAILBOXES_A_PAGE, MAILBOXES_A_PAGE
        )
        return [self._state(each, member) for each in found], page, total

    def _state(self, found: Surveyed, member: Member) -> MailboxState:
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
            is_liftable=granting.may_lift(member, found.suspended_rank),
        )

    async def suspend(self, actor: Person, mailbox_id: str) -> MailboxState:
        """Stop a mailbox until an administrator lifts it; as it is then."""
        return await self._switch(actor, mailbox_id, is_suspended=True)

    async def lift(self, actor: Person, mailbox_id: str) -> MailboxState:
        """End what administrators set; what comes of the owner's role or account ends with its cause.

        Raises:
            SetAbove: one of them ranks above this one.
        """
        return await self._switch(actor, mailbox_id, is_suspended=False)

    async def _switch(self, actor: Person, mailbox_id: str, *, is_suspended: bool) -> MailboxState:
        subject = f"mailbox:{mailbox_id}"
        member = await self._administrators.require(actor, subject)
        place, now, store = (self._administrators.workspace, mailbox_id), self._clock(), self._suspensions
        try:
            if is_suspended:
                rank = member.role.rank if member.role else 0
                await store.suspend(*place, Suspension.ADMINISTRATOR, actor, now, _anybody, rank)
            else:
                may = granting.may_lift
                await store.lift(*place, actor, now, lambda facts: may(member, facts.suspended_rank))
        except NotFound as error:
            raise NoSuchMailbox from error
        except NotPermitted as error:
            await self._administrators.refuse(actor, subject, "suspended", "lifted")
            raise SetAbove("suspended by a higher rank") from error
        log.info("mailbox_suspended" if is_suspended else "mailbox_lifted", mailbox=mailbox_id)
        return self._state(await self._one(mailbox_id), member)

    async def held(self, actor: Person, mailbox_id: str) -> tuple[MailboxState, Holding]:
        """What would go with a mailbox."""
        member = await self._administrators.require(actor, f"mailbox:{mailbox_id}")
        found = await self._one(mailbox_id)
        try:
            return self._state(found, member), await self._holdings.count(found.mailbox.owner, mailbox_id)
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
            held = await self._holdings.remove(owner, mailbox_id, now, entry)
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
