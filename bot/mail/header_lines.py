"""Header fields of a mail that is sent: values to folded lines. Pure; linear.

Covers RFC 5322 sections 2.2.3, 3.4 and 3.6, RFC 2047 and RFC 2231. The standard library's own folding is not used: up to
Python 3.14 it writes a Message-ID of more than 78 characters as an encoded word, so that In-Reply-To and References name
no mail any more, and the part of an address before the @ too. Text that reads as an encoded word is always encoded, so
that no reader makes of it what was never checked here.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from bot.errors import LocalProtocolError
from bot.mail import parties

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from bot.mail.content import Address

LINE: Final = 76
WORD: Final = 64
"""Of an encoded word; RFC 2047 allows 75, this one stands on one line with the name of any field."""

ADDRESS_OCTETS: Final = 320
"""RFC 5321 section 4.5.3.1: 64 before the @, 255 behind it."""

ID_OCTETS: Final = 850
REFERENCES_OCTETS: Final = 900
"""Of the folded field; some servers refuse or cut longer ones."""

SECTION: Final = 50
_OVERHEAD: Final = len("=?utf-8?q??=")

_REFUSED: Final = re.compile("[\r\n\0\ud800-\udfff]")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_PRINTABLE: Final = re.compile(r"[!-~]+(?: [!-~]+)*\Z")
_LONG_WORD: Final = re.compile(rf"[^ ]{{{WORD}}}")
_Q_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_DOT_ATOM: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+)*\Z"
)
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"\Z')
_ASCII_DOMAIN: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?\Z")
_LITERAL: Final = re.compile(r"\[[A-Za-z0-9.:]{2,60}\]\Z")
_ID: Final = re.compile(r"[!-;=?-~]+\Z")
_TOKEN_CHARACTERS: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{|}~"
)

_SENTENCE: Final = (
    "This mail has a name, an address, a subject or a file name that no mail can carry, such as one with a line "
    "break. Change it, then send again."
)


def refused(what: str) -> LocalProtocolError:
    """The error for a value that must not stand in a header; `what` holds nothing of the value."""
    return LocalProtocolError(what, sentence=_SENTENCE)


def checked(value: str) -> str:
    """The value, which may stand in a header once it is encoded.

    Raises:
        LocalProtocolError: it holds CR, LF, NUL or half of a character.
    """
    if _REFUSED.search(value):
        raise refused("a header value holds CR, LF, NUL or a lone surrogate")
    return value


def text(name: str, value: str) -> str:
    """A field of free text, such as Subject."""
    return _folded(name, _phrase(checked(value).strip(" "), may_be_quoted=False))


def addresses(name: str, people: Sequence[Address]) -> str:
    """A field of addresses."""
    tokens: list[str] = []
    for at, person in enumerate(people):
        end = "," if at + 1 < len(people) else ""
        mailbox = address(person.address)
        phrase = list(_phrase(checked(person.name).strip(" "), may_be_quoted=True))
        tokens += [*phrase, f"<{mailbox}>{end}"] if phrase else [mailbox + end]
    return _folded(name, tokens)


def address(value: str) -> str:
    """An address as it stands in a header: the domain in ASCII, what stands before the @ as it is.

    Raises:
        LocalProtocolError: it is none that could stand there.
    """
    local, at, domain = checked(value).strip().rpartition("@")
    if not at or not local.replace(" ", "").isprintable() or "=?" in local:
        raise refused("an address is none")
    if not _DOT_ATOM.match(local) and not _QUOTED.match(local):
        local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
    whole = f"{local}@{domain_in_ascii(domain)}"
    if len(whole.encode()) > ADDRESS_OCTETS or local == '""':
        raise refused("an address is too long or empty")
    return whole


def domain_in_ascii(domain: str) -> str:
    """A mail domain as it goes over the wire.

    Raises:
        LocalProtocolError: it is no domain.
    """
    plain = domain if domain.isascii() else parties.ascii_domain(domain) or ""
    if not (_ASCII_DOMAIN.match(plain) or _LITERAL.match(plain)) or ".." in plain:
        raise refused("an address has no domain")
    return plain


def identifier(value: str) -> str:
    """A Message-ID with its brackets, "" when no header can hold it."""
    bare = checked(value).strip().removeprefix("<").removesuffix(">")
    return f"<{bare}>" if len(bare) <= ID_OCTETS and _ID.match(bare) else ""


def identifiers(name: str, values: Sequence[str]) -> str:
    """A field of Message-IDs: the first and as many of the last as the bound of a field has room for; "" for none."""
    known = [one for one in (identifier(value) for value in values) if one]
    room = REFERENCES_OCTETS - len(name) - 1 - sum(len(one) + 3 for one in known[-1:])
    first = known[:1] if len(known) > 1 and len(known[0]) + 3 <= room else []
    room -= sum(len(one) + 3 for one in first)
    kept: list[str] = []
    for one in reversed(known[1:-1] if first else []):
        room -= len(one) + 3
        if room < 0:
            break
        kept.append(one)
    tokens = [*first, *reversed(kept), *known[-1:]]
    return _folded(name, dict.fromkeys(tokens)) if tokens else ""


def date(time: datetime) -> str:
    """The Date field, in the time's own zone."""
    offset = time.utcoffset()
    whole = time if offset is None or offset.seconds % 60 == 0 else time.astimezone(UTC)
    return f"Date: {format_datetime(whole.replace(microsecond=0))}\r\n"


