"""Numbered messages, some of which answer others, and the numbers found again in posts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.sandbox.slack.posts import Post

FILE_EVERY: Final = 10
"""So often a message has an attachment, which becomes a file in the post's thread."""

TALK: Final = 4
"""Of so many messages running, the first is by itself, and the next two after the second answer it."""

_NUMBER: Final = re.compile(r"Number (\d{4}-\d{6})")
_PLAIN: Final = (
    "From: Ada <ada@elsewhere.example>\r\nTo: you@local.test\r\nSubject: Number {mark}\r\n"
    "Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nMessage-ID: <{mark}@elsewhere.example>\r\n"
    "{references}"
)
_TEXT: Final = (
    "Content-Type: text/plain; charset=utf-8\r\n\r\nGood morning,\r\n\r\n.this line begins with a dot.\r\n"
)
_WITH_FILE: Final = (
    'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n' + _TEXT + "--b\r\nContent-Type: text/csv\r\n"
    'Content-Disposition: attachment; filename="{mark}.csv"\r\n\r\na,b\r\n1,2\r\n--b--\r\n'
)


def has_file(number: int) -> bool:
    """Whether the message of this number has an attachment."""
    return number % FILE_EVERY == 0


def mark(mailbox: int, number: int) -> str:
    """What a message is known by."""
    return f"{mailbox:04d}-{number:06d}"


def numbered(mailbox: int, number: int) -> bytes:
    """The octets of a message."""
    ids = [f"<{mark(mailbox, other)}@elsewhere.example>" for other in answers(number)]
    references = f"References: {' '.join(ids)}\r\n" if ids else ""
    body = _WITH_FILE if has_file(number) else _TEXT
    plain = (_PLAIN + body).replace("{references}", references)
    return plain.replace("{mark}", mark(mailbox, number)).encode()


def answers(number: int) -> range:
    """The numbers a message refers to, whether they were ever sent or not."""
    return range(number - max(number % TALK - 1, 0), number)


def talk(number: int) -> tuple[int, int]:
    """What messages that belong together have in common."""
    return (number // TALK, 0 if number % TALK else number)


def marks_in(post: Post) -> set[str]:
    """Of which message a post tells; empty for a notice, or for files."""
    return set(_NUMBER.findall(post.text + json.dumps(post.blocks)))
