"""Where a connection may go."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from bot.errors import ServerUnreachable
from bot.mail.hosts import Hosts, _is_ours, is_public, plain_host
from storage.records import Security, ServerAddress

PUBLIC = (
    "8.8.8.8",
    "1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
    "198.20.0.1",
    "223.255.255.254",
    "2600::1",
    "2a00:1450::1",
)
CARRIERS_OF_PUBLIC = ("::ffff:8.8.8.8", "64:ff9b::808:808", "2600::5efe:808:808")
NOT_PUBLIC = (
    *(
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.0.1",
    ),
    *(
        "168.63.129.16",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
    ),
    *(
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
    ),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *(
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:0:127.0.0.1",
        "100::1",
        "64:ff9b:1::1",
        "64:ff9b:1::808:808",
    ),
    *(
        "2001::1",
        "2001:0:7f00:1::",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::",
    ),
    *(
        "3fff::1",
        "3ffe::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
    *("2600::5efe:7f00:1", "2600::200:5efe:a00:1", "fe80::5efe:808:808"),
    *(
        "fe80::1%eth0",
        "2600::1%eth0",
        "",
        "localhost",
        "2130706433",
        "0x7f.1",
        "127.1",
        "127.0.0.01",
        "8.8.8.8/32",
        "[2600::1]",
    ),
)


@pytest.mark.parametrize("address", [*PUBLIC, *CARRIERS_OF_PUBLIC])
def test_ordinary_addresses_are_public(address: str) -> None:
    """The internet is open, also through the translation of a network without IPv4."""
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_dangerous_addresses_are_not(address: str) -> None:
    """Our own networks, metadata services and all their disguises are closed."""
    assert not is_public(address)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("Mail.Example.ORG", "mail.example.org"),
        (" mail.example.org. ", "mail.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("[2600::1]", "2600::1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("a_b.example", "a_b.example"),
        ("", ""),
        (".", ""),
        ("a..b", ""),
        ("a b", ""),
        ("a\0b", ""),
        ("a\r\nb", ""),
        ("fe80::1%eth0", ""),
        ("user@host", ""),
        ("host/path", ""),
        ("x" * 64, ""),
        ("x." * 200, ""),
        (" " * 9 + "x." * 126 + "xyz", ""),
    ],
)
def test_a_host_has_one_spelling(typed: str, plain: str) -> None:
    """What people type is brought to one form, or refused as no host at all."""
    assert plain_host(typed) == plain


def resolving(*addresses: str) -> Any:
    """A resolver that answers these addresses for every name."""

    async def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, 1, 6, "", (address, port))
            for address in addresses
        ]

    return resolve


async def pinned(hosts: Hosts, host: str = "mail.test", port: int = 995) -> list[str]:
    """The addresses a connection would be made to."""
    return [address for _, address, _ in await hosts.pinned(ServerAddress(host, port, Security.TLS))]


async def test_public_answers_are_pinned_in_their_order() -> None:
    """Each address once, as the resolver sorts them."""
    hosts = Hosts(resolve=resolving("2600::1", "8.8.8.8", "2600::1"))

    assert await hosts.pinned(ServerAddress("mail.test", 995, Security.TLS)) == [
        (socket.AF_INET6, "2600::1", 995),
        (socket.AF_INET, "8.8.8.8", 995),
    ]


@pytest.mark.parametrize(
    "answers",
    [(), ("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("::ffff:10.0.0.1",), ("8.8.8.8",) + ("10.0.0.1",) * 20],
)
async def test_one_forbidden_answer_refuses_the_name(answers: tuple[str, ...]) -> None:
    """A name that mixes public and private addresses is used for neither."""
    with pytest.raises(ServerUnreachable) as caught:
        await pinned(Hosts(resolve=resolving(*answers)))

    assert caught.value.sentence == ServerUnreachable.words
    assert "10.0" not in str(caught.value)


async def test_only_what_is_allowed_is_used_where_something_is() -> None:
    """Localhost is ::1 and 127.0.0.1: an administrator who allows one of them is understood."""
    hosts = Hosts(["127.0.0.0/8"], resolve=resolving("::1", "127.0.0.1"))

    assert await pinned(hosts) == ["127.0.0.1"]
    assert await pinned(Hosts(["10.0.0.0/8"], resolve=resolving("8.8.8.8", "10.0.0.1"))) == ["10.0.0.1"]


async def test_a_name_counts_as_allowed_while_it_resolves_there() -> None:
    """The rules for allowed hosts hold for a name inside an allowed network, and no longer than that."""
    answers = ["10.0.0.1"]

    async def resolve(*query: Any, **options: Any) -> Any:
        return await resolving(*answers)(*query, **options)

    hosts = Hosts(["10.0.0.0/8"], resolve=resolve)
    assert not hosts.is_allowed("mail.test")

    await pinned(hosts)
    assert hosts.is_allowed("mail.test")
    answers[:] = ["8.8.8.8"]
    await pinned(hosts)

    assert not hosts.is_allowed("mail.test")
    assert Hosts(["127.0.0.1"]).is_allowed("localhost")


@pytest.mark.parametrize(
    ("port", "is_open"),
    [
        (110, True),
        (995, True),
        (465, True),
        (587, True),
        (25, False),
        (80, False),
        (22, False),
        (0, False),
        (65536, False),
        (-1, False),
    ],
)
async def test_only_mail_ports_are_open(port: int, is_open: bool) -> None:  # noqa: FBT001 - a column
    """A public address is reached on the ports of mail alone."""
    hosts = Hosts(resolve=resolving("8.8.8.8"))

    if is_open:
        assert await pinned(hosts, port=port) == ["8.8.8.8"]
    else:
        with pytest.raises(ServerUnreachable):
            await pinned(hosts, port=port)


async def test_another_purpose_has_its_own_ports_and_no_more_addresses() -> None:
    """HTTPS for discovery opens its port, closes those of mail, and judges the addresses of its own look-up alike."""
    hosts, https = Hosts(resolve=resolving("10.0.0.1")), ServerAddress("mail.test", 443, Security.TLS)

    found = await hosts.pinned(https, ports={443}, resolve=resolving("8.8.8.8"))

    assert found == [(socket.AF_INET, "8.8.8.8", 443)]
    for server, answer in ((https, "10.0.0.1"), (ServerAddress("mail.test", 995, Security.TLS), "8.8.8.8")):
        with pytest.raises(ServerUnreachable):
            await hosts.pinned(server, ports={443}, resolve=resolving(answer))


@pytest.mark.parametrize(
    "allowed", ["mail.test", "MAIL.test.", "10.0.0.0/8", "10.1.2.3", " 10.1.2.3 ", "10.1.2.3/8"]
)
async def test_what_the_administrator_allows_is_reached_on_any_port(allowed: str) -> None:
    """By name, address or network."""
    assert await pinned(Hosts([allowed], resolving("10.1.2.3")), port=1234) == ["10.1.2.3"]


@pytest.mark.parametrize(
    "allowed", ["test", "mail", "xmail.test", "mail.test.evil", "10.0.0.0/16", "10.1.2.4", ""]
)
async def test_an_allowed_neighbour_allows_nothing(allowed: str) -> None:
    """Names are compared whole, networks by their mask."""
    with pytest.raises(ServerUnreachable):
        await pinned(Hosts([allowed], resolving("10.1.2.3")))


async def test_an_allowed_network_holds_for_mapped_addresses_too() -> None:
    """IPv4 inside IPv6 is the same address."""
    assert await pinned(Hosts(["10.0.0.0/8"], resolving("::ffff:10.1.2.3"))) == ["::ffff:10.1.2.3"]


async def test_every_connection_asks_anew() -> None:
    """A name that changes its answer is judged by the new one."""
    answers = [["8.8.8.8"], ["127.0.0.1"]]

    async def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return list(await resolving(*answers.pop(0))(host, port))

    hosts = Hosts(resolve=resolve)

    assert await pinned(hosts) == ["8.8.8.8"]
    with pytest.raises(ServerUnreachable):
        await pinned(hosts)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "[::1]",
        "::1",
        "::ffff:127.0.0.1",
        "[::ffff:7f00:1]",
        "0",
        "localhost",
        "LOCALHOST.",
        "169.254.169.254",
        "fe80::1%lo",
        "[fe80::1%25lo]",
    ],
)
async def test_odd_spellings_lead_nowhere(host: str) -> None:
    """However loopback is written, the system's own resolver's answer is judged."""
    with pytest.raises(ServerUnreachable):
        await pinned(Hosts(), host)


async def test_a_resolver_that_fails_is_an_unreachable_server() -> None:
    """No such name reads like nobody there."""

    async def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(ServerUnreachable):
        await pinned(Hosts(resolve=resolve))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("Mail.Test", True),
        ("mail.test.", True),
        ("[10.1.2.3]", True),
        ("10.1.2.3", True),
        ("fd00::5", True),
        ("other.test", False),
        ("11.1.2.3", False),
        ("", False),
    ],
)
def test_allowed_is_what_is_named(host: str, expected: bool) -> None:  # noqa: FBT001 - a column
    """The host as typed: an allowed name, or an address inside an allowed network."""
    assert Hosts(["mail.TEST", "10.0.0.0/8", "fd00::/64", " "]).is_allowed(host) is expected


def test_the_machine_itself_is_no_mail_server() -> None:
    """An address of our own is known without asking anybody; a stranger's is not ours."""
    assert _is_ours(socket.AF_INET, "127.0.0.1")
    assert not _is_ours(socket.AF_INET, "8.8.8.8")
    assert not _is_ours(socket.AF_INET6, "2600::1")
