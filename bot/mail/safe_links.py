"""Where a link leads that a mail gateway or a search engine has wrapped into one of its own. Pure; for display only.

Read are Outlook's safe links, Proofpoint's URL defense in its three versions and Google's redirect. The link itself
stays wrapped: what the gateway would check when it is followed is not taken away.
"""

from __future__ import annotations

import base64
import binascii
import re
import string
from typing import Final
from urllib.parse import unquote

LEVELS: Final = 3
"""A link may be wrapped more than once."""

_QUERY: Final = re.compile(r"[?&]")
_WEB: Final = ("http://", "https://")
_V3: Final = re.compile(r"/v3/__(.{1,3000}?)__;([A-Za-z0-9_-]{0,2000})", re.DOTALL)
_V3_TOKEN: Final = re.compile(r"\*(\*.)?", re.DOTALL)
_V3_LENGTHS: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
_GOOGLE: Final = re.compile(r"(?:www\.)?google\.(?:com|[a-z]{2}|com?\.[a-z]{2})\Z")
_HINTS: Final = ("safelinks", "urldefense", "google.")


def unwrapped(url: str) -> str:
    """The address that a wrapped link leads to; the same address when it is not wrapped."""
    for _ in range(LEVELS):
        if not any(hint in url[:200].lower() for hint in _HINTS):
            break
        inner = _inner(url)
        if not inner.lower().startswith(_WEB):
            break
        url = inner
    return url


def _inner(url: str) -> str:
    host, _, rest = url.partition("://")[2].partition("/")
    host = host.rpartition("@")[2].partition(":")[0].lower()
    if host.endswith(".safelinks.protection.outlook.com"):
        return _parameter(rest, "url")
    if host in {"urldefense.proofpoint.com", "urldefense.com", "urldefense.us"}:
        return _proofpoint("/" + rest)
    if _GOOGLE.match(host) and rest.startswith("url?"):
        return _parameter(rest, "q") or _parameter(rest, "url")
    return ""


def _parameter(rest: str, name: str) -> str:
    for piece in _QUERY.split(rest.partition("#")[0], maxsplit=20)[1:]:
        key, _, value = piece.partition("=")
        if key.lower() == name:
            return unquote(value)
    return ""


def _proofpoint(path: str) -> str:
    if path.startswith("/v1/"):
        return _parameter(path, "u")
    if path.startswith("/v2/"):
        found = _QUERY.split(path, maxsplit=20)[1:]
        coded = next((piece[2:] for piece in found if piece.startswith("u=")), "")
        return unquote(coded.replace("-", "%").replace("_", "/"))
    found_v3 = _V3.match(path)
    return _v3(found_v3[1], found_v3[2]) if found_v3 else ""


def _v3(masked: str, coded: str) -> str:
    """An address with a star for each character, or two for a run of them, that stands in base64 behind it."""
    try:
        letters = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
    at = 0

    def letter(token: re.Match[str]) -> str:
        nonlocal at
        length = _V3_LENGTHS.find(token[1][1]) + 2 if token[1] else 1
        at += length
        return letters[at - length : at]

    # The mask spells `https://` with one slash where two would be taken for an end.
    return re.sub(r"^(https?):/(?!/)", r"\1://", _V3_TOKEN.sub(letter, masked))
