"""Autoconfig documents."""

from __future__ import annotations


def document(*servers: str) -> bytes:
    """A `clientConfig` with these servers."""
    inside = "".join(servers)
    return f'<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="x">{inside}</emailProvider></clientConfig>'.encode()


def incoming(
    host: str = "pop.%EMAILDOMAIN%",
    port: object = 995,
    security: str = "SSL",
    username: str = "%EMAILADDRESS%",
    *,
    kind: str = "pop3",
    ways: tuple[str, ...] = ("password-cleartext",),
) -> str:
    """An incoming server."""
    return _server(f'incomingServer type="{kind}"', host, port, security, username, ways)


def outgoing(
    host: str = "smtp.%EMAILDOMAIN%", port: object = 465, security: str = "SSL", *, kind: str = "smtp"
) -> str:
    """An outgoing server."""
    return _server(
        f'outgoingServer type="{kind}"', host, port, security, "%EMAILADDRESS%", ("password-cleartext",)
    )


def _server(  # noqa: PLR0917 - the elements of the format, in its order
    tag: str, host: str, port: object, security: str, username: str, ways: tuple[str, ...]
) -> str:
    authentication = "".join(f"<authentication>{way}</authentication>" for way in ways)
    return (
        f"<{tag}><hostname>{host}</hostname><port>{port}</port><socketType>{security}</socketType>"
        f"<username>{username}</username>{authentication}</{tag.partition(' ')[0]}>"
    )
