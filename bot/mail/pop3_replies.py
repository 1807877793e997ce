"""What the text behind +OK and -ERR means: numbers, listings, response codes, refusals by who must act.

Pure. Server text is hostile: it goes nowhere but through `redacted`, and never into a sentence for the person.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from bot.errors import (
    BotError,
    CommandRefused,
    LoginRejected,
    MaildropBusy,
    RemoteProtocolError,
    ServerBusy,
    ServerRefused,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

MAX_NUMBER: Final = 2**31 - 1  # of a message; larger ones are an attack or an overflow of the server's own
_MAX_DETAIL: Final = 160
_STRETCH: Final = 8 * 1024  # octets of a listing; their rows take about 0.2 ms, the shortest ones 0.6
_MAX_JUDGED: Final = 1000  # of a refusal; bounds what the expressions below can cost

_UID_ROW: Final = re.compile(
    rb"^[ \t]*([0-9]{1,10})(?:[ \t]+([^ \t\r\n]+(?:[ \t]+[^ \t\r\n]+)*))?[ \t]*\r?$", re.MULTILINE
)
_SIZE_ROW: Final = re.compile(rb"^[ \t]*([0-9]{1,10})[ \t]+([0-9]{1,18})(?:[ \t][^\n]*|\r?)$", re.MULTILINE)
_TWO_NUMBERS: Final = re.compile(rb"([0-9]{1,10})[ \t]+([0-9]{1,18})(?:[ \t].*)?")

_CODE: Final = re.compile(r"\s*\[([A-Za-z0-9/_-]{1,64})\]")
_MAILDROP: Final = re.compile(
    r"\block|in use|\banother\b.*\bsession|\balready\b.*\b(open|active|connected)", re.IGNORECASE
)
# Not the maildrop: nothing is gained by waiting, and each further login may count against the account.
_LOCKED_OUT: Final = re.compile(r"\baccount (is |was |has been )?(now |currently )?locked\b", re.IGNORECASE)
_TEMPORARY: Final = re.compile(
    r"too many|too often|too frequent|temporar|\bbusy\b|\brate\b|exceed|\blater\b|overload|\bwait\b|unavailable|throttl"
    r"|try .{0,20}\b(minutes|hours)\b",
    re.IGNORECASE,
)
_TRY_AGAIN: Final = re.compile(r"try again|retry", re.IGNORECASE)
_POP_OFF: Final = re.compile(
    r"\bpop(3)?\b.{0,60}\b(disabled|not\s+(been\s+)?(enabled|allowed|activated|available|permitted)|switched off"
    r"|turned off|deactivated|inactive)\b|\b(enable|activate|turn on|switch on)\b.{0,40}\bpop(3)?\b",
    re.IGNORECASE,
)
_UNSUPPORTED: Final = re.compile(
    r"\b(unknown|unrecogni[sz]ed|invalid|bad|illegal|unexpected|no such)\b.{0,20}"
    r"\b(command|keyword|verb|mechanism|method|type|argument|parameter|request)"
    r"|\b(unsupported|not\s+(supported|implemented|understood|available|recogni[sz]ed|a valid command))\b"
    r"|\b(syntax|usage)\b|unimplemented|command not|\btoo long\b|wrong state",
    re.IGNORECASE,
)
_CREDENTIALS: Final = re.compile(
    r"password|credential|authentication (failed|failure)|log(i|o)n (failed|failure|incorrect)|\buser ?name\b",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(
    r"[^\s<>\"'(),;:=]+@[^\s<>\"'(),;]+|\b\d{1,3}(\.\d{1,3}){3}\b|\b[0-9a-f]*:[0-9a-f:]*:[0-9a-f.]*",
    re.IGNORECASE,
)


def stat(text: bytes) -> tuple[int, int]:
    """Messages and octets in the maildrop, from the answer to STAT."""
    count, octets = _pair(text)
    if count > MAX_NUMBER:
        raise RemoteProtocolError("a count over the limit in STAT")
    return count, octets


def one_size(text: bytes, number: int) -> int:
    """The octets of one message, from the answer to LIST with its number."""
    answered, octets = _pair(text)
    if answered != number:
        raise RemoteProtocolError("LIST answered for another message")
    return octets


def one_uid(text: bytes, number: int, max_octets: int) -> bytes:
    """The UID of one message, from the answer to UIDL with its number."""
    numbers, uids = uid_rows(text + b"\n", max_octets)
    if numbers[0] != number:
        raise RemoteProtocolError("UIDL answered for another message")
    if not uids[0]:
        raise RemoteProtocolError("UIDL answered without a UID")
    return uids[0]


def stretches(block: bytes) -> Iterator[bytes]:
    """Whole lines, few enough to be read in a fraction of a millisecond, of a block of whole lines."""
    start = 0
    while start < len(block):
        stop = block.rfind(b"\n", start, start + _STRETCH) + 1 or block.find(b"\n", start) + 1 or len(block)
        yield block[start:stop]
        start = stop


def uid_rows(block: bytes, max_octets: int) -> tuple[list[int], Sequence[bytes]]:
    """Numbers and UIDs of whole UIDL lines, those of a message without UID empty.

    A UID is all that stands behind the number, blanks at its end apart: some servers put a space inside, and
    half of it would take two messages for one. Equal UIDs of several messages come as the server gave them.

    Raises:
        RemoteProtocolError: a line that is none, a number out of range, a UID over `max_octets`. A listing with
            one wrong line is not to be trusted about the others.
    """
    numbers, uids = _columns(_UID_ROW, block)
    if uids and max(map(len, uids)) > max_octets:
        raise RemoteProtocolError("a UID over the limit")
    return numbers, uids


def size_rows(block: bytes) -> list[tuple[int, int]]:
    """Numbers and octets of whole LIST lines; anything behind the size is passed over (RFC 1939 section 5).

    Raises:
        RemoteProtocolError: a line that is none, or a number out of range.
    """
    numbers, sizes = _columns(_SIZE_ROW, block)
    return list(zip(numbers, map(int, sizes), strict=True))


def take_sizes(found: dict[int, int], wanted: Container[int] | None, lines: bytes) -> None:
    """Add the sizes of whole LIST lines to those found; only of the wanted numbers, None wants all.

    Raises:
        RemoteProtocolError: as `size_rows`, and a message named twice: one of the two lines lies.
    """
    rows = size_rows(lines)
    ours = rows if wanted is None else [row for row in rows if row[0] in wanted]
    expected = len(found) + len(ours)
    found.update(ours)
    if len(found) != expected:
        raise RemoteProtocolError("a message number twice in one listing")


def capabilities(block: bytes) -> frozenset[str]:
    """The lines of CAPA in upper case, blanks evened out."""
    lines = (" ".join(line.split()).upper() for line in block.decode("ascii", "replace").splitlines())
    return frozenset(line for line in lines if line)


def offers_plain(offered: frozenset[str]) -> bool:
    """Whether AUTH PLAIN is announced (RFC 5034)."""
    return any(words[0] == "SASL" and "PLAIN" in words[1:] for words in (line.split() for line in offered))


def is_unsupported(text: bytes) -> bool:
    """Whether a refusal is about the command and not about the credentials it carried."""
    words = _words(text)[:_MAX_JUDGED]
    is_about_login = _code(words) not in {None, "SYS/PERM"} or _CREDENTIALS.search(words)
    return not is_about_login and bool(_UNSUPPORTED.search(words))


def greeting_refusal(text: bytes, hidden: Iterable[str]) -> BotError:
    """The error for -ERR in place of a greeting; without a word of its permanence it is temporary."""
    return _coded(text, hidden) or ServerBusy(redacted(text, hidden))


def login_refusal(text: bytes, hidden: Iterable[str]) -> BotError:
    """The error for -ERR to a login, by response code, else by the words servers use.

    Only `[AUTH]` makes it certain that the credentials are wrong (RFC 3206): throttling says so too, in words.
    """
    return _coded(text, hidden) or _family(_words(text)[:_MAX_JUDGED])(redacted(text, hidden))


def _family(words: str) -> type[BotError]:
    if _MAILDROP.search(_LOCKED_OUT.sub("", words)):
        return MaildropBusy
    # "Wrong password, please try again" asks for other credentials, not for patience.
    if _TEMPORARY.search(words) or (_TRY_AGAIN.search(words) and not _CREDENTIALS.search(words)):
        return ServerBusy
    return ServerRefused if _POP_OFF.search(words) else LoginRejected


def command_refusal(text: bytes, hidden: Iterable[str]) -> BotError:
    """The error for -ERR to a command after login."""
    coded = _coded(text, hidden)
    return (
        CommandRefused(redacted(text, hidden)) if coded is None or isinstance(coded, LoginRejected) else coded
    )


def _coded(text: bytes, hidden: Iterable[str]) -> BotError | None:
    """The error a response code stands for (RFC 2449 section 8, RFC 3206); None without one we know."""
    code = _code(_words(text))
    if code is None:
        return None
    detail = redacted(text, hidden)
    errors: dict[str, BotError] = {
        "AUTH": LoginRejected(detail, is_certain=True),
        "IN-USE": MaildropBusy(detail),
        "LOGIN-DELAY": MaildropBusy(detail),
        "SYS/TEMP": ServerBusy(detail),
        "SYS/PERM": ServerRefused(detail),
    }
    return next((error for name, error in errors.items() if f"{code}/".startswith(f"{name}/")), None)


def _code(words: str) -> str | None:
    found = _CODE.match(words)
    return found[1].upper() if found else None


def hidden_forms(username: str, *secrets: str) -> frozenset[str]:
    """What must not be shown: user name, its parts around the @, and each secret, plain and in base64."""
    parts = {part for part in username.split("@") if len(part) > 2}
    plain = {secret for secret in (username, *parts, *secrets) if secret}
    return frozenset(plain | {base64.b64encode(secret.encode()).decode() for secret in plain})


def redacted(text: bytes, hidden: Iterable[str]) -> str:
    """Server text for the log: what is hidden, addresses and control characters removed, and short."""
    words = _words(text)
    for secret in sorted(hidden, key=len, reverse=True):
        words = re.sub(re.escape(secret), "…", words, flags=re.IGNORECASE)
    words = _ADDRESS.sub("…", words[:_MAX_JUDGED])[:_MAX_DETAIL]
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in words)[
        :_MAX_DETAIL
    ]


def _words(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


def _pair(text: bytes) -> tuple[int, int]:
    found = _TWO_NUMBERS.fullmatch(text.strip())
    if not found:
        raise RemoteProtocolError("not two numbers where two are due")
    return int(found[1]), int(found[2])


def _columns(row: re.Pattern[bytes], block: bytes) -> tuple[list[int], Sequence[bytes]]:
    """What stands in each line of a listing, and is one."""
    rows = row.findall(block)
    if len(rows) != block.count(b"\n"):
        raise RemoteProtocolError("a line in a listing that is none")
    if not rows:
        return [], ()
    names, values = zip(*rows, strict=True)
    numbers = [*map(int, names)]
    if not 0 < min(numbers) <= max(numbers) <= MAX_NUMBER:
        raise RemoteProtocolError("a message number out of range")
    return numbers, values
