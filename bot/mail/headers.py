"""Header fields: octets to names and values, encoded words, parameters, dates. Pure; linear; never raises.

Covers RFC 5322 section 2.2, RFC 2047 and RFC 2231 as mails use them, which is loosely: raw 8-bit text, broken folds,
words split within a character, wrong padding. The standard library's decoder is quadratic and raises.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from bot.mail import charsets

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_OCTETS: Final = 256 * 1024
FIELD_OCTETS: Final = 16 * 1024
ADDRESS_FIELD_OCTETS: Final = 64 * 1024
FIELDS: Final = 1000
TEXT_CHARACTERS: Final = 8 * 1024
ENCODED_WORDS: Final = 500
PARAMETERS: Final = 100

_LONG_FIELDS: Final = frozenset({"from", "to", "cc", "bcc", "reply-to", "sender"})
_MAIL_FIELDS: Final = re.compile(
    r"(?:from|to|cc|bcc|subject|date|received|message-id|mime-version|content-[a-z-]{2,40}|return-path|delivered-to|"
    r"sender|reply-to|references|in-reply-to|errors-to|envelope-to|precedence|list-[a-z-]{2,20}|user-agent|"
    r"dkim-signature|arc-[a-z-]{2,40}|authentication-results|thread-[a-z]{2,20}|importance|priority|"
    r"x-[a-z0-9-]{1,60})\Z"
)
_WORD: Final = re.compile(r"=\?([^?\s=]{1,60})\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*){0,8})\?=")
_TYPE: Final = re.compile(r"\s*([^\s;/(]{1,100})\s*(?:/\s*([^\s;/(]{1,100}))?")
_GAP: Final = re.compile(r"[\s;]*")
_PARAMETER: Final = re.compile(r"([^\s=;\"]{1,80})\s*=\s*")
_SECTION: Final = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?\Z")
_LOOKAHEAD: Final = 4


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of one part, first to last; names in lower case, values unfolded and still encoded."""

    fields: tuple[tuple[str, bytes], ...]
    is_cut: bool

    def raw(self, name: str) -> bytes:
        """The first field of a name, b"" when there is none."""
        return next(self.all(name), b"")

    def all(self, name: str) -> Iterator[bytes]:
        """Every field of a name."""
        return (value for key, value in self.fields if key == name)

    @property
    def is_of_mail(self) -> bool:
        """Whether a field stands here that mails have and other files do not."""
        return any(_MAIL_FIELDS.match(name) for name, _ in self.fields)


def parsed(block: bytes) -> tuple[Header, int]:
    """The fields of a header block, and where in the block its first line stands that is none.

    Args:
        block: everything before the first empty line; more than BLOCK_OCTETS of it are ignored.
    """
    lines = block[:BLOCK_OCTETS].split(b"\n")
    fields: list[tuple[str, bytes]] = []
    pieces: list[bytes] = []
    is_cut, at, end = len(block) > BLOCK_OCTETS, 0, len(block)
    for number, raw in enumerate(lines):
        line = raw.strip(b"\r")
        name = _field_name(line)
        if name:
            is_cut |= _close(fields, pieces)
            fields.append((name, b""))
            pieces = [line[line.index(b":") + 1 :]]
        elif line[:1] in {b" ", b"\t"} or _is_stray(lines, number):
            pieces.append(b" " + line.lstrip())
        elif line and not (number == 0 and line.startswith((b"From ", b">From "))):
            end = at
            break
        if len(fields) > FIELDS:
            return Header(tuple(fields[:FIELDS]), is_cut=True), len(block)
        at += len(raw) + 1
    is_cut |= _close(fields, pieces)
    return Header(tuple(fields), is_cut), end


def _close(fields: list[tuple[str, bytes]], pieces: list[bytes]) -> bool:
    """Gives the last field its value; whether that had to be cut."""
    if not fields:
        return False
    name = fields[-1][0]
    value = b"".join(pieces).strip()
    is_list = name in _LONG_FIELDS
    most = ADDRESS_FIELD_OCTETS if is_list else FIELD_OCTETS
    if len(value) > most:
        whole, comma, _ = value[:most].rpartition(b",")
        fields[-1] = (name, whole if is_list and comma else value[:most])
        return True
    fields[-1] = (name, value)
    return False


def _field_name(line: bytes) -> str:
    """The name a line begins with, "" when it does not begin a field."""
    name, colon, _ = line[:200].partition(b":")
    name = name.rstrip(b" \t")
    is_name = colon and name and len(name) <= 100 and name.isascii() and not name.startswith((b" ", b"\t"))
    if not is_name or any(octet <= 0x20 or octet == 0x7F for octet in name):
        return ""
    return name.decode("ascii").lower()


def _is_stray(lines: list[bytes], number: int) -> bool:
    """Whether a line that is no field was torn off the one above: fields that every mail has follow it."""
    following = lines[number + 1 : number + 1 + _LOOKAHEAD]
    return any(_MAIL_FIELDS.match(_field_name(line.strip(b"\r"))) for line in following)


def text(raw: bytes, hint: str = "") -> str:
    """A field's text, decoded; not cleaned.

    Args:
        raw: the value, unfolded.
        hint: the charset of the mail's text, for 8-bit octets that bear no label.
    """
    return words_decoded(eight_bit(raw, hint))[:TEXT_CHARACTERS]


