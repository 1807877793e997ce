"""What server text means, as tables."""

from __future__ import annotations

import time

import pytest

from bot.errors import (
    BotError,
    CommandRefused,
    LoginRejected,
    MaildropBusy,
    RemoteProtocolError,
    ServerBusy,
    ServerRefused,
)
from bot.mail import pop3_replies

LOGIN_ROWS = (
    ("[AUTH] Authentication failed.", LoginRejected),
    ("[auth] Authentication failed.", LoginRejected),
    ("[AUTH/EXPIRED] Change it", LoginRejected),
    ("[IN-USE] Do you have another POP session running?", MaildropBusy),
    ("[LOGIN-DELAY] minimum time between mail checks violation", MaildropBusy),
    ("[SYS/TEMP] Try again later", ServerBusy),
    ("[SYS/TEMP/DB] wrong password", ServerBusy),
    ("[SYS/PERM] Your account is not enabled for POP access", ServerRefused),
    ("Login failed.", LoginRejected),
    ("Logon failure: unknown user name or bad password.", LoginRejected),
    ("Invalid password, please try again", LoginRejected),
    ("", LoginRejected),
    ("[SOMETHING-ELSE] no", LoginRejected),
    ("[XAUTH] no", LoginRejected),
    ("mailbox is locked", MaildropBusy),
    ("Unable to lock maildrop", MaildropBusy),
    ("Your account has been locked", LoginRejected),
    ("User account is locked by another session", MaildropBusy),
    ("Account locked, too many failures", ServerBusy),
    ("maildrop already open by another session", MaildropBusy),
    ("Too many connections from your address", ServerBusy),
    ("Login rate exceeded", ServerBusy),
    ("limit exceeded", ServerBusy),
    ("Try again in a moment", ServerBusy),
    ("Temporary authentication failure", ServerBusy),
    ("server busy", ServerBusy),
    ("come back later", ServerBusy),
    ("POP access temporarily disabled", ServerBusy),
    ("POP3 is disabled for this account", ServerRefused),
    ("Please enable POP access in your settings", ServerRefused),
    ("POP3 access not allowed", ServerRefused),
)


@pytest.mark.parametrize(("text", "family"), LOGIN_ROWS)
def test_a_refused_login_says_who_must_act(text: str, family: type[BotError]) -> None:
    """Wrong password, busy maildrop, busy server and switched-off POP are four different things."""
    assert type(pop3_replies.login_refusal(text.encode(), ())) is family


@pytest.mark.parametrize(
    ("text", "is_certain"), [(b"[AUTH] no", True), (b"Login failed.", False), (b"bad [AUTH]", False)]
)
def test_only_the_response_code_makes_a_rejection_certain(text: bytes, is_certain: bool) -> None:  # noqa: FBT001 - a column
    """Throttling may say "wrong password" in words, never by `[AUTH]`."""
    error = pop3_replies.login_refusal(text, ())

    assert isinstance(error, LoginRejected)
    assert error.is_certain is is_certain


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("no such message", CommandRefused),
        ("[AUTH] odd", CommandRefused),
        ("[SYS/TEMP] disk", ServerBusy),
        ("[SYS/PERM] disk", ServerRefused),
    ],
)
def test_a_refused_command_concerns_itself_alone(text: str, family: type[BotError]) -> None:
    """After login -ERR is about one command, unless its code speaks of the server."""
    assert type(pop3_replies.command_refusal(text.encode(), ())) is family


@pytest.mark.parametrize(
    ("text", "family"),
    [("too many connections", ServerBusy), ("go away", ServerBusy), ("[SYS/PERM] banned", ServerRefused)],
)
def test_a_refused_greeting_is_temporary_unless_it_says_otherwise(text: str, family: type[BotError]) -> None:
    """A server that does not want us now may want us later."""
    assert type(pop3_replies.greeting_refusal(text.encode(), ())) is family


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"unknown command", True),
        (b"Unrecognized authentication type", True),
        (b"Unsupported authentication mechanism.", True),
        (b"Command not implemented", True),
        (b"Syntax error", True),
        (b"invalid command", True),
        (b"[SYS/PERM] mechanism not supported", True),
        (b"[AUTH] unknown command", False),
        (b"[SYS/TEMP] not available", False),
        (b"Authentication failed", False),
        (b"invalid user name or password", False),
        (b"Unknown user", False),
        (b"", False),
    ],
)
def test_a_refusal_of_the_command_is_none_of_the_password(text: bytes, expected: bool) -> None:  # noqa: FBT001 - a column
    """Only a server that does not know AUTH is asked by USER and PASS afterwards."""
    assert pop3_replies.is_unsupported(text) is expected


