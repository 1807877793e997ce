"""The form of a mail: view state to a draft, a draft to what is sent, or errors by block id. Pure.

The view's metadata holds ids alone. Slack takes no files back into a field for files: those that were chosen before are
boxes with a tick, one for each, whose values are Slack's ids of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from bot.filled import NAME_CHARACTERS, SIGNATURE_CHARACTERS, SUBJECT_CHARACTERS, UNDO_SECONDS, Filled
from bot.mail import recipients
from bot.mail.letters import LetterKind
from bot.mail.text import units
from bot.slack import names, send_names
from bot.slack.checks import OWN_LINE, has_controls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.filled import Started
    from bot.mail.content import Address

Errors = dict[str, str]
"""A sentence by the block id of the field it belongs to, as Slack wants it."""

FIELD_LIMIT: Final = 3000
TEXT_OCTETS: Final = 100_000
"""Of the words with their formatting, as they go to Slack: it refuses a view above 250 KB, and the form has to come back
with them. No text of more characters is read either (`slack_text.CHARACTERS`)."""

MOST_FILES: Final = 10
FILE_NAME_LIMIT: Final = 75

_DEEPEST: Final = 20

FIELDS: Final = {
    "to": send_names.TO,
    "cc": send_names.CC,
    "bcc": send_names.BCC,
    "subject": send_names.SUBJECT,
    "text": send_names.TEXT,
    "files": send_names.FILES,
}
"""The field that a fault is about, by the word that the use case has for it."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,75}")
_WORDS: Final = frozenset({"text", "link", "emoji", "user", "usergroup", "channel", "broadcast", "date"})
_NOTHING: Final = "Write something, or attach a file."
_TOO_LONG: Final = "This is too long for the form. Shorten it, or attach it as a file."
_BROKEN: Final = "This form is not whole any more. Please open it again."
_TOO_MANY_FILES: Final = f"Attach at most {MOST_FILES} files, those from before included."


@dataclass(frozen=True, slots=True)
class Writing:
    """A mail that is being written, between two renderings of its form.

    Attributes:
        form_id: the same form sent twice is one mail.
        message_id: of the message that is answered or forwarded; None for a new mail.
        mailbox_id: as which it is sent; "" while only one can be.
        text: a `rich_text` block; None for no words.
        files: id and name of those that were given to Slack.
        left_out: how many of the original's recipients did not fit into the fields.
        instead: of the mail that is written on here, and which gives way to this one; "" for none.
    """

    form_id: str
    kind: LetterKind = LetterKind.NEW
    message_id: str | None = None
    mailbox_id: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    text: Mapping[str, Any] | None = None
    files: tuple[tuple[str, str], ...] = ()
    quotes: bool = True
    passes_on: bool = True
    left_out: int = 0
    instead: str = ""

    def metadata(self) -> str:
        """The view's `private_metadata`: ids only."""
        ids = {
            "form": self.form_id,
            "kind": self.kind.value,
            "message": self.message_id,
            "mailbox": self.mailbox_id,
            "instead": self.instead,
        }
        return json.dumps({key: value for key, value in ids.items() if value}, separators=(",", ":"))


def begun(started: Started, form_id: str) -> Writing:
    """A form as it is opened: whom the answer goes to, and what it is about."""
    answered = started.answered
    to, left = addresses(answered.to)
    cc, also_left = addresses(answered.cc)
    return Writing(
        form_id,
        started.kind,
        started.message_id,
        started.sender.mailbox_id,
        to=to,
        cc=cc,
        subject=answered.subject[:SUBJECT_CHARACTERS],
        left_out=left + also_left,
    )


def addresses(found: Sequence[Address]) -> tuple[str, int]:
    """Addresses as people type them, with names as long as those fit; and how many had to be left out."""
    some = [each for each in found if each.address]
    named = ", ".join(map(recipients.shown, some))
    if units(named) <= FIELD_LIMIT:
        return named, 0
    fitting, length = [], 0
    for each in some:
        alone = recipients.shown(replace(each, name=""))
        length += units(alone) + 2
        if length > FIELD_LIMIT:
            break
        fitting.append(alone)
    return ", ".join(fitting), len(some) - len(fitting)


# What comes back


