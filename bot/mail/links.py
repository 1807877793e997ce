"""Where links may lead, and whether their text says so. Pure; linear; reads nothing off the network.

A target is http, https or mailto, at most 3,000 characters, without userinfo, controls or direction marks; a host is
always in its ASCII form, so that look-alike letters show. Targets are read as browsers read them: a backslash is a
slash, line breaks within are nothing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from bot.mail import domains, safe_links
from bot.mail.idn import to_ascii
from bot.mail.text import clean

URL_CHARACTERS: Final = 3000

_SCHEME: Final = re.compile(r"(https?|mailto):", re.IGNORECASE)
_AUTHORITY_END: Final = re.compile(r"[/?#]")
_HOST: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_-]{1,63}){0,126}\.?\Z")
_ADDRESS_HOST: Final = re.compile(r"\[[0-9a-f:.]{2,45}\]\Z")
_PORT: Final = re.compile(r":(\d{0,5})\Z")
_MAILTO: Final = re.compile(r"[^\s@<>\"]{1,128}@([^\s@<>\"?&]{1,253})\Z")
_KEPT: Final = "/?#[]@!$&'()*+,;=:%~-._"
_LABEL_TOKENS: Final = 40
_TOKEN_CHARACTERS: Final = 400
_DOTS: Final = str.maketrans("。．｡․", "....")
_FILES: Final = frozenset(
    {
        "bat", "bmp", "cfg", "conf", "css", "csv", "doc", "docx", "exe", "gif", "gz", "htm", "html", "ics", "ini", "jar",
        "jpeg", "jpg", "js", "json", "log", "odt", "pdf", "php", "png", "ppt", "pptx", "rar", "rtf", "svg", "tar", "tiff",
        "txt", "vcf", "wav", "xls", "xlsx", "xml", "yaml", "yml",
    }
)  # fmt: skip
"""No top-level domains, but the ends of file names."""

_EDGES: Final = "()[]{}<>«»“”‘’\"'`.,;:!?…|*_→-"


@dataclass(frozen=True, slots=True)
class Target:
    """A clean address and the host it leads to; for mailto the host behind the @.

    Attributes:
        leads: where a wrapped link leads in the end, as a person would write it; else `host` so written.
    """

    url: str
    host: str
    leads: str = ""


def target(href: str) -> Target | None:
    """The clean target of a link; None when it must not be one."""
    if len(href) > 2 * URL_CHARACTERS:
        return None
    bare = re.sub(r"[\t\n\r]", "", clean(href)).strip()
    if bare.startswith("//"):
        bare = "https:" + bare
    scheme = _SCHEME.match(bare)
    if scheme is None:
        return None
    rest = bare[scheme.end() :]
    found = _mailto(rest) if scheme[1].lower() == "mailto" else _web(scheme[1].lower(), rest)
    return found if found and len(found.url) <= URL_CHARACTERS else None


def unwrapped_text(text: str) -> str:
    """A link's text; when it is itself a wrapped address, the one within."""
    bare = text.strip()
    if "://" not in bare or " " in bare:
        return text
    inner = safe_links.unwrapped(bare)
    return text if inner == bare else clean(inner).replace("\n", "")


def _web(scheme: str, rest: str) -> Target | None:
    head, mark, tail = rest.partition("?") if "?" in rest else rest.partition("#")
    rest = head.replace("\\", "/").lstrip("/") + mark + tail
    end = _AUTHORITY_END.search(rest)
    authority, path = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    authority = authority.rpartition("@")[2]
    port = _PORT.search(authority)
    host = ascii_host(authority[: port.start()] if port else authority)
    if not host:
        return None
    number = f":{port[1]}" if port and port[1] else ""
    url = f"{scheme}://{host}{number}{quote(path, safe=_KEPT)}"
    inner = safe_links.unwrapped(url)
    end_host = host if inner == url else _host_of(inner) or host
    return Target(url, host, domains.shown(end_host))


def _host_of(url: str) -> str:
    """The host of an address that was wrapped in another."""
    bare = re.sub(r"[\t\n\r]", "", clean(url)).partition("://")[2].replace("\\", "/").lstrip("/")
    authority = _AUTHORITY_END.split(bare, maxsplit=1)[0].rpartition("@")[2]
    return ascii_host(_PORT.sub("", authority))


def _mailto(rest: str) -> Target | None:
    address, mark, query = rest.partition("?")
    found = _MAILTO.match(unquote(address).split(",")[0].strip())
    host = ascii_host(found[1]) if found else ""
    if not host:
        return None
    url = f"mailto:{quote(unquote(address), safe=_KEPT)}{mark}{quote(query, safe=_KEPT)}"
    return Target(url, host, domains.shown(host))


def ascii_host(host: str) -> str:
    """A host name in lower-case ASCII, "" when it is none."""
    host = unquote(host[:1000]).strip().lower().translate(_DOTS)
    if not host.isascii():
        try:
            host = to_ascii(unicodedata.normalize("NFKC", host)[:253]).lower()
        except (UnicodeError, ValueError):
            return ""
    if len(host) > 254:
        return ""
    return host.rstrip(".") if _HOST.match(host) else (host if _ADDRESS_HOST.match(host) else "")


def misleads(label: str, to: Target) -> bool:
    """Whether a link's text names a host that is not where the link leads, or that passes for another."""
    text = unicodedata.normalize("NFKC", label[:2000]).translate(_DOTS)
    tokens = text.split()[:_LABEL_TOKENS]
    hosts = [(_named_host(token), token.isascii()) for token in tokens]
    end = ascii_host(to.leads) or to.host
    return any(host and (not _is_of_one(host, end) or (not plain and _passes(host))) for host, plain in hosts)


def _passes(host: str) -> bool:
    """Whether a host looks like another when it is spelled out."""
    return "xn--" in domains.shown(host)


def _named_host(token: str) -> str:
    """The host that a word of a text seems to be, "" when it does not look like one."""
    word = token[:_TOKEN_CHARACTERS].strip(_EDGES).lower()
    word = word.partition("://")[2] if "://" in word else word.removeprefix("mailto:")
    authority = re.split(r"[/?#\\]", word, maxsplit=1)[0].rpartition("@")[2].partition(":")[0].rstrip(".")
    labels = authority.split(".")
    if len(labels) < 2 or not all(labels) or len(labels[-1]) < 2 or not labels[-1].isalpha():
        is_punycode = labels[-1].startswith("xn--") and len(labels) > 1
        is_number = len(labels) == 4 and all(part.isdecimal() for part in labels)
        if not is_punycode and not is_number:
            return ""
    return "" if labels[-1] in _FILES else ascii_host(authority) or authority


def _is_of_one(named: str, host: str) -> bool:
    """Whether two hosts lie within a domain that one person or firm registered."""
    return named == host or domains.registrable(named) == domains.registrable(host)
