"""What a mail that is to be sent is made of, and what of another mail an answer needs. Frozen values; no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.mail.content import Address, Attachment


class LetterKind(StrEnum):
    """What somebody writes."""

    NEW = "new"
    REPLY = "reply"
    REPLY_ALL = "reply_all"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Original:
    """What an answer needs of the mail it answers, decoded and untrusted.

    Attributes:
        message_id, in_reply_to, references: without brackets.
        date: in the zone of its Date field.
        followup_to: Mail-Followup-To; empty when absent.
        list_post: the address of List-Post; "" when there is none, or it says NO.
        text: all of the mail in plain words, bounded; `is_cut` when there was more.
        attachments: names and sizes in octets of what forwarding would pass on.
        is_automatic: a report, or of an empty envelope's sender: nobody waits for an answer.
        other_senders: who else wrote it; `sender` alone is named.
    """

    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    subject: str
    date: datetime | None
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    followup_to: tuple[Address, ...]
    list_post: str
    text: str
    is_cut: bool
    attachments: tuple[tuple[str, int], ...]
    is_automatic: bool = False
    other_senders: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """Where an answer goes before anybody changes it, and what it says of the mail it answers.

    Attributes:
        references: for References, with brackets; the last is In-Reply-To. Empty for NEW and FORWARD.
        quote: what stands below the answer, plain text with its attribution; "" for none.
        is_automatic: as in `Original`; such a mail's answer goes to nobody until somebody is named.
    """

    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    references: tuple[str, ...]
    quote: str
    is_automatic: bool = False


@dataclass(frozen=True, slots=True)
class Invited:
    """What an answer to an invitation needs of it: strings, numbers and tuples of strings, untrusted.

    Attributes:
        uid: as `Event.uid` has it.
        title: on one line; "" without one.
        organiser, organiser_name: to whom the answer goes; the address is never empty.
        attendee: which of the own addresses the invitation names; "" when it names none of them, because it came by
            a list, by another name or from somebody who was invited.
        attendee_name: as the invitation has it.
        calendar_address: the same attendee as the calendar writes it, such as MAILTO:Bob@x.example.
        is_occurrence: one day of a series, not all of it.
        lines: of the event, as the answer repeats them: unfolded, without line ends.
        zones: lines that define the time zones which `lines` name.
    """

    uid: str
    title: str
    organiser: str
    organiser_name: str
    attendee: str
    attendee_name: str
    calendar_address: str
    is_occurrence: bool
    lines: tuple[str, ...]
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A mail to be composed. Recipients of Bcc are not here: they are the envelope's alone.

    Attributes:
        text: what was written, a Slack `rich_text` block; None for no words.
        names: of the people, groups and channels that `text` mentions, by their ids.
        signature: plain; "" for none.
        quote: as in `Answered`.
        calendar: an iTIP answer (RFC 5546), text/calendar with METHOD:REPLY; "" for none.
        references: as in `Answered`.
        message_id: with brackets.
    """

    sender: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    text: Mapping[str, Any] | None
    names: Mapping[str, str]
    signature: str
    quote: str
    attachments: tuple[Attachment, ...]
    references: tuple[str, ...]
    message_id: str
    date: datetime
    calendar: str = ""
