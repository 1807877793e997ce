"""What the answers of an outgoing server mean: who must act, in which words, and what may be kept of the server's own.

Pure. A server's words are hostile: they decide here, and leave bounded and in one line; no log and no sentence for the
person holds them.
"""

from __future__ import annotations

import re
import ssl
import unicodedata
from typing import Final

from bot.errors import (
    BotError,
    CertificateInvalid,
    ConnectionLost,
    LoginRejected,
    ServerBusy,
    ServerRefused,
    ServerUnreachable,
    TlsUnavailable,
)
from bot.mail.tls import is_no_tls
from bot.sending_errors import (
    MessageRefused,
    NotTaken,
    RecipientsRefused,
    Reply,
    SenderRefused,
    TooLargeToSend,
)

MAX_WORDS: Final = 200

READY: Final = 220
SIGNED_IN: Final = 235
CONTINUE: Final = 334
START_CONTENT: Final = 354
SERVICE_ENDS: Final = 421
COMMAND_UNKNOWN: Final = frozenset({500, 501, 502, 503, 504})
_BAD_CREDENTIALS: Final = 535
_AUTH_WANTS_TLS: Final = frozenset({530, 538})
_STORAGE_EXCEEDED: Final = 552

# Throttling may come under a permanent code: these words say that waiting helps.
_TEMPORARY_WORDS: Final = re.compile(
    r"too many|try(?: again)? later|temporar|rate.?limit|throttl", re.IGNORECASE
)
# RFC 3463: a message too big for the system, and one over an administrator's limit. 552 alone may be a full mailbox.
_TOO_LARGE: Final = re.compile(r"\b5\.(?:3\.4|2\.3)\b")
_TOO_LARGE_WORDS: Final = re.compile(r"\bsize\b|\btoo (?:large|big)\b", re.IGNORECASE)
# RFC 5321 section 4.5.3.1.10: a limit on one mail's recipients is no fault of theirs; RFC 821 said so with 552, some with 550.
_TOO_MANY_RECIPIENTS: Final = re.compile(
    r"\b[45]\.5\.3\b|\brecipients? (?:count |number )?(?:limit|exceed)|\b(?:max(?:imum)?|number of|no more) recipients?\b",
    re.IGNORECASE,
)
# Postfix refuses a sender only when the first recipient comes.
_OF_SENDER: Final = re.compile(r"\b[45]\.1\.[78]\b|\bsender (?:address )?rejected\b", re.IGNORECASE)
# Exchange says so only when it has the mail.
_MAY_NOT_SEND_AS: Final = re.compile(r"\b5\.7\.60\b|\b5\.2\.252\b|\bSendAsDenied\b", re.IGNORECASE)
_MAX_JUDGED: Final = 1000  # characters of an answer; bounds what the expressions above can cost

_TRY_OTHER_PORT: Final = "Try TLS on port 465, or STARTTLS on port 587."
NO_TLS: Final = f"The outgoing server does not offer this kind of encryption on this port. {_TRY_OTHER_PORT}"
NO_AUTH: Final = (
    f"The outgoing server takes no sign-in on this port, so it cannot send for you. {_TRY_OTHER_PORT}"
)
AUTH_NEEDS_TLS: Final = (
    f"The outgoing server takes a password over an encrypted connection only. {_TRY_OTHER_PORT}"
)
NO_COMMON_AUTH: Final = "The outgoing server takes no password, only other kinds of sign-in that Mailbox does not have (such as OAuth)."
NOT_SMTP: Final = "The outgoing server sent something that is not SMTP. Check the server name and the port."
LOST: Final = (
    "The outgoing server closed the connection or stopped answering. Please try again in a few minutes."
)
_REFUSES_US: Final = "The outgoing server refuses connections from here. Check the server name and the port, or ask whoever runs it."
_BUSY: Final = "The outgoing server is busy and asks to come back later. Please try again in a few minutes."
_BAD_LOGIN: Final = "The outgoing server refused the user name or the password. Check both; if two-step sign-in is on, use an app password."
_SENDER_LATER: Final = "The outgoing server takes no mail from this mailbox right now."
_RECIPIENTS_LATER: Final = "The outgoing server takes this mail for none of its recipients right now."
_LATER: Final = "The outgoing server did not take this mail right now."


def is_answer(code: int) -> bool:
    """Whether a code is one of SMTP's (RFC 5321 section 4.2)."""
    return 200 <= code < 600


def is_temporary(code: int, text: str) -> bool:
    """Whether a refusal may be another one later, by its code or, where throttling hides under 5xx, by its words."""
    return code < 500 or _TEMPORARY_WORDS.search(text[:_MAX_JUDGED]) is not None


