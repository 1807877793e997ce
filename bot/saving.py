"""Use case part: a mail that was written, made into octets and saved, within the limits of its sender and mailbox.

Saving is all that happens here: whether and when it is sent is decided later, and by others.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from bot import calm, limits
from bot.addressed import envelope
from bot.errors import LocalProtocolError, TooOften
from bot.mail import compose, conversation, slack_text
from bot.mail.content import Address
from bot.mail.letters import Written
from bot.sending_errors import NotSendable
from storage.attempts import Full
from storage.errors import Changed, NotFound, NotPermitted
from storage.sending import Letter, NewOutgoing, RecipientField

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import tzinfo
    from typing import Any

    from bot.mail.content import Attachment
    from bot.sending_rights import Passage, SendingRights
    from bot.slack.mentions import Names
    from storage.attempts import Attempts
    from storage.outgoing import Outgoings
    from storage.records import Person
    from storage.sending import Outgoing, Recipient

log = structlog.get_logger(__name__)

TOO_LARGE: Final = "This mail is larger than 25 MB as it would be sent. Take an attachment out, or send a link to it instead."
WRITTEN_ON: Final = (
    "This was already sent from another window, so nothing was sent now; its post says how far it is. To send this as well, "
    "copy it into a new e-mail."
)
LARGE: Final = 256 * 1024
"""Octets of attachments from which composing leaves the event loop; a smaller mail takes some milliseconds."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail before it has a sender and an id.

    Attributes:
        to, cc, bcc: each address once over all three.
        text: a Slack `rich_text` block; None for no words.
        quote, calendar, references: as in `Written`.
        form: as it was filled in, opaque; "" for what no form made.
        instead: as in `NewOutgoing`.
    """

    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    subject: str
    text: Mapping[str, Any] | None
    quote: str = ""
    attachments: tuple[Attachment, ...] = ()
    references: tuple[str, ...] = ()
    calendar: str = ""
    form: str = ""
    is_signed: bool = True
    instead: str = ""

    def recipients(self) -> tuple[Recipient, ...]:
        """The envelope."""
        return envelope({
            RecipientField.TO: self.to,
            RecipientField.CC: self.cc,
            RecipientField.BCC: self.bcc,
        })  # fmt: skip


class Saving:
    """Saves mail that is to be sent.

    Args:
        names: who is called what.
        nudge: says that something is due.
    """

    def __init__(
        self,
        outgoings: Outgoings,
        attempts: Attempts,
        rights: SendingRights,
        names: Names,
        *,
        nudge: Callable[[], None] = lambda: None,
    ) -> None:
        self._outgoings = outgoings
        self._attempts = attempts
        self._rights = rights
        self._names = names
        self._nudge = nudge
        self._clock = rights.clock

    @asynccontextmanager
    async def room(self, actor: Person, mailbox_id: str, recipients: int) -> AsyncIterator[Room]:
        """Hold room for one mail while it is made; given back unless it is taken.

        Raises:
            TooOften: there is none.
        """
        now = self._clock()
        taken = await self._attempts.take(limits.sent_counts(actor, mailbox_id, recipients), now)
        if isinstance(taken, Full):
            until = max(taken.waits.values())
            kinds = {one.limit.kind for one in taken.waits}
            log.info("sending_refused", mailbox=mailbox_id, kinds=sorted(kinds))
            raise TooOften(until, ", ".join(sorted(kinds)), sentence=limits.sent_too_often(kinds, until, now))
        room = Room()
        try:
            yield room
        finally:
            if not room.is_taken:
                await self._attempts.give_back(tuple(taken.values()))

    async def save(self, passage: Passage, draft: Draft, form_id: str, room: Room) -> Outgoing:
        """Save a mail; the same form again gives the mail that it gave before.

        Raises:
            NotAllowed: by the facts of the transaction, its sender may not any more.
            NotSendable: it is too large, or what it was written on from was sent already.
        """
        written = await self._written(passage, draft)
        new = _new(passage, draft, written, form_id, await _composed(written))
        try:
            saved = await self._outgoings.save(
                new, self._clock(), passage.permits(self._clock), passage.source_permits(self._clock)
            )
        except (NotPermitted, NotFound):
            await self._rights.refuse(passage)
        except Changed as error:
            raise NotSendable({"text": WRITTEN_ON}, "written on already") from error
        is_new = saved.letter is None or saved.letter.message_id == written.message_id
        room.is_taken = is_new
        log.info(
            "mail_saved",
            outgoing=saved.id,
            mailbox=saved.mailbox_id,
            recipients=len(new.letter.recipients),
            octets=len(new.octets),
            is_own=saved.actor == saved.owner,
            is_new=is_new,
        )
        self._nudge()
        return saved

    async def _written(self, passage: Passage, draft: Draft) -> Written:
        """The mail under the name of the mailbox's owner, whoever of those who may writes it."""
        profile, owner = passage.mailbox.profile, passage.mailbox.owner
        name = profile.sender_name or await self._names.real_name(owner.user)
        return Written(
            sender=Address(name, profile.address),
            to=draft.to,
            cc=draft.cc,
            subject=draft.subject,
            text=draft.text,
            names=await self._names.of(draft.text),
            signature=profile.signature if draft.is_signed else "",
            quote=draft.quote,
            attachments=draft.attachments,
            references=draft.references,
            message_id=compose.new_message_id(profile.address, secrets.token_hex(16)),
            date=self._clock().astimezone(_zone(passage)),
            calendar=draft.calendar,
        )


