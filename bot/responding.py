"""Use case part: how somebody answers an invitation, by a mail to its organizer alone.

The event is looked for in the message itself each time: what a button says only tells which one is meant.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from bot.filled import SUBJECT_CHARACTERS
from bot.mail import answering, itip, recipients
from bot.mail.content import Address
from bot.mail.letters import LetterKind
from bot.mail.special import Answer
from bot.saving import Draft
from bot.sending_errors import NotInvited
from bot.sending_rights import original_of
from storage.sending import NOT_SENT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bot.mail.content import Rendered
    from bot.mail.letters import Invited
    from bot.saving import Saving
    from bot.sending_rights import Passage, SendingRights
    from storage.outgoing import Outgoings
    from storage.records import Person
    from storage.sending import Outgoing

_ANSWERS: Final = {
    Answer.ACCEPTED: "Accepted",
    Answer.TENTATIVE: "Tentative",
    Answer.DECLINED: "Declined",
}


class Responding:
    """Answers invitations."""

    def __init__(self, rights: SendingRights, saving: Saving, outgoings: Outgoings) -> None:
        self._rights = rights
        self._saving = saving
        self._outgoings = outgoings
        self._clock = rights.clock

    async def respond(self, actor: Person, message_id: str, uid: str, part: Answer) -> Outgoing:
        """Answer an invitation; the same answer twice in a row is one mail.

        Args:
            uid: of the event; it is looked for in the message itself.
            part: ACCEPTED, TENTATIVE or DECLINED.

        Raises:
            NotAllowed, NoOutgoingServer, Suspended, TooOften: as in `save`.
            NotInvited: the mailbox is not invited, or there is nobody to answer.
            NotKept: the message cannot be read any more.
        """
        passage, read = await self._rights.of_message(actor, message_id)
        original = original_of(read)
        invited = _invited(read, uid)
        organiser = recipients.sound(Address(invited.organiser_name, invited.organiser))
        if organiser is None or part not in _ANSWERS:
            raise NotInvited
        passage = await self._rights.to(passage, [organiser.address])
        answered = answering.answered(LetterKind.REPLY, original, (passage.mailbox.profile.address,))
        draft = Draft(
            to=(organiser,),
            cc=(),
            bcc=(),
            subject=f"{_ANSWERS[part]}: {invited.title}"[:SUBJECT_CHARACTERS],
            text=_words(f"{_ANSWERS[part]}: {invited.title}"),
            references=answered.references,
            calendar=itip.reply(invited, part, self._clock()),
            is_signed=False,
        )
        form_id, before = await self._form_of(passage, message_id, uid, part)
        async with self._saving.room(actor, passage.mailbox.id, 1) as room:
            saved = await self._saving.save(passage, draft, form_id, room)
        await self._call_back(passage, before)
        return saved

    async def _call_back(self, passage: Passage, form_id: str) -> None:
        """Whoever changed their mind in time is not heard twice; an answer that is on its way already stays sent."""
        last = await self._outgoings.of_form(passage.mailbox.id, passage.actor, form_id) if form_id else None
        if last is not None:
            await self._outgoings.undo(passage.actor, last.id, self._clock())

    async def _form_of(self, passage: Passage, message_id: str, uid: str, part: Answer) -> tuple[str, str]:
        """The form that an answer counts as: the last one while it says the same and was not called back.

        Returns:
            Its id, and that of the answer it takes the place of, "" for none.
        """
        event = hashlib.sha256(f"{message_id}\n{uid}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        prefix = f"rsvp:{event}:"
        last = await self._outgoings.latest_form(passage.mailbox.id, passage.actor, prefix)
        if last is None:
            return f"{prefix}1:{part.value}", ""
        form_id, state = last
        number, _, said = form_id.removeprefix(prefix).partition(":")
        if said == part.value and state not in NOT_SENT:
            return form_id, ""
        return f"{prefix}{int(number) + 1}:{part.value}", form_id


def _invited(read: Rendered | None, uid: str) -> Invited:
    """The invitation of the message to one of its own mailbox's addresses."""
    invitations = () if read is None else read.invited
    found = next((each for each in invitations if each.uid == uid and each.attendee), None)
    if found is None:
        raise NotInvited
    return found


def _words(text: str) -> Mapping[str, Any]:
    """Plain words as a form would have them."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}
