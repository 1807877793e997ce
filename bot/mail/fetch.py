"""One small document over HTTPS from a host that may be asked: judged, pinned, bounded.

Every connection resolves its name anew, judges all answers and goes to a judged address; a redirect is a new
request to a judged host, over HTTPS, twice at most. Nothing is unpacked, no cookie kept, no proxy used, and no
failure told apart from another: whoever names the host must not learn what stands there.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.errors import ServerUnreachable
from bot.mail.suggestions import host_name
from storage.records import Security, ServerAddress

if TYPE_CHECKING:
    import ssl

    from bot.mail.hosts import Hosts, Resolve

HTTPS_PORT: Final = 443
DOCUMENT_OCTETS: Final = 64 * 1024
REDIRECTS: Final = 2
_REDIRECTING: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {"Accept": "text/xml, application/xml", "Accept-Encoding": "identity"}


class _Judged(AbstractResolver):
    """Gives a connection the judged addresses of its host and no others."""

    def __init__(self, hosts: Hosts, resolve: Resolve, port: int) -> None:
        self._hosts = hosts
        self._resolve = resolve
        self._port = port

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - aiohttp's signature
    ) -> list[ResolveResult]:
        """The addresses in the order in which to try them."""
        server = ServerAddress(host, port, Security.TLS)
        try:
            pinned = await self._hosts.pinned(server, ports={self._port}, resolve=self._resolve)
        except ServerUnreachable as error:
            raise OSError("may not be asked") from error
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=flags)
            for kind, address, port in pinned
        ]

    async def close(self) -> None:
        """Nothing is held."""


class Fetcher:
    """Fetches documents.

    Args:
        resolve: how names are looked up.
        port: the only one that is asked; another than 443 is for tests.
    """

    def __init__(self, hosts: Hosts, tls: ssl.SSLContext, resolve: Resolve, port: int = HTTPS_PORT) -> None:
        self._hosts = hosts
        self._tls = tls
        self._resolve = resolve
        self._port = port

    async def document(self, host: str, path: str) -> bytes | None:
        """What a host has at a path; None when it has nothing, or nothing that may be had."""
        connector = aiohttp.TCPConnector(
            resolver=_Judged(self._hosts, self._resolve, self._port),
            use_dns_cache=False,
            ssl=self._tls,
            force_close=True,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            auto_decompress=False,
        ) as session:
            try:
                return await self._followed(session, self._url(f"https://{host}:{self._port}{path}"))
            except (aiohttp.ClientError, OSError, ValueError):  # a time-out is an OSError
                return None

    async def _followed(self, session: aiohttp.ClientSession, url: str | None) -> bytes | None:
        for _ in range(REDIRECTS + 1):
            if url is None:
                return None
            async with session.get(url, allow_redirects=False) as answer:
                if answer.status == 200:
                    return await _body(answer)
                if answer.status not in _REDIRECTING:
                    return None
                url = self._url(urljoin(url, answer.headers.get("Location", "")))
        return None

    def _url(self, text: str) -> str | None:
        """An address that may be asked, in one spelling: a name, over HTTPS, on the one port.

        A numeric address would pass aiohttp's resolver by, and with it the judgement.
        """
        parts = urlsplit(text)
        name = host_name(parts.hostname or "")
        is_elsewhere = parts.scheme != "https" or (parts.port or HTTPS_PORT) != self._port
        if name is None or is_elsewhere or parts.username is not None:
            return None
        query = f"?{parts.query}" if parts.query else ""
        return f"https://{name}:{self._port}{parts.path or '/'}{query}"


async def _body(answer: aiohttp.ClientResponse) -> bytes | None:
    """The document, unless it is too large."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(8192):
        body += chunk
        if len(body) > DOCUMENT_OCTETS:
            return None
    return bytes(body)
