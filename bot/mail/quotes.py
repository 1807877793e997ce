"""What of a mail is its sender's own, and what only repeats earlier messages or stands below each mail. Pure; linear.

What is folded is always the end of a text: own words that stand among or below quotes keep the quotes around them, and so
does a short text that says its answers stand below. A forwarded message is content. Nothing is dropped: what is shown and what is folded make up the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bot.mail import attributions, mailer_words, signatures
from bot.mail.attributions import Strength
from bot.mail.lines import Document, Kind, Mark, readable, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.mail.content import Message
    from bot.mail.lines import Line

LINES: Final = 5000
"""A longer text is shown as it is: nobody reads to its end what was quoted there."""

STEPS: Final = 12
"""Signatures, footers and disclaimers below one another that are told apart."""

HEADER_LINES: Final = 16
HEADER_GAP: Final = 3
"""Lines of a header that bear no label, because the one above them goes on."""

OWN_LINES: Final = 50
POINTING: Final = 300
"""Characters of a text that only leads to the quoted one."""

_DAEMONS: Final = frozenset({"mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon", "mailer_daemon"})
"""Their reports refer to messages, and hold headers of them in the middle."""

_TAGS: Final = 6
_LABEL_CHARACTERS: Final = 32
_MARKER_CHARACTERS: Final = 120

_BELOW: Final = re.compile(
    r"(?<![^\W\d_])(?:"
    + "|".join(re.escape(word.casefold()) for word in mailer_words.BELOW)
    + r")(?![^\W\d_])"
)
_FIELDS: Final = (
    dict.fromkeys(mailer_words.SUBJECT, "subject")
    | dict.fromkeys(mailer_words.TO, "to")
    | dict.fromkeys(mailer_words.DATE, "date")
    | dict.fromkeys(mailer_words.FROM, "from")
)


class Relation(StrEnum):
    """What a message is to an earlier one, as its header tells."""

    REPLY = "reply"
    FORWARD = "forward"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fold:
    """The texts of a mail, parted; the lines of `shown` and those of `folded` behind them are all lines."""

    shown: tuple[Document, ...]
    folded: tuple[Document, ...] = ()
    has_history: bool = False
    has_signature: bool = False


def relation(message: Message) -> Relation:
    """What the message is by its subject's first prefix, else by the ids it refers to."""
    prefix = _prefix(message.subject)
    if message.sender is None or message.sender.address.partition("@")[0].lower() in _DAEMONS:
        return Relation.UNKNOWN
    if prefix == "vs":  # an answer in Finland, a forwarded message in Denmark and Norway
        texts = [text for body in message.bodies for text in (body.plain, body.html) if text]
        return Relation.REPLY if any("Lähettäjä" in text for text in texts) else Relation.FORWARD
    if prefix in mailer_words.FORWARD_PREFIXES:
        return Relation.FORWARD
    is_reply = prefix in mailer_words.REPLY_PREFIXES or message.in_reply_to or message.references
    return Relation.REPLY if is_reply else Relation.UNKNOWN


def folded(texts: Sequence[Document], known: Relation) -> Fold:
    """The texts with their end folded away, as long as something of the sender's own remains.

    Args:
        texts: of one mail, in reading order.
        known: what the mail is to an earlier one.
    """
    has_history = has_signature = False
    for at in range(len(texts) - 1, -1, -1):
        tail = _tail(texts[at], known)
        has_history |= tail.has_history
        has_signature |= tail.has_signature
        lines = texts[at].lines[: tail.start]
        if not any(line.runs for line in lines):
            continue
        if not (has_history or has_signature):
            break
        own = " ".join(own_words(lines))
        if not own or (has_history and _points_below(own)):
            break
        rest = (_part(texts[at], tail.start, None),) if tail.start < len(texts[at].lines) else ()
        shown = (*texts[:at], _part(texts[at], 0, tail.start) if rest else texts[at])
        return Fold(shown, (*rest, *texts[at + 1 :]), has_history, has_signature)
    return Fold(tuple(texts))


