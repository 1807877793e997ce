"""The post of a mail that somebody sends: to whom, what it says, how far it is, and what can be done about it. Pure.

What was written, and what servers said, stands in plain text and rich text only; the one line of mrkdwn names a person.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from bot import sent
from bot.mail.content import Rendered
from bot.mail.text import clean, cut, one_line, units
from bot.slack import blocks, names
from storage.sending import OutgoingState, RecipientField, RecipientState, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from bot.slack.blocks import Block
    from storage.records import Mailbox, Person
    from storage.sending import Letter, Outgoing, Recipient

BODY_UNITS: Final = 2500
SUBJECT_UNITS: Final = 300
ADDRESS_UNITS: Final = 120
TEXT_UNITS: Final = 1800
FILES_UNITS: Final = 700
SNIPPET_UNITS: Final = 150
NAMED: Final = 5
"""Recipients that a line names; of the others it says how many."""

NO_SUBJECT: Final = "(no subject)"
CUT: Final = "Shortened here; all of it was sent."
CUT_WAITING: Final = "Shortened here; all of it is sent."
WRITTEN_ON: Final = " It was written on, and sent as another e-mail."
PURGED: Final = "Mailbox does not keep the text of this mail any more."

_FIELDS: Final = {RecipientField.TO: "To", RecipientField.CC: "Cc", RecipientField.BCC: "Bcc"}
_AGAIN: Final = frozenset(
    {Trouble.SERVER_UNFIT, Trouble.TOO_LONG, Trouble.NO_SERVER, Trouble.SENDER_REFUSED, Trouble.NOT_ALLOWED}
)
"""After these the same mail may go out once somebody has acted."""

_UNSURE: Final = (
    "It is not known whether the server took it: the connection ended before its answer. Mailbox does not send it again by "
    "itself. Ask the recipients, or look into the sent mail at your provider."
)
_UNSURE_LEFT: Final = "It is not known whether the server took it, and it is not sent again."
_SUSPENDED: Final = "Held: this mailbox is suspended. An administrator can say why and lift it."
_REPAIR: Final = ("Change outgoing password", names.OUTGOING_PASSWORD_BUTTON)

Element = dict[str, Any]


def post(outgoing: Outgoing, mailbox: Mailbox, reader: Person, *, plain: bool = False) -> Rendered:
    """What the post of a mail says now.

    Args:
        mailbox: as which it is sent.
        reader: in whose DM it stands: its sender, or the mailbox's owner.
        plain: text alone, since Slack took no blocks.
    """
    letter = outgoing.letter
    state = _state(outgoing, mailbox, reader)
    if plain:
        return Rendered(_text(letter, state), [])
    found: list[Block] = [_source(outgoing, mailbox, reader)]
    if letter is None:
        found.append(blocks.note(PURGED))
    else:
        found += _written(letter, is_sent=outgoing.state is OutgoingState.SENT)
    found.append(_rich({"type": "rich_text_section", "elements": state}))
    row = _row(outgoing, mailbox, reader)
    return Rendered(_notification(outgoing, mailbox, reader), [*found, *([_actions(row)] if row else [])])


def refused(mailbox: Mailbox) -> Rendered:
    """What an owner is told when the outgoing server refuses the password: once, until it is mended."""
    name = blocks.plain(mailbox.profile.name, 200)["text"]
    words = (
        f"The outgoing server of “{name}” refuses the user name or the password, so nothing is sent from it for now. What "
        "was written is kept and goes out once you have entered the right one. Receiving goes on."
    )
    row = blocks.buttons(mailbox.id, _REPAIR, ("Edit", names.EDIT_BUTTON))
    return Rendered(blocks.escaped_within(words, blocks.SECTION_UNITS), [blocks.sentence(words), row])


def mended(mailbox: Mailbox, waiting: int) -> Rendered:
    """What that post says once it is mended: there is nothing to be done any more.

    Args:
        waiting: how many mails are still to go out.
    """
    name = blocks.plain(mailbox.profile.name, 200)["text"]
    some = {0: "", 1: " 1 e-mail that waited is on its way."}
    words = f"✓ Sending from “{name}” works again." + some.get(
        waiting, f" {waiting:,} e-mails that waited are on their way, one after the other."
    )
    if mailbox.profile.outgoing is None:
        words = f"“{name}” only receives by now, so nothing is sent from it."
    return Rendered(blocks.escaped_within(words, blocks.SECTION_UNITS), [blocks.sentence(words)])


def is_news(outgoing: Outgoing) -> bool:
    """Whether a mail stands at a bad end about which its sender has done nothing yet; to be called back by oneself is none."""
    if outgoing.letter is None or outgoing.is_written_on:
        return False
    if outgoing.state is OutgoingState.SENT:
        return bool(_those(outgoing, RecipientState.REFUSED))
    if outgoing.state is OutgoingState.UNDONE:
        return outgoing.actor != outgoing.owner
    return outgoing.state is OutgoingState.FAILED or (
        outgoing.state is OutgoingState.UNKNOWN and not outgoing.is_left
    )


def news(outgoing: Outgoing) -> Rendered:
    """What its sender is told of a mail that came to a bad end; what can be done stands in the mail's own post."""
    subject = NO_SUBJECT if outgoing.letter is None else one_line(outgoing.letter.subject, SUBJECT_UNITS)
    about = f"Your e-mail “{subject or NO_SUBJECT}”"
    if outgoing.state is OutgoingState.SENT:
        words = f"{about} was sent, but not to {_reasons(_those(outgoing, RecipientState.REFUSED))}."
    elif outgoing.state is OutgoingState.UNKNOWN:
        words = (
            f"It is not known whether the server took {about[0].lower()}{about[1:]}, so it is not sent again by itself. "
            "Its post in this thread has the buttons to decide."
        )
    elif outgoing.state is OutgoingState.UNDONE:
        words = f"{about} is not sent: the owner of the mailbox called it back. You can write on from its post in this thread."
    else:
        words = f"{about} was not sent. {_said(outgoing)} Its post in this thread has what can be done."
    return Rendered(blocks.escaped_within(words, blocks.SECTION_UNITS), [blocks.sentence(words)])