def read(view: Mapping[str, Any]) -> Writing:
    """The mail that a view in Slack's payload holds; anything in it may be missing or null."""
    reader = _Reader((view.get("state") or {}).get("values") or {})
    ids = ids_of(view.get("private_metadata"))
    kind = ids.get("kind", "")
    is_form = kind in set(LetterKind)
    return Writing(
        form_id=ids.get("form", "") if is_form else "",
        kind=LetterKind(kind) if is_form else LetterKind.NEW,
        message_id=ids.get("message") or None,
        mailbox_id=reader.chosen(send_names.FROM) or ids.get("mailbox", ""),
        to=reader.text(send_names.TO),
        cc=reader.text(send_names.CC),
        bcc=reader.text(send_names.BCC),
        subject=reader.text(send_names.SUBJECT),
        text=reader.rich_text(send_names.TEXT),
        files=(*reader.kept(), *reader.files(send_names.FILES)),
        quotes=reader.is_ticked(send_names.QUOTES),
        passes_on=reader.is_ticked(send_names.PASSES_ON),
        instead=ids.get("instead", ""),
    )


def ids_of(metadata: Any) -> dict[str, str]:
    """The ids in a view's `private_metadata`; what is no id is left out."""
    try:
        found = json.loads(metadata)
    except (TypeError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str) and _ID.fullmatch(value)}


def faults(writing: Writing) -> Errors:
    """What is wrong with a form whomever it goes to, by the block id of each field."""
    found: Errors = {}
    if not writing.form_id:
        found[send_names.TO] = _BROKEN
    if has_controls(writing.subject):
        found[send_names.SUBJECT] = OWN_LINE
    if len(writing.files) > MOST_FILES:
        found[send_names.FILES] = _TOO_MANY_FILES
    if not says_something(writing.text) and not writing.files and writing.kind is not LetterKind.FORWARD:
        found[send_names.TEXT] = _NOTHING
    elif len(json.dumps(writing.text, separators=(",", ":"))) > TEXT_OCTETS:
        found[send_names.TEXT] = _TOO_LONG
    return found


def under(by_field: Mapping[str, str]) -> Errors:
    """Faults that the use case found, under the fields they are about."""
    return {FIELDS[word]: sentence for word, sentence in by_field.items() if word in FIELDS}


def says_something(found: Any) -> bool:
    """Whether rich text holds anything but white space."""
    if isinstance(found, dict):
        kind = found.get("type")
        if isinstance(kind, str) and kind in _WORDS:
            return kind != "text" or bool(str(found.get("text") or "").strip())
        return says_something(found.get("elements"))
    return isinstance(found, list) and any(says_something(each) for each in found)


def filled(writing: Writing) -> Filled:
    """What is sent."""
    text = writing.text if says_something(writing.text) else None
    return Filled(
        mailbox_id=writing.mailbox_id,
        kind=writing.kind,
        message_id=writing.message_id,
        to=writing.to,
        cc=writing.cc,
        bcc=writing.bcc,
        subject=writing.subject,
        text=text,
        file_ids=tuple(file_id for file_id, _ in writing.files),
        quotes=writing.quotes,
        passes_on=writing.passes_on,
        draft=draft_of(writing),
        instead=writing.instead,
    )


# For writing on


def draft_of(writing: Writing) -> str:
    """The form as it was filled in; stored sealed with the mail."""
    found = {
        "kind": writing.kind.value,
        "message": writing.message_id,
        "mailbox": writing.mailbox_id,
        "to": writing.to,
        "cc": writing.cc,
        "bcc": writing.bcc,
        "subject": writing.subject,
        "text": writing.text,
        "files": writing.files,
        "quotes": writing.quotes,
        "passes_on": writing.passes_on,
    }
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def written_on(draft: str, form_id: str, instead: str = "") -> Writing | None:
    """The form that a draft was made of, as a new one; None for what is no draft.

    What is sent from it is another mail than the first, `instead` of which it goes, so it gets an id of its own.
    """
    try:
        found = json.loads(draft)
        return Writing(
            form_id,
            LetterKind(found["kind"]),
            found["message"],
            found["mailbox"],
            to=found["to"],
            cc=found["cc"],
            bcc=found["bcc"],
            subject=found["subject"],
            text=found["text"],
            files=tuple((str(file_id), str(name)) for file_id, name in found["files"]),
            quotes=found["quotes"],
            passes_on=found["passes_on"],
            instead=instead,
        )
    except (ValueError, TypeError, KeyError):
        return None


