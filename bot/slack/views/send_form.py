"""The form of a mail: from whom, to whom, about what, the words, the files, and what is added below them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot import limits
from bot.filled import SUBJECT_CHARACTERS
from bot.mail.letters import LetterKind
from bot.mail.text import one_line
from bot.mail.unread import unread
from bot.slack import names, send_names
from bot.slack.blocks import size
from bot.slack.send_forms import (
    FIELD_LIMIT,
    FILE_NAME_LIMIT,
    MOST_FILES,
    says_something,
)
from bot.slack.views.fields import text_input
from bot.slack.views.share_fields import input_block
from bot.slack.views.words import (
    BUTTON_LIMIT,
    Block,
    View,
    context,
    modal,
    mrkdwn,
    option,
    plain,
    section,
    shortened,
)
from storage.sending import RecipientField

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bot.filled import Checked, Sender, Started
    from bot.slack.send_forms import Writing

TITLES: Final = {
    LetterKind.NEW: "New e-mail",
    LetterKind.REPLY: "Reply",
    LetterKind.REPLY_ALL: "Reply to all",
    LetterKind.FORWARD: "Forward",
}
MOST_SENDERS: Final = 100
MOST_DOMAINS: Final = 5
_NAME_UNITS: Final = 22
_QUOTE_UNITS: Final = 700
_MORE_UNITS: Final = 40
_QUOTE_LINES: Final = 12
_SIGNATURE_UNITS: Final = 1200

_AUTOMATIC: Final = "⚠ A program sent this message, so the answer goes to nobody yet. Enter whom to write to."
_SEVERAL: Final = "Put commas between several addresses."
_NO_FILES: Final = "Files cannot be attached here yet: an administrator has to allow Mailbox to read files, with the newest app manifest."
_NO_SIGNATURE: Final = "No signature is added. “Sending” in `/mailbox list` sets one."
_NO_SIGNATURE_SHARED: Final = "No signature is added: the owner of this mailbox has set none."
_FIELDS: Final = {RecipientField.TO: "To", RecipientField.CC: "Cc", RecipientField.BCC: "Bcc"}


def send_form(started: Started, writing: Writing, *, said: str = "", checked: Checked | None = None) -> View:
    """The form, with what was written before.

    Args:
        said: what is in the way, or what came of it; a sentence that is not escaped.
        checked: what is known of the recipients in it; None for a form that nobody has touched.
    """
    sender = sender_of(started.senders, writing.mailbox_id) or started.sender
    blocks = [section(plain(said), block_id=send_names.SAID)] if said else []
    blocks += [*_from(started.senders, sender), *_recipients(writing)]
    blocks.append(_first_check(started, writing) if checked is None else check_block(checked))
    blocks.append(
        input_block(
            send_names.SUBJECT,
            "Subject",
            text_input(writing.subject, longest=SUBJECT_CHARACTERS),
            optional=True,
        )
    )
    blocks.append(input_block(send_names.TEXT, "Text", _text(writing), optional=True))
    blocks += _files(writing)
    blocks.append(signature_block(sender))
    blocks += _original(started, writing)
    return modal(
        TITLES[started.kind],
        send_names.FORM,
        blocks,
        submit="Send",
        close="Cancel",
        metadata=writing.metadata(),
    )


def sender_of(senders: Sequence[Sender], mailbox_id: str) -> Sender | None:
    """The one of these mailboxes that has this id."""
    return next((each for each in senders if each.mailbox_id == mailbox_id), None)


# From


def _from(senders: Sequence[Sender], sender: Sender) -> list[Block]:
    """The choice between several, and how recipients see the one that is chosen."""
    if len(senders) < 2:
        return [sender_block(sender)]
    options = [_sender(each) for each in _first(senders, sender)]
    chosen = next(each for each in options if each["value"] == sender.mailbox_id)
    element = {"type": "static_select", "options": options, "initial_option": chosen}
    return [
        input_block(send_names.FROM, "From", element, dispatches=True, sends=send_names.SENDER_CHOSEN),
        sender_block(sender),
    ]


def _first(senders: Sequence[Sender], sender: Sender) -> Sequence[Sender]:
    """As many as a select holds, the chosen one among them."""
    some = senders[:MOST_SENDERS]
    return some if sender in some else [sender, *some[:-1]]


def _sender(sender: Sender) -> dict[str, Any]:
    found = option(f"{sender.name} <{sender.address}>", sender.mailbox_id)
    return found if sender.is_own else {**found, "description": plain("Shared with you", BUTTON_LIMIT)}


def sender_block(sender: Sender) -> Block:
    """How recipients see who sends, and whose mailbox it is; without a name of its own that of its owner in Slack."""
    if sender.sender_name:
        texts = [plain(f"Sent as {sender.sender_name} <{sender.address}>", 500)]
    else:
        texts = [mrkdwn(f"Sent as <@{sender.owner}>"), plain(sender.address, 400)]
    if not sender.is_own:
        texts.append(mrkdwn(f"Shared by <@{sender.owner}>, who sees what you send from it."))
    return {**context(*texts), "block_id": send_names.SENDER}


def no_sender_block(sentence: str) -> Block:
    """The mailbox that was chosen cannot be sent from."""
    return {**context(plain(f"✗ {sentence}")), "block_id": send_names.SENDER}


def signature_block(sender: Sender) -> Block:
    """What is added below the words."""
    if sender.signature:
        words = plain(f"Added below your text:\n{sender.signature}", _SIGNATURE_UNITS)
    else:
        words = mrkdwn(_NO_SIGNATURE) if sender.is_own else plain(_NO_SIGNATURE_SHARED)
    return {**context(words), "block_id": send_names.SIGNED}


# To whom


def _recipients(writing: Writing) -> list[Block]:
    found = []
    for name, label, text in (
        (send_names.TO, "To", writing.to),
        (send_names.CC, "Cc", writing.cc),
        (send_names.BCC, "Bcc", writing.bcc),
    ):
        element = {
            **text_input(text, longest=FIELD_LIMIT),
            "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]},
        }
        is_first = name == send_names.TO
        if is_first and not text:
            element["placeholder"] = plain("name@example.org", 150)
        found.append(
            input_block(
                name,
                label,
                element,
                optional=True,  # one of the three is enough; that none is filled in is said at the first
                dispatches=True,
                sends=send_names.RECIPIENTS_TYPED,
            )
        )
    return found


def _first_check(started: Started, writing: Writing) -> Block:
    """What is known of the recipients before anybody types."""
    count = len(started.answered.to) + len(started.answered.cc) - writing.left_out
    whom = [each.address for each in (*started.answered.to, *started.answered.cc)]
    found = checked_block(
        count, new_domains=started.new_domains, left_out=writing.left_out, unread=unread(whom)
    )
    is_answer = started.kind in {LetterKind.REPLY, LetterKind.REPLY_ALL}
    if is_answer and started.answered.is_automatic and not count:
        return {**found, "elements": [plain(_AUTOMATIC), *found["elements"]]}
    return found


def checked_block(
    count: int,
    faults: Mapping[RecipientField, str] | None = None,
    new_domains: Collection[str] = (),
    *,
    left_out: int = 0,
    unread: Sequence[str] = (),
) -> Block:
    """What is known of the recipients: how many they are, what cannot be read, whom nobody wrote to before, who reads nothing."""
    lines = [f"✗ {_FIELDS[field]}: {sentence}" for field, sentence in (faults or {}).items()]
    if count > limits.RECIPIENTS:
        lines.append(
            f"✗ {count:,} recipients: an e-mail can go to {limits.RECIPIENTS} at most. Take some out."
        )
    elif count:
        lines.append("1 recipient." if count == 1 else f"{count:,} recipients.")
    elif not lines:
        lines.append(_SEVERAL)
    if left_out:
        lines.append(f"⚠ {left_out:,} more recipients of the original do not fit here and are left out.")
    if new_domains:
        lines.append(f"⚠ First e-mail from this mailbox to {_domains(new_domains)}: check the spelling.")
    if unread:
        lines.append(_unread(unread))
    return {**context(*(plain(line, 700) for line in lines)), "block_id": send_names.CHECKED}


def _unread(addresses: Sequence[str]) -> str:
    more = len(addresses) - 1
    said = (
        "says that it does not read answers"
        if not more
        else f"and {more:,} more say that they do not read answers"
    )
    return f"⚠ {addresses[0][:200]} {said}."


def check_block(checked: Checked) -> Block:
    """The same of what was checked."""
    whom = (each.address for each in checked.recipients)
    return checked_block(checked.count, checked.faults, checked.new_domains, unread=unread(whom))


def _domains(found: Collection[str]) -> str:
    some = sorted(found)
    more = len(some) - MOST_DOMAINS
    words = ", ".join(each[:120] for each in some[:MOST_DOMAINS])
    return f"{words} and {more:,} more" if more > 0 else words


# What


def _text(writing: Writing) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "rich_text_input"}
    # Slack takes no rich text without an element.
    return {**element, "initial_value": writing.text} if says_something(writing.text) else element


def _files(writing: Writing) -> list[Block]:
    """The files of before, each with a tick, and the field for more."""
    found = []
    if writing.files:
        options = [option(name[:FILE_NAME_LIMIT] or "A file", file_id) for file_id, name in _once(writing)]
        boxes = {"type": "checkboxes", "options": options, "initial_options": options}
        hint = "A file without its tick is left out."
        found.append(input_block(send_names.KEPT, "Attached before", boxes, optional=True, hint=hint))
    element = {"type": "file_input", "max_files": MOST_FILES}
    hint = "Up to 10 files of at most 10 MB each, and 18 MB together."
    return [*found, input_block(send_names.FILES, "Attachments", element, optional=True, hint=hint)]


def _once(writing: Writing) -> list[tuple[str, str]]:
    return list(dict(writing.files).items())[:MOST_FILES]


def _original(started: Started, writing: Writing) -> list[Block]:
    """What of the answered or forwarded message goes along."""
    found = []
    if started.kind is LetterKind.FORWARD and started.attachments:
        box = option(pass_on_words(started.attachments), names.YES)
        # Each with its share of the line: one long name is not to hide the others.
        longest = max(_NAME_UNITS, BUTTON_LIMIT // len(started.attachments) - 2)
        named = ", ".join(one_line(name, longest) for name, _ in started.attachments)
        box["description"] = plain(named, BUTTON_LIMIT)
        found.append(_tick(send_names.PASSES_ON, "Attachments of the original", box, writing.passes_on))
    if not started.answered.quote:
        return found
    if started.kind is not LetterKind.FORWARD:
        box = option("Quote the original below", names.YES)
        found.append(_tick(send_names.QUOTES, "Original", box, writing.quotes))
    return [*found, context(plain(_folded(started.answered.quote), _QUOTE_UNITS + _MORE_UNITS))]


def pass_on_words(attachments: Sequence[tuple[str, int]]) -> str:
    """How many there are, and how large they are together."""
    octets = size(sum(octets for _, octets in attachments))
    if len(attachments) == 1:
        return f"Pass on its attachment ({octets})"
    return f"Pass on its {len(attachments):,} attachments ({octets})"


def _folded(quote: str) -> str:
    """Its beginning, and how much more of it goes along."""
    lines = quote.strip().splitlines()
    kept = lines[:_QUOTE_LINES]
    while len(kept) > 1 and shortened(words := "\n".join(kept), _QUOTE_UNITS) != words:
        kept.pop()
    more = len(lines) - len(kept)
    if not more:
        return "\n".join(kept)
    return "\n".join([*kept, "… and 1 more line" if more == 1 else f"… and {more:,} more lines"])


def _tick(block_id: str, label: str, box: dict[str, Any], ticked: bool) -> Block:  # noqa: FBT001 - as it stands
    element: dict[str, Any] = {"type": "checkboxes", "options": [box]}
    if ticked:
        element["initial_options"] = [box]
    return input_block(block_id, label, element, optional=True)


# Drawing a part anew


def put(blocks: Sequence[Block], *parts: Block) -> list[Block]:
    """The blocks of a form with some of them in the place of those of the same block id; the rest as it stands."""
    fresh = {part["block_id"]: part for part in parts}
    return [fresh.get(block.get("block_id", ""), block) for block in blocks]


def without_files(view: View) -> View:
    """The form where Slack does not let this app take files."""
    return {
        **view,
        "blocks": put(view["blocks"], {**context(plain(_NO_FILES)), "block_id": send_names.FILES}),
    }


def as_sent(view: Mapping[str, Any], blocks: Sequence[Block]) -> View:
    """A view of Slack's payload as it can be sent back, with these blocks."""
    kept = ("type", "callback_id", "title", "submit", "close", "private_metadata")
    return {**{key: view[key] for key in kept if view.get(key) is not None}, "blocks": list(blocks)}