def _points_below(own: str) -> bool:
    """Whether somebody says little more than that the rest stands in the quoted text."""
    said = own.casefold() if len(own) <= POINTING else ""
    return _BELOW.search(said) is not None or any(words in said for words in mailer_words.BELOW_UNSPACED)


def own_words(lines: Sequence[Line]) -> Iterator[str]:
    """What the lines say that is neither quoted nor names who is."""
    texts = [line.text for line in lines]
    attributed: set[int] = set()
    for at, line in enumerate(lines):
        if line.kind is Kind.QUOTE and line.runs and not attributed & {at - 1}:
            attributed.add(at)
            above = _end_above(lines, texts, at)
            start = attributions.start(lines, texts, above, Strength.NAMED)
            attributed |= set(range(start, above))
    for at, (line, text) in enumerate(zip(lines, texts, strict=True)):
        if at not in attributed and text.strip() and line.kind not in {Kind.QUOTE, Kind.RULE}:
            yield text


# The end of one text


@dataclass(frozen=True, slots=True)
class _Tail:
    """Where it starts, the number of lines when there is none, and what is in it."""

    start: int
    has_history: bool = False
    has_signature: bool = False


def _tail(text: Document, known: Relation) -> _Tail:
    lines = text.lines
    if text.is_partial or len(lines) > LINES:
        return _Tail(len(lines))
    texts = [line.text for line in lines]
    marker, is_folding = _first_marker(lines, texts, known)
    if marker < len(lines) and not is_folding:
        return _Tail(len(lines))
    is_forward = known is Relation.FORWARD
    if is_forward and any(line.kind is Kind.QUOTE for line in lines):
        return _Tail(len(lines))
    tail = _upwards(lines, texts, marker, known)
    if tail.has_history and _is_interleaved(lines, tail.start):
        tail = _upwards(lines, texts, marker, None)
    has_history = tail.has_history or marker < len(lines)
    if not has_history and not tail.has_signature:
        return _Tail(len(lines))
    return replace(tail, has_history=has_history)


def _upwards(lines: Sequence[Line], texts: Sequence[str], end: int, known: Relation | None) -> _Tail:
    """The tail that ends at `end`; without quotes when nothing is known."""
    has_history = has_signature = False
    for _ in range(STEPS):
        bottom = _without_blanks(lines, texts, end, is_cut=end < len(lines))
        start = signatures.start(lines, texts, bottom)
        if start < bottom:
            has_signature, end = True, start
            continue
        start = _quotes(lines, texts, bottom, known) if known is not None else bottom
        end = start
        if start == bottom:
            break
        has_history = True
    return _Tail(_without_blanks(lines, texts, end, is_cut=True), has_history, has_signature)


def _without_blanks(lines: Sequence[Line], texts: Sequence[str], end: int, *, is_cut: bool) -> int:
    """The end without blank lines, and without lines that are only drawn when something was cut below them."""
    while end and (
        not texts[end - 1].strip()
        or (is_cut and lines[end - 1].kind is Kind.TEXT and signatures.is_ruled(texts[end - 1]))
    ):
        end -= 1
    return end


def _quotes(lines: Sequence[Line], texts: Sequence[str], end: int, known: Relation) -> int:
    """Where the quotes begin that end at `end`, with the lines that name who is quoted; `end` when there are none."""
    least = Strength.NAMED if known is Relation.REPLY else Strength.DATED
    top, is_attributed, has_quote = end, False, False
    while top:
        line = lines[top - 1]
        if not texts[top - 1].strip():
            top -= 1
        elif line.kind is Kind.QUOTE:
            has_quote = True
            top -= 1
        else:
            start = attributions.start(lines, texts, top, least) if has_quote else top
            if start == top:
                break
            top, is_attributed = start, True
    first = next((text for text in texts[top:end] if text.strip()), "")
    is_history = is_attributed or (known is Relation.REPLY and not _is_forwarded(first))
    return top if has_quote and is_history else end


def _is_interleaved(lines: Sequence[Line], start: int) -> bool:
    return any(line.kind is Kind.QUOTE and line.runs for line in lines[:start])


