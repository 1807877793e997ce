"""What a list says of itself in its header: name, ways to leave, to write, to read. Pure; linear; never raises.

Covers RFC 2369, RFC 2919 and RFC 8058. Nothing named there is ever asked for here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from bot.mail import addresses, headers, links
from bot.mail.special import MailingList
from bot.mail.text import one_line

if TYPE_CHECKING:
    from bot.mail.headers import Header

NAME_UNITS: Final = 120
ID_UNITS: Final = 255
TARGETS: Final = 20
"""So many addresses of one field are looked at; real ones have two."""

FIELDS: Final = 5
_TARGET: Final = re.compile(r"<([^<>]{1,6000})>")
_ID: Final = re.compile(r"<([^<>]{1,600})>\s*\Z")
_ONE_CLICK: Final = "list-unsubscribe=one-click"


def mailing_list(header: Header) -> MailingList | None:
    """The list a mail came by; None when its header names none."""
    if not header.raw("list-id") and not header.raw("list-unsubscribe"):
        return None
    leave = _targets(header, "list-unsubscribe")
    page = next((to for to in leave if to.url.startswith("https:")), None)
    return MailingList(
        name=_name(header),
        page=page.url if page else "",
        page_host=page.host if page else "",
        address=_first(leave, "mailto:"),
        post=_first(_targets(header, "list-post"), "mailto:"),
    )


def post_address(header: Header) -> str:
    """Where the list takes mail, without what a link adds to it; "" where it takes none or does not say."""
    url = _first(_targets(header, "list-post"), "mailto:")
    return unquote(url.removeprefix("mailto:").partition("?")[0]).partition(",")[0].strip()


def _name(header: Header) -> str:
    """The list's name for people; "" without one."""
    raw = headers.eight_bit(header.raw("list-id"))
    found = _ID.search(raw[-700:])
    if found is None:
        is_identity = "." in raw and " " not in raw.strip()
        return "" if is_identity else one_line(addresses.shown(raw), NAME_UNITS)
    identity = one_line("".join(found[1].split()), ID_UNITS)
    phrase = raw[: raw.rfind("<")].strip().strip('"')
    name = one_line(addresses.shown(phrase), NAME_UNITS)
    return _speaking(name) or _speaking(identity.partition(".")[0])


def _speaking(name: str) -> str:
    """The name, unless it is a number of some sender's machine."""
    is_number = any(
        len(word) >= 16 and sum(letter.isdigit() for letter in word) >= 4 for word in name.split()
    )
    return "" if is_number or name.isdigit() or "_" * 3 in name else name


def _targets(header: Header, name: str) -> list[links.Target]:
    """The clean targets of a field in its own order."""
    found: list[links.Target] = []
    for number, raw in enumerate(header.all(name)):
        if number >= FIELDS:
            break
        for at, bracket in enumerate(_TARGET.finditer(headers.eight_bit(raw))):
            if at >= TARGETS:
                break
            to = links.target("".join(bracket[1].split()))
            found += [to] if to else []
    return found


def _first(targets: list[links.Target], scheme: str) -> str:
    return next((to.url for to in targets if to.url.startswith(scheme)), "")
