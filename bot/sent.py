"""What came of a try to send a mail, and what follows from it. Pure.

What a later try may find better is tried again, less and less often, for a day; what the server refused for good is not.
After the last dot only the server's answer says whether it has the mail: without one it is not sent again. A recipient
who has the mail is never sent it again, whatever becomes of the others.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.errors import (
    CertificateInvalid,
    ConnectionLost,
    LocalProtocolError,
    LoginRejected,
    MessageTooLarge,
    NotAllowed,
    NotKnown,
    RemoteProtocolError,
    RoleUnknown,
    ServerBusy,
    ServerRefused,
    ServerUnreachable,
    SourceSuspended,
    Suspended,
    TlsUnavailable,
    TooOften,
)
from bot.sending_errors import (
    AddressesUnfit,
    AnswerUnknown,
    MessageRefused,
    NotTaken,
    RecipientsRefused,
    SenderRefused,
)
from storage.sending import OutgoingState, RecipientState, Tried, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.errors import BotError
    from bot.sending_errors import Reply
    from storage.sending import Outgoing, Recipient

TRIES: Final = (1, 5, 15, 30, 60)
"""Minutes after the first tries; the last holds for all that follow."""

GIVEN_UP: Final = timedelta(days=1)
"""So long after it was begun."""

TOO_LATE: Final = GIVEN_UP + timedelta(hours=1)
"""What nobody could even try for so long, as while the mailbox was suspended, is not sent all of a sudden."""

AGAIN_SOON: Final = timedelta(seconds=30)
"""After a try that our own database ended."""

_TROUBLES: Final[tuple[tuple[type[BotError], Trouble], ...]] = (
    (LoginRejected, Trouble.LOGIN_REFUSED),
    (AnswerUnknown, Trouble.NO_ANSWER),
    (SenderRefused, Trouble.SENDER_REFUSED),
    (RecipientsRefused, Trouble.RECIPIENTS_REFUSED),
    (MessageTooLarge, Trouble.TOO_LARGE),
    (MessageRefused, Trouble.MESSAGE_REFUSED),
    (LocalProtocolError, Trouble.MESSAGE_REFUSED),
    (AddressesUnfit, Trouble.SERVER_UNFIT),
    (CertificateInvalid, Trouble.SERVER_UNFIT),
    (TlsUnavailable, Trouble.SERVER_UNFIT),
    (ServerRefused, Trouble.SERVER_UNFIT),
    (Suspended, Trouble.SUSPENDED),
    (NotAllowed, Trouble.NOT_ALLOWED),
)
"""The first that fits; whatever is not here is UNREACHABLE."""

_MAY_PASS: Final = (CertificateInvalid, TlsUnavailable, Suspended)
"""Not temporary, since somebody has to act; but once they have, the mail goes out by itself."""

_WAITING: Final[tuple[tuple[type[BotError], str], ...]] = (
    (ServerUnreachable, "The outgoing server does not answer."),
    (ConnectionLost, "The outgoing server broke off or stopped answering; nothing was sent."),
    (ServerBusy, "The outgoing server is busy and asks to come back later."),
    (RemoteProtocolError, "What answers as the outgoing server does not speak SMTP."),
    (TooOften, "The outgoing server refused several sign-ins lately, so Mailbox lets it rest."),
    (NotKnown, "Slack does not say at the moment whether this may still be sent."),
    (RoleUnknown, "Slack does not say at the moment whether this may still be sent."),
    (SenderRefused, "The outgoing server does not take mail from this mailbox for now."),
    (RecipientsRefused, "The outgoing server takes mail for none of these recipients for now."),
    (MessageRefused, "The outgoing server does not take this mail for now."),
    (
        SourceSuspended,
        "The mailbox whose message it answers or passes on is suspended. An administrator can say why and lift it.",
    ),
    (Suspended, "This mailbox is suspended. An administrator can say why and lift it."),
)
_LATER: Final = "Something went wrong on our side; nothing was sent."

TOO_LONG_SAID: Final = "It could not be sent for a day, so Mailbox does not try any more."
TOO_LATE_SAID: Final = (
    "Mailbox could not even try to send it for more than a day, so it did not send it after all."
)
NO_SERVER_SAID: Final = "This mailbox has no outgoing server any more."
OTHER_ADDRESS_SAID: Final = (
    "This mailbox has another address by now, and what was written as the former one does not go out of it."
)
LOGIN_SAID: Final = "The outgoing server refused the user name or the password of this mailbox."
UNKNOWN_SAID: Final = "The outgoing server did not say whether it took this mail."


_STATUS: Final = re.compile(r"[245]\.(\d{1,3}\.\d{1,3})(?!\d)")
"""An enhanced status code (RFC 3463) at the beginning of the server's words."""

