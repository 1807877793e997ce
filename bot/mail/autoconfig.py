"""Mozilla's autoconfig format: octets in, offer out.

Takes the POP3 and SMTP servers of a `clientConfig`, in its own order but the better protected first. The octets are
hostile: no document type, no entity, nothing from outside is read, and a host or a port that could not be one is
passed over. No I/O here; the reader bounds the octets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree

from bot.mail.suggestions import DOMAIN, EMAIL, LOCAL_PART, USERNAME_LIMIT, Offer, expanded, server
from storage.records import Security

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from xml.etree.ElementTree import Element

    from storage.records import ServerAddress

_SECURITY: Final = {"ssl": Security.TLS, "starttls": Security.STARTTLS, "plain": Security.NONE}
_ORDER: Final = tuple(_SECURITY.values())
_PASSWORDS: Final = frozenset({"password-cleartext", "plain", "password-encrypted", "secure"})
_MOST_SERVERS: Final = 20


def offer(octets: bytes, domain: str, allows_plain: Callable[[str], bool]) -> Offer | None:
    """What a document offers; None when it is no such document.

    Args:
        domain: fills the placeholder for it in host names.
        allows_plain: may this host be used without encryption?
    """
    try:
        root = ElementTree.fromstring(octets, forbid_dtd=True)
    except (ParseError, ValueError, LookupError):  # defusedxml's errors are ValueErrors, as are odd encodings
        return None
    if root is None or root.tag != "clientConfig":
        return None
    incoming = _best(root, "incomingServer", "pop3", domain, allows_plain)
    outgoing = _best(root, "outgoingServer", "smtp", domain, allows_plain)
    return Offer(
        incoming[0] if incoming else None,
        outgoing[0] if outgoing else None,
        username=_username(incoming[1]) if incoming else EMAIL,
    )


def _best(
    root: Element, tag: str, kind: str, domain: str, allows_plain: Callable[[str], bool]
) -> tuple[ServerAddress, Element] | None:
    """The best protected server of a kind, the first in the document where several are alike."""
    found = [
        (usable, element)
        for element in _servers(root, tag, kind)
        if (usable := _server(element, domain)) is not None
        and (usable.security is not Security.NONE or allows_plain(usable.host))
    ]
    return min(found, key=lambda pair: _ORDER.index(pair[0].security), default=None)


def _servers(root: Element, tag: str, kind: str) -> Iterator[Element]:
    """The servers of a kind that take a password, the first of them only."""
    elements = [element for element in root.findall(f"emailProvider/{tag}") if element.get("type") == kind]
    for element in elements[:_MOST_SERVERS]:
        ways = [_text(way) for way in element.findall("authentication")]
        if not ways or any(way.lower() in _PASSWORDS for way in ways):
            yield element


def _server(element: Element, domain: str) -> ServerAddress | None:
    security = _SECURITY.get(_child(element, "socketType").lower())
    port = _child(element, "port")
    if security is None or not (port.isascii() and port.isdigit() and len(port) <= 5):
        return None
    return server(expanded(_child(element, "hostname"), f"@{domain}"), int(port), security)


def _username(element: Element) -> str:
    """The user name with its placeholders; the address where it has none, or is not a text to be sent."""
    name = _child(element, "username")
    is_own = any(placeholder in name for placeholder in (EMAIL, LOCAL_PART, DOMAIN))
    return name if is_own and name.isprintable() and len(name) <= USERNAME_LIMIT else EMAIL


def _child(element: Element, tag: str) -> str:
    child = element.find(tag)
    return "" if child is None else _text(child)


def _text(element: Element) -> str:
    return (element.text or "").strip()