class Room:
    """Room for one mail; `is_taken` once it was saved."""

    def __init__(self) -> None:
        self.is_taken = False


def _zone(passage: Passage) -> tzinfo:
    """The zone of an owner as far as it is known, for quiet hours and digests; nobody else's is told by their mail."""
    mailbox = passage.mailbox
    return calm.zone_of(mailbox.zone if passage.actor == mailbox.owner else None)


def _new(passage: Passage, draft: Draft, written: Written, form_id: str, octets: bytes) -> NewOutgoing:
    """What is saved of a mail."""
    profile = passage.mailbox.profile
    return NewOutgoing(
        mailbox_id=passage.mailbox.id,
        actor=passage.actor,
        form_id=form_id,
        answers=None if passage.message is None else passage.message.id,
        letter=_letter(passage, draft, written),
        octets=octets,
        clues=conversation.clues_of_sent(
            written.message_id,
            written.references,
            draft.subject,
            (each.address for each in (*draft.to, *draft.cc)),
            profile.address,
        ),
        undo=timedelta(seconds=profile.undo_seconds),
        instead=draft.instead,
    )


def _letter(passage: Passage, draft: Draft, written: Written) -> Letter:
    """What its sender sees of it again."""
    source = passage.source
    return Letter(
        message_id=written.message_id,
        sender=passage.mailbox.profile.address,
        recipients=draft.recipients(),
        subject=draft.subject,
        text=_plain(written),
        files=tuple(each.name for each in draft.attachments),
        draft=draft.form,
        source="" if source is None or source.message is None else source.message.id,
        is_source_own=source is not None and source.actor == source.mailbox.owner,
    )


def _plain(written: Written) -> str:
    return "" if written.text is None else slack_text.plain(written.text, written.names)


async def _composed(written: Written) -> bytes:
    """The octets of a mail; one that would be too large is not made first."""
    raw = sum(len(each.octets) for each in written.attachments)
    if raw * 4 // 3 > limits.ENCODED_OCTETS:
        raise NotSendable({"files": TOO_LARGE})
    try:
        if raw > LARGE:
            octets = await asyncio.to_thread(compose.compose, written)
        else:
            octets = compose.compose(written)
    except LocalProtocolError as error:
        raise NotSendable({}, error.detail) from error
    if len(octets) > limits.ENCODED_OCTETS:
        raise NotSendable({"files": TOO_LARGE})
    return octets
