"""Correspondents outside the sandbox: who they are, what was sent to them, and the answers they give.

Nothing leaves the machine. Whoever wrote to somebody here, or was named beside them, can be written to, and so can every
address of `elsewhere.example`; what comes for them is kept in a bounded list.
"""

from __future__ import annotations

import email
import email.policy
from collections import deque
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, getaddresses, make_msgid
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.mail.compose import MailMalformed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

MAX_MAILS: Final = 200
MAX_OCTETS: Final = 100 * 1024 * 1024
MAX_KNOWN: Final = 5_000
MAX_TEXT: Final = 8_000
MAX_HEADER: Final = 64 * 1024
MAX_FIELD: Final = 8_000
_DOMAIN: Final = "elsewhere.example"
# What the standard library raises at headers that no mail program would write.
_UNREADABLE: Final = (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError)
_NAMING: Final = ("From", "Sender", "Reply-To", "To", "Cc", "Mail-Followup-To")


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail that went to the outside.

    Attributes:
        account: who signed in; `sender` and `recipients` are the envelope's, the latter those outside alone.
    """

    id: str
    time: datetime
    account: str
    sender: str
    recipients: tuple[str, ...]
    octets: bytes = field(repr=False)

    @property
    def header(self) -> EmailMessage:
        """The mail as the standard library reads it."""
        return _parsed(self.octets)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a correspondent writes back; `to_all`: to everybody whom the mail names."""

    mail_id: str
    address: str
    text: str
    to_all: bool = False

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Answer:
        """An order as the page API takes it.

        Raises:
            MailMalformed: it is none.
        """
        text, to_all = raw.get("text") or "", raw.get("to_all", False)
        if not isinstance(text, str) or not isinstance(to_all, bool):
            raise MailMalformed("an answer has id, as (an address), text, and perhaps to_all (true or false)")
        return cls(str(raw.get("id", "")), str(raw.get("as", "")), text, to_all)


class Outside:
    """Who is known outside, and what was sent there; the oldest mail goes past the bounds."""

    def __init__(self, max_mails: int = MAX_MAILS, max_octets: int = MAX_OCTETS) -> None:
        self._mails: deque[SentMail] = deque()
        self._octets = 0
        self._max_mails, self._max_octets = max_mails, max_octets
        self._names: dict[str, str] = {}
        self._shown: dict[str, dict[str, Any]] = {}
        self._numbers = count(1)

    @property
    def mails(self) -> list[SentMail]:
        """What was sent, the oldest first."""
        return list(self._mails)

    def get(self, mail_id: str) -> SentMail | None:
        """That mail, while it is kept."""
        return next((mail for mail in self._mails if mail.id == mail_id), None)

    def knows(self, address: str) -> bool:
        """Whether mail to this address is taken."""
        folded = address.strip().casefold()
        return folded in self._names or folded.rpartition("@")[2] == _DOMAIN

    def learn(self, octets: bytes) -> None:
        """Remember everybody whom a mail from outside names, with their names."""
        for name, address in _named(octets):
            folded = address.casefold()
            if "@" in folded and (name or folded not in self._names):
                self._names[folded] = name
        while len(self._names) > MAX_KNOWN:
            del self._names[next(iter(self._names))]

    def take(
        self, account: str, sender: str, recipients: Sequence[str], octets: bytes, now: datetime
    ) -> SentMail:
        """Keep a mail that was submitted for the outside."""
        mail = SentMail(f"out-{next(self._numbers)}", now, account, sender, tuple(recipients), octets)
        self._mails.append(mail)
        self._octets += len(octets)
        while len(self._mails) > self._max_mails or (
            self._octets > self._max_octets and len(self._mails) > 1
        ):
            oldest = self._mails.popleft()
            self._octets -= len(oldest.octets)
            self._shown.pop(oldest.id, None)
        return mail

    def shown(self) -> list[dict[str, Any]]:
        """What was sent as the page shows it, the oldest first; each is read once. Slow for large mail: call it in a thread."""
        return [
            self._shown.get(mail.id) or self._shown.setdefault(mail.id, _shown(mail)) for mail in self.mails
        ]

    def name_of(self, address: str) -> str:
        """How a correspondent is called, as far as any mail said so."""
        return self._names.get(address.casefold(), "")

    def answered(self, answer: Answer, now: datetime) -> tuple[list[str], bytes]:
        """A correspondent's answer: whom it is for, and its octets.

        Raises:
            MailMalformed: there is no such mail, or it did not go to this address.
        """
        mail = self.get(answer.mail_id)
        if mail is None:
            raise MailMalformed("there is no such mail")
        if answer.address.casefold() not in {one.casefold() for one in mail.recipients}:
            raise MailMalformed("this mail did not go to that address")
        reply = _reply(mail, answer, self.name_of(answer.address), now)
        recipients = [
            address for _, address in getaddresses([*reply.get_all("To", []), *reply.get_all("Cc", [])])
        ]
        policy = SMTP if answer.address.isascii() else SMTPUTF8
        return recipients, reply.as_bytes(policy=policy)


