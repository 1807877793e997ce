"""Octets to text in whatever charset they claim, or are likelier to be in. Pure.

Labels are believed only where belief is safe: an allow-list keeps codecs out that are no charsets or take
quadratic time (punycode, idna, zip), and octets that are valid UTF-8 are UTF-8 whatever an ASCII or Latin label says.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

import chardet

GUESSED_FROM: Final = 20 * 1024
FEW: Final = 6
_META_WITHIN: Final = 4096

_ALIASES: Final = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb2312-80": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "l1": "cp1252", "ansi": "cp1252",
    "iso8859-1": "cp1252", "iso-8859-9": "cp1254", "windows-874": "cp874", "iso-8859-11": "cp874", "tis-620": "cp874",
    "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "euc-kr": "cp949", "ksc5601": "cp949",
    "korean": "cp949", "ks_c_5601-1989": "cp949", "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932",
    "x-sjis": "cp932", "windows-31j": "cp932", "ms_kanji": "cp932", "big5": "big5hkscs", "big-5": "big5hkscs",
    "cn-big5": "big5hkscs", "iso-2022-jp": "iso2022_jp_2", "csiso2022jp": "iso2022_jp_2", "cp50220": "iso2022_jp_2",
    "iso-8859-8-i": "iso8859-8", "iso-8859-6-i": "iso8859-6", "x-mac-roman": "mac-roman", "macintosh": "mac-roman",
    "utf8": "utf-8", "utf-8-sig": "utf-8", "unicode-1-1-utf-8": "utf-8", "unicode-1-1-utf-7": "utf-7", "x-unknown": "", "unknown-8bit": "",
    "unknown": "", "default": "", "x-user-defined": "", "8bit": "", "binary": "", "none": "", "user-defined": "",
}  # fmt: skip

_CHARSETS: Final = frozenset(
    [
        "ascii",
        "utf-8",
        "utf-7",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-32-be",
        "gb18030",
        "hz",
        "big5hkscs",
        "cp950",
        "euc_jp",
        "euc_jis_2004",
        "cp932",
        "shift_jis_2004",
        "shift_jisx0213",
        "cp949",
        "johab",
        "iso2022_jp",
        "iso2022_jp_1",
        "iso2022_jp_2",
        "iso2022_jp_3",
        "iso2022_jp_ext",
        "iso2022_jp_2004",
        "iso2022_kr",
        "koi8-r",
        "koi8-u",
        "koi8-t",
        "kz1048",
        "ptcp154",
        "mac-roman",
        "mac-cyrillic",
        "mac-greek",
        "mac-latin2",
        "mac-turkish",
        "mac-iceland",
        "cp437",
        "cp720",
        "cp737",
        "cp775",
        "cp850",
        "cp852",
        "cp855",
        "cp857",
        "cp858",
        "cp860",
        "cp861",
        "cp862",
        "cp863",
        "cp864",
        "cp865",
        "cp866",
        "cp869",
        "cp874",
        "cp1125",
        "cp1250",
        "cp1251",
        "cp1252",
        "cp1253",
        "cp1254",
        "cp1255",
        "cp1256",
        "cp1257",
        "cp1258",
        "iso8859-2",
        "iso8859-3",
        "iso8859-4",
        "iso8859-5",
        "iso8859-6",
        "iso8859-7",
        "iso8859-8",
        "iso8859-10",
        "iso8859-13",
        "iso8859-14",
        "iso8859-15",
        "iso8859-16",
    ]
)

# Labels under which any octets are sent: they say nothing when the octets are valid UTF-8.
_WEAK: Final = frozenset({"", "ascii", "cp1252", "utf-8", "iso8859-15"})

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META: Final = re.compile(rb"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_:.+-]{2,40})", re.IGNORECASE)
_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")
_ISO_2022: Final = re.compile(rb"\x1b[$(]")
_HALVES: Final = re.compile("[\ud800-\udfff]")


def codec_of(label: str) -> str:
    """Python's name for a charset label, "" when it is missing, unknown or no charset."""
    label = "".join(label[:100].strip(" \t\"'();<>").lower().split()[:1])
    label = _ALIASES.get(label, label)
    try:
        name = codecs.lookup(label).name if label.isascii() and label else ""
    except (LookupError, ValueError):
        return ""
    name = _ALIASES.get(name, name)
    return name if name in _CHARSETS else ""


def decoded(octets: bytes, label: str = "", *, is_html: bool = False) -> tuple[str, bool]:
    """The text, and whether its charset is a guess."""
    for bom, codec in _BOMS:
        if octets.startswith(bom):
            return octets[len(bom) :].decode(codec, "replace"), False
    codec = _wide(octets, codec_of(label))
    if _ISO_2022.search(octets) and octets.isascii() and codec in _WEAK:
        return octets.decode("iso2022_jp_2", "replace"), False
    if codec in _WEAK and (text := _strictly(octets, "utf-8")) is not None:
        return text, False
    if codec not in {"", "ascii", "utf-8"}:
        return _labelled(octets, codec)
    return _unlabelled(octets, is_html=is_html)


def _wide(octets: bytes, codec: str) -> str:
    """Two octets a character only where NULs bear the label out, in the order they show."""
    if codec not in {"utf-16", "utf-16-le", "utf-16-be"}:
        return codec
    start = octets[:1000]
    if b"\0" not in start and start.isascii():
        return ""
    if codec == "utf-16":
        return "utf-16-be" if start[::2].count(0) > start[1::2].count(0) else "utf-16-le"
    return codec


def _strictly(octets: bytes, codec: str) -> str | None:
    try:
        return octets.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _labelled(octets: bytes, codec: str) -> tuple[str, bool]:
    text = _strictly(octets, codec)
    if text is None and not octets.isascii() and (text := _strictly(octets, "utf-8")) is not None:
        return text, True
    text = octets.decode(codec, "replace") if text is None else text
    # The one codec that lets halves of characters through, which nothing can write again.
    return (_HALVES.sub("\ufffd", text) if codec == "utf-7" else text), False


def _unlabelled(octets: bytes, *, is_html: bool) -> tuple[str, bool]:
    """Not UTF-8, and no label worth the name: what the HTML says, else what the octets look like."""
    if is_html and (found := _META.search(octets, 0, _META_WITHIN)):
        codec = codec_of(found[1].decode("ascii"))
        if codec not in {"", "ascii", "utf-8", "utf-7"}:  # what has octets above 127 is no UTF-7
            return octets.decode(codec, "replace"), False
    if _is_nearly_utf8(octets):
        return octets.decode("utf-8", "replace"), True
    return octets.decode(_guess(octets) or "cp1252", "replace"), True


def _is_nearly_utf8(octets: bytes) -> bool:
    """Cut or damaged UTF-8: few errors among many characters that are well formed."""
    text = octets[:GUESSED_FROM].decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    return wrong * 10 <= sum(character > "\x7f" for character in text)


def _guess(octets: bytes) -> str:
    found = _NOT_ASCII.search(octets)
    start = max(0, found.start() - 1024) if found else 0
    sample = octets[start : start + GUESSED_FROM]
    foreign = len(_NOT_ASCII.findall(sample))
    if foreign < FEW and foreign * 2 < len(sample):
        return "cp1252"  # too little to guess from, and a script of its own would have more
    return codec_of(str(chardet.detect(sample)["encoding"] or ""))
