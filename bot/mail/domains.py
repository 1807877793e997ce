"""Host names: the domain that somebody registered, and a spelling that does not pass for another. Pure."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from typing import Final

from publicsuffixlist import PublicSuffixList

from bot.mail.idn import to_ascii

# Scripts that are written together (Unicode Technical Standard 39, section 5.2).
_TOGETHER: Final = (
    frozenset({"LATIN"}),
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
_LIKE_LATIN: Final = frozenset({"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "DESERET"})
"""Whole words of these can look Latin; they are believed only below a domain of their own script."""


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(1024)
def registrable(host: str) -> str:
    """The part of a host name that somebody registered; the host itself when it is a suffix, a number or one word."""
    is_number = host.rpartition(".")[2].isdigit()
    return host if is_number else _suffixes().privatesuffix(host) or host


@lru_cache(1024)
def shown(host: str) -> str:
    """A host as its owner spells it, when each label is of one script and none looks like another; else as it is."""
    if "xn--" not in host:
        return host
    labels = [_decoded(label) for label in host.split(".")]
    top = _scripts(labels[-1])
    return ".".join(
        label if _is_plain(label, top) else coded
        for label, coded in zip(labels, host.split("."), strict=True)
    )


def _decoded(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        found = label[4:].encode("ascii").decode("punycode")
        return found if to_ascii(found).lower() == label else label
    except (UnicodeError, ValueError):
        return label


def _is_plain(label: str, top: frozenset[str]) -> bool:
    """Whether a label mixes no scripts and cannot be taken for a Latin one."""
    if label.isascii():
        return True
    scripts = _scripts(label)
    if not all(character.isalnum() or character in "-・ー" for character in label):
        return False
    if scripts & _LIKE_LATIN:
        return len(scripts) == 1 and scripts == top
    return len(scripts) == 1 or any(scripts <= together for together in _TOGETHER)


def _scripts(label: str) -> frozenset[str]:
    """The scripts of a label's letters, by the first word of their names; digits and hyphens are of none."""
    letters = (character for character in label if character.isalpha())
    return frozenset(unicodedata.name(character, "?").split()[0] for character in letters)