def _end_above(lines: Sequence[Line], texts: Sequence[str], at: int) -> int:
    """The end of what stands above a line, blank lines left out."""
    while at and not texts[at - 1].strip() and lines[at - 1].kind is not Kind.RULE:
        at -= 1
    return at


def _part(text: Document, start: int, end: int | None) -> Document:
    lines = text.lines[start:end]
    full = readable(lines)
    return replace(text, lines=lines, words=words(full), full=full)


# Marks from which on all is an earlier message


def _first_marker(lines: Sequence[Line], texts: Sequence[str], known: Relation) -> tuple[int, bool]:
    """Where the first mark stands below which nothing is the sender's own, and whether it may be folded.

    Of a message that is not known to be a reply only what says "wrote" is folded; the rest is as often forwarded.
    """
    last_quote = max(
        (at for at, line in enumerate(lines) if line.kind is Kind.QUOTE and line.runs), default=-1
    )
    for at, line in enumerate(lines):
        if line.kind in {Kind.QUOTE, Kind.RULE} or not line.runs:
            continue
        if _is_forwarded(texts[at]):
            return at, False
        if _is_marked(lines, texts, at) or _is_original(texts[at]) or is_header(texts, at):
            return at, known is Relation.REPLY
        if at > last_quote and attributions.ends(texts[at]):
            start = attributions.start(lines, texts, at + 1, _least(known))
            if start <= at and attributions.opens(texts[start]):
                return start, known is not Relation.FORWARD
    return len(lines), False


def _least(known: Relation) -> Strength:
    """What a line must say so that what follows it without quote marks is an earlier message."""
    return Strength.CERTAIN if known is Relation.UNKNOWN else Strength.STRONG


def _is_forwarded(text: str) -> bool:
    key = _key(text)
    if _is_drawn(text):
        return key.startswith(mailer_words.FORWARDED)
    return text.rstrip().endswith((":", "：")) and key in mailer_words.FORWARDED


def _is_original(text: str) -> bool:
    return _is_drawn(text) and _key(text) in mailer_words.ORIGINAL


def _is_drawn(text: str) -> bool:
    return text.lstrip(" *").startswith(("--", "==", "__"))


def _key(text: str) -> str:
    return text[:_MARKER_CHARACTERS].strip("-_=*#> \t").rstrip(" :：").casefold()


def _is_marked(lines: Sequence[Line], texts: Sequence[str], at: int) -> bool:
    if lines[at].mark is Mark.HISTORY:
        return True
    if lines[at].mark is not Mark.DIVIDER:
        return False
    shorts = [
        text for text in texts[at : at + 8] if text[:_LABEL_CHARACTERS].replace("：", ":").find(":") > 0
    ]
    return len(shorts) >= 2


def is_header(texts: Sequence[str], at: int) -> bool:
    """Whether fields of a header begin here: who wrote an earlier message, and two of when, to whom and about what."""
    if texts[at].startswith(" ") or _field(texts[at]) not in {"from", "date"}:
        return False
    found: set[str] = set()
    gap = 0
    for text in texts[at : at + HEADER_LINES]:
        name = _field(text)
        gap = 0 if name else gap + 1
        if gap > HEADER_GAP:
            break
        if name:
            found.add(name)
    return "from" in found and len(found) >= 3


def _field(text: str) -> str | None:
    """Which field of a header a line's label names, in whatever language."""
    start = text[:_LABEL_CHARACTERS].replace("：", ":")
    label, colon, _ = start.partition(":")
    return _FIELDS.get(label.strip(" *_\t>").casefold()) if colon else None


# Subjects


def _prefix(subject: str) -> str:
    """The first prefix of a subject, tags of lists left out: "fwd" of "[list] Fwd[2]: Re: x"."""
    rest = subject[:200].lstrip()
    for _ in range(_TAGS):
        tag, bracket, behind = rest[1:].partition("]")
        if not rest.startswith("[") or not bracket or ":" in tag:
            break
        rest = behind.lstrip()
    start, colon, _ = rest.lstrip("[").replace("：", ":").partition(":")
    name = start.partition("[")[0].partition("(")[0].rstrip("0123456789^ .")
    return name.strip().casefold() if colon and len(start) <= 20 else ""