def words_of(text: str) -> str:
    """What a server said as one line of at most 200 characters, without anything that steers a screen."""
    head = text[: 4 * MAX_WORDS]
    # Control, format (bidi among them), surrogate, private and unassigned characters; separators of any kind.
    plain = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in head)
    line = " ".join(plain.split())
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1] + "…"


def recipient_reply(recipient: str, code: int, text: str) -> Reply:
    """What the answer to RCPT means for one recipient; any of 2xx takes them (251: it forwards, 252: it tries)."""
    is_taken = code < 300
    later = is_temporary(code, text) or _TOO_MANY_RECIPIENTS.search(text[:_MAX_JUDGED]) is not None
    return Reply(recipient, code, words_of(text), is_taken, not is_taken and later)


def sender_refusal(code: int, text: str) -> NotTaken:
    """A refusal of MAIL."""
    if _is_too_large(code, text):
        return TooLargeToSend(f"{code} to MAIL", code=code, said=words_of(text))
    later = is_temporary(code, text)
    return SenderRefused(
        f"{code} to MAIL",
        sentence=_SENDER_LATER if later else None,
        code=code,
        said=words_of(text),
        temporary=later,
    )


def none_taken(replies: tuple[Reply, ...]) -> NotTaken:
    """What it means that every recipient was refused."""
    last, later = replies[-1], any(reply.is_temporary for reply in replies)
    kind: type[NotTaken] = RecipientsRefused
    sentence = _RECIPIENTS_LATER
    if all(_OF_SENDER.search(reply.words) for reply in replies):
        kind, sentence = SenderRefused, _SENDER_LATER
    return kind(
        f"{last.code} to RCPT, none taken",
        sentence=sentence if later else None,
        code=last.code,
        said=last.words,
        temporary=later,
        replies=replies,
    )


def message_refusal(code: int, text: str, of: str, replies: tuple[Reply, ...]) -> NotTaken:
    """A refusal of the mail itself, at DATA, while it went out, or after the dot."""
    if _is_too_large(code, text):
        return TooLargeToSend(f"{code} to {of}", code=code, said=words_of(text), replies=replies)
    if code >= 500 and _MAY_NOT_SEND_AS.search(text[:_MAX_JUDGED]):
        return SenderRefused(f"{code} to {of}", code=code, said=words_of(text), replies=replies)
    later = is_temporary(code, text)
    return MessageRefused(
        f"{code} to {of}",
        sentence=_LATER if later else None,
        code=code,
        said=words_of(text),
        temporary=later,
        replies=replies,
    )


def refusal(code: int, of: str) -> BotError:
    """A refusal to talk to us at all."""
    if code < 500:
        return ServerBusy(f"{code} to {of}", sentence=_BUSY)
    return ServerRefused(f"{code} to {of}", sentence=_REFUSES_US)


def starttls_refusal(code: int) -> BotError:
    """A refusal of STARTTLS."""
    if 400 <= code < 500:
        return ServerBusy(f"{code} to STARTTLS", sentence=_BUSY)
    return TlsUnavailable(f"{code} to STARTTLS", sentence=NO_TLS)


def login_refusal(code: int, text: str) -> BotError:
    """A refusal of AUTH."""
    detail = f"{code} to AUTH"
    if code in _AUTH_WANTS_TLS:
        return ServerRefused(detail, sentence=AUTH_NEEDS_TLS)
    if code in COMMAND_UNKNOWN or code < 400:
        return ServerRefused(detail, sentence=NO_COMMON_AUTH)
    if is_temporary(code, text):
        return ServerBusy(detail, sentence=_BUSY)
    return LoginRejected(detail, sentence=_BAD_LOGIN, is_certain=code == _BAD_CREDENTIALS)


def judge_greeting(code: int) -> None:
    """Raises for every greeting but a welcome."""
    if code == READY:
        return
    if 400 <= code < 600:
        raise refusal(code, "the greeting")
    raise ServerUnreachable("the greeting is not SMTP's")


def tls_fault(error: ssl.SSLError, *, is_greeted: bool) -> BotError:
    """A handshake that failed; the detail holds OpenSSL's code only: its text names the host."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateInvalid(f"certificate refused, code {error.verify_code}")
    if isinstance(error, ssl.SSLEOFError):
        return (
            ConnectionLost("closed in the handshake", sentence=LOST)
            if is_greeted
            else ServerUnreachable("closed")
        )
    if is_no_tls(error) and not is_greeted:
        return ServerUnreachable("the answer is not TLS")
    return TlsUnavailable(f"handshake failed: {error.reason}", sentence=NO_TLS)


def _is_too_large(code: int, text: str) -> bool:
    judged = text[:_MAX_JUDGED]
    is_said = code == _STORAGE_EXCEEDED and _TOO_LARGE_WORDS.search(judged)
    return bool(is_said or (code >= 500 and _TOO_LARGE.search(judged)))