def _shown(mail: SentMail) -> dict[str, Any]:
    """A mail as the page shows it; the header's words are decoded, never trusted."""
    header = mail.header
    return {
        "id": mail.id,
        "time": mail.time.timestamp(),
        "account": mail.account,
        "sender": mail.sender,
        "recipients": list(mail.recipients),
        "from": _line(header, "From"),
        "to": _line(header, "To"),
        "cc": _line(header, "Cc"),
        "reply_to": _line(header, "Reply-To"),
        "subject": _line(header, "Subject"),
        "message_id": _line(header, "Message-ID"),
        "in_reply_to": _line(header, "In-Reply-To"),
        "references": _line(header, "References").split(),
        "text": _text(header)[:MAX_TEXT],
        "attachments": [
            {
                "name": part.get_filename() or "",
                "type": part.get_content_type(),
                "size": len(_content(part)),
            }
            for part in _attachments(header)
        ],
        "octets": len(mail.octets),
    }


def _parsed(octets: bytes) -> EmailMessage:
    return email.message_from_bytes(octets, policy=email.policy.default)


def _line(header: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(header.get(name, "")).split())
    except _UNREADABLE:
        return ""


def _named(octets: bytes) -> Iterator[tuple[str, str]]:
    """Whom a mail names that may be anything: read as far as is quickly read."""
    head = octets[:MAX_HEADER].partition(b"\r\n\r\n")[0]
    header = BytesHeaderParser(policy=email.policy.compat32).parsebytes(head)
    fields = [str(header.get(name, ""))[:MAX_FIELD] for name in _NAMING]
    try:
        found = getaddresses(fields)
    except _UNREADABLE:  # brackets in brackets without end
        found = []
    for name, address in found:
        yield _decoded(name), address
    post = str(header.get("List-Post", ""))[:MAX_FIELD]
    yield "", post.partition("mailto:")[2].partition(">")[0].partition("?")[0]


def _decoded(name: str) -> str:
    try:
        return " ".join(str(make_header(decode_header(name))).split())
    except _UNREADABLE:
        return ""


def _text(header: EmailMessage) -> str:
    try:
        body = header.get_body(("plain", "html"))
        return str(body.get_content()) if body else ""
    except _UNREADABLE:
        return ""


def _content(part: EmailMessage) -> bytes:
    octets = part.get_payload(decode=True)
    return octets if isinstance(octets, bytes) else part.as_bytes()


def _attachments(header: EmailMessage) -> list[EmailMessage]:
    try:
        return [part for part in header.iter_attachments() if isinstance(part, EmailMessage)]
    except _UNREADABLE:
        return []


def _reply(mail: SentMail, answer: Answer, name: str, now: datetime) -> EmailMessage:
    """As a mail program writes it: to Reply-To or From, in the thread, with the text quoted below."""
    header = mail.header
    subject, message_id = _line(header, "Subject"), _line(header, "Message-ID")
    author = _line(header, "From") or mail.sender
    reply = EmailMessage()
    try:
        reply["From"] = _named_address(name, answer.address)
        reply["To"] = _line(header, "Reply-To") or author
        others = _others(header, answer.address, reply["To"]) if answer.to_all else []
        if others:
            reply["Cc"] = ", ".join(others)
        reply["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
        reply["Date"] = format_datetime(now)
        reply["Message-ID"] = make_msgid(domain=answer.address.rpartition("@")[2])
        if message_id:
            reply["In-Reply-To"] = message_id
            reply["References"] = " ".join([*_line(header, "References").split(), message_id])
        date = _line(header, "Date")
        quoted = "\n".join(f"> {line}".rstrip() for line in _text(header).splitlines())
        reply.set_content(f"{answer.text.strip()}\n\nOn {date}, {author} wrote:\n\n{quoted}\n")
    except _UNREADABLE as error:
        raise MailMalformed(f"this mail cannot be answered: {error}") from error
    return reply


def _others(header: EmailMessage, own: str, author: str) -> list[str]:
    but = {own.casefold(), *(address.casefold() for _, address in getaddresses([str(author)]))}
    named = getaddresses([_line(header, "To"), _line(header, "Cc")])
    return [
        str(_named_address(name, address))
        for name, address in named
        if "@" in address and address.casefold() not in but
    ]


def _named_address(name: str, address: str) -> Address:
    """In two parts, because a whole address may hold nothing but ASCII."""
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain)
