"""Octets to a message, read. Pure; never raises on bad mail; what was bad is recorded in `faults`.

Covers the fields that people read (RFC 5322 section 3.6), the choice of the texts among the parts and the files.
Bounds stand with what they bound: fields in `headers`, parts in `mime`, and here texts and files.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from bot.mail import addresses, charsets, encodings, filenames, headers, images
from bot.mail.content import Attachment, Body, Fault, Message
from bot.mail.mime import Part, Tree
from bot.mail.recognised import recognised
from bot.mail.text import one_line

if TYPE_CHECKING:
    from datetime import datetime

    from bot.mail.content import Address
    from bot.mail.headers import Header

TEXT_OCTETS: Final = 2 * 1024 * 1024
"""Of all plain texts together, and of all HTML together."""

FORWARDED_DEPTH: Final = 3
"""So deep are messages read that lie within others; deeper ones are files."""

SMALL_TEXT: Final = 64 * 1024
SUBJECT_UNITS: Final = 2000
ID_UNITS: Final = 998
REFERENCES: Final = 100
_LINE_WITHIN: Final = 4096
_RECEIVED_READ: Final = 5
_BOM: Final = b"\xef\xbb\xbf"
_START: Final = 64 * 1024

_FILES_OF_TEXT: Final = frozenset(
    [
        "calendar",
        "csv",
        "css",
        "directory",
        "rfc822-headers",
        "rtf",
        "tab-separated-values",
        "vcard",
        "x-amp-html",
        "x-vcard",
        "x-vcalendar",
        "xml",
        "javascript",
        "ecmascript",
        "x-python",
        "x-sh",
    ]
)

_DOUBLES: Final = frozenset({"text/x-amp-html", "text/watch-html"})
"""Say what the other alternatives say, to programs of one maker: no file either, where there is another."""


def parse(octets: bytes) -> Message:
    """The message that the octets are, whatever they are."""
    return _parsed(octets, 0)


def _parsed(octets: bytes, depth: int) -> Message:
    """A message that lies so deep in others."""
    prepared = _prepared(octets)
    tree = Tree(prepared)
    root = tree.root()
    message = _of_header(root.header)
    if Fault.NOT_A_MAIL in message.faults:
        return message
    contents = _Contents(prepared)
    bodies = contents.collect(root, is_alone=True)
    read = replace(
        message,
        bodies=tuple(bodies),
        attachments=tuple(contents.attachments),
        faults=message.faults | tree.faults | contents.faults,
    )
    within = partial(_parsed, depth=depth + 1) if depth < FORWARDED_DEPTH else None
    return recognised(read, root.header, within)


def parse_header(octets: bytes) -> Message:
    """The message as its header alone tells it: no body, no attachments."""
    return _of_header(header(octets))


def header_fields(octets: bytes) -> list[tuple[str, str]]:
    """Every field of the header in its order, by name in lower case, its text decoded and not cleaned."""
    found = header(octets)
    hint = headers.labelled(found.raw("content-type"))[1].get("charset", "")
    return [(name, headers.text(raw, hint)) for name, raw in found.fields]


def has_whole_header(octets: bytes) -> bool:
    """Whether an empty line ends the header: without one, the rest of it may lie in octets that were cut off."""
    return _header_end(_prepared(octets[: headers.BLOCK_OCTETS + _START])) is not None


def header(octets: bytes) -> Header:
    """The fields of the header, first to last."""
    block = _prepared(octets[: headers.BLOCK_OCTETS + _START])
    return headers.parsed(block[: _header_end(block)])[0]


def _header_end(block: bytes) -> int | None:
    return min((at for at in (block.find(b"\n\n"), block.find(b"\n\r\n")) if at >= 0), default=None)


def _prepared(octets: bytes) -> bytes:
    """Without what stands before the first field, with line ends that are or end in LF."""
    octets = octets.lstrip(_BOM + b"\r\n\t \0")
    start = octets[:_START]
    return octets.replace(b"\r", b"\n") if b"\r" in start and b"\n" not in start else octets


def _of_header(header: Header) -> Message:
    hint = headers.labelled(header.raw("content-type"))[1].get("charset", "")
    senders, sender_count = _addresses(header, "from", hint)
    senders = senders or _addresses(header, "sender", hint)[0] or _addresses(header, "return-path", hint)[0]
    to, to_count = _addresses(header, "to", hint)
    cc, cc_count = _addresses(header, "cc", hint)
    return Message(
        subject=one_line(headers.text(header.raw("subject"), hint), SUBJECT_UNITS),
        sender=senders[0] if senders else None,
        reply_to=_addresses(header, "reply-to", hint)[0],
        to=to,
        cc=cc,
        to_count=to_count,
        cc_count=cc_count,
        date=headers.date(header.raw("date")),
        received=_received(header),
        message_id=_id(header.raw("message-id")),
        in_reply_to=_id(header.raw("in-reply-to")),
        references=tuple(_ids(header.raw("references"))[-REFERENCES:]),
        bodies=(),
        attachments=(),
        faults=_header_faults(
            header, len(to) + len(cc), to_count + cc_count + max(0, sender_count - len(senders))
        ),
        other_senders=senders[1:],
    )


def _addresses(header: Header, name: str, hint: str) -> tuple[tuple[Address, ...], int]:
    """The addresses of all fields of a name."""
    found: list[Address] = []
    count = 0
    for raw in header.all(name):
        some, number = addresses.parsed(raw, hint)
        found += some[: addresses.ADDRESSES - len(found)]
        count += number
    return tuple(found), count


def _header_faults(header: Header, kept: int, count: int) -> frozenset[Fault]:
    faults = {
        Fault.NOT_A_MAIL: not header.is_of_mail,
        Fault.HEADER_CUT: header.is_cut,
        Fault.SEVERAL_SENDERS: sum(1 for _ in header.all("from")) > 1,
        Fault.ADDRESSES_CUT: count > kept,
    }
    return frozenset(fault for fault, is_so in faults.items() if is_so)


def _received(header: Header) -> datetime | None:
    """The time at which the last server took the mail."""
    fields = list(header.all("received"))[:_RECEIVED_READ]
    times = (headers.date(field.rpartition(b";")[2].strip()) for field in fields)
    return next((time for time in times if time is not None), None)


def _id(raw: bytes) -> str:
    return next(iter(_ids(raw)), one_line(headers.eight_bit(raw), ID_UNITS))


def _ids(raw: bytes) -> list[str]:
    pieces = headers.eight_bit(raw).split(">")
    ids = (piece.rpartition("<") for piece in pieces)
    return ["".join(name.split())[:ID_UNITS] for _, bracket, name in ids if bracket and name.strip()]


@dataclass
class _Contents:
    """Texts and files, gathered in the order in which they stand."""

    octets: bytes
    attachments: list[Attachment] = field(default_factory=list)
    faults: set[Fault] = field(default_factory=set)
    _plain_left: int = TEXT_OCTETS
    _html_left: int = TEXT_OCTETS

    def collect(self, part: Part, *, is_alone: bool = False) -> list[Body]:
        """The texts of a part; its files join `attachments`.

        Args:
            part: with all that is in it.
            is_alone: it is the whole mail or one of several alternatives, so that a text in it is no file.
        """
        if part.is_opaque:
            self._attach(part, self.octets[part.start : part.end])
            return []
        if part.type == "multipart/alternative":
            known = [child for child in part.children if child.type not in _DOUBLES] or part.children
            return _alternative([self.collect(child, is_alone=True) for child in known])
        if part.children:
            return [body for child in part.children for body in self.collect(child)]
        return self._leaf(part, is_alone=is_alone)

    def _leaf(self, part: Part, *, is_alone: bool) -> list[Body]:
        octets, is_damaged = encodings.decoded(
            self.octets[part.body : part.end], _ascii(part.header.raw("content-transfer-encoding"))
        )
        is_named = bool(part.names.get("filename") or part.parameters.get("name"))
        is_text = _is_text(part) and (is_alone or not is_named or len(octets) <= SMALL_TEXT)
        if is_text and is_damaged:
            self.faults.add(Fault.ENCODING_DAMAGED)
        if not is_text or (is_named and not is_alone):
            self._attach(part, octets, is_damaged=is_damaged)
        return self._text(part, octets) if is_text else []

    def _text(self, part: Part, octets: bytes) -> list[Body]:
        is_html = part.type in {"text/html", "application/xhtml+xml"}
        left = self._html_left if is_html else self._plain_left
        if len(octets) > left:
            self.faults.add(Fault.HTML_CUT if is_html else Fault.TEXT_CUT)
        kept = octets[: _last_line_end(octets, left)]
        if is_html:
            self._html_left -= len(kept)
        else:
            self._plain_left -= len(kept)
        text, is_guess = charsets.decoded(kept, part.parameters.get("charset", ""), is_html=is_html)
        if is_guess:
            self.faults.add(Fault.CHARSET_GUESSED)
        if is_html:
            return [Body(None, text)] if text.strip() else []
        return [Body(_unflowed(text, part.parameters), None)] if text.strip() else []

    def _attach(self, part: Part, octets: bytes, *, is_damaged: bool = False) -> None:
        if part.disposition != "attachment" and images.is_spacer(octets):
            return
        name = part.names.get("filename") or part.parameters.get("name") or ""
        kind = "message/rfc822" if part.is_opaque else part.type
        if not name and kind in {"message/rfc822", "message/global"}:
            subject = parse_header(octets).subject
            name = f"{subject}.eml" if subject else ""
        safe = filenames.safe(name) or filenames.by_type(kind, len(self.attachments) + 1)
        content_id = headers.eight_bit(part.header.raw("content-id")).strip("<> \t")[:ID_UNITS]
        is_disguised = filenames.is_disguised(name)
        self.attachments.append(
            Attachment(safe, kind, octets, is_damaged, content_id, is_disguised=is_disguised)
        )


def _last_line_end(octets: bytes, limit: int) -> int:
    """Where to cut, so that no character of several octets is torn if a line ends near."""
    if len(octets) <= limit:
        return len(octets)
    return octets.rfind(b"\n", max(0, limit - _LINE_WITHIN), limit) + 1 or limit


def _is_text(part: Part) -> bool:
    """Whether a leaf is to be read rather than kept as a file."""
    family, _, kind = part.type.partition("/")
    if part.disposition == "attachment":
        return False
    return part.type == "application/xhtml+xml" or (family == "text" and kind not in _FILES_OF_TEXT)


def _alternative(choices: list[list[Body]]) -> list[Body]:
    """One text in every form the alternatives have it; of each form the richest, which stands last."""
    plain = [text for bodies in choices if (text := _joined([body.plain for body in bodies], "\n\n"))]
    html = [text for bodies in choices if (text := _joined([body.html for body in bodies], "<hr>"))]
    if not plain and not html:
        return []
    return [Body(plain[0] if plain else None, html[-1] if html else None)]


def _joined(texts: list[str | None], between: str) -> str:
    return between.join(text for text in texts if text)


def _ascii(raw: bytes) -> str:
    return raw.decode("ascii", "replace")


def _unflowed(text: str, parameters: dict[str, str]) -> str:
    """Lines that were broken softly (RFC 3676 section 4), put together again."""
    if parameters.get("format", "").lower() != "flowed":
        return text
    is_glued = parameters.get("delsp", "").lower() == "yes"
    lines: list[str] = []
    pieces: list[str] = []
    depth = -1
    for line in text.splitlines():
        bare = line.lstrip(">")
        quoted, content = len(line) - len(bare), bare.removeprefix(" ")
        if pieces and quoted != depth:
            lines.append("".join(pieces))
            pieces = []
        depth = quoted
        pieces = pieces or [">" * quoted + " " if quoted else ""]
        is_soft = content.endswith(" ") and content != "-- "
        pieces.append(content[:-1] if is_soft and is_glued else content)
        if not is_soft:
            lines.append("".join(pieces))
            pieces = []
    return "\n".join([*lines, "".join(pieces)] if pieces else lines)
