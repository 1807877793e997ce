"""A mail as the sandbox's page describes it, turned into octets."""

from __future__ import annotations

import base64
import binascii
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


class MailMalformed(Exception):
    """The description is no mail; the text says why."""


def compose(described: dict[str, Any], now: datetime) -> bytes:
    """The octets of a mail.

    Args:
        described: `to`, `from_name`, `from_address`, `subject`, `text`, optional `html`, optional `attachments` as a
            list of `name`, `type`, `content_base64`, and optional `headers`, an object of further ones.
    """
    try:
        return _message(described, now).as_bytes(policy=SMTP)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise MailMalformed(f"this is no mail: {error}") from error


def received_line(source: str, when: datetime) -> bytes:
    """The trace that a server puts before what it takes in (RFC 5321 section 4.4)."""
    return f"Received: from {source} by localhost; {format_datetime(when)}\r\n".encode()


def _message(described: dict[str, Any], now: datetime) -> EmailMessage:
    mail = EmailMessage()
    sender = described.get("from_address") or "someone@elsewhere.example"
    mail["From"] = Address(described.get("from_name") or "", addr_spec=sender)
    mail["To"] = described["to"]
    mail["Subject"] = described.get("subject") or ""
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain="elsewhere.example")
    for name, value in (described.get("headers") or {}).items():
        mail[name] = value
    mail.set_content(described.get("text") or "")
    if described.get("html"):
        mail.add_alternative(described["html"], subtype="html")
    for attachment in described.get("attachments") or []:
        _attach(mail, attachment)
    return mail


def _attach(mail: EmailMessage, attachment: dict[str, Any]) -> None:
    main, _, sub = str(attachment.get("type") or "application/octet-stream").partition("/")
    try:
        octets = base64.b64decode(attachment.get("content_base64") or "", validate=True)
    except binascii.Error as error:
        raise ValueError("an attachment is not base64") from error
    if main == "message":
        # As the message that it is: base64 is not allowed for those (RFC 2046 section 5.2).
        part = message_from_bytes(f"Content-Type: {main}/{sub}\r\n\r\n".encode() + octets, policy=SMTP)
        part.add_header("Content-Disposition", "attachment", filename=str(attachment.get("name") or "file"))
        if mail.get_content_subtype() != "mixed":
            mail.make_mixed()
        mail.attach(part)
        return
    mail.add_attachment(
        octets, maintype=main, subtype=sub or "octet-stream", filename=str(attachment.get("name") or "file")
    )
