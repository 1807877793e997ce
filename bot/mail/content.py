"""What a mail holds, as frozen values: the words that parsing, rendering and posting share.

No behaviour, no I/O. Every text here is decoded, still untrusted, and not yet escaped for anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from bot.mail.special import Special

if TYPE_CHECKING:
    from datetime import datetime

    from bot.mail.letters import Invited, Original
    from storage.clues import Clues
    from storage.records import Shape

NOTHING_SPECIAL: Final = Special()


class Fault(StrEnum):
    """What was bad in a mail, or over a bound; the sentence a person reads for it stands in the posts."""

    NOT_A_MAIL = "not_a_mail"  # no header field that any mail has
    HEADER_CUT = "header_cut"  # header block, a field or the number of fields over its bound
    ADDRESSES_CUT = "addresses_cut"
    SEVERAL_SENDERS = "several_senders"  # two From fields: readers disagree which one counts
    NESTED_TOO_DEEP = "nested_too_deep"
    TOO_MANY_PARTS = "too_many_parts"
    NO_PARTS = "no_parts"  # multipart by its label, without one delimiter
    ENCODING_DAMAGED = "encoding_damaged"  # base64 or uuencode with octets that do not belong there
    CHARSET_GUESSED = "charset_guessed"
    TEXT_CUT = "text_cut"  # more text than is ever read
    HTML_CUT = "html_cut"


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of an address field; `address` is empty when none stands there.

    `group` names the RFC 5322 group it belongs to; an empty group is one entry without name and address.
    """

    name: str
    address: str
    group: str = ""

    @property
    def domain(self) -> str:
        """The part behind the last @, lower case."""
        return self.address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class Body:
    """One readable text of a mail, in every form it came in; at least one form is not None."""

    plain: str | None
    html: str | None


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of a mail.

    Attributes:
        is_damaged: its transfer encoding held octets that do not belong there.
        content_id: by which the mail's page calls it (RFC 2392), without brackets; "" when it has none.
        is_quiet: made by a program for programs, such as a signature: said in a line of its own, not listed.
        is_disguised: its name came with marks that turn the direction of writing, to show another ending than it has.
    """

    name: str
    type: str
    octets: bytes
    is_damaged: bool = False
    content_id: str = ""
    is_quiet: bool = False
    is_disguised: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A mail, read.

    Attributes:
        date: from the Date field; None when absent or unreadable.
        received: from the topmost Received field that bears a date.
        to_count, cc_count: how many addresses the fields hold, those past the bound included.
        bodies: in reading order, one for each text part or set of alternatives.
        references: message ids of the References field, oldest first.
        special: what it is beside its text.
        other_senders: those of From behind the first.
    """

    subject: str
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    to_count: int
    cc_count: int
    date: datetime | None
    received: datetime | None
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    bodies: tuple[Body, ...]
    attachments: tuple[Attachment, ...]
    faults: frozenset[Fault]
    special: Special = NOTHING_SPECIAL
    other_senders: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a message beside its octets.

    Attributes:
        shape: what the octets are.
        listed_octets: the message's size as the server gave it.
        mailbox_name: the label to show, when its owner has several mailboxes.
        own_address: the mailbox's own.
        incoming_host: the server it is fetched from; "" when that is not told.
        authserv_ids: of servers whose judgement of a sender counts, beside those that belong to the incoming one.
    """

    shape: Shape
    listed_octets: int
    received_at: datetime
    mailbox_name: str | None
    own_address: str
    incoming_host: str = ""
    authserv_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """One file to be shared with a post; `octets` are never empty, Slack refuses such files.

    Attributes:
        type: as the mail labels it, of a file that is passed on with a mail; that one may be empty.
    """

    name: str
    octets: bytes
    title: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A post, ready to be sent: the text for notifications, the blocks, the files that belong to it.

    Attributes:
        is_shortened: the message says more than its post shows.
        sender: the address the message comes from, in lower case; "" when it names none.
        pages: of how many pages `blocks` are one; 0 for a post.
        clues: what the mail tells of its conversation; None where it tells nothing.
        domains: those of From, To and Cc in lower case and ASCII; None when they are not all known.
        attached: name and size of each attachment; of a page of the text alone.
        original: what an answer needs of the mail, where that was asked for, with `invited`: its invitations that can
            be answered.
        left_out: name and size of each attachment that `files` have no room for; where the attachments were asked for.
        may_reply_all: an answer to all goes to others than an answer.
    """

    text: str
    blocks: list[dict[str, Any]]
    files: tuple[File, ...] = ()
    is_shortened: bool = False
    sender: str = ""
    pages: int = 0
    clues: Clues | None = None
    domains: tuple[str, ...] | None = None
    attached: tuple[tuple[str, int], ...] = ()
    original: Original | None = None
    left_out: tuple[tuple[str, int], ...] = ()
    may_reply_all: bool = False
    invited: tuple[Invited, ...] = ()
