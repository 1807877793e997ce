"""What came of a mail's form: it is being saved, it is saved and may be undone, it cannot be sent; and how a mailbox sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.filled import NAME_CHARACTERS, SIGNATURE_CHARACTERS, UNDO_SECONDS
from bot.mail import slack_text
from bot.mail.special import Answer as Part
from bot.slack import names, send_names
from bot.slack.views.fields import fitting, select, text_input
from bot.slack.views.share_fields import input_block
from bot.slack.views.words import (
    Answer,
    Block,
    View,
    actions,
    answer,
    button,
    context,
    literal,
    modal,
    mrkdwn,
    pieces,
    plain,
    section,
    shown,
)
from storage.sending import OutgoingState

if TYPE_CHECKING:
    from datetime import datetime

    from bot.filled import SendingSettings
    from bot.slack.send_forms import Writing
    from storage.sending import Letter, Outgoing

_RESULT: Final = "What comes of it follows in our direct messages."
_NEVER: Final = "Nothing was sent."
_PART: Final = 2500
_PARTS_OF_A_VIEW: Final = 20
_PARTS_OF_A_POST: Final = 4
"""Slack refuses a message above some 12,000 characters."""

_STANDS: Final = {
    OutgoingState.SENDING: "it is being sent right now",
    OutgoingState.SENT: "the outgoing server has taken it",
    OutgoingState.UNKNOWN: "it went to the outgoing server, which did not say whether it took it",
    OutgoingState.FAILED: "it could not be sent",
    OutgoingState.UNDONE: "it was undone already",
}
_PARTS: Final = {
    Part.ACCEPTED: "You accept this invitation",
    Part.TENTATIVE: "You accept this invitation tentatively",
    Part.DECLINED: "You decline this invitation",
}
_UNDO: Final = {
    0: "Send at once",
    5: "5 seconds",
    10: "10 seconds",
    20: "20 seconds",
    30: "30 seconds",
}

_IN_PART: Final = "some of its recipients have it already, and it is sent to the others later"

ON_ITS_WAY_AGAIN: Final = "It is sent once more. What comes of it stands in its post."
LEFT: Final = "It stays as it is, and is not sent again."


def saving(title: str) -> View:
    """Shown in place of the form while the mail is saved."""
    blocks = [section(plain("Saving…")), context(plain(f"You may close this window. {_RESULT}"))]
    return modal(title, send_names.RESULT, blocks)


def saved(outgoing: Outgoing, now: datetime) -> View:
    """The mail is saved; until it is sent it can be undone."""
    blocks = [section(plain(_saved(outgoing, now)))]
    if outgoing.letter is not None:
        blocks.append(context(plain(_about(outgoing.letter), 1500)))
    blocks.append(context(plain(_RESULT)))
    is_held = outgoing.state is OutgoingState.HELD
    if is_held or (_is_waiting(outgoing) and outgoing.due_at is not None and outgoing.due_at > now):
        blocks.append(actions(button("Undo", names.OUTGOING_UNDO, outgoing.id)))
    return modal("Saved", send_names.RESULT, blocks, metadata=outgoing.id)


def _is_waiting(outgoing: Outgoing) -> bool:
    return outgoing.state in {OutgoingState.WAITING, OutgoingState.HELD}


def _saved(outgoing: Outgoing, now: datetime) -> str:
    if _is_waiting(outgoing):
        return f"✓ Saved. {_when(outgoing, now, 'It')}"
    stands = _STANDS[outgoing.state]
    return f"✓ Saved: {stands}."


def _when(outgoing: Outgoing, now: datetime, what: str) -> str:
    """When something is sent that waits."""
    if outgoing.state is OutgoingState.HELD:
        return f"{what} is sent once the outgoing password of its mailbox is changed."
    seconds = 0 if outgoing.due_at is None else round((outgoing.due_at - now).total_seconds())
    if seconds < 1:
        return f"{what} is being sent now."
    return f"{what} will be sent in {'1 second' if seconds == 1 else f'{seconds} seconds'}."


def _about(letter: Letter) -> str:
    """To whom and about what."""
    whom = [recipient.address for recipient in letter.recipients]
    named = ", ".join(whom[:5]) + (f" and {len(whom) - 5:,} more" if len(whom) > 5 else "")
    return f"To {named}: {letter.subject or '(no subject)'}"


def too_late(outgoing: Outgoing) -> View:
    """It cannot be undone any more, or is already."""
    is_gone = outgoing.state not in {OutgoingState.FAILED, OutgoingState.UNDONE}
    stands = _STANDS.get(outgoing.state, _IN_PART)
    words = f"{'It is too late to undo this' if is_gone else 'There is nothing to undo'}: {stands}."
    blocks = [section(plain(words)), context(plain(_RESULT))]
    return modal("Undo", send_names.RESULT, blocks, metadata=outgoing.id)


def sent_again(outgoing: Outgoing) -> str:
    """What is said to “Send again”, also where somebody was quicker, on another device or as another."""
    if outgoing.state in {OutgoingState.WAITING, OutgoingState.HELD, OutgoingState.SENDING}:
        return ON_ITS_WAY_AGAIN
    if outgoing.is_written_on:
        return "It is not sent again: you wrote on from it, and sent that."
    return f"It is not sent again: {_STANDS[outgoing.state]}."


def left(outgoing: Outgoing) -> str:
    """What is said to “Leave it”; the same."""
    if outgoing.state is OutgoingState.UNKNOWN:
        return LEFT
    return f"There is nothing to leave any more: {_STANDS.get(outgoing.state, 'it is sent once more')}."


def undone_view(outgoing_id: str, *, is_own: bool) -> View:
    """It is called back, and there is no form of it for this person to write on."""
    words = "Undone: it is not sent."
    if not is_own:
        words += " Whoever wrote it can write on from its post."
    return modal("Undo", send_names.RESULT, [section(plain(words))], metadata=outgoing_id)


def undone() -> str:
    """What the form says that comes back after “Undo”."""
    return "Undone: it is not sent. Here is what you wrote; change it and send it, or close this."


def not_saved(sentence: str) -> str:
    """What the form says that comes back because something was in the way."""
    return f"✗ {sentence} What you wrote is still here, files included."


def refused(sentence: str, writing: Writing) -> View:
    """It cannot be sent at all; what was written stays in sight, so that it can be copied."""
    return modal("Not sent", names.RESULT, [section(plain(f"✗ {sentence} {_NEVER}")), *_copied(writing)])


def told_not_sent(sentence: str, writing: Writing) -> Answer:
    """The same in the DM, for somebody who closed the form before its answer was there."""
    words = f"✗ Your e-mail was not sent. {literal(sentence, 500)}"
    return answer(words, [section(mrkdwn(words)), *_copied(writing, most=_PARTS_OF_A_POST)])


def _copied(writing: Writing, most: int = _PARTS_OF_A_VIEW) -> list[Block]:
    """What was written, in plain words: it may mention people, who are not to hear of it."""
    text = f"{_head(writing)}\n\n{slack_text.plain(writing.text, {})}".strip()
    if not text:
        return []
    parts = list(pieces(text, _PART))
    found = [
        context(plain("What you wrote, to be copied:")),
        *(section(plain(part)) for part in parts[:most]),
    ]
    return [*found, context(plain("The rest is too long for this."))] if len(parts) > most else found


def _head(writing: Writing) -> str:
    """To whom, about what and with which files."""
    files = ", ".join(name or "a file" for _, name in writing.files)
    fields = {
        "To": writing.to,
        "Cc": writing.cc,
        "Bcc": writing.bcc,
        "Subject": writing.subject,
        "Files": files,
    }
    return "\n".join(f"{label}: {text.strip()}" for label, text in fields.items() if text.strip())


def nothing_to_send_from(*, called: str = "") -> View:
    """Somebody has no mailbox to send from."""
    blocks = [
        section(plain("You have no mailbox to send from yet.")),
        section(
            mrkdwn(
                "Add one with an outgoing server, or give yours one with Edit. Somebody else's can be used when they "
                "share it at the level “Reply”."
            )
        ),
        actions(
            button("Add mailbox", names.OPEN_ADD, style="primary"), button("My mailboxes", names.OPEN_LIST)
        ),
    ]
    if called:
        blocks.insert(0, section(plain(f"There is no mailbox “{called}” that you can send from.", 400)))
    return modal("New e-mail", names.RESULT, blocks)


def only_receives(mailbox_id: str, owner: str, *, is_own: bool) -> View:
    """The mailbox of a message has no outgoing server."""
    said = "This mailbox only receives: it has no outgoing server, so nothing can be sent from it."
    if is_own:
        blocks = [
            section(plain(said)),
            section(plain("Give it one with Edit; then answer again.")),
            actions(button("Edit", names.EDIT_BUTTON, mailbox_id, style="primary")),
        ]
    else:
        whom = f"<@{owner}>" if owner else "its owner"
        blocks = [section(plain(said)), section(mrkdwn(f"Ask {whom} to give it one."))]
    return modal("Only receives", names.RESULT, blocks)


def unknown_sender(called: str) -> str:
    """What a form says that begins with another mailbox than the one that was named."""
    return f"There is no mailbox “{shown(called)[:200]}” that you can send from. Choose under From."


# Invitations


def responded(part: Part, outgoing: Outgoing, now: datetime) -> Answer:
    """The answer to an invitation is on its way."""
    if not _is_waiting(outgoing):
        return answer(f"✓ {_PARTS[part]}. Its organiser was told so already.")
    text = f"✓ {_PARTS[part]}. {_when(outgoing, now, 'Your answer')} What comes of it follows in the thread of this message."
    return answer(text, [section(mrkdwn(text)), actions(button("Undo", names.OUTGOING_UNDO, outgoing.id))])


# How a mailbox sends


def sending_form(settings: SendingSettings) -> View:
    """The name that recipients see, the signature, and the time to undo."""
    undo = str(settings.undo_seconds)
    choices = tuple((_UNDO[seconds], str(seconds)) for seconds in UNDO_SECONDS)
    blocks = [
        section(plain(f"How {settings.address} sends", 400)),
        input_block(
            send_names.SENDER_NAME,
            "Name that recipients see",
            text_input(settings.sender_name, longest=NAME_CHARACTERS, placeholder="Marta Ruiz"),
            hint="It stands before the address. Left empty, it is your name in Slack.",
            optional=True,
        ),
        input_block(
            send_names.SIGNATURE,
            "Signature",
            _signature(settings.signature),
            hint="Plain text, added below every e-mail from this mailbox.",
            optional=True,
        ),
        input_block(
            send_names.UNDO_SECONDS,
            "Time to undo",
            select(choices, undo),
            hint="So long an e-mail waits before it is sent, and can be called back.",
        ),
    ]
    return modal(
        "Sending", send_names.SETTINGS, blocks, submit="Save", close="Cancel", metadata=settings.mailbox_id
    )


def _signature(signature: str) -> dict[str, Any]:
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "multiline": True,
        "max_length": SIGNATURE_CHARACTERS,
        "placeholder": plain("Marta Ruiz\nExample Ltd", 150),
    }
    text = fitting(shown(signature), SIGNATURE_CHARACTERS)
    return {**element, "initial_value": text} if text else element


def sending_saved(settings: SendingSettings) -> View:
    """The settings are stored."""
    name = f"as “{settings.sender_name}”" if settings.sender_name else "under your name in Slack"
    signature = "with its signature" if settings.signature else "without a signature"
    wait = "at once" if settings.undo_seconds == 0 else f"after {settings.undo_seconds} seconds"
    words = f"✓ Saved. From now on {settings.address} sends {name}, {signature}, {wait}."
    return modal("Sending", names.RESULT, [section(plain(words))])
