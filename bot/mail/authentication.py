"""What the receiving server found about a mail's sender, read tolerantly. Pure; linear; never raises.

Covers RFC 8601 as servers write it: comments anywhere, no version, no server's name (Microsoft), stray quotes. Anyone
can write such a field into a mail, so only the topmost one that bears a trusted server's name counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bot.mail import domains, headers
from bot.mail.special import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from bot.mail.headers import Header

FIELDS: Final = 30
RESULTS: Final = 50
SERVER_CHARACTERS: Final = 255

KNOWN: Final[dict[str, tuple[str, ...]]] = {
    "aol.com": ("yahoo.com",),
    "fastmail.com": ("messagingengine.com",),
    "gmail.com": ("mx.google.com",),
    "gmx.com": ("gmx.net",),
    "googlemail.com": ("mx.google.com",),
    "ionos.com": ("kundenserver.de", "perfora.net"),
    "ionos.de": ("kundenserver.de",),
    "office.com": ("", "prod.outlook.com", "protection.outlook.com"),
    "office365.com": ("", "prod.outlook.com", "protection.outlook.com"),
    "outlook.com": ("", "prod.outlook.com", "protection.outlook.com"),
    "web.de": ("gmx.net",),
    "yandex.com": ("yandex.net", "yandex.ru"),
    "yandex.ru": ("yandex.net",),
    "zoho.com": ("zohomail.com",),
    "zoho.eu": ("zohomail.eu",),
}
"""The domain of an incoming server and whom its mail is judged by; Microsoft's own servers name nobody."""

_SPECIAL: Final = re.compile(r'[()"\\]')
_RESULT: Final = re.compile(r"\s*([a-z][a-z0-9-]{0,30})\s*=\s*([a-z]{1,20})", re.IGNORECASE)
_NAME: Final = re.compile(r"\s*([^\s;=]{1,255})\s*(?:\s[0-9]{1,3}\s*)?\Z")
_FAILED_SPF: Final = frozenset({"fail", "softfail", "hardfail"})


def verdicts(header: Header) -> tuple[Verdict, ...]:
    """What each field says, the topmost first."""
    raws = [raw for raw, _ in zip(header.all("authentication-results"), range(FIELDS), strict=False)]
    return tuple(_verdict(headers.eight_bit(raw)) for raw in raws)


def is_doubtful(found: Sequence[Verdict], host: str, trusted: Collection[str]) -> bool:
    """Whether the mailbox's own server doubts that the mail comes from whom it names.

    Args:
        found: of one mail.
        host: the mailbox's incoming server.
        trusted: server names that the administrator trusts beside those that belong to the host.
    """
    verdict = next((each for each in found if _is_trusted(each.server, host, trusted)), None)
    if verdict is None or verdict.dmarc == "pass":
        return False
    failed = bool(verdict.dkim) and all(result == "fail" for result in verdict.dkim)
    return verdict.dmarc == "fail" or (verdict.spf in _FAILED_SPF and failed)


def _is_trusted(server: str, host: str, trusted: Collection[str]) -> bool:
    domain = domains.registrable(host.strip(".").lower())
    below = [*trusted, *([domain] if domain else []), *KNOWN.get(domain, ())]
    return any(server == each.lower() or (each and server.endswith("." + each.lower())) for each in below)


def _verdict(value: str) -> Verdict:
    pieces = _bare(value).split(";")[: RESULTS + 1]
    name = _NAME.match(pieces[0])
    server = name[1].lower() if name and "=" not in pieces[0] else ""
    results = [found for piece in pieces if (found := _RESULT.match(piece))]
    by_method = [(found[1].lower(), found[2].lower()) for found in results]
    first = dict(reversed(by_method))
    return Verdict(
        server=server[:SERVER_CHARACTERS],
        spf=first.get("spf", ""),
        dkim=tuple(result for method, result in by_method if method == "dkim"),
        dmarc=first.get("dmarc", ""),
    )


def _bare(value: str) -> str:
    """The value without comments and quoted text, in which a semicolon means nothing."""
    return "".join(_outside(value))


def _outside(value: str) -> Iterator[str]:
    depth = at = 0
    is_quoted = False
    for found in _SPECIAL.finditer(value):
        if found.start() < at:
            continue  # escaped
        if depth == 0 and not is_quoted:
            yield value[at : found.start()]
        match found[0]:
            case "\\":
                at = found.end() + 1
                continue
            case '"':
                is_quoted = not is_quoted if depth == 0 else is_quoted
            case "(":
                depth += not is_quoted
            case _:
                depth -= depth > 0 and not is_quoted
        at = found.end()
    if depth == 0 and not is_quoted:
        yield value[at:]