HIDDEN = pop3_replies.hidden_forms("alice@example.org", "s3cr&t(pä", "mail.example.org")


@pytest.mark.parametrize(
    "text",
    [
        b"no user alice@example.org here",
        b"no user ALICE at Example.Org",
        "password 's3cr&t(pä' is wrong".encode(),
        b"PASS czNjciZ0KHDDpA==",
        b"ask bob@other.example or 192.0.2.7 or 2001:db8::1 on mail.example.org",
        b"alice" * 300,
        b"x\x00y\x1b[31m\xff\xfe" + "\u202e".encode(),
    ],
)
def test_server_text_is_shown_short_and_without_what_is_private(text: bytes) -> None:
    """A server may echo all it knows: nothing of it reaches a log."""
    shown = pop3_replies.redacted(text, HIDDEN).lower()

    for private in ("alice", "example", "s3cr", "czNj", "192.0.2", "2001:", "bob"):
        assert private.lower() not in shown
    assert len(shown) <= 160
    assert shown.isprintable()


def test_an_error_holds_no_secret() -> None:
    """Neither its text nor its sentence repeats what the server said about the person."""
    error = pop3_replies.login_refusal("no: alice@example.org s3cr&t(pä".encode(), HIDDEN)

    assert "alice" not in f"{error} {error.detail} {error.sentence}"
    assert "s3cr" not in f"{error} {error.detail} {error.sentence}"


def rows(block: bytes) -> list[tuple[int, bytes]]:
    """Numbers with their UIDs."""
    return list(zip(*pop3_replies.uid_rows(block, 1024), strict=True))


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (b"", []),
        (b"1 a\r\n2 b\r\n", [(1, b"a"), (2, b"b")]),
        (b"1 a\n007  b \r\n", [(1, b"a"), (7, b"b")]),
        (b"3 same\r\n1 same\r\n", [(3, b"same"), (1, b"same")]),
        (b"1 <a/b>\xff\0\x80.\r\n", [(1, b"<a/b>\xff\0\x80.")]),
        (b"1 two words\r\n", [(1, b"two words")]),
        (b"1 " + b"u" * 1024 + b"\r\n", [(1, b"u" * 1024)]),
        (b"2147483647 a\r\n", [(2147483647, b"a")]),
    ],
)
def test_uids_are_octets(block: bytes, expected: list[tuple[int, bytes]]) -> None:
    """Whatever a server calls a UID is kept as it is."""
    assert rows(block) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"1x",
        b"a b",
        b"-1 a",
        b"0 a",
        b"2147483648 a",
        b"99999999999 a",
        b"1 a\rb",
        b"1 " + b"u" * 1025,
    ],
)
def test_a_wrong_line_spoils_the_listing(line: bytes) -> None:
    """A listing with one wrong line is not trusted about the others."""
    with pytest.raises(RemoteProtocolError):
        pop3_replies.uid_rows(b"1 a\r\n" + line + b"\r\n3 c\r\n", 1024)


@pytest.mark.parametrize("line", [b"2", b"2 ", b"\t2\t"])
def test_a_message_without_uid_spoils_no_listing(line: bytes) -> None:
    """Its UID is empty there; asked for alone it is an error."""
    assert rows(b"1 a\r\n" + line + b"\r\n3 c\r\n") == [(1, b"a"), (2, b""), (3, b"c")]

    with pytest.raises(RemoteProtocolError):
        pop3_replies.one_uid(line, 2, 1024)


def test_only_wanted_sizes_are_kept() -> None:
    """The sizes of a few of many messages take no room for the others."""
    found: dict[int, int] = {}
    pop3_replies.take_sizes(found, {2, 9}, b"1 10\r\n2 20\r\n3 30\r\n")

    assert found == {2: 20}


