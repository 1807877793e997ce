"""Mails to be composed, and what every composed mail must be."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email import policy
from typing import TYPE_CHECKING, Any, Final

from bot.mail.content import Address, Attachment
from bot.mail.letters import Written

if TYPE_CHECKING:
    from email.message import EmailMessage

NOW: Final = datetime(2026, 11, 23, 13, 5, 7, tzinfo=timezone(timedelta(hours=2)))
ANA: Final = Address("Ana Doe", "ana@x.example")


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    """A section of rich text."""
    return {"type": "rich_text_section", "elements": list(elements)}


def text(words: str, **styles: bool) -> dict[str, Any]:
    """An element of text."""
    return {"type": "text", "text": words} | ({"style": styles} if styles else {})


def items(*rows: dict[str, Any], style: str = "bullet", **shape: int) -> dict[str, Any]:
    """A list."""
    return {"type": "rich_text_list", "style": style, "elements": list(rows), **shape}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    """A block of rich text."""
    return {"type": "rich_text", "elements": list(elements)}


def words(said: str) -> dict[str, Any]:
    """A block without any format."""
    return rich(section(text(said)))


BOLD: Final = rich(section(text("Hello "), text("you", bold=True)))


def written(**changes: Any) -> Written:
    """A short mail, but for what is told."""
    mail = Written(
        sender=Address("Bob", "bob@home.example"),
        to=(ANA,),
        cc=(),
        subject="Plans",
        text=words("Hello"),
        names={},
        signature="",
        quote="",
        attachments=(),
        references=(),
        message_id="<1.abc@home.example>",
        date=NOW,
    )
    return replace(mail, **changes)


def file(name: str, octets: bytes, kind: str = "") -> Attachment:
    """An attachment."""
    return Attachment(name, kind, octets)


def by_library(octets: bytes) -> EmailMessage:
    """The mail as the standard library reads it; it finds nothing wrong with any of its parts."""
    found = email.message_from_bytes(octets, policy=policy.default)
    assert not [defect for part in found.walk() for defect in part.defects]
    return found


def assert_sound(octets: bytes) -> None:
    """Only CRLF, no NUL, no line over 998 octets."""
    bare = octets.replace(b"\r\n", b"")

    assert b"\r" not in bare
    assert b"\n" not in bare
    assert b"\0" not in bare
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert octets.endswith(b"\r\n")
