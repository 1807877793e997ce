"""Recipients as people type and paste them: a text to addresses that a mail may go to, and back. Pure; linear.

Takes what stands in To fields everywhere: names with and without quotes, commas, semicolons, lines, groups, links of
Slack's. What is not understood is named in a sentence; nothing is left out without one. Domains come out as they go
over the wire, in lower-case ASCII, so that one address has one spelling.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from bot.mail import domains, parties
from bot.mail.addresses import NAME_UNITS
from bot.mail.content import Address
from bot.mail.text import clean, cut, one_line
from bot.slack import checks
from bot.slack.drafts import ADDRESS_LIMIT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

CHARACTERS: Final = 10_000
ADDRESSES: Final = 100
FAULTS: Final = 5
"""So many are said one by one."""

_PIECE_UNITS: Final = 60
_ANGLE: Final = r"<{1,2}[^<>\r\n]*>{1,2}"
_TOKEN: Final = re.compile(
    r'(?P<quoted>"[^"\r\n]*")|(?P<angle>' + _ANGLE + r")|(?P<end>[,;\r\n\v\f\x85\u2028\u2029，；、،؛])"
)
_PARTING: Final = re.compile("[;；؛]")
_COMMENT: Final = re.compile(r"\([^()]*\)")
_ENTITIES: Final = (
    (re.compile("&(?:amp;)*lt;"), "<"),
    (re.compile("&(?:amp;)*gt;"), ">"),
    (re.compile("&(?:amp;)+"), "&"),
)
_AT: Final = str.maketrans({"＠": "@", "﹫": "@", "．": ".", "。": ".", "｡": "."})
_EDGES: Final = (
    " \t\u00a0\u3000\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_QUOTES: Final = "\"'“”‘’«»„"
_BARE_NAME: Final = re.compile(r'[^",;:<>()@\[\]\\\r\n\v\f\x85\u2028\u2029，；、،؛：＠﹫&]+')
_LITERAL: Final = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-f:.]{2,45})\]", re.IGNORECASE)
_NUMBERS: Final = re.compile(r"[\d.]+")
_GOOGLE: Final = frozenset({"gmail.com", "googlemail.com"})
_QUOTED: Final = re.compile(r'"([ !#-;=?A-\[\]-~]{1,62})"(@[^@\s"]+)')
"""An address with a local part in quotes (RFC 5321 section 4.1.2), without what no command and no field of ours takes."""

_DOT_ATOM: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a text names, each address once, and a short sentence for each piece that names none."""

    addresses: tuple[Address, ...]
    faults: tuple[str, ...] = ()


def typed(text: str) -> Typed:
    """The addresses that somebody typed; at most ADDRESSES of at most CHARACTERS."""
    if len(text) > CHARACTERS:
        return Typed((), (f"This is too long: at most {CHARACTERS:,} characters fit.",))
    for entity, character in _ENTITIES:
        text = entity.sub(character, text)
    found: dict[str, Address] = {}
    faults: dict[str, None] = {}
    for name, address in chain.from_iterable(piece.named() for piece in _pieces(text)):
        if len(found) > ADDRESSES or len(faults) > ADDRESSES:
            break
        try:
            sound = _sound(name, address)
        except checks.Fault as fault:
            faults[_sentence(address or name, fault)] = None
        else:
            found.setdefault(key(sound.address), sound)
    return Typed(tuple(found.values())[:ADDRESSES], tuple(_bounded(list(faults), len(found))))


def shown(one: Address) -> str:
    """An address as a person would type it, its domain as its owner spells it; `typed` reads it again."""
    local_part, _, domain = one.address.rpartition("@")
    spelled = domains.shown(domain)
    is_same = parties.ascii_domain(spelled) == domain
    address = f"{local_part}@{spelled if is_same else domain}"
    name = one_line(one.name, NAME_UNITS)
    if not name:
        return address
    is_bare = _BARE_NAME.fullmatch(name) and name == name.strip(_QUOTES)
    label = name if is_bare else '"' + name.replace('"', "'") + '"'
    return f"{label} <{address}>"


def sound(address: Address) -> Address | None:
    """The address as a mail may go to it; None when none can."""
    try:
        return _sound(address.name, address.address)
    except checks.Fault:
        return None


def key(address: str) -> str:
    """By which two spellings of one address are the same.

    Case counts nowhere: to the letter, what stands before the @ is the recipient's server's affair, but no server is
    known that keeps two people apart by it.
    """
    local_part, _, domain = address.strip().rpartition("@")
    return f"{local_part.casefold()}@{parties.ascii_domain(domain) or domain.casefold()}"


def keys(addresses: Iterable[str]) -> frozenset[str]:
    """Those of addresses, which may be written with spaces around them, or be empty."""
    return frozenset(key(address) for address in addresses if address.strip())


def is_among(address: str, own: Collection[str]) -> bool:
    """Whether mail to an address comes to one of these keys, by an address within one (RFC 5233) too."""
    whole = key(address)
    local_part, _, domain = whole.rpartition("@")
    if domain in _GOOGLE:
        return _google_account(whole) in map(_google_account, own)
    return whole in own or f"{local_part.partition('+')[0]}@{domain}" in own


def _google_account(whole: str) -> str:
    """By which two keys are the same account: dots count for nothing there, and both domains are one."""
    local_part, _, domain = whole.rpartition("@")
    name = local_part.partition("+")[0].replace(".", "")
    return f"{name}@gmail.com" if domain in _GOOGLE else whole


def merged(
    to: Iterable[Address], cc: Iterable[Address] = (), bcc: Iterable[Address] = ()
) -> tuple[tuple[Address, ...], tuple[Address, ...], tuple[Address, ...]]:
    """The fields with each address once, in the first that has it."""
    seen: set[str] = set()
    return _unseen(to, seen), _unseen(cc, seen), _unseen(bcc, seen)