def test_a_size_named_twice_spoils_the_listing() -> None:
    """One of the two lines lies, however far apart they stand."""
    found: dict[int, int] = {}
    pop3_replies.take_sizes(found, None, b"1 10\r\n2 20\r\n")

    with pytest.raises(RemoteProtocolError):
        pop3_replies.take_sizes(found, None, b"3 30\r\n1 10\r\n")


@pytest.mark.parametrize(
    "block", [b"", b"\n", b"x" * 20_000 + b"\n1 a\n", b"1 a\n" + b"x" * 9000, b"1 a\r\n" * 9000]
)
def test_stretches_leave_nothing_out(block: bytes) -> None:
    """Lines longer than a stretch too, and what has no line end; only such a line makes one longer."""
    pieces = list(pop3_replies.stretches(block))

    assert b"".join(pieces) == block
    assert all(len(piece) <= 8192 or piece.count(b"\n") <= 1 for piece in pieces)


@pytest.mark.parametrize(
    ("block", "rows"),
    [(b"1 120\r\n2 200 octets\r\n", [(1, 120), (2, 200)]), (b"1 0\n", [(1, 0)])],
)
def test_sizes_may_have_words_behind_them(block: bytes, rows: list[tuple[int, int]]) -> None:
    """RFC 1939 lets servers say more in a scan listing."""
    assert pop3_replies.size_rows(block) == rows


@pytest.mark.parametrize("line", [b"1", b"1 -5", b"0 5", b"1 9999999999999999999", b"1 5x"])
def test_a_wrong_size_spoils_the_listing(line: bytes) -> None:
    """Sizes that are none are refused."""
    with pytest.raises(RemoteProtocolError):
        pop3_replies.size_rows(line + b"\r\n")


@pytest.mark.parametrize(
    ("text", "expected"), [(b"2 320", (2, 320)), (b"0 0", (0, 0)), (b"2 320 in maildrop", (2, 320))]
)
def test_stat_counts_messages_and_octets(text: bytes, expected: tuple[int, int]) -> None:
    """The answer to STAT, with or without words behind it."""
    assert pop3_replies.stat(text) == expected


@pytest.mark.parametrize("text", [b"", b"2", b"two 320", b"-2 320", b"9999999999 1", b"2 320x"])
def test_a_wrong_stat_is_refused(text: bytes) -> None:
    """Numbers that are none, or too large to be true."""
    with pytest.raises(RemoteProtocolError):
        pop3_replies.stat(text)


def test_answers_about_one_message_name_it() -> None:
    """An answer for another number means that answers and commands are out of step."""
    assert pop3_replies.one_uid(b"3 abc", 3, 1024) == b"abc"
    assert pop3_replies.one_size(b"3 77", 3) == 77

    with pytest.raises(RemoteProtocolError):
        pop3_replies.one_uid(b"4 abc", 3, 1024)
    with pytest.raises(RemoteProtocolError):
        pop3_replies.one_size(b"4 77", 3)


def test_capabilities_are_compared_in_capitals() -> None:
    """Case and blanks of CAPA lines mean nothing."""
    offered = pop3_replies.capabilities(b"user\r\nSASL  plain login\r\n\r\n\xff\r\n")

    assert {"USER", "SASL PLAIN LOGIN"} < offered
    assert pop3_replies.offers_plain(offered)
    assert not pop3_replies.offers_plain(frozenset({"SASL LOGIN PLAINTEXT", "PLAIN", "X SASL PLAIN"}))


def test_a_listing_of_a_large_maildrop_is_read_in_bulk() -> None:
    """100,000 lines cost a fraction of a second of work, and hostile lines no more."""
    block = b"".join(b"%d 000000%010x\r\n" % (number, number) for number in range(1, 100_001))
    began = time.process_time()

    assert len(rows(block)) == 100_000
    assert time.process_time() - began < 4


@pytest.mark.parametrize(
    "text", [b"a" * 4000, b"another " * 500, b"pop " * 1000, b"1 " + b"a " * 2000 + b"\rx", b"@" * 4000]
)
def test_no_text_is_expensive(text: bytes) -> None:
    """A hostile line does not hold the process up."""
    began = time.process_time()
    pop3_replies.login_refusal(text, HIDDEN)
    pop3_replies.is_unsupported(text)
    with pytest.raises(RemoteProtocolError):
        pop3_replies.uid_rows(text + b"\n", 1024)

    assert time.process_time() - began < 1