_BY_STATUS: Final = {
    "1.0": "there is no such address",
    "1.1": "there is no such address",
    "1.2": "there is no such domain",
    "1.3": "the server does not read this as an address",
    "1.6": "it has moved and left no new address",
    "1.10": "its domain takes no mail",
    "2.0": "its mailbox does not take mail",
    "2.1": "its mailbox is switched off",
    "2.2": "its mailbox is full",
    "2.3": "the mail is too large for it",
    "3.4": "the mail is too large for it",
    "4.1": "its server does not answer",
    "4.4": "its domain has no mail server",
}
_BY_SUBJECT: Final = {"7": "the server does not let this mail through"}
_OF_MESSAGE: Final = {
    "3": "it is too large, or the server is full",
    "6": "its contents cannot be passed on",
    "7": "the server's rules do not let it through, as with what looks like spam",
}
"""Of a whole mail, by the middle digit of the status."""

_BY_CODE: Final = {
    450: "its mailbox is busy",
    451: "its server has a passing fault",
    452: "its mailbox is full",
    550: "the server takes no mail for it",
    551: "the server does not know where to bring it",
    552: "its mailbox is full",
    553: "the server does not read this as an address",
}
_REFUSED: Final = "the server refused it"


def reason(recipient: Recipient) -> str:
    """Why a recipient does not get the mail, in our words, with the server's code; of its words the code alone is used."""
    if not recipient.code:
        return "it could not be sent in time"
    found, shown = _status(recipient.code, recipient.words)
    words = _BY_STATUS.get(found) or _BY_SUBJECT.get(found.partition(".")[0])
    return f"{words or _BY_CODE.get(recipient.code, _REFUSED)} ({shown})"


def _status(code: int, words: str) -> tuple[str, str]:
    """The last two numbers of an enhanced status, "" without one; and the codes as people see them."""
    status = _STATUS.match(words)
    return ("", str(code)) if status is None else (status.group(1), f"{code} {status.group(0)}")


def next_try(now: datetime, attempts: int, chance: float) -> datetime:
    """When to try again.

    Args:
        attempts: tries so far, the one that failed included.
        chance: 0 to 1; it spreads what failed together by up to a tenth.
    """
    minutes = TRIES[min(max(attempts, 1), len(TRIES)) - 1]
    return now + timedelta(minutes=minutes) * (1 + chance / 10)


def is_too_late(outgoing: Outgoing, now: datetime) -> bool:
    """Whether a mail has lain so long that it is not even tried."""
    return now - _begun_at(outgoing) > TOO_LATE


def after_replies(outgoing: Outgoing, replies: Iterable[Reply], now: datetime, chance: float) -> Tried:
    """The server has the mail, for those recipients that it took."""
    recipients = _told(outgoing, replies)
    if not _owed(recipients):
        is_partial = any(each.state is RecipientState.REFUSED for each in recipients)
        trouble = Trouble.RECIPIENTS_REFUSED if is_partial else None
        return Tried(OutgoingState.SENT, recipients, None, trouble)
    said = "The servers of some recipients ask to come back later."
    tried = _later(outgoing, recipients, Trouble.RECIPIENTS_REFUSED, said, now=now, chance=chance)
    # A server that takes ten at a time has the next ten soon, however many tries that makes.
    soon = next_try(now, 1, chance)
    return tried if tried.due_at is None else replace(tried, due_at=min(tried.due_at, soon))


