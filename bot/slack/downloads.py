"""Octets of a file in Slack: from Slack's own addresses alone, bounded in size and time.

The bot's token goes along with the request, so an address that is not Slack's is never asked, and nobody is followed
elsewhere: a file object is only what somebody's Slack says of a file.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

import aiohttp

from bot.slack.outcomes import CallFailed, Refused, Unknown

if TYPE_CHECKING:
    from datetime import timedelta

HOSTS: Final = ("slack.com", "slack-files.com", "slack-gov.com")
"""And all below them; by https on its own port."""

_HOST: Final = re.compile(r"[a-z0-9.-]+")
_PORTS: Final = {"https": 443, "http": 80}
_PIECE: Final = 64 * 1024


def is_slacks(url: str, api_url: str) -> bool:
    """Whether an address may be asked with the bot's token: Slack's hosts by https, or the very origin of its API.

    Args:
        api_url: base of all methods, where the token goes anyway.
    """
    asked, api = _split(url), _split(api_url)
    if asked is None or "@" in asked.netloc:
        return False
    if api is not None and _origin(asked) == _origin(api):
        return True
    host = asked.hostname or ""
    is_known = _HOST.fullmatch(host) and any(host == known or host.endswith(f".{known}") for known in HOSTS)
    return bool(is_known) and _origin(asked) == ("https", host, 443)


def _split(url: str) -> SplitResult | None:
    try:
        found = urlsplit(url)
        _ = found.port
    except ValueError:
        return None
    is_plain = url.isascii() and url.isprintable() and not set(url) & set("\\ ")
    return found if found.scheme in _PORTS and found.hostname and is_plain else None


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


async def octets_of(  # noqa: PLR0917 - what one request is made of
    session: aiohttp.ClientSession, url: str, token: str, api_url: str, most: int, time: timedelta
) -> bytes:
    """What stands at an address of Slack's.

    Args:
        most: octets; more than that are not read.
        time: for all of it.

    Raises:
        CallFailed: nothing, or not all of it, could be read; Refused for what a later try does not help.
    """
    if not is_slacks(url, api_url):
        raise CallFailed(Refused("not_an_address_of_slack"))
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    try:
        async with (
            asyncio.timeout(time.total_seconds()),
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status >= 500 or answer.status == 429:
                raise CallFailed(Unknown(f"download answered {answer.status}"))
            if answer.status != 200:
                raise CallFailed(Refused(f"download_http_{answer.status}"))
            return await _bounded(answer.content, most)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise CallFailed(Unknown(type(error).__name__)) from error


async def _bounded(content: aiohttp.StreamReader, most: int) -> bytes:
    pieces, count = list[bytes](), 0
    async for piece in content.iter_chunked(_PIECE):
        count += len(piece)
        if count > most:
            raise CallFailed(Refused("download_too_large"))
        pieces.append(piece)
    return b"".join(pieces)
