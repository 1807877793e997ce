"""Use case: look into a mailbox for its owner, who does not see their e-mail.

One connection test, counted like every other, and everything stored beside it. Changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import doctor
from bot.doctor import Counts, Facts
from bot.mail.turns import in_turns
from bot.slack.client import CLOSED_DM

if TYPE_CHECKING:
    from bot.mail.providers import Providers
    from bot.mailboxes import Checked, Registrar
    from bot.slack.views.values import Progress, Report
    from storage.messages import Messages
    from storage.outbox import Outbox
    from storage.records import Mailbox, Person


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found: the test, and the facts from which `doctor.causes` follow."""

    report: Report
    facts: Facts


class Examiner:
    """Examines mailboxes."""

    def __init__(
        self, registrar: Registrar, messages: Messages, outbox: Outbox, providers: Providers
    ) -> None:
        self._registrar = registrar
        self._messages = messages
        self._outbox = outbox
        self._providers = providers

    async def examine(self, owner: Person, mailbox: Mailbox, progress: Progress) -> Examined:
        """Test a mailbox as it is stored, and gather what explains its quiet failures.

        Args:
            progress: the steps as they begin; whoever shows them reads it meanwhile.
        """
        passwords = await self._registrar.passwords(owner, mailbox.id)
        checked = await self._registrar.check(owner, mailbox.profile, passwords, progress)
        return Examined(checked.report, await self._facts(owner, mailbox.id, checked))

    async def _facts(self, owner: Person, mailbox_id: str, checked: Checked) -> Facts:
        mailbox = await self._registrar.get(owner, mailbox_id)  # as it is after the test
        others = [other for other, _ in await self._registrar.of(owner) if other.id != mailbox_id]
        waiting = (await self._outbox.waiting(owner)).get(mailbox_id, 0)
        held_until, error = await self._outbox.held(owner)
        tested, sending = checked.report.incoming, checked.report.outgoing
        return Facts(
            mailbox=mailbox,
            active=tuple(other for other in others if other.is_active),
            failed=tested.failed,
            is_busy=tested.is_busy,
            sends=sending.failed is None if sending else None,
            provider=self._providers.by_host(mailbox.profile.incoming.host),
            home=self._providers.by_address(mailbox.profile.address),
            counts=await self._counts(mailbox_id, checked) if tested.failed is None else None,
            waiting=waiting,
            held_until=held_until,
            is_closed=error in CLOSED_DM and waiting > 0,
        )

    async def _counts(self, mailbox_id: str, checked: Checked) -> Counts:
        seen = await self._messages.seen(mailbox_id)
        return await in_turns(doctor.counted_in_steps(checked.listing, seen))