def eight_bit(raw: bytes, hint: str = "") -> str:
    """A field's value as text, encoded words untouched."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    if hint or b"\x1b" in raw:
        return charsets.decoded(raw, hint)[0]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def words_decoded(value: str) -> str:
    """The text with its encoded words decoded; adjacent ones are joined before their octets are read."""
    if "=?" not in value:
        return value
    pieces: list[str] = []
    run: list[tuple[str, str, str]] = []
    end = count = 0
    for found in _WORD.finditer(value):
        between = value[end : found.start()]
        if between.strip() or not run:
            pieces += [_run_decoded(run), between]
            run = []
        run.append((found[1].partition("*")[0].lower(), found[2].lower(), found[3]))
        end, count = found.end(), count + 1
        if count >= ENCODED_WORDS:
            break
    return "".join([*pieces, _run_decoded(run), value[end:]])


def _run_decoded(run: list[tuple[str, str, str]]) -> str:
    """Adjacent words; those of one charset are one text."""
    pieces: list[str] = []
    start = 0
    for at in range(1, len(run) + 1):
        if at == len(run) or run[at][0] != run[start][0]:
            octets = _words_octets(run[start:at])
            pieces.append(charsets.decoded(octets, run[start][0])[0])
            start = at
    return "".join(pieces)


def _words_octets(run: list[tuple[str, str, str]]) -> bytes:
    pieces: list[bytes] = []
    waiting = ""  # base64 that some mailers split within a group of four
    for _, encoding, content in run:
        if encoding == "q":
            pieces += [_base64(waiting), _q(content)]
            waiting = ""
            continue
        waiting += content
        if content.endswith("=") or len(waiting) % 4 == 0:
            pieces.append(_base64(waiting))
            waiting = ""
    return b"".join([*pieces, _base64(waiting)])


def _q(content: str) -> bytes:
    octets = content.replace("_", " ").encode("utf-8", "replace")
    return binascii.a2b_qp(octets.replace(b"=\n", b"=3D\n"))


def _base64(content: str) -> bytes:
    letters = re.sub("[^A-Za-z0-9+/]", "", content)
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    return binascii.a2b_base64(letters + "=" * (-len(letters) % 4))


def labelled(raw: bytes) -> tuple[str, dict[str, str]]:
    """A field such as Content-Type: its value in lower case, and its parameters, decoded.

    Continued and percent-encoded parameters (RFC 2231) are put together; encoded words in them, which no RFC allows
    and half of all mailers write, are decoded.
    """
    value = eight_bit(raw)
    head = _TYPE.match(value)
    found: dict[str, list[tuple[int, bool, str]]] = {}
    for name, content in _parameters(value, head.end() if head else 0):
        section = _SECTION.match(name.lower())
        if section is not None:
            number = int(section[2]) if section[2] else -1
            found.setdefault(section[1], []).append((number, bool(section[3]), content))
    parameters = {name: _parameter(pieces) for name, pieces in found.items()}
    kind = "/".join(part for part in head.groups() if part) if head else ""
    return kind.lower(), parameters


def _parameters(value: str, at: int) -> Iterator[tuple[str, str]]:
    """Names and values, still encoded, from an index on; what is neither is passed over."""
    count = 0
    while at < len(value) and count < PARAMETERS:
        gap = _GAP.match(value, at)
        at = gap.end() if gap else at
        name = _PARAMETER.match(value, at)
        if name is not None:
            content, at = _parameter_value(value, name.end())
            count += 1
            yield name[1], content
        elif (at := value.find(";", at)) < 0:
            break


def _parameter_value(value: str, start: int) -> tuple[str, int]:
    """The value that starts at an index, and where it ends."""
    if value[start : start + 1] != '"':
        end = value.find(";", start)
        end = len(value) if end < 0 else end
        return value[start:end].strip(), end
    pieces: list[str] = []
    at = start + 1
    while (quote := value.find('"', at)) >= 0:
        slashes = quote - len(value[at:quote].rstrip("\\")) - at
        pieces.append(value[at:quote])
        at = quote + 1
        if slashes % 2 == 0:
            break
        pieces.append('"')
    else:
        pieces.append(value[at:])
        at = len(value)
    joined = "".join(pieces)
    return (re.sub(r'\\(["\\])', r"\1", joined) if "\\" in joined else joined), at


def _parameter(pieces: list[tuple[int, bool, str]]) -> str:
    """One parameter of its sections; sections in order win over a plain value sent beside them."""
    sections = sorted(piece for piece in pieces if piece[0] >= 0 or piece[1]) or pieces[:1]
    charset = ""
    octets: list[bytes] = []
    for index, (_, is_encoded, content) in enumerate(sections):
        rest = content
        if is_encoded and index == 0 and content.count("'") >= 2:
            charset, _, rest = content.split("'", 2)
        encoded = rest.encode("utf-8", "replace")
        octets.append(unquote_to_bytes(encoded) if is_encoded else encoded)
    return words_decoded(charsets.decoded(b"".join(octets), charset)[0])


def date(raw: bytes) -> datetime | None:
    """The time of a Date field, in UTC; None when it is unreadable."""
    found = local_date(raw)
    return None if found is None else found.astimezone(UTC)


def local_date(raw: bytes) -> datetime | None:
    """The time of a Date field in the zone it names; None when it is unreadable."""
    value = raw[:200].decode("ascii", "replace")
    try:
        found = _in_its_zone(value)
        found.astimezone(UTC)  # at the edges of time only some zones have the day
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found


def _in_its_zone(value: str) -> datetime:
    parts = parsedate_tz(value)
    if parts is None:
        time = datetime.fromisoformat(value.strip())
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    zone = timezone(timedelta(seconds=max(-86_340, min(parts[9] or 0, 86_340))))
    second = min(parts[5], 59)  # a leap second is a time too
    return datetime(*parts[:5], second, tzinfo=zone)
