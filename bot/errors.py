"""What can go wrong, by who must act.

Each error carries a sentence that is safe to show to the person, whether a later try may work without anyone
(`temporary`), and detail for the log. Neither holds a secret or an address.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime


class Step(StrEnum):
    """The steps of a connection test or a submission, in order; the last one begun is the one that failed."""

    TURN = "turn"  # failed: too many tests lately, so none was made
    NAME = "name"
    CONNECT = "connect"
    TLS = "tls"
    GREETING = "greeting"
    CAPABILITIES = "capabilities"
    LOGIN = "login"
    UIDL = "uidl"


class BotError(Exception):
    """Root of the family.

    Args:
        detail: what happened, for the log; no address, no secret.
        sentence: overrides the family's words for the person.
    """

    temporary: bool = False
    words: ClassVar[str] = (
        "Something went wrong on our side. Nothing was lost; please try again in a few minutes."
    )

    def __init__(self, detail: str = "", *, sentence: str | None = None) -> None:
        super().__init__(detail or type(self).__name__)
        self.detail = detail
        self.sentence = sentence or self.words


# Nobody has to act: a later try may work.


class ServerUnreachable(BotError):
    """No name, no route, refused, filtered, timed out or not a mail server: one wording for all, told apart by nobody."""

    temporary = True
    words = "No mail server answered at this address and port. Check the server name, the port and the security setting."


class ConnectionLost(BotError):
    """The session ended before its answer: closed, reset, or a deadline passed."""

    temporary = True
    words = "The mail server closed the connection or stopped answering. Please try again in a few minutes."


class MaildropBusy(BotError):
    """Another session holds the maildrop (`[IN-USE]`), or logins come too often (`[LOGIN-DELAY]`)."""

    temporary = True
    words = "The mailbox is open elsewhere right now: in another mail program, or because Mailbox is just looking for mail itself. Try again in a minute."


class ServerBusy(BotError):
    """The server says it cannot serve now (`[SYS/TEMP]`, "too many", "try again later")."""

    temporary = True
    words = "The mail server is busy and asks to come back later. Please try again in a few minutes."


class RemoteProtocolError(BotError):
    """The server broke the protocol or went over a bound."""

    temporary = True
    words = "The mail server sent something that is not POP3. Check the server name and the port."


class MessageTooLarge(BotError):
    """A message went over the size limit while it arrived; the session is over."""

    temporary = True
    words = "A message is larger than the limit."


class CommandRefused(BotError):
    """The server answered -ERR to a command after login, for this message or command only."""

    temporary = True
    words = "The mail server refused a command."


class TooOften(BotError):
    """A test or a poll has to wait; nothing was sent. `until`: when there is room again."""

    temporary = True
    words = "There were too many connection tests lately. Try again later."

    def __init__(self, until: datetime, detail: str = "", *, sentence: str | None = None) -> None:
        super().__init__(detail, sentence=sentence)
        self.until = until


# The owner has to act.


class LoginRejected(BotError):
    """The server refused the credentials. `is_certain`: it said so by `[AUTH]`, which no throttling does."""

    words = "The mail server refused the user name or the password. Check both; if two-step sign-in is on, use an app password."

    def __init__(self, detail: str = "", *, sentence: str | None = None, is_certain: bool = False) -> None:
        super().__init__(detail, sentence=sentence)
        self.is_certain = is_certain


class CertificateInvalid(BotError):
    """The server's certificate does not prove the name that was typed."""

    words = "The mail server's certificate does not match its name, is expired or is not trusted. Check the server name; if it is right, tell whoever runs the server."


class TlsUnavailable(BotError):
    """Protection was asked for and the server does not offer it."""

    words = "The mail server does not offer this kind of encryption on this port. Try TLS on port 995, or STARTTLS on port 110."


class UidlUnsupported(BotError):
    """The server has no UIDL, so messages cannot be told apart between sessions."""

    words = "This mail server gives its messages no lasting names (no UIDL), so Mailbox could not tell new mail from old."


