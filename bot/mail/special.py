"""What a mail is beside a text, as frozen values: invitation, report, list mail, sealed, forwarded, judged.

No behaviour, no I/O. Every text is decoded and on one line, still untrusted, and not yet escaped for anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.mail.content import Address, Message


class Method(StrEnum):
    """What a calendar object asks for (RFC 5546 section 1.4)."""

    PUBLISH = "PUBLISH"
    REQUEST = "REQUEST"
    REPLY = "REPLY"
    ADD = "ADD"
    CANCEL = "CANCEL"
    REFRESH = "REFRESH"
    COUNTER = "COUNTER"
    DECLINE_COUNTER = "DECLINECOUNTER"


class Answer(StrEnum):
    """What an attendee says (RFC 5545 section 3.2.12)."""

    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    TENTATIVE = "TENTATIVE"
    DELEGATED = "DELEGATED"
    NONE = "NEEDS-ACTION"


class Frequency(StrEnum):
    """How often an event comes again."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Repeats:
    """How an event recurs (RFC 5545 section 3.3.10), as far as words can say it.

    Attributes:
        weekdays: (which one, 0 is Monday): 0 every one, 2 the second, -1 the last of the month.
        month_days: days of the month; -1 is the last.
        months: 1 to 12.
        count: how many times in all; None without an end or with `until`.
        is_partial: the rule says more than what stands here, or there is more than one.
        exceptions: how many dates are left out.
    """

    frequency: Frequency
    interval: int = 1
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    count: int | None = None
    until: datetime | None = None
    is_partial: bool = False
    exceptions: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a calendar object.

    Attributes:
        starts, ends: aware in the sender's zone; naive when no zone was given or it is all day. `ends` of an all-day
            event is its last day.
        zone: what the sender calls the zone; "" without one.
        recurrence_id: this is one occurrence of a series.
        answerer: of a REPLY or COUNTER, with `answer`.
    """

    uid: str
    sequence: int
    title: str
    starts: datetime | None
    ends: datetime | None
    is_all_day: bool
    zone: str
    place: str
    organiser: Address | None
    attendees: int = 0
    repeats: Repeats | None = None
    is_cancelled: bool = False
    recurrence_id: datetime | None = None
    answerer: Address | None = None
    answer: Answer = Answer.NONE


@dataclass(frozen=True, slots=True)
class Invitation:
    """One calendar object; at least one event."""

    method: Method
    events: tuple[Event, ...]


class Action(StrEnum):
    """What became of a mail for one recipient (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient of a delivery report.

    Attributes:
        status: enhanced status code such as 5.2.2 (RFC 3463); "" when none is known.
        is_guess: the code was taken from the report's prose, which does not name it.
    """

    address: str
    action: Action
    status: str = ""
    is_guess: bool = False


@dataclass(frozen=True, slots=True)
class Original:
    """The mail that a report is about."""

    subject: str
    message_id: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A server's word on a mail that was sent; `count` holds those past the bound as well."""

    recipients: tuple[Recipient, ...]
    count: int
    subject: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A disposition notification (RFC 8098); `disposition` is displayed, deleted, dispatched or processed."""

    reader: str
    disposition: str
    subject: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class MailingList:
    """What a list says of itself (RFC 2369, 2919); targets are clean, "" when there is none.

    Attributes:
        page, page_host: https page to unsubscribe.
        address: mailto target to unsubscribe.
        post: mailto target to write to all.
    """

    name: str
    page: str = ""
    page_host: str = ""
    address: str = ""
    post: str = ""


class Sealing(StrEnum):
    """How a mail, or a text in it, is encrypted or signed."""

    SMIME_ENCRYPTED = "smime_encrypted"
    SMIME_SIGNED = "smime_signed"
    SMIME_OPAQUE = "smime_opaque"  # signed so that the content stands within the signature, unread
    PGP_ENCRYPTED = "pgp_encrypted"
    PGP_SIGNED = "pgp_signed"


@dataclass(frozen=True, slots=True)
class Seal:
    """One way in which the mail is sealed, and the files that belong to it."""

    sealing: Sealing
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one server found when it took the mail in (RFC 8601); results in lower case, "" when not told."""

    server: str
    spf: str = ""
    dkim: tuple[str, ...] = ()
    dmarc: str = ""


@dataclass(frozen=True, slots=True)
class Special:
    """All that a mail is beside its text.

    Attributes:
        forwarded: messages within this one, the first few, with the names of their files.
        forwarded_count: how many there are.
        is_unpacked: a file was replaced by what is in it, so that the original alone holds it.
        verdicts: the topmost first, whoever wrote them.
    """

    invitations: tuple[Invitation, ...] = ()
    delivery: DeliveryReport | None = None
    receipt: Receipt | None = None
    is_automatic_reply: bool = False
    mailing_list: MailingList | None = None
    seals: tuple[Seal, ...] = ()
    forwarded: tuple[tuple[Message, str], ...] = ()
    forwarded_count: int = 0
    is_unpacked: bool = False
    verdicts: tuple[Verdict, ...] = ()