def labelled(name: str, value: str, /, **parameters: str) -> str:
    """A field with parameters, such as Content-Type; parameters that are not plain are encoded by RFC 2231."""
    tokens = [value]
    for key, content in parameters.items():
        for token in _parameter(key, checked(content)):
            tokens[-1] += ";"
            tokens.append(token)
    return _folded(name, tokens)


def _folded(name: str, tokens: Iterable[str]) -> str:
    """A field of tokens with single spaces between, folded before the token that does not fit its line."""
    lines = [f"{name}:"]
    for number, token in enumerate(tokens):
        if number and len(lines[-1]) + 1 + len(token) > LINE:
            lines.append("")
        lines[-1] += f" {token}"
    return "\r\n".join(lines) + "\r\n"


# Words


def _phrase(value: str, *, may_be_quoted: bool) -> Iterator[str]:
    """A text as tokens: as it is, in quotes, or as encoded words where neither carries it unchanged."""
    is_plain = _PRINTABLE.match(value) and "=?" not in value and not _LONG_WORD.search(value)
    if not value:
        return
    if not is_plain:
        yield from _encoded_words(value)
    elif not may_be_quoted or _ATOMS.match(value):
        yield from value.split(" ")
    else:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        yield from f'"{escaped}"'.split(" ")


def _encoded_words(value: str) -> Iterator[str]:
    """The text as encoded words (RFC 2047), each of whole characters."""
    octets = value.encode()
    plain = sum(octet in _Q_PLAIN or octet == 0x20 for octet in octets)
    is_q = plain + 3 * (len(octets) - plain) <= len(octets) * 4 // 3
    room = WORD - _OVERHEAD if is_q else (WORD - _OVERHEAD) // 4 * 3
    pieces: list[str] = []
    used = 0
    for character in value:
        piece = _q(character) if is_q else character
        size = len(piece) if is_q else len(character.encode())
        if used + size > room:
            yield _word("".join(pieces), is_q=is_q)
            pieces, used = [], 0
        pieces.append(piece)
        used += size
    yield _word("".join(pieces), is_q=is_q)


def _word(content: str, *, is_q: bool) -> str:
    if is_q:
        return f"=?utf-8?q?{content}?="
    return f"=?utf-8?b?{base64.b64encode(content.encode()).decode('ascii')}?="


def _q(character: str) -> str:
    if character == " ":
        return "_"
    return "".join(chr(octet) if octet in _Q_PLAIN else f"={octet:02X}" for octet in character.encode())


# Parameters


def _parameter(name: str, value: str) -> Iterator[str]:
    """A parameter as it is, in quotes, or in as many encoded sections as it needs."""
    if re.fullmatch(r"[A-Za-z0-9.+_-]{1,60}", value):
        yield f"{name}={value}"
    elif re.fullmatch(r"[ !#-\[\]-~]{1,60}", value) and "=?" not in value:
        yield f'{name}="{value}"'
    else:
        sections = list(_sections(value))
        for number, section in enumerate(sections):
            mark = f"*{number}*" if len(sections) > 1 else "*"
            start = "" if number else "utf-8''"
            yield f"{name}{mark}={start}{section}"


def _sections(value: str) -> Iterator[str]:
    """The value percent-encoded, in sections of whole characters."""
    section = ""
    for character in value:
        octets = character.encode()
        piece = (
            character
            if len(octets) == 1 and octets[0] in _TOKEN_CHARACTERS
            else "".join(f"%{octet:02X}" for octet in octets)
        )
        if len(section) + len(piece) > SECTION:
            yield section
            section = ""
        section += piece
    yield section
