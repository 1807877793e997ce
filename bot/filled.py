"""What the form of a mail is opened with, and what comes back from it. Frozen values; no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.mail.letters import Answered, LetterKind
    from storage.sending import Recipient, RecipientField

SUBJECT_CHARACTERS: Final = 900
NAME_CHARACTERS: Final = 100
SIGNATURE_CHARACTERS: Final = 1000
UNDO_SECONDS: Final = (0, 5, 10, 20, 30)


@dataclass(frozen=True, slots=True)
class Sender:
    """A mailbox as which somebody may send.

    Attributes:
        name: as its owner calls it.
        owner: a user.
        sender_name: what recipients see beside the address, as its owner set it; "" for nothing set.
    """

    mailbox_id: str
    address: str
    name: str
    owner: str
    is_own: bool
    sender_name: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """A form to be opened.

    Attributes:
        message_id: of the message that is answered or forwarded; None for a new mail.
        sender: whom the form begins with; one of `senders`.
        attachments: names and sizes in octets of what forwarding can pass on.
        new_domains: of those in `answered` that this mailbox has never written to.
    """

    kind: LetterKind
    message_id: str | None
    sender: Sender
    senders: tuple[Sender, ...]
    answered: Answered
    attachments: tuple[tuple[str, int], ...] = ()
    new_domains: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of recipients while they are typed.

    Attributes:
        recipients: each address once, where it stands first.
        faults: a sentence for each field that cannot be read.
    """

    recipients: tuple[Recipient, ...]
    faults: Mapping[RecipientField, str] = field(default_factory=dict)
    new_domains: frozenset[str] = frozenset()

    @property
    def count(self) -> int:
        """How many people it would go to."""
        return len(self.recipients)


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was sent.

    Attributes:
        mailbox_id: as which it is sent.
        message_id: of the message that is answered or forwarded; None for a new mail.
        to, cc, bcc: as typed.
        text: a Slack `rich_text` block; None for no words.
        file_ids: of files that its sender gave to Slack.
        quotes: the message is quoted below.
        passes_on: its attachments go along; of FORWARD only.
        draft: the form as it was filled in, for writing on; opaque.
        instead: of the mail that was called back or failed, and is written on here; "" for none.
    """

    mailbox_id: str
    kind: LetterKind
    message_id: str | None
    to: str
    cc: str
    bcc: str
    subject: str
    text: Mapping[str, Any] | None
    file_ids: tuple[str, ...] = ()
    quotes: bool = True
    passes_on: bool = True
    draft: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """How a mailbox sends, as its owner set it; `undo_seconds` is one of UNDO_SECONDS."""

    mailbox_id: str
    address: str
    sender_name: str
    signature: str
    undo_seconds: int
