"""Where a connection to a mail server may go: resolve the name, judge every answer, pin what was judged.

People type host names of their own choice, so without this rule the bot would knock on our own network for
them. A name is resolved anew for each connection and the connection goes to a judged address, never to the
name: a second look-up could answer otherwise. A name with a single forbidden answer is refused whole; no
honest mail server has one, and taking the rest would let its owner find out which addresses we forbid.

All refusals are one error with one wording, so nobody can tell "forbidden" from "nobody there".
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from bot.errors import ServerUnreachable
from bot.mail.idn import to_ascii

if TYPE_CHECKING:
    from storage.records import ServerAddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Answer = tuple[socket.AddressFamily, str]
Pinned = tuple[socket.AddressFamily, str, int]
Resolve = Callable[..., Awaitable[Sequence[tuple[Any, ...]]]]

MAIL_PORTS: Final = frozenset({110, 995, 465, 587})
_MAX_ADDRESSES: Final = 8  # tried in one connection; all answers are judged
_MAX_REMEMBERED: Final = 10_000
_HOST: Final = re.compile(r"[a-z0-9._:-]{1,253}")

# Written out, because `is_global` lets 12 of 32 dangerous addresses through on Python 3.11 and its
# verdict changes with the version.
_DENIED: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata at 100.100.100.200
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's metadata, in public space
        "169.254.0.0/16",  # link-local; metadata of most clouds at 169.254.169.254
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata at 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # automatic multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "::/3",  # unspecified, loopback, IPv4-compatible, local NAT64, discard-only
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # 6bone, returned
        "3fff::/20",  # documentation
        "4000::/2",  # never assigned
        "8000::/1",  # unique-local, AWS metadata at fd00:ec2::254, link-local, site-local, multicast
    )
)
_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP: Final = (
    0x00005EFE,
    0x02005EFE,
)  # upper half of an interface id that tunnels to the IPv4 address below it


def is_public(address: str) -> bool:
    """Whether a numeric address is an ordinary one of the internet.

    IPv4-mapped and NAT64 addresses are judged by the IPv4 address inside. IPv4-compatible, local NAT64, 6to4
    and Teredo addresses are never public, whatever is inside: no mail server has one. Anything that is not a
    plain numeric address, such as one with a zone, is not public either.
    """
    parsed = _parsed(address)
    return parsed is not None and not any(_is_in(judged, _DENIED) for judged in _destinations(parsed))


def plain_host(host: str) -> str:
    """A host as typed in the one spelling used for look-up, comparison and the certificate's name check.

    Lower case, ASCII (IDNA), without brackets or a trailing dot; empty when it cannot be a host.
    """
    text = host.strip().lower().removesuffix(".") if len(host) < 300 else ""
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    try:
        text = to_ascii(text)
    except UnicodeError:  # an empty label, or one over 63 octets
        return ""
    return text if _HOST.fullmatch(text) else ""


def is_loopback(host: str) -> bool:
    """Whether a host as typed is this machine speaking to itself."""
    plain = plain_host(host)
    parsed = _parsed(plain)
    return plain == "localhost" or (parsed is not None and parsed.is_loopback)


class Hosts:
    """The rule for addresses, with what the administrator allows beside it.

    Args:
        allowed: host names (exact, any case), addresses or networks. An allowed name lets through whatever it
            resolves to, an allowed network the addresses inside; both lift the limit on ports. Where some
            addresses of a name are let through in this way, only those are used.
        resolve: takes and answers what `loop.getaddrinfo` does, its default.
    """

    def __init__(self, allowed: Collection[str] = (), resolve: Resolve | None = None) -> None:
        networks = {entry: _network(entry) for entry in allowed if entry.strip()}
        self._networks = tuple(network for network in networks.values() if network is not None)
        self._names = frozenset(
            plain_host(entry) for entry, network in networks.items() if network is None
        ) - {""}
        self._resolve = resolve
        self._let_through: set[str] = set()

    @property
    def allows_some(self) -> bool:
        """Whether the administrator allows any host."""
        return bool(self._names or self._networks)

    def is_allowed(self, host: str) -> bool:
        """Whether the administrator allows this host.

        By its name, by its numeric address, or because its name last resolved into an allowed network.
        """
        plain = plain_host(host)
        literal = "127.0.0.1" if plain == "localhost" else plain  # RFC 6761 section 6.3
        return plain in self._names or plain in self._let_through or self._is_allowed_address(literal)

    async def pinned(
        self, server: ServerAddress, *, ports: Collection[int] = MAIL_PORTS, resolve: Resolve | None = None
    ) -> list[Pinned]:
        """The judged addresses of a server in the order in which to try them; resolved anew each time.

        Args:
            ports: those that may be used where the administrator allows no others.
            resolve: asked instead of the usual one.

        Raises:
            ServerUnreachable: no such name, or any of its addresses may not be used.
        """
        host = plain_host(server.host)
        if not host or not 0 < server.port < 65536:
            raise ServerUnreachable("not a host and port")
        addresses = await self._addresses(host, server.port, resolve or self._resolve)
        if not addresses:
            raise ServerUnreachable("the name does not resolve")
        usable = self._allowed_ones(host, addresses) or addresses
        is_port_allowed = server.port in ports
        if not all(
            self._may_use(host, family, address, is_port_allowed=is_port_allowed)
            for family, address in usable
        ):
            raise ServerUnreachable("the address may not be used")
        return [(family, address, server.port) for family, address in usable[:_MAX_ADDRESSES]]

    def _allowed_ones(self, host: str, addresses: list[Answer]) -> list[Answer]:
        """Those of a name's addresses that the administrator allows; the name then counts as allowed itself."""
        let = [answer for answer in addresses if host in self._names or self._is_allowed_address(answer[1])]
        if not let:
            self._let_through.discard(host)
        elif len(self._let_through) < _MAX_REMEMBERED:
            self._let_through.add(host)
        return let

    @staticmethod
    async def _addresses(host: str, port: int, resolve: Resolve | None) -> list[Answer]:
        resolve = resolve or asyncio.get_running_loop().getaddrinfo
        try:
            answers = await resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ServerUnreachable("the name does not resolve") from error
        internet = (socket.AF_INET, socket.AF_INET6)
        found = [
            (socket.AddressFamily(family), str(place[0]))
            for family, *_, place in answers
            if family in internet
        ]
        return list(dict.fromkeys(found))

    def _may_use(
        self, host: str, family: socket.AddressFamily, address: str, *, is_port_allowed: bool
    ) -> bool:
        if host in self._names or self._is_allowed_address(address):
            return True
        return is_port_allowed and is_public(address) and not _is_ours(family, address)

    def _is_allowed_address(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and (
            _is_in(parsed, self._networks)
            or all(_is_in(inner, self._networks) for inner in _destinations(parsed))
        )


def _parsed(address: str) -> Address | None:
    """A numeric address without a zone; None for what is not one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return None if isinstance(parsed, ipaddress.IPv6Address) and parsed.scope_id is not None else parsed


def _destinations(address: Address) -> tuple[Address, ...]:
    """Where packets for an address may end: the IPv4 address it carries, for ISATAP beside itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    number = int(address)
    inner = ipaddress.IPv4Address(number & 0xFFFFFFFF)
    if address in _MAPPED or address in _NAT64:
        return (inner,)
    return (address, inner) if (number >> 32) & 0xFFFFFFFF in _ISATAP else (address,)


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _network(entry: str) -> Network | None:
    """An entry of `allowed` as a network; None when it is a name."""
    try:
        return ipaddress.ip_network(entry.strip().removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return None


def _is_ours(family: socket.AddressFamily, address: str) -> bool:
    """Whether the address is one of this machine's own: then its kernel would speak from that very address.

    Nothing is sent: connecting a datagram socket only chooses the route.
    """
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
        except OSError:  # no route: the connection itself will say so
            return False
        return bool(probe.getsockname()[0] == address)
