"""What may go wrong with mail that is sent; the families and their sentences are those of `bot.errors`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import BotError, MessageTooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Reply:
    """What an outgoing server said about one recipient.

    Attributes:
        words: the server's own, one line of at most 200 characters; untrusted, and never logged.
        is_taken: it takes the mail for them.
        is_temporary: it refused, and a later try may find it better.
    """

    recipient: str = field(repr=False)
    code: int
    words: str = field(repr=False)
    is_taken: bool
    is_temporary: bool


class AnswerUnknown(BotError):
    """No answer that counts came after the last dot: whether the server has the mail, nobody knows.

    `replies`: what it said about each recipient before; those refused then have no mail.
    """

    words = "The outgoing server did not say whether it took this mail, so it was not sent again. Ask the recipients, or look into the sent mail at your provider."

    def __init__(self, detail: str = "", *, replies: tuple[Reply, ...] = ()) -> None:
        super().__init__(detail)
        self.replies = replies


class NotTaken(BotError):
    """An outgoing server's answer to one mail: nothing of it was sent.

    Args:
        code: the server's.
        said: the server's own words as in `Reply`.
        replies: what it said about each recipient until then.
    """

    def __init__(
        self,
        detail: str = "",
        *,
        sentence: str | None = None,
        code: int = 0,
        said: str = "",
        temporary: bool = False,
        replies: tuple[Reply, ...] = (),
    ) -> None:
        super().__init__(detail, sentence=sentence)
        self.code = code
        self.said = said
        self.temporary = temporary
        self.replies = replies


class SenderRefused(NotTaken):
    """The server does not take mail from this sender."""

    words = "The outgoing server does not let this mailbox send from its address. Check the user name of the outgoing server, or ask whoever runs it."


class RecipientsRefused(NotTaken):
    """The server took none of the recipients; `temporary` when a later try may work for at least one."""

    words = "The outgoing server takes this mail for none of its recipients. Check the addresses."


class MessageRefused(NotTaken):
    """The server refused the mail itself, before or after it had all of it."""

    words = "The outgoing server refused this mail. Its words say why, if it gave a reason."


class TooLargeToSend(NotTaken, MessageTooLarge):
    """The mail is larger than the outgoing server takes; no later try helps."""

    words = "This mail is larger than the outgoing server takes. Send it with fewer or smaller attachments."


class AddressesUnfit(BotError):
    """An address has letters beyond ASCII before its @, and the outgoing server takes no such addresses."""

    words = "The outgoing server takes no addresses with letters such as ä or 漢 before the @. Use another address of that person."


class NoOutgoingServer(BotError):
    """The mailbox only receives; `owner` is a user."""

    words = "This mailbox has no outgoing server, so it can only receive. Its owner can add one with `/mailbox edit`."

    def __init__(self, mailbox_id: str, owner: str) -> None:
        super().__init__()
        self.mailbox_id = mailbox_id
        self.owner = owner


class NothingToSendFrom(BotError):
    """Somebody has no mailbox that sends, and nobody shared one with them at Reply."""

    words = "You have no mailbox that can send. Add one with `/mailbox add`, or an outgoing server to yours with `/mailbox edit`."


class NotSendable(BotError):
    """A mail cannot be sent as it was filled in; nothing was saved.

    Args:
        by_field: a sentence for each of to, cc, bcc, subject, text and files that is wrong.
    """

    words = "This mail cannot be sent as it is. Nothing was saved."

    def __init__(self, by_field: Mapping[str, str], detail: str = "") -> None:
        super().__init__(detail or ", ".join(sorted(by_field)), sentence=next(iter(by_field.values()), None))
        self.by_field = dict(by_field)


class FilesUnfit(BotError):
    """A file cannot go along with a mail."""

    words = "One of the attachments cannot be sent. Take it out, then send the mail again."


class FilesUnread(BotError):
    """Slack does not give a file now."""

    temporary = True
    words = "Slack did not hand over the attachments, so nothing was sent. Please try again in a minute."


class NoSuchOutgoing(BotError):
    """The mail is gone, or somebody else's: both read alike."""

    words = "Mailbox does not have that mail any more."


class NotReopened(BotError):
    """There is nothing to write on."""

    words = "This mail cannot be opened again. Write a new one with `/mailbox send`."


class NotInvited(BotError):
    """An invitation cannot be answered from here."""

    words = "This invitation cannot be answered from here: it names no organizer, or does not invite this mailbox. Answer it by a mail."