class ServerRefused(BotError):
    """The server refuses for good (`[SYS/PERM]`), or POP is switched off for this account."""

    words = "The mail server refuses this account for POP. Check in the provider's settings that POP is switched on."


# We are at fault.


class LocalProtocolError(BotError):
    """We asked for what the protocol does not allow: a line break in an argument, a command in the wrong state."""

    words = "A name or password holds a character that cannot be sent to a mail server, such as a line break."


class RenderFailed(BotError):
    """The renderer died or overran its limits on this message."""

    words = "This message could not be shown."


# The person asked for what is not there, or the operator set something wrong.


class NoSuchMailbox(BotError):
    """The mailbox is not there, or not this person's: both read alike."""

    words = "That mailbox is not there any more. Type `/mailbox list` to see yours."


class NoSuchMessage(BotError):
    """The message is not there, or not this person's: both read alike."""

    words = "Mailbox does not have that message any more."


class NotKept(BotError):
    """The octets of the message are past their time."""

    words = (
        "Mailbox keeps its copy of a message for 30 days after it came to Slack, and this one is gone by now."
    )


class NotShown(BotError):
    """The message cannot be read as mail, or is too large to be."""

    words = (
        "This message cannot be shown. Choose “Original (.eml)” in the menu of its post to get it as it came."
    )


class NoSender(BotError):
    """There is nobody to mute."""

    words = "This message does not say who sent it, so there is nobody to mute."


class NoConversation(BotError):
    """There is no conversation to mute."""

    words = "This message belongs to no conversation that Mailbox knows, so there is nothing to mute."


class NoSuchRule(BotError):
    """The rule is not there, or not this person's: both read alike."""

    words = "That is not muted any more, so nothing changed. Type `/mailbox rules` to see what is."


class TooManyRules(BotError):
    """A mailbox has as many rules as it may have."""

    words = "This mailbox has 1,000 rules already. Remove some with `/mailbox rules`."


class OutOfDate(BotError):
    """What a form was shown for is not what is there any more."""

    words = (
        "You added a mailbox after this form was opened, so nothing was erased. "
        "Type `/mailbox erase` to see what is stored now."
    )


class NotAllowed(BotError):
    """The person may not do this."""

    words = "You cannot use Mailbox in this workspace. Ask a workspace administrator."


class NotKnown(BotError):
    """Nobody can say now whether somebody may do this: Slack could not be asked."""

    temporary = True


class NotTheirs(NotAllowed):
    """What is to be shared, or not any more, is somebody else's."""

    words = "Only the owner of a mailbox can change what is shared of it. Nothing was changed."


class NotShared(NotAllowed):
    """The owner may not open this; `reason` is a word of `bot.offers.Refusal`."""

    def __init__(self, reason: StrEnum, sentence: str) -> None:
        super().__init__(reason.value, sentence=sentence)
        self.reason = reason


class TooManyShares(BotError):
    """A mailbox has as many shares as it may have."""

    words = "This mailbox is shared as often as it can be. End some of its shares with `/mailbox share`, then try again."


class RoleUnknown(BotError):
    """Slack could not be asked who somebody is."""

    temporary = True
    words = "Mailbox could not ask Slack who you are right now, so nothing was saved. Please try again in a minute."


class Suspended(BotError):
    """The mailbox is suspended; `why` is a Suspension."""

    words = "This mailbox is suspended, so nothing was changed and nothing is fetched. Please ask a workspace administrator."


class SourceSuspended(Suspended):
    """The mailbox of a message that a mail answers or passes on is suspended, not the one that sends."""

    words = "The mailbox that this message came to is suspended, so nothing of it is sent. Please ask a workspace administrator."


class SettingsError(BotError):
    """A setting is missing, wrong or unknown; `serve` says the sentence and exits with 2."""
