"""A mail that somebody wrote to the octets that are sent. Pure: the same mail gives the same octets.

Covers RFC 5322, RFC 2045 and 2046, RFC 6047 for answers to invitations, and RFC 6531 where an address is not ASCII.
Every line ends in CRLF and has at most 998 octets; recipients of Bcc are in no field. Nothing is said of the program
that sent it, nor of the machine it runs on.

Text is sent with one line for each paragraph and without `format=flowed`: most readers break long lines by themselves
and do not know soft breaks, which they would show as hard ones. There is an HTML form only of text that has a format.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.mail import answering, file_types, filenames, header_lines, headers, letter_html, parties, slack_text
from bot.mail.seven_bit import quoted_printable, seven_bit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.mail.content import Attachment
    from bot.mail.letters import Written

__all__ = ["compose", "new_message_id", "seven_bit"]

LINE_OCTETS: Final = 998
SAFE_DOMAIN: Final = "mailbox.invalid"
_BASE64_LINE: Final = 76
_BASE64_CHUNK: Final = 57 * 4096
_HEADER_START: Final = 64 * 1024
_ID_LEFT: Final = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
_DOMAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\Z")
_SIGNATURE_MARK: Final = re.compile(r"\A-- ?(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class _Part:
    """One MIME part: its fields, and its body in pieces that are joined once."""

    head: str
    body: tuple[bytes, ...]
    is_8bit: bool = False


def compose(written: Written) -> bytes:
    """The mail, header and body.

    Raises:
        LocalProtocolError: a name, an address, a subject, an id or a file's name cannot stand in a header.
    """
    head = "".join(_fields(written))
    text = _text(written)
    files = [_file(each, number) for number, each in enumerate(written.attachments, 1)]
    root = _multipart("mixed", [text, *files], written.message_id) if files else text
    top = (head + "MIME-Version: 1.0\r\n" + root.head + "\r\n").encode()
    if any(len(line) > LINE_OCTETS or b"\r" in line or b"\n" in line for line in top.split(b"\r\n")):
        raise header_lines.refused("a line of the header is too long or broken")
    return b"".join([top, *root.body])


def new_message_id(address: str, random: str) -> str:
    """A Message-ID in the domain of an address.

    Args:
        address: the mailbox's own; without a usable domain the id is in one that nobody has.
        random: told apart from all others; letters and digits.
    """
    domain = parties.ascii_domain(address.rpartition("@")[2]) or "" if "@" in address else ""
    right = domain if _DOMAIN.match(domain) and ".." not in domain else SAFE_DOMAIN
    left = random if _ID_LEFT.match(random) else _digest(random)
    return f"<{left}@{right}>"


def _fields(written: Written) -> Iterator[str]:
    """The fields of the header that tell who, to whom, what and when."""
    own = header_lines.identifier(written.message_id)
    if not own:
        raise header_lines.refused("the Message-ID is none")
    references = header_lines.identifiers("References", written.references)
    yield header_lines.addresses("From", [written.sender])
    if written.to:
        yield header_lines.addresses("To", written.to)
    elif not written.cc:
        yield "To: undisclosed-recipients:;\r\n"  # all are of Bcc; filters distrust a mail to nobody
    if written.cc:
        yield header_lines.addresses("Cc", written.cc)
    yield header_lines.text("Subject", written.subject)
    yield header_lines.date(written.date)
    yield f"Message-ID: {own}\r\n"
    yield header_lines.identifiers("In-Reply-To", written.references[-1:])
    yield references


# Text


def _text(written: Written) -> _Part:
    """What is read: plain text, with its other forms where it has any."""
    words = slack_text.read(written.text, written.names)
    signature = _SIGNATURE_MARK.sub("", slack_text.typed(written.signature)).strip("\n ")
    quote = slack_text.typed(written.quote).strip("\n")
    # Below the mark all is signature to mail programs: they grey it, and leave it out of answers. A quote may be that.
    is_marked = not quote.startswith(answering.FORWARDED)
    mark = "-- \n" if is_marked else ""
    below = ([f"{mark}{signature}"] if signature else []) + ([quote] if quote else [])
    plain = "\n\n".join([text for text in (words.plain, *below) if text])
    forms = [_readable("text/plain", plain)]
    if words.is_formatted:
        page = letter_html.page(
            words.html,
            letter_html.signature(signature, is_marked=is_marked) if signature else "",
            letter_html.quote(quote) if quote else "",
        )
        forms.append(_readable("text/html", page))
    if written.calendar:
        forms.append(_readable("text/calendar", slack_text.typed(written.calendar), method="REPLY"))
    return _multipart("alternative", forms, written.message_id) if len(forms) > 1 else forms[0]


def _readable(kind: str, text: str, **parameters: str) -> _Part:
    """A part of text: as it is where its lines are short enough, else quoted-printable."""
    body = (text.removesuffix("\n") + "\n").replace("\n", "\r\n").encode()
    encoding = "7bit" if body.isascii() else "8bit"
    if max(map(len, body.split(b"\r\n"))) > LINE_OCTETS:
        encoding, body = "quoted-printable", quoted_printable(body)
    head = header_lines.labelled("Content-Type", kind, **parameters, charset="utf-8")
    return _Part(_encoded(head, encoding), (body,), encoding == "8bit")


# Files


def _file(file: Attachment, number: int) -> _Part:
    """An attachment: a mail as a mail, everything else in base64."""
    header_lines.checked(file.type)
    name = header_lines.checked(file.name)
    kind = file_types.of(name, file.type)
    name = filenames.safe(name) or filenames.by_type(kind, number)
    disposition = header_lines.labelled("Content-Disposition", "attachment", filename=name)
    if kind == "message/rfc822":
        mail = _as_mail(file.octets)
        if mail is not None:
            is_8bit = not mail.isascii()
            head = header_lines.labelled("Content-Type", kind, name=name) + disposition
            return _Part(_encoded(head, "8bit" if is_8bit else "7bit"), (mail, b"\r\n"), is_8bit)
        kind = file_types.UNKNOWN
    charset = {"charset": "utf-8"} if kind.startswith("text/") and _is_utf8(file.octets) else {}
    head = header_lines.labelled("Content-Type", kind, **charset, name=name) + disposition
    return _Part(_encoded(head, "base64"), tuple(_base64(file.octets)))


def _as_mail(octets: bytes) -> bytes | None:
    """A mail as it may stand within another, which allows no encoding (RFC 2046 section 5.2.1); None where it may not."""
    lines = octets.replace(b"\r\n", b"\n")
    is_bad = b"\r" in lines or b"\0" in lines or max(map(len, lines.split(b"\n"))) > LINE_OCTETS
    is_mail = headers.parsed(lines[:_HEADER_START])[0].is_of_mail
    return lines.replace(b"\n", b"\r\n") if is_mail and not is_bad else None


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def _base64(octets: bytes) -> Iterator[bytes]:
    """The octets in lines; a chunk at a time, so that they are in memory twice and not ten times."""
    for start in range(0, len(octets), _BASE64_CHUNK):
        line = binascii.b2a_base64(octets[start : start + _BASE64_CHUNK], newline=False)
        yield (
            b"\r\n".join([line[at : at + _BASE64_LINE] for at in range(0, len(line), _BASE64_LINE)]) + b"\r\n"
        )


# Parts


def _encoded(head: str, encoding: str) -> str:
    return f"{head}Content-Transfer-Encoding: {encoding}\r\n"


def _multipart(kind: str, parts: Sequence[_Part], seed: str) -> _Part:
    """Several parts as one; the boundary follows from the mail's id and stands in none of them."""
    boundary = _boundary(kind, parts, seed)
    is_8bit = any(part.is_8bit for part in parts)
    head = header_lines.labelled("Content-Type", f"multipart/{kind}", boundary=boundary)
    mark = f"--{boundary}".encode()
    body: list[bytes] = []
    for part in parts:
        body += [mark, b"\r\n", part.head.encode(), b"\r\n", *part.body]
    return _Part(_encoded(head, "8bit" if is_8bit else "7bit"), (*body, mark, b"--\r\n"), is_8bit)


def _boundary(kind: str, parts: Sequence[_Part], seed: str) -> str:
    """`=_` stands in neither base64 nor quoted-printable, but a forwarded mail may hold anything."""
    number = 0
    while True:
        mark = f"=_{_digest(f'{kind} {number} {seed}')}"
        if not any(mark.encode() in piece for part in parts for piece in part.body):
            return mark
        number += 1


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
