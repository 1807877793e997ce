"""Where what stands below a text begins: a signature, the line of a telephone, a disclaimer, a list's footer. Pure.

Only what a mark announces is found, and only at the end of the lines; a closing ("Regards, Bob") is the sender's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mail import mailer_words
from bot.mail.lines import Kind, Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.mail.lines import Line

LINES: Final = 15
"""A delimiter with more lines of text below it parts the text, it does not end it."""

FOOTER_LINES: Final = 8
DISCLAIMER_LINES: Final = 40
DISCLAIMER_PARAGRAPHS: Final = 3
SHORTEST_DISCLAIMER: Final = 80
SENT_FROM_CHARACTERS: Final = 120

_DELIMITERS: Final = frozenset({"--", "—", "–"})
_RULED: Final = frozenset("-_=*~#+—–─")
_DISCLAIMER_STARTS: Final = (
    "this e-mail", "this email", "this message", "this communication", "this mail", "the information", "the contents",
    "the content of", "confidential", "disclaimer", "important", "notice", "legal notice", "diese e-mail", "diese nachricht",
    "ce message", "ce courriel", "este mensaje", "este correo", "esta mensagem", "este e-mail", "questo messaggio",
    "dit bericht", "deze e-mail",
)  # fmt: skip


def start(lines: Sequence[Line], texts: Sequence[str], end: int) -> int:
    """Where the signature begins that ends at `end`; `end` itself when none does.

    Args:
        lines: of the text.
        texts: what the lines say.
        end: index behind the last line to look at, which is not blank.
    """
    if end and lines[end - 1].mark is Mark.SIGNATURE:
        return _marked(lines, texts, end)
    for find in (_sent_from, _delimited, _disclaimer):
        found = find(lines, texts, end)
        if found < end:
            return found
    return end


def is_ruled(text: str) -> bool:
    """Whether a line is only drawn, three characters or longer."""
    drawn = text.strip()
    return len(drawn) >= 3 and set(drawn[:200]) <= _RULED


def _marked(lines: Sequence[Line], texts: Sequence[str], end: int) -> int:
    at = end
    while at and (lines[at - 1].mark is Mark.SIGNATURE or not texts[at - 1].strip()):
        at -= 1
    return at


def _sent_from(lines: Sequence[Line], texts: Sequence[str], end: int) -> int:
    """The line by which a device or a program names itself."""
    text = texts[end - 1].strip(" *_-<>[]") if end else ""
    if not text or len(text) > SENT_FROM_CHARACTERS or lines[end - 1].kind is Kind.QUOTE:
        return end
    folded = text.casefold()
    if folded.startswith(mailer_words.ENVIRONMENT):
        return end - 1
    first = folded.partition(", ")[0]  # "Sent from my desk, for my phone is lost" is a sentence
    is_named = any(device in first for device in mailer_words.DEVICES)
    is_free = folded.startswith(("sent from my ", "sent from a ")) and first == folded
    if folded.startswith(mailer_words.SENT_FROM) and (is_named or is_free):
        return end - 1
    return end - 1 if is_named and first.rstrip(".").endswith(mailer_words.SENT_FROM_AT_END) else end


def _delimited(lines: Sequence[Line], texts: Sequence[str], end: int) -> int:
    """What stands below "-- ", or below a drawn line when it speaks of a mailing list."""
    count = 0
    has_list = False
    for at in range(end - 1, -1, -1):
        text = texts[at].strip()
        if not text and lines[at].kind is not Kind.RULE:
            continue
        if lines[at].kind is Kind.QUOTE or count > LINES:
            break
        is_line = lines[at].kind is Kind.RULE or is_ruled(text)
        if text in _DELIMITERS or (is_line and has_list and count <= FOOTER_LINES):
            return at
        count += 1
        has_list = has_list or _speaks_of_list(text)
    return end


def _speaks_of_list(text: str) -> bool:
    folded = text[:1000].casefold()
    return any(words in folded for words in mailer_words.LIST_FOOTER)


def _disclaimer(lines: Sequence[Line], texts: Sequence[str], end: int) -> int:
    """The last paragraphs from the one on that says who may read the mail."""
    bottom = end
    for _ in range(DISCLAIMER_PARAGRAPHS):
        top = bottom
        while top and texts[top - 1].strip() and lines[top - 1].kind is not Kind.QUOTE:
            top -= 1
            if end - top > DISCLAIMER_LINES:
                return end
        if top == bottom:
            return end
        if _is_disclaimer(texts[top:bottom]):
            return _first_of_disclaimer(texts, top, bottom)
        bottom = top
        while bottom and not texts[bottom - 1].strip():
            bottom -= 1
    return end


def _is_disclaimer(texts: Sequence[str]) -> bool:
    words = " ".join(text[:4000] for text in texts).casefold()
    return (
        len(words) >= SHORTEST_DISCLAIMER
        and any(word in words for word in mailer_words.CONFIDENTIAL)
        and any(word in words for word in mailer_words.ADDRESSEE)
    )


def _first_of_disclaimer(texts: Sequence[str], top: int, bottom: int) -> int:
    """Its first line: what stands above without a blank line between is the sender's own."""
    for at in range(top, bottom):
        line = texts[at][:4000].casefold().strip(" *_-")
        keys = (*mailer_words.CONFIDENTIAL, *mailer_words.ADDRESSEE)
        if line.startswith(_DISCLAIMER_STARTS) or any(word in line for word in keys):
            return at
    return bottom