def after_failure(outgoing: Outgoing, error: BotError, now: datetime, chance: float) -> Tried:
    """Nothing was sent by this try, or, after the last dot, nobody knows."""
    # Whoever was taken before the mail was refused, or before the answer was lost, has nothing for certain.
    recipients = _told(outgoing, [each for each in _replies_of(error) if not each.is_taken])
    trouble = next((found for kind, found in _TROUBLES if isinstance(error, kind)), Trouble.UNREACHABLE)
    if isinstance(error, AnswerUnknown):
        return Tried(OutgoingState.UNKNOWN, recipients, None, trouble, UNKNOWN_SAID)
    if isinstance(error, LoginRejected):
        return Tried(OutgoingState.HELD, recipients, None, trouble, LOGIN_SAID)
    if isinstance(error, TooOften):
        tried = _later(outgoing, recipients, trouble, _waiting(error), now=now, chance=chance)
        return replace(tried, due_at=max(tried.due_at, error.until)) if tried.due_at else tried
    if (error.temporary and trouble is not Trouble.TOO_LARGE) or isinstance(error, _MAY_PASS):
        return _later(outgoing, recipients, trouble, _waiting(error), now=now, chance=chance)
    if isinstance(error, RecipientsRefused) and _owed(recipients):
        # Some are refused for good, others for now.
        return _later(outgoing, recipients, trouble, _waiting(error), now=now, chance=chance)
    return ended(recipients, trouble, _refusal(error))


def _replies_of(error: BotError) -> tuple[Reply, ...]:
    return error.replies if isinstance(error, AnswerUnknown | NotTaken) else ()


def interrupted(outgoing: Outgoing, due_at: datetime) -> Tried:
    """A try that we ended ourselves, before the last dot: it is as if it had not been made."""
    assert outgoing.letter is not None
    letter = outgoing.letter
    return Tried(OutgoingState.WAITING, letter.recipients, due_at, outgoing.trouble, letter.said)


def ended(recipients: tuple[Recipient, ...], trouble: Trouble, said: str) -> Tried:
    """No later try is made: sent where anybody has it, failed where nobody does."""
    if any(each.state is RecipientState.TAKEN for each in recipients):
        left_out = tuple(
            replace(each, state=RecipientState.REFUSED) if each.state is RecipientState.OWED else each
            for each in recipients
        )
        return Tried(OutgoingState.SENT, left_out, None, trouble, said)
    return Tried(OutgoingState.FAILED, recipients, None, trouble, said)


def _later(
    outgoing: Outgoing,
    recipients: tuple[Recipient, ...],
    trouble: Trouble,
    said: str,
    *,
    now: datetime,
    chance: float,
) -> Tried:
    end = _begun_at(outgoing) + GIVEN_UP
    if now >= end:
        return ended(recipients, Trouble.TOO_LONG, f"{TOO_LONG_SAID} At last: {said}")
    due_at = min(next_try(now, outgoing.attempts + 1, chance), end)
    return Tried(OutgoingState.WAITING, recipients, due_at, trouble, said)


def _waiting(error: BotError) -> str:
    if isinstance(error, CertificateInvalid | TlsUnavailable):
        return error.sentence
    return next((words for kind, words in _WAITING if isinstance(error, kind)), _LATER)


def _refusal(error: BotError) -> str:
    """Why it is not tried again; of the server's own words its codes alone are used."""
    if not isinstance(error, MessageRefused) or not error.code:
        return error.sentence
    found, shown = _status(error.code, error.said)
    why = _OF_MESSAGE.get(found.partition(".")[0])
    return f"The outgoing server refused this mail{f': {why}' if why else ''} ({shown})."


def _told(outgoing: Outgoing, replies: Iterable[Reply]) -> tuple[Recipient, ...]:
    """The recipients by what the server said about them; whoever has the mail keeps it."""
    assert outgoing.letter is not None
    said = {reply.recipient: reply for reply in replies}
    return tuple(
        _one(each, said[each.address]) if each.state is RecipientState.OWED and each.address in said else each
        for each in outgoing.letter.recipients
    )


def _one(recipient: Recipient, reply: Reply) -> Recipient:
    if reply.is_taken:
        return replace(recipient, state=RecipientState.TAKEN, code=0, words="")
    state = RecipientState.OWED if reply.is_temporary else RecipientState.REFUSED
    return replace(recipient, state=state, code=reply.code, words=reply.words)


def _begun_at(outgoing: Outgoing) -> datetime:
    return outgoing.begun_at or outgoing.created_at


def _owed(recipients: Iterable[Recipient]) -> bool:
    return any(each.state is RecipientState.OWED for each in recipients)