# Whose it is and what was written


def _source(outgoing: Outgoing, mailbox: Mailbox, reader: Person) -> Block:
    address = blocks.plain(mailbox.profile.address)
    if outgoing.actor == outgoing.owner:
        # Not "Sent from": that it was sent is said below, once it is so.
        return blocks.context(blocks.plain(f"From {address['text']}"))
    acts = "answered" if outgoing.answers is not None else "wrote"
    if reader == outgoing.owner:
        # Of somebody who had everything erased no id is left.
        actor = "Somebody" if outgoing.letter is None else f"<@{outgoing.actor.user}>"
        words = f"{actor} {acts} as this mailbox:"
    else:
        words = f"You {'answer' if acts == 'answered' else 'write'} as a mailbox of <@{outgoing.owner.user}>:"
    return blocks.context({"type": "mrkdwn", "text": words, "verbatim": True}, address)


def _written(letter: Letter, *, is_sent: bool) -> Iterator[Block]:
    rows = [f"{_FIELDS[field]} {named}" for field in RecipientField if (named := _named(letter, field))]
    subject = one_line(letter.subject, SUBJECT_UNITS) or NO_SUBJECT
    head = [_words(f"{' · '.join(rows)}\n" if rows else ""), _words(subject, bold=True)]
    parts: list[Element] = [
        {"type": "rich_text_section", "elements": [each for each in head if each["text"]]}
    ]
    text = clean(letter.text).strip()
    shown = cut(text, BODY_UNITS)
    if shown:
        parts.append({"type": "rich_text_quote", "elements": [_words(shown)]})
    yield _rich(*parts)
    if units(text) > BODY_UNITS:
        yield blocks.note(CUT if is_sent else CUT_WAITING)
    if letter.files:
        count = "1 attachment" if len(letter.files) == 1 else f"{len(letter.files)} attachments"
        yield blocks.note(f"{count}: {', '.join(letter.files)}", FILES_UNITS)


def _named(letter: Letter, field: RecipientField) -> str:
    return _list([each for each in letter.recipients if each.field is field])


def _list(recipients: Sequence[Recipient]) -> str:
    shown = [one_line(each.address, ADDRESS_UNITS) for each in recipients[:NAMED]]
    rest = len(recipients) - len(shown)
    return f"{', '.join(shown)} and {rest} more" if rest else ", ".join(shown)