def _unseen(addresses: Iterable[Address], seen: set[str]) -> tuple[Address, ...]:
    found: list[Address] = []
    for one in addresses:
        if key(one.address) not in seen:
            seen.add(key(one.address))
            found.append(one)
    return tuple(found)


# One address


def _sound(name: str, address: str) -> Address:
    """An address in the one spelling it has here; raises Fault for what is none."""
    if quoted := _QUOTED.fullmatch(address):
        inside, host = quoted.groups()
        address = inside + host if _DOT_ATOM.fullmatch(inside) else address
        checks.email_address(f"quoted{host}")
    else:
        checks.email_address(address)
    local_part, _, domain = address.partition("@")
    ascii_domain = parties.ascii_domain(domain)
    whole = f"{local_part}@{ascii_domain}"
    is_number = _NUMBERS.fullmatch(domain) or ("[" in domain and not _LITERAL.fullmatch(domain))
    if ascii_domain is None or is_number or len(whole.encode()) > ADDRESS_LIMIT:
        raise checks.Fault(checks.DOMAIN)
    if "=?" in local_part:
        # Some readers make other words of it, a line break among them.
        raise checks.Fault("Check the part before the @: no mail can go to it.")
    if clean(local_part) != local_part or any(map(_is_invisible, local_part)):
        raise checks.Fault("Enter the address anew: it holds characters that do not show.")
    label = one_line(name, NAME_UNITS)
    return Address("" if key(label) == key(whole) else label, whole)


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Cf", "Co"}


def _sentence(piece: str, fault: checks.Fault) -> str:
    """What is wrong with a piece, with its words."""
    words = str(fault)
    return f"“{one_line(cut(piece, _PIECE_UNITS), _PIECE_UNITS)}”: {words[:1].lower()}{words[1:]}"


def _bounded(faults: Sequence[str], count: int) -> Iterator[str]:
    yield from faults[:FAULTS]
    if len(faults) > FAULTS:
        yield f"And {len(faults) - FAULTS} more that are no e-mail addresses."
    if count > ADDRESSES:
        yield f"These are too many: a mail goes to {ADDRESSES} recipients at most."


# What stands between two separators


@dataclass
class _Piece:
    """One recipient as typed: its words, and the addresses in angle brackets, each with the words before it."""

    words: list[str]
    angles: list[tuple[str, str]]

    def named(self) -> Iterator[tuple[str, str]]:
        """The names and addresses it holds; nothing when it is empty."""
        rest = _trimmed("".join(self.words))
        if self.angles:
            yield from self.angles
            rest = _trimmed(_COMMENT.sub("", rest))
            if rest:
                yield "", rest
            return
        rest = _without_label(rest)
        if _QUOTED.fullmatch(rest):
            yield "", rest
            return
        words = rest.translate(_AT).split()
        if len(words) > 1 and all("@" in word for word in words):
            yield from (("", _address(word)) for word in words)
        elif len([word for word in words if "@" in word.strip("@")]) == 1:
            yield _apart(words)
        elif rest:
            yield "", _address(rest) or rest

    def close_angle(self, content: str) -> None:
        """Takes an address in angle brackets; what was said before it is its name."""
        name = _trimmed(_without_label("".join(self.words)))
        self.angles.append((_unquoted(name), _address(content)))
        self.words.clear()


def _pieces(text: str) -> Iterator[_Piece]:
    """The text between separators that stand neither in quotes nor in angle brackets."""
    piece, at = _Piece([], []), 0
    for found in _TOKEN.finditer(text):
        piece.words.append(text[at : found.start()])
        at = found.end()
        if found["angle"]:
            piece.close_angle(found["angle"].strip("<>"))
        elif found["quoted"]:
            piece.words.append(found["quoted"])
        else:
            if _PARTING.fullmatch(found["end"]) and "".join(piece.words).rstrip().endswith((":", "：")):
                piece.words.clear()  # a group without members
            yield piece
            piece = _Piece([], [])
    piece.words.append(text[at:])
    yield piece


def _apart(words: Sequence[str]) -> tuple[str, str]:
    """A name and an address with nothing around it."""
    at = next(at for at, word in enumerate(words) if "@" in word.strip("@"))
    name = " ".join([*words[:at], *words[at + 1 :]])
    is_comment = name[:1] == "(" and name[-1:] == ")"
    return _unquoted(name[1:-1] if is_comment else name), _address(words[at])


def _without_label(text: str) -> str:
    """The words behind a group's name or a field's, such as “To:”, which no address holds."""
    head, quote, rest = text.partition('"')
    before, colon, behind = head.replace("：", ":").rpartition(":")
    is_literal = "[" in before and "]" in behind
    if not colon or is_literal:
        return text
    scheme = f"{before[-6:]}:" if before[-6:].lower() == "mailto" else ""
    return _trimmed(f"{scheme}{behind}{quote}{rest}")


def _address(text: str) -> str:
    """An address without what is pasted with it: Slack's link, a scheme, quotes, the full stop of a sentence."""
    bare = _trimmed(text.translate(_AT))
    if bare[:7].lower() == "mailto:":
        bare = bare[7:].partition("|")[0].partition("?")[0]
    bare = _trimmed(bare.strip("<>"))
    if _QUOTED.fullmatch(bare):
        return bare
    bare = bare.strip(_QUOTES + "()").rstrip(".!")
    return _trimmed(bare)


def _unquoted(name: str) -> str:
    """A name without the quotes around it, or within it where they part its words."""
    return _trimmed(name.replace('"', "").strip(_QUOTES))


def _trimmed(text: str) -> str:
    """The text without spaces and invisible marks at its ends."""
    return text.strip(_EDGES)
