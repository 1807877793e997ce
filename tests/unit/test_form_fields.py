"""Single fields of the form: what is taken, how it comes out, and what is refused."""

from __future__ import annotations

import pytest

from bot.slack import names
from bot.slack.forms import MailboxForm
from storage.records import Secret
from tests.unit.typing_person import parse


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("POP.Example.ORG", "pop.example.org"),
        ("pop3://pop.example.org/", "pop.example.org"),
        ("pop3s://pop.example.org", "pop.example.org"),
        ("pop.example.org.", "pop.example.org"),
        ("  pop.example.org  ", "pop.example.org"),
        ("localhost", "localhost"),
        ("mail-1.example.org", "mail-1.example.org"),
        ("postfach.bücher.example", "postfach.bücher.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("почта.рф", "почта.рф"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:DB8::7]", "2001:db8::7"),
        ("::1", "::1"),
    ],
)
def test_server_names_are_understood(typed: str, host: str) -> None:
    """Names and addresses of servers come out the way a connection needs them."""
    form = parse({names.INCOMING_SERVER: typed, names.OUTGOING_SERVER: typed})

    assert form.profile.incoming.host == host
    assert form.profile.outgoing.host == host


@pytest.mark.parametrize(
    "typed",
    [
        "pop example org",
        "pop.example.org/inbox",
        "https://mail.example.org/",
        "ana:secret@pop.example.org",
        "ana@example.org",
        "pop.example.org:995",
        "[2001:db8::7]:995",
        "pop..example.org",
        ".example.org",
        "-pop.example.org",
        "pop-.example.org",
        "a" * 64 + ".example.org",
        ".".join(["a" * 60] * 5),
        "192.0.2.999",
        "192.0.2",
        "2130706433",
        "0x7f000001",
        "fe80::1%eth0",
        "[::1",
        "pop.example.org\r\nUSER x",
        "pop.example.org\x00",
        "pop\u2028.example.org",
        "pop.example.org#",
        "\\\\server",
        "pop_ü\ud800.org",
        ".",
        "pop3://",
    ],
)
@pytest.mark.parametrize("field", [names.INCOMING_SERVER, names.OUTGOING_SERVER])
def test_wrong_servers_are_refused(typed: str, field: str) -> None:
    """What no server can be called is refused under its own field, and nothing else is."""
    errors = parse({field: typed})

    assert list(errors) == [field]


@pytest.mark.parametrize(
    "address",
    [
        "ana@example.org",
        "Ana.O'Hara+x@sub.example.org",
        "ana@bücher.example",
        "用户@例子.公司",
        "ana@localhost",
    ],
)
def test_addresses_are_taken(address: str) -> None:
    """An e-mail address in any script is taken as typed."""
    assert parse({names.ADDRESS: address}).profile.address == address


@pytest.mark.parametrize(
    "address",
    [
        "ana",
        "@example.org",
        "ana@",
        "ana@@example.org",
        "ana@b@example.org",
        "ana maria@example.org",
        "ana@example org",
        "Ana <ana@example.org>",
        "<!channel>@example.org",
        "ana@example..org",
        "ana@example.org\r\nBcc: x@example.org",
        "ana@exa\x00mple.org",
        "a" * 65 + "@example.org",
        "ana@" + ".".join(["a" * 60] * 5),
        "ä" * 33 + "@example.org",
        "ana\ud800@example.org",
    ],
)
def test_wrong_addresses_are_refused(address: str) -> None:
    """What is no e-mail address is refused under its field."""
    assert list(parse({names.ADDRESS: address})) == [names.ADDRESS]


@pytest.mark.parametrize(
    "port", ["0", "65536", "-1", "abc", "9.95", "１１０", "99999999999999999999", "1 1", "0x1", "1e3"]
)
@pytest.mark.parametrize("field", [names.INCOMING_PORT, names.OUTGOING_PORT])
def test_wrong_ports_are_refused(port: str, field: str) -> None:
    """A port is a whole number between 1 and 65535."""
    assert list(parse({field: port})) == [field]


@pytest.mark.parametrize(("port", "number"), [("1", 1), ("65535", 65535), (" 995 ", 995), ("0110", 110)])
def test_ports_are_taken(port: str, number: int) -> None:
    """A port within bounds is taken, with white space or a leading zero too."""
    assert parse({names.INCOMING_PORT: port}).profile.incoming.port == number


@pytest.mark.parametrize(
    "field", [names.NAME, names.ADDRESS, names.INCOMING_SERVER, names.USERNAME, names.INCOMING_PASSWORD]
)
@pytest.mark.parametrize("control", ["\r", "\n", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\ud800"])
def test_no_control_character_passes(field: str, control: str) -> None:
    """Nothing that could end a protocol line comes through any field, wherever in it it stands."""
    assert list(parse({field: f"a{control}b"})) == [field]


@pytest.mark.parametrize(
    ("field", "longest"), [(names.NAME, 80), (names.USERNAME, 320), (names.INCOMING_PASSWORD, 1024)]
)
def test_lengths_are_bounded(field: str, longest: int) -> None:
    """The longest text is taken, one character more is refused."""
    assert isinstance(parse({field: "a" * longest}), MailboxForm)
    assert list(parse({field: "a" * (longest + 1)})) == [field]


def test_passwords_keep_every_character() -> None:
    """White space and any script belong to a password."""
    assert parse({names.INCOMING_PASSWORD: " pä ss\u00a0 "}).incoming_password == Secret(" pä ss\u00a0 ")