# How far it is


def _state(outgoing: Outgoing, mailbox: Mailbox, reader: Person) -> list[Element]:
    if outgoing.state is OutgoingState.WAITING:
        return _waiting(outgoing, mailbox)
    if outgoing.state is OutgoingState.SENT:
        return _sent(outgoing)
    if outgoing.state is OutgoingState.HELD:
        return [_words(_held(outgoing, mailbox, reader))]
    if outgoing.state is OutgoingState.UNKNOWN:
        return [_words(_UNSURE_LEFT if outgoing.is_left else _UNSURE)]
    if outgoing.state is OutgoingState.SENDING:
        return [_words("Sending…")]
    has_failed = outgoing.state is OutgoingState.FAILED
    said = f"Not sent. {_said(outgoing)}" if has_failed else "Not sent: it was undone."
    return [_words(f"{said}{_since(outgoing)}")]


def _since(outgoing: Outgoing) -> str:
    """What became of its form."""
    return WRITTEN_ON if outgoing.is_written_on else ""


def _waiting(outgoing: Outgoing, mailbox: Mailbox) -> list[Element]:
    if mailbox.suspension is not None:
        return [_words(_SUSPENDED)]
    if outgoing.due_at is None:
        return [_words("Will be sent in a moment.")]
    if outgoing.trouble is None:
        # What was held for long goes out one by one, so that it may take until tomorrow.
        is_late = outgoing.due_at - outgoing.created_at > timedelta(hours=1)
        return [_words("Will be sent at "), _time(outgoing.due_at, is_day_named=is_late), _words(".")]
    taken = _those(outgoing, RecipientState.TAKEN)
    before = f"Sent to {_list(taken)}. " if taken else ""
    refused = [each for each in _those(outgoing, RecipientState.OWED) if each.code]
    why = _said(outgoing)
    if refused and outgoing.trouble is Trouble.RECIPIENTS_REFUSED:
        why = f"{_reasons(refused)}."
    out = _those(outgoing, RecipientState.REFUSED)
    gone = f" Not to {_reasons(out)}." if out else ""
    return [
        _words(f"{before}Waiting. {why}{gone} Next try "),
        _time(outgoing.due_at, is_day_named=True),
        _words("."),
    ]


def _held(outgoing: Outgoing, mailbox: Mailbox, reader: Person) -> str:
    if mailbox.suspension is not None:
        return _SUSPENDED
    if reader == outgoing.owner:
        return "Held: the outgoing server refused the password of this mailbox. It goes out once you have changed it."
    return (
        "Held: the outgoing server refused the password of this mailbox. Its owner was told; it goes out once they have "
        "changed it."
    )


def _sent(outgoing: Outgoing) -> list[Element]:
    out = _those(outgoing, RecipientState.REFUSED)
    said = f"Sent, but not to {_reasons(out)}. The others have it" if out else "Sent"
    if outgoing.finished_at is None:
        return [_words(f"{said}.")]
    return [_words(f"{said} since " if out else f"{said} "), _time(outgoing.finished_at, is_day_named=True)]


def _those(outgoing: Outgoing, state: RecipientState) -> list[Recipient]:
    return (
        []
        if outgoing.letter is None
        else [each for each in outgoing.letter.recipients if each.state is state]
    )


def _reasons(recipients: Sequence[Recipient]) -> str:
    shown = [f"{one_line(each.address, ADDRESS_UNITS)}: {sent.reason(each)}" for each in recipients[:NAMED]]
    rest = len(recipients) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more" if rest else "")


def _said(outgoing: Outgoing) -> str:
    refused = _those(outgoing, RecipientState.REFUSED)
    if refused and outgoing.trouble is Trouble.RECIPIENTS_REFUSED and outgoing.state is OutgoingState.FAILED:
        return f"{_reasons(refused)}."
    said = "" if outgoing.letter is None else one_line(outgoing.letter.said, blocks.CONTEXT_UNITS)
    return said or (sent.TOO_LATE_SAID if outgoing.trouble is Trouble.TOO_LONG else "Something went wrong.")


# What can be done


