"""Submission by SMTP: the connection test, and sending one mail once.

The test signs in and sends nothing. Sending keeps to one order (RFC 5321, 6409, 1870, 6152, 6531): all that can be
known before octets move, each recipient for itself, all of the mail, the caller's last word, and only then the dot
that makes it the server's. What is raised before the dot means that nothing was sent; after it, only the server's
answer counts, and none at all is `AnswerUnknown`. Looks into no header.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import aiosmtplib

from bot.errors import (
    BotError,
    ConnectionLost,
    LocalProtocolError,
    RemoteProtocolError,
    ServerBusy,
    ServerUnreachable,
)
from bot.mail import parties, smtp_replies
from bot.mail.seven_bit import seven_bit
from bot.mail.smtp_content import pieces, size_of
from bot.mail.smtp_session import Said, SmtpSession, SubmissionLimits
from bot.sending_errors import AddressesUnfit, AnswerUnknown, Reply, TooLargeToSend

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from bot.errors import Step
    from bot.mail.hosts import Hosts
    from storage.records import Secret, ServerAddress

__all__ = ["SENDING", "Reply", "SubmissionLimits", "Submittable", "check_submission", "submit"]

# RFC 5321 section 4.5.3.2 gives five minutes to MAIL and RCPT: for relays. Somebody waits here, a try that ends early
# sends nothing and is made again, and a server that answers slower than this has other troubles. The answer to the
# dot has the ten minutes that the RFC gives it: whoever leaves sooner may have sent the mail and not know it. The goodbye
# is short: until it is over, a yes is written down nowhere, and whoever dies over it has a mail that nobody knows of.
SENDING: Final = SubmissionLimits(
    command=timedelta(seconds=60), total=timedelta(minutes=30), goodbye=timedelta(seconds=0.5)
)
TESTING: Final = SubmissionLimits()

_UNFIT: Final = re.compile("[\\x00-\\x1f\\x7f<>\ud800-\udfff]")
_UNQUOTED_SPACE: Final = re.compile(r'[^"]*\s')
_SENTENCES: Final[dict[type[BotError], str]] = {
    ServerUnreachable: "No mail server answered at the address and port of the outgoing server.",
    ConnectionLost: "The outgoing server closed the connection or stopped answering before it had this mail.",
    ServerBusy: "The outgoing server is busy and asks to come back later.",
    RemoteProtocolError: "The outgoing server sent something that is not SMTP.",
}
"""Instead of words that ask the person to try again: a mail is tried again without them."""


@dataclass(frozen=True, slots=True)
class Submittable:
    """A mail and its envelope.

    Attributes:
        recipients: each as it goes on the wire, those of Bcc among them.
        octets: header and body.
    """

    sender: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)
    octets: bytes = field(repr=False)


async def check_submission(
    server: ServerAddress,
    username: str,
    password: Secret,
    *,
    hosts: Hosts,
    tls: ssl.SSLContext,
    limits: SubmissionLimits = TESTING,
    on_step: Callable[[Step], None],
) -> None:
    """Connect and sign in as for sending, then leave; returns only when the server took the credentials.

    `on_step` is told each step when it begins; with STARTTLS the greeting comes before TLS.

    Raises:
        BotError: one of its families; the sentence fits an outgoing server.
    """
    session = SmtpSession(server, tls, limits, on_step)
    try:
        async with session.bounded(limits.total):
            await session.sign_in(hosts, username, password)
            await session.leave()
    finally:
        session.abort()


async def submit(
    server: ServerAddress,
    username: str,
    password: Secret,
    mail: Submittable,
    *,
    hosts: Hosts,
    tls: ssl.SSLContext,
    limits: SubmissionLimits = SENDING,
    before_dot: Callable[[], Awaitable[None]],
) -> tuple[Reply, ...]:
    """Send one mail; returns what the server, which has it now, said about each recipient, in their order.

    Args:
        before_dot: awaited once, when all of the mail but its last dot is with the server and a recipient was taken.
            Whatever it raises ends the session with nothing sent, and goes through unchanged.

    Raises:
        AnswerUnknown: the dot went out, and no answer came or none that can be read.
        SenderRefused, RecipientsRefused, MessageRefused, TooLargeToSend, AddressesUnfit: by this server; nothing was
            sent, and `temporary` says whether a later try may work.
        BotError: the other families; nothing was sent.
    """
    _refuse_unfit(mail)
    mail = replace(mail, sender=_on_the_wire(mail.sender))
    session = SmtpSession(server, tls, limits, lambda _step: None)
    try:
        with _said_of_sending():
            async with session.bounded(limits.total):
                await session.sign_in(hosts, username, password)
                replies = await _uploaded(session, mail)
            _refuse_early(session, replies)
        await before_dot()
        with _said_of_sending():
            _refuse_early(session, replies)
            return await _ended(session, replies)
    finally:
        session.abort()


async def _uploaded(session: SmtpSession, mail: Submittable) -> tuple[Reply, ...]:
    """Everything between the login and the last dot."""
    try:
        octets, options = await _fitted(session, mail)
        replies = await _enveloped(session, mail, options)
        said = _spoken(await session.command(b"DATA"), "DATA")
        if said.code >= 400:
            raise smtp_replies.message_refusal(*said, "DATA", replies)
        if said.code != smtp_replies.START_CONTENT:
            raise _nonsense("DATA")
    except BotError:
        await session.leave()
        raise
    await session.upload(pieces(octets))
    return replies


async def _fitted(session: SmtpSession, mail: Submittable) -> tuple[bytes, list[bytes]]:
    """The mail in the octets that this server takes, and what MAIL says of them."""
    octets, options = mail.octets, []
    header = octets[: max(octets.find(b"\r\n\r\n"), 0)]
    is_international = not (header.isascii() and all(map(str.isascii, (mail.sender, *mail.recipients))))
    if is_international and not session.offers("smtputf8"):
        raise AddressesUnfit("SMTPUTF8 not offered")
    if not octets.isascii():
        if session.offers("8bitmime"):
            options.append(b"BODY=8BITMIME")
        else:
            octets = await asyncio.to_thread(seven_bit, octets)
    if is_international:
        options.append(b"SMTPUTF8")
    if session.offers("size"):
        size, most = size_of(octets), session.max_octets
        if most is not None and size > most:
            raise TooLargeToSend("over what SIZE allows")
        options.insert(0, b"SIZE=%d" % size)
    return octets, options


async def _enveloped(session: SmtpSession, mail: Submittable, options: Sequence[bytes]) -> tuple[Reply, ...]:
    """MAIL, and RCPT for each recipient; at least one was taken."""
    said = _spoken(await session.command(b"MAIL", b"FROM:<%b>" % mail.sender.encode(), *options), "MAIL")
    if said.code >= 400:
        raise smtp_replies.sender_refusal(*said)
    if said.code >= 300:
        raise _nonsense("MAIL")
    replies = []
    for recipient in mail.recipients:
        said = _spoken(await session.command(b"RCPT", b"TO:<%b>" % recipient.encode()), "RCPT")
        if 300 <= said.code < 400:
            raise _nonsense("RCPT")
        replies.append(smtp_replies.recipient_reply(recipient, *said))
    if not any(reply.is_taken for reply in replies):
        raise smtp_replies.none_taken(tuple(replies))
    return tuple(replies)


async def _ended(session: SmtpSession, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
    """The last dot and what the server makes of it."""
    try:
        said = await session.end()
    except (aiosmtplib.SMTPException, OSError) as error:  # a TimeoutError is an OSError
        raise AnswerUnknown(type(error).__name__, replies=replies) from None
    if 400 <= said.code < 600:
        await session.leave()
        raise smtp_replies.message_refusal(*said, "the last dot", replies)
    if not 200 <= said.code < 300:
        raise AnswerUnknown("a code that is none of SMTP's", replies=replies)
    await session.leave()
    return replies


def _refuse_early(session: SmtpSession, replies: tuple[Reply, ...]) -> None:
    """An answer before the dot can be no yes: some servers say in the middle of a mail that they take no more of it."""
    said = session.early_answer()
    if said is None:
        return
    if said.code >= 400:
        raise smtp_replies.message_refusal(*said, "the mail", replies)
    raise _nonsense("the mail")


def _spoken(said: Said, to: str) -> Said:
    """An answer of a server that goes on talking; 421 may come in answer to anything (RFC 5321 section 3.8)."""
    if said.code == smtp_replies.SERVICE_ENDS:
        raise smtp_replies.refusal(said.code, to)
    return said


def _nonsense(to: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"an answer to {to} that says neither yes nor no")


def _on_the_wire(address: str) -> str:
    """An address as its owner spells it, its domain in ASCII: a domain alone needs no SMTPUTF8 (RFC 5890)."""
    local_part, _, domain = address.rpartition("@")
    ascii_domain = None if domain.isascii() else parties.ascii_domain(domain)
    return f"{local_part}@{ascii_domain}" if ascii_domain else address


def _refuse_unfit(mail: Submittable) -> None:
    """No address may end its command early, or add to it."""
    if not mail.recipients:
        raise LocalProtocolError("a mail without recipients")
    for address in (mail.sender, *mail.recipients):
        if not address or _UNFIT.search(address) or _UNQUOTED_SPACE.match(address):
            raise LocalProtocolError("an address holds what no command can")


@contextlib.contextmanager
def _said_of_sending() -> Iterator[None]:
    """Errors that a later try may mend say what happened to the mail, not to a test."""
    try:
        yield
    except BotError as error:
        error.sentence = _SENTENCES.get(type(error), error.sentence)
        raise
