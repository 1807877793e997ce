"""Use case: how somebody writes a mail, answers one, forwards one, calls one back, or answers an invitation.

Whether they may is found out afresh when a form is opened and once more when it is sent, there by the transaction that
saves the mail; a third time when it goes out, which happens elsewhere. What a form was shown with counts for nothing
when it comes back. Nothing here speaks to a mail server.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

import structlog

from bot import addressed
from bot.errors import NotKept, NotShown
from bot.filled import Checked, SendingSettings, Started
from bot.mail import answering
from bot.mail.content import Attachment
from bot.mail.letters import Answered, LetterKind
from bot.responding import Responding
from bot.saving import Draft
from bot.sending_errors import FilesUnfit, NothingToSendFrom, NotReopened, NotSendable
from bot.sending_rights import original_of, sender_of
from bot.slack.attachments import MOST_OCTETS, attachments_of
from storage.errors import NotFound, NotPermitted
from storage.records import Person
from storage.sending import NOT_SENT, OutgoingState, RecipientField

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from bot.filled import Filled, Sender
    from bot.kept import Kept
    from bot.mail.content import Address
    from bot.saving import Saving
    from bot.sending_rights import Passage, SendingRights
    from bot.slack.client import SlackClient
    from storage.mailboxes import Mailboxes
    from storage.outgoing import Outgoings
    from storage.records import Mailbox
    from storage.sending import Outgoing

log = structlog.get_logger(__name__)

PASSED_ON: Final = (
    "The attachments of the message are too large to be passed on. Leave them out, then send it again."
)
TOGETHER: Final = (
    "The attachments are larger than 18 MB together. Take some out, or do not pass on those of the message."
)

WRITTEN_ON: Final = "You wrote on from this already, and sent it: that e-mail has a post of its own."

WITH_FILES_AT_ONCE: Final = 4
"""Mails with attachments that are made at a time, one of each person: each is in memory several times over."""

_NEW: Final = answering.answered(LetterKind.NEW, None)
_ENDED_BADLY: Final = frozenset({OutgoingState.UNKNOWN, OutgoingState.FAILED})


class Sending:
    """What people do with mail that goes out."""

    def __init__(
        self,
        rights: SendingRights,
        saving: Saving,
        outgoings: Outgoings,
        mailboxes: Mailboxes,
        *,
        kept: Kept,
        slack: SlackClient,
    ) -> None:
        self._rights = rights
        self._saving = saving
        self._outgoings = outgoings
        self._mailboxes = mailboxes
        self._kept = kept
        self._slack = slack
        self._clock = rights.clock
        self._with_files = asyncio.Semaphore(WITH_FILES_AT_ONCE)
        self._turns = WeakValueDictionary[Person, asyncio.Lock]()
        self.respond = Responding(rights, saving, outgoings).respond

    # Opening a form

    async def senders(self, actor: Person) -> list[Sender]:
        """As whom somebody may write a new mail; see `SendingRights.senders`."""
        return await self._rights.senders(actor)

    async def started(
        self, actor: Person, kind: LetterKind, message_id: str | None, mailbox_id: str = ""
    ) -> Started:
        """A form to be opened.

        Args:
            message_id: of the message that is answered or forwarded.
            mailbox_id: as which to send; "" for that of the message, or else the first one that may.

        Raises:
            NotAllowed: they may not.
            NoOutgoingServer, Suspended: the mailbox does not send.
            NothingToSendFrom: there is none that could.
            NotKept: the message cannot be read any more.
        """
        if message_id is None or kind is LetterKind.NEW:
            return await self._new(actor, mailbox_id)
        passage, read = await self._rights.of_message(actor, message_id)
        original = original_of(read)
        answered = answering.answered(kind, original, (passage.mailbox.profile.address,))
        if mailbox_id not in {"", passage.mailbox.id}:
            passage = await self._rights.of_mailbox(actor, mailbox_id)
        sender, senders = await self._choice(passage)
        return Started(
            kind=kind,
            message_id=message_id,
            sender=sender,
            senders=senders,
            answered=answered,
            attachments=original.attachments if kind is LetterKind.FORWARD else (),
            new_domains=await self._new_domains(sender.mailbox_id, (*answered.to, *answered.cc)),
        )

    async def _new(self, actor: Person, mailbox_id: str) -> Started:
        passage = await self._rights.of_mailbox(actor, mailbox_id or await self._first(actor))
        return Started(LetterKind.NEW, None, *await self._choice(passage), _NEW)

    async def _first(self, actor: Person) -> str:
        """The mailbox that a new mail begins with."""
        senders = await self._rights.senders(actor)
        if not senders:
            raise NothingToSendFrom
        return senders[0].mailbox_id

    async def _choice(self, passage: Passage) -> tuple[Sender, tuple[Sender, ...]]:
        """As whom a form begins, and everybody as whom it could."""
        sender = sender_of(passage.mailbox, passage.actor)
        senders = await self._rights.senders(passage.actor)
        return sender, (sender, *(each for each in senders if each.mailbox_id != sender.mailbox_id))

    async def checked(  # noqa: PLR0917 - three fields of one form
        self, actor: Person, mailbox_id: str, to: str, cc: str, bcc: str, message_id: str | None = None
    ) -> Checked:
        """What is known of recipients while they are typed; nothing is refused.

        Args:
            message_id: of the message that is answered, where the form is about one.
        """
        addresses, faults = addressed.typed(to, cc, bcc)
        is_told = await self._rights.allows(actor, mailbox_id, message_id)
        everybody = [each for some in addresses.values() for each in some]
        new = await self._new_domains(mailbox_id, everybody) if is_told else frozenset[str]()
        return Checked(addressed.envelope(addresses), faults, new)

    async def _new_domains(self, mailbox_id: str, addresses: Collection[Address]) -> frozenset[str]:
        domains = {each.domain for each in addresses if each.domain}
        return frozenset(await self._outgoings.new_domains(mailbox_id, domains)) if domains else frozenset()

    # Saving

    async def save(self, actor: Person, filled: Filled, form_id: str) -> Outgoing:
        """Save a mail as it was filled in; the same form again is the same mail.

        Raises:
            NotAllowed: they may not, or not any more.
            NoOutgoingServer, Suspended: the mailbox does not send.
            NotSendable: what is wrong with it, by field.
            TooOften: enough was sent for now.
            FilesUnread: Slack does not give the attachments now.
            NotKept: the message cannot be read any more.
        """
        addresses = addressed.addresses_of(filled)
        passage, answered = await self._to_send(actor, filled)
        before = await self._outgoings.of_form(passage.mailbox.id, actor, form_id)
        if before is not None:
            return before
        everybody = [each.address for some in addresses.values() for each in some]
        passage = await self._rights.to(passage, everybody)
        async with (
            self._saving.room(actor, passage.mailbox.id, len(everybody)) as room,
            self._turn(actor, filled),
        ):
            draft = Draft(
                to=addresses[RecipientField.TO],
                cc=addresses[RecipientField.CC],
                bcc=addresses[RecipientField.BCC],
                subject=filled.subject,
                text=filled.text,
                quote=answered.quote if filled.quotes else "",
                attachments=await self._attachments(actor, filled),
                references=answered.references,
                form=filled.draft,
                instead=filled.instead,
            )
            return await self._saving.save(passage, draft, form_id, room)

    @asynccontextmanager
    async def _turn(self, actor: Person, filled: Filled) -> AsyncIterator[None]:
        """The turn of a mail with attachments; one without has it at once."""
        if not filled.file_ids and not (filled.kind is LetterKind.FORWARD and filled.passes_on):
            yield
            return
        turn = self._turns.setdefault(actor, asyncio.Lock())
        async with turn, self._with_files:
            yield

    async def _to_send(self, actor: Person, filled: Filled) -> tuple[Passage, Answered]:
        """The right to send it, and what it takes from the message it answers."""
        if filled.message_id is None or filled.kind is LetterKind.NEW:
            return await self._rights.of_mailbox(actor, filled.mailbox_id), _NEW
        passage, read = await self._rights.of_message(actor, filled.message_id)
        answered = answering.answered(filled.kind, original_of(read), (passage.mailbox.profile.address,))
        if filled.mailbox_id not in {"", passage.mailbox.id}:
            passage = replace(await self._rights.of_mailbox(actor, filled.mailbox_id), source=passage)
        return passage, answered

    async def _attachments(self, actor: Person, filled: Filled) -> tuple[Attachment, ...]:
        try:
            own = await attachments_of(self._slack, actor.user, filled.file_ids)
        except FilesUnfit as error:
            raise NotSendable({"files": error.sentence}, error.detail) from error
        if filled.kind is not LetterKind.FORWARD or not filled.passes_on or filled.message_id is None:
            return own
        together = (*own, *await self._passed_on(filled.message_id))
        if sum(len(each.octets) for each in together) > MOST_OCTETS:
            raise NotSendable({"files": TOGETHER})
        return together

    async def _passed_on(self, message_id: str) -> tuple[Attachment, ...]:
        """The attachments of the message that is forwarded; all of them or none."""
        try:
            read = await self._kept.files(message_id)
        except NotShown as error:
            raise NotSendable({"files": PASSED_ON}) from error
        if read is None:
            raise NotKept
        if read.left_out:
            raise NotSendable({"files": PASSED_ON})
        return tuple(Attachment(file.name, file.type, file.octets) for file in read.files)

    # What becomes of it

    async def undo(self, actor: Person, outgoing_id: str) -> Outgoing:
        """Call a mail back, where that still works; else it is given as it is.

        Raises:
            NoSuchOutgoing: it is gone, or neither theirs nor of their mailbox.
        """
        try:
            found = await self._outgoings.undo(actor, outgoing_id, self._clock())
        except NotFound:
            await self._rights.refuse_stranger(actor, outgoing_id)
        log.info("mail_undone", outgoing=found.id, state=found.state)
        return found

    async def send_again(self, actor: Person, outgoing_id: str) -> Outgoing:
        """Send a mail again that failed, or that nobody knows of whether it arrived, to those who have it not.

        Any other is given as it is.

        Raises:
            NoSuchOutgoing: as in `undo`.
            NotAllowed, NoOutgoingServer, Suspended, TooOften: as in `save`.
        """
        outgoing = await self._get(actor, outgoing_id)
        if outgoing.state not in _ENDED_BADLY or outgoing.is_written_on:
            return outgoing
        passage = await self._passage_of(actor, outgoing)
        addresses = () if outgoing.letter is None else outgoing.letter.addresses
        passage = await self._rights.to(passage, addresses)
        owed = max(1, len(addresses))
        async with self._saving.room(actor, outgoing.mailbox_id, owed) as room:
            now = self._clock()
            try:
                found = await self._outgoings.send_again(
                    actor,
                    outgoing_id,
                    now,
                    passage.permits(self._clock),
                    passage.source_permits(self._clock),
                )
            except (NotPermitted, NotFound):
                await self._rights.refuse(passage)
            room.is_taken = found.state in {OutgoingState.WAITING, OutgoingState.HELD}
        log.info("mail_sent_again", outgoing=found.id, state=found.state)
        return found

    async def _passage_of(self, actor: Person, outgoing: Outgoing) -> Passage:
        if outgoing.answers is not None:
            passage, _ = await self._rights.of_message(actor, outgoing.answers)
            return passage
        passage = await self._rights.of_mailbox(actor, outgoing.mailbox_id)
        letter = outgoing.letter
        # Whoever owns the mailbox that sends may not know the message; whether its writer still may is asked as it goes out.
        if letter is None or not letter.source or actor != outgoing.actor or letter.is_source_own:
            return passage
        source, _ = await self._rights.of_message(actor, letter.source)
        return replace(passage, source=source)

    async def leave(self, actor: Person, outgoing_id: str) -> Outgoing:
        """Let a mail rest of which nobody knows whether it arrived. Raises as `undo` does."""
        try:
            return await self._outgoings.leave(actor, outgoing_id, self._clock())
        except NotFound:
            await self._rights.refuse_stranger(actor, outgoing_id)

    async def opened_again(self, actor: Person, outgoing_id: str) -> Outgoing:
        """A mail that was called back or failed, for writing on: its `letter.draft` is the form as it was filled in.

        Raises:
            NoSuchOutgoing: it is gone, or somebody else wrote it.
            NotReopened: it was sent, or may be, or was written on already, or no form made it.
        """
        outgoing = await self._get(actor, outgoing_id)
        if outgoing.actor != actor:
            await self._rights.refuse_stranger(actor, outgoing_id)
        if outgoing.is_written_on:
            raise NotReopened(sentence=WRITTEN_ON)
        if outgoing.state not in NOT_SENT or outgoing.letter is None or not outgoing.letter.draft:
            raise NotReopened
        return outgoing

    async def _get(self, actor: Person, outgoing_id: str) -> Outgoing:
        try:
            return await self._outgoings.get(actor, outgoing_id)
        except NotFound:
            await self._rights.refuse_stranger(actor, outgoing_id)

    # Settings

    async def settings(self, actor: Person, mailbox_id: str) -> SendingSettings:
        """How a mailbox of somebody's own sends.

        Raises:
            NoSuchMailbox: it is gone, or somebody else's.
        """
        try:
            return _settings(await self._mailboxes.get(actor, mailbox_id))
        except NotFound:
            await self._rights.refuse_other(actor, mailbox_id)

    async def set_settings(
        self, actor: Person, mailbox_id: str, sender_name: str, signature: str, undo_seconds: int
    ) -> SendingSettings:
        """Change how a mailbox of somebody's own sends, from the next mail on.

        Raises:
            NoSuchMailbox: it is gone, or somebody else's.
            NotSendable: a name or a signature that no mail can have; by sender_name and signature.
        """
        addressed.check_settings(sender_name, signature, undo_seconds)
        try:
            changed = await self._mailboxes.set_sending(
                actor, mailbox_id, sender_name, signature, undo_seconds
            )
        except NotFound:
            await self._rights.refuse_other(actor, mailbox_id)
        log.info("sending_changed", mailbox=mailbox_id)
        return _settings(changed)


def _settings(mailbox: Mailbox) -> SendingSettings:
    profile = mailbox.profile
    return SendingSettings(
        mailbox.id, profile.address, profile.sender_name, profile.signature, profile.undo_seconds
    )