# How a mailbox sends


@dataclass(frozen=True, slots=True)
class SendingForm:
    """How a mailbox is to send."""

    sender_name: str
    signature: str
    undo_seconds: int


def parse_sending(values: Mapping[str, Any] | None) -> SendingForm | Errors:
    """The settings as typed, or what is wrong with them."""
    reader = _Reader(values or {})
    name, signature = reader.text(send_names.SENDER_NAME).strip(), reader.text(send_names.SIGNATURE)
    seconds = reader.chosen(send_names.UNDO_SECONDS)
    errors: Errors = {}
    if has_controls(name):
        errors[send_names.SENDER_NAME] = OWN_LINE
    elif len(name) > NAME_CHARACTERS:
        errors[send_names.SENDER_NAME] = f"Enter a shorter name, of at most {NAME_CHARACTERS} characters."
    lines = [line.rstrip() for line in signature.replace("\r\n", "\n").split("\n")]
    if any(has_controls(line.replace("\t", " ")) for line in lines):
        errors[send_names.SIGNATURE] = "Enter plain text, without control characters."
    elif len(signature) > SIGNATURE_CHARACTERS:
        errors[send_names.SIGNATURE] = (
            f"Enter a shorter signature, of at most {SIGNATURE_CHARACTERS:,} characters."
        )
    if seconds not in map(str, UNDO_SECONDS):
        errors[send_names.UNDO_SECONDS] = "Choose one of the options in the list."
    return errors or SendingForm(name, "\n".join(lines).strip("\n"), int(seconds))


class _Reader:
    """Reads the fields of a form."""

    def __init__(self, values: Any) -> None:
        found = values.items() if isinstance(values, dict) else ()
        self._states = {
            names.field_of(block_id): state
            for block_id, elements in found
            if isinstance(elements, dict) and isinstance(state := next(iter(elements.values()), None), dict)
        }

    def text(self, name: str) -> str:
        found = self._states.get(name, {}).get("value")
        return found if isinstance(found, str) else ""

    def chosen(self, name: str) -> str:
        option = self._states.get(name, {}).get("selected_option")
        found = option.get("value") if isinstance(option, dict) else None
        return found if isinstance(found, str) and _ID.fullmatch(found) else ""

    def is_ticked(self, name: str) -> bool:
        """Whether the box is ticked; one that the form does not show says nothing against it."""
        state = self._states.get(name)
        return state is None or bool(state.get("selected_options"))

    def rich_text(self, name: str) -> dict[str, Any] | None:
        found = self._states.get(name, {}).get("rich_text_value")
        if not isinstance(found, dict) or not isinstance(found.get("elements"), list):
            return None
        return {"type": "rich_text", "elements": _bounded(found["elements"], _DEEPEST)}

    def files(self, name: str) -> Iterable[tuple[str, str]]:
        found = self._states.get(name, {}).get("files")
        for each in found if isinstance(found, list) else ():
            if isinstance(each, dict) and _is_id(each.get("id")):
                yield each["id"], _name(each.get("name"))

    def kept(self) -> Iterable[tuple[str, str]]:
        """The files of before that are still ticked."""
        found = self._states.get(send_names.KEPT, {}).get("selected_options")
        for each in found if isinstance(found, list) else ():
            if isinstance(each, dict) and _is_id(each.get("value")):
                text = each.get("text")
                yield each["value"], _name(text.get("text") if isinstance(text, dict) else None)


def _name(found: Any) -> str:
    return found[:FILE_NAME_LIMIT] if isinstance(found, str) else ""


def _bounded(found: Any, levels: int) -> Any:
    """A value of JSON without what lies deeper than any text of Slack's."""
    if isinstance(found, dict):
        return {key: _bounded(each, levels - 1) for key, each in found.items()} if levels else {}
    if isinstance(found, list):
        return [_bounded(each, levels - 1) for each in found] if levels else []
    return found


def _is_id(found: Any) -> bool:
    return isinstance(found, str) and _ID.fullmatch(found) is not None