def _row(outgoing: Outgoing, mailbox: Mailbox, reader: Person) -> list[Element]:
    """Undo is its owner's as well; writing on and deciding are its sender's alone."""
    is_actor = reader == outgoing.actor
    state, row = outgoing.state, list[Element]()
    if state is OutgoingState.HELD and reader == outgoing.owner and mailbox.suspension is None:
        row.append(_button(*_REPAIR, mailbox.id, is_first=True))
    if state in {OutgoingState.WAITING, OutgoingState.HELD} and not _those(outgoing, RecipientState.TAKEN):
        row.append(_button("Undo", names.OUTGOING_UNDO, outgoing.id))
    if not is_actor:
        return row
    if state is OutgoingState.UNKNOWN and not outgoing.is_left:
        row += [_again(outgoing.id), _button("Leave it", names.OUTGOING_LEAVE, outgoing.id)]
    if state is OutgoingState.FAILED and outgoing.trouble in _AGAIN and not _since(outgoing):
        row.append(_button("Send again", names.OUTGOING_AGAIN, outgoing.id))
    has_draft = outgoing.letter is not None and bool(outgoing.letter.draft)
    if state in {OutgoingState.FAILED, OutgoingState.UNDONE} and has_draft:
        # What was called back may have been written on and sent since: no button to press by the way.
        is_first = not row and state is OutgoingState.FAILED
        row.append(_button("Write on", names.OUTGOING_WRITE_ON, outgoing.id, is_first=is_first))
    return row


def _again(outgoing_id: str) -> Element:
    words = "The server may have taken it the first time. Then it arrives twice."
    confirm = {
        "title": blocks.plain("Send it again?", 100),
        "text": blocks.plain(words, 300),
        "confirm": blocks.plain("Send again", 30),
        "deny": blocks.plain("Do not", 30),
    }
    return _button("Send again", names.OUTGOING_AGAIN, outgoing_id) | {"confirm": confirm}


def _button(text: str, action_id: str, value: str, *, is_first: bool = False) -> Element:
    found = {"type": "button", "text": blocks.plain(text, 75), "action_id": action_id, "value": value}
    return found | ({"style": "primary"} if is_first else {})


def _actions(row: list[Element]) -> Block:
    return {"type": "actions", "elements": row}


# Pieces


def _rich(*elements: Element) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def _words(text: str, *, bold: bool = False) -> Element:
    return {"type": "text", "text": text} | ({"style": {"bold": True}} if bold else {})


def _time(time: datetime, *, is_day_named: bool = False) -> Element:
    """A time in the reader's own zone."""
    form = "{date_short_pretty} {time}" if is_day_named else "{time_secs}"
    fallback = time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC" if is_day_named else "%H:%M:%S UTC")
    return {"type": "date", "timestamp": int(time.timestamp()), "format": form, "fallback": fallback}


def _notification(outgoing: Outgoing, mailbox: Mailbox, reader: Person) -> str:
    """What a telephone shows, and all that is read out to whoever does not see: who writes to whom, and how far it is."""
    letter = outgoing.letter
    state = _state(outgoing, mailbox, reader)
    if outgoing.state is OutgoingState.WAITING and outgoing.trouble is None and mailbox.suspension is None:
        # A time of day would be that of another zone here.
        state = [_words("Will be sent in a moment.")]
    if letter is None:
        return _text(letter, state)
    whom = f"E-mail to {_list(letter.recipients)}"
    if reader == outgoing.owner != outgoing.actor:
        whom = (
            f"Somebody wrote as {blocks.plain(mailbox.profile.address)['text']} to {_list(letter.recipients)}"
        )
    snippet = one_line(letter.text, SNIPPET_UNITS)
    said = f"{_text(letter, state)} {blocks.escaped_within(snippet, blocks.TEXT_UNITS)}".rstrip()
    return f"{blocks.escaped_within(whom, FILES_UNITS)}. {said}"


def _text(letter: Letter | None, state: Sequence[Element]) -> str:
    """The subject, and how far it is."""
    subject = NO_SUBJECT if letter is None else one_line(letter.subject, SUBJECT_UNITS) or NO_SUBJECT
    said = "".join(each.get("text") or each.get("fallback", "") for each in state)
    return blocks.escaped_within(f"{subject}: {said}", TEXT_UNITS)
