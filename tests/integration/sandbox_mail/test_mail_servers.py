"""The sandbox's mail servers behave as mail programs that are not ours expect."""

from __future__ import annotations

import asyncio
import base64
import poplib
import smtplib
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from bot.sandbox.mail.maildrops import Account
from bot.sandbox.mail.servers import MailServers, Ports
from bot.sandbox.mail.welcome import deliver_welcome

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from pathlib import Path

MAIL = b"Subject: one\r\n\r\nfirst\r\n.\r\n..second\r\n.third"
SignIn = Callable[..., poplib.POP3]
Connect = Callable[..., smtplib.SMTP]


@pytest.mark.parametrize("stls", [False, True])
async def test_mail_comes_out_as_it_went_in(servers: MailServers, pop3: SignIn, *, stls: bool) -> None:
    """Dots at the start of lines survive, over TLS and over STLS."""
    uid = servers.deliver("ada@local.test", MAIL)[0].uid

    def fetch() -> tuple[list[bytes], list[bytes], tuple[int, int]]:
        client = pop3(stls=stls)
        listed, lines, stat = client.uidl()[1], client.retr(1)[1], client.stat()
        client.quit()
        return listed, lines, stat

    listed, lines, stat = await asyncio.to_thread(fetch)

    assert listed == [f"1 {uid}".encode()]
    assert b"\r\n".join(lines) == MAIL
    assert stat == (1, len(MAIL))


async def test_deletions_happen_at_quit_only(servers: MailServers, pop3: SignIn) -> None:
    """A connection that breaks after DELE has deleted nothing; QUIT deletes."""
    uid = servers.deliver("ada@local.test", MAIL)[0].uid
    drop = servers.drops.get("ada@local.test")
    assert drop is not None

    def break_off() -> None:
        client = pop3()
        client.dele(1)
        client.close()

    await asyncio.to_thread(break_off)
    await _until(lambda: not drop.is_locked)
    kept = [mail.uid for mail in drop.mails]
    await asyncio.to_thread(lambda: (client := pop3(), client.dele(1), client.quit()))

    assert kept == [uid]
    assert drop.mails == []
    assert drop.counters.dele == {uid: 2}
    assert drop.counters.deleted == [uid]
    assert (drop.counters.logins, drop.counters.quits, drop.counters.dropped) == (2, 1, 1)


async def test_rset_unmarks_and_marked_messages_are_out_of_sight(servers: MailServers, pop3: SignIn) -> None:
    """A message marked as deleted is refused until RSET brings it back."""
    servers.deliver("ada@local.test", MAIL)

    def session() -> tuple[int, int]:
        client = pop3()
        client.dele(1)
        with pytest.raises(poplib.error_proto):
            client.retr(1)
        marked = client.stat()[0]
        client.rset()
        unmarked = client.stat()[0]
        client.quit()
        return marked, unmarked

    assert await asyncio.to_thread(session) == (0, 1)
    assert len(servers.drops.get("ada@local.test").mails) == 1  # type: ignore[union-attr]


async def test_a_maildrop_has_one_session_at_a_time(servers: MailServers, pop3: SignIn) -> None:
    """The second session is told the maildrop is in use, until the first is gone."""

    def two() -> str:
        first = pop3()
        with pytest.raises(poplib.error_proto) as refusal:
            pop3()
        first.quit()
        pop3().quit()
        return str(refusal.value)

    assert "[IN-USE]" in await asyncio.to_thread(two)


@pytest.mark.parametrize(
    ("user", "password"), [("ada@local.test", "wrong"), ("nobody@local.test", "ada pass")]
)
async def test_a_wrong_name_and_a_wrong_password_read_alike(pop3: SignIn, user: str, password: str) -> None:
    """Nobody learns from the answer which addresses exist."""
    with pytest.raises(poplib.error_proto, match=r"\[AUTH\] user name or password wrong"):
        await asyncio.to_thread(pop3, user, password)


async def test_a_changed_password_counts_from_the_next_login(servers: MailServers, pop3: SignIn) -> None:
    """After a change the old password is refused and the new one opens the maildrop."""
    servers.drops.get("ada@local.test").change_password("new one")  # type: ignore[union-attr]

    with pytest.raises(poplib.error_proto):
        await asyncio.to_thread(pop3)
    (await asyncio.to_thread(pop3, "ADA@local.test", "new one")).close()


async def test_mail_that_arrives_during_a_session_waits_for_the_next(
    servers: MailServers, pop3: SignIn
) -> None:
    """Message numbers stay what they were at login."""
    servers.deliver("ada@local.test", MAIL)
    client = await asyncio.to_thread(pop3)

    servers.deliver("ada@local.test", MAIL)
    during = (await asyncio.to_thread(client.stat))[0]
    await asyncio.to_thread(client.quit)
    after = await asyncio.to_thread(lambda: (again := pop3(), again.stat()[0], again.quit())[1])

    assert (during, after) == (1, 2)


async def test_pipelined_commands_are_answered_in_order(servers: MailServers) -> None:
    """Everything sent in one piece is answered, SASL PLAIN with an initial response included."""
    uid = servers.deliver("ada@local.test", MAIL)[0].uid
    reader, writer = await asyncio.open_connection("127.0.0.1", servers.ports.pop3)
    plain = base64.b64encode(b"\0ada@local.test\0ada pass")

    writer.write(b"AUTH PLAIN " + plain + b"\r\nSTAT\r\nUIDL 1\r\nUIDL 2\r\nTOP 1 1\r\nWHAT\r\nQUIT\r\n")
    answers = (await reader.read()).decode().split("\r\n")
    writer.close()

    assert answers[0].startswith("+OK Mailbox sandbox")
    assert answers[2:5] == [f"+OK 1 {len(MAIL)}", f"+OK 1 {uid}", "-ERR no such message"]
    assert answers[5:10] == ["+OK", "Subject: one", "", "first", "."]
    assert answers[10:12] == ["-ERR unknown command", "+OK bye"]


@pytest.mark.parametrize(
    "octets",
    [
        b"RETR 1\r\n",
        b"PASS x\r\n",
        b"LIST 0\r\n",
        b"AUTH GSSAPI\r\n",
        b"AUTH PLAIN !!\r\n",
        b"\r\n",
        b"USER\xff\xfe\r\n",
    ],
)
async def test_nonsense_is_refused_and_the_session_goes_on(servers: MailServers, octets: bytes) -> None:
    """A command out of place gets -ERR, and the next one is served."""
    reader, writer = await asyncio.open_connection("127.0.0.1", servers.ports.pop3)
    await reader.readline()

    refused, served = await _ask(reader, writer, octets), await _ask(reader, writer, b"QUIT\r\n")
    writer.close()

    assert refused.startswith(b"-ERR")
    assert served.startswith(b"+OK")


async def test_capabilities_name_stls_before_tls_only(servers: MailServers, pop3: SignIn) -> None:
    """STLS is offered where it can be had."""
    client = await asyncio.to_thread(pop3)
    in_tls = await asyncio.to_thread(client.capa)
    client.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", servers.ports.pop3)
    writer.write(b"CAPA\r\nQUIT\r\n")
    in_clear = (await reader.read()).decode()
    writer.close()

    assert {"UIDL", "TOP", "PIPELINING", "RESP-CODES"} <= set(in_tls)
    assert "STLS" not in in_tls
    assert "\r\nSTLS\r\n" in in_clear


async def test_commands_smuggled_in_front_of_the_handshake_end_the_session(servers: MailServers) -> None:
    """What is sent behind STLS in the clear is not taken for TLS."""
    reader, writer = await asyncio.open_connection("127.0.0.1", servers.ports.pop3)

    writer.write(b"STLS\r\nCAPA\r\n")
    answers = await reader.read()
    writer.close()

    assert answers.splitlines()[1:] == [b"+OK begin TLS"]


@pytest.mark.parametrize("starttls", [False, True])
async def test_people_send_to_each_other(servers: MailServers, smtp: Connect, *, starttls: bool) -> None:
    """A signed-in person's mail is in the other's maildrop, once, also when they are named twice."""

    def send() -> None:
        with smtp(starttls=starttls) as client:
            client.login("ada@local.test", "ada pass")
            client.sendmail(
                "ada@local.test", ["bo@local.test", "team@local.test"], "Subject: hi\r\n\r\n.dot\r\n"
            )

    await asyncio.to_thread(send)
    drops = {drop.account.name: drop for drop in servers.drops}

    assert [len(drop.mails) for drop in drops.values()] == [1, 1]
    assert drops["Bo"].mails[0].octets.endswith(b"Subject: hi\r\n\r\n.dot\r\n")
    assert drops["Ada"].counters.submitted == 1


@pytest.mark.parametrize(
    ("password", "recipient", "error"),
    [
        (None, "bo@local.test", smtplib.SMTPSenderRefused),
        ("wrong", "bo@local.test", smtplib.SMTPAuthenticationError),
        ("ada pass", "bo@stranger.example", smtplib.SMTPRecipientsRefused),
    ],
)
async def test_nothing_leaves_without_a_sign_in_or_to_strangers(
    servers: MailServers, smtp: Connect, password: str | None, recipient: str, error: type[Exception]
) -> None:
    """Submission wants the right password and an address of the sandbox."""

    def send() -> None:
        with smtp(starttls=True) as client:
            if password:
                client.login("ada@local.test", password)
            client.sendmail("ada@local.test", [recipient], "Subject: hi\r\n\r\n")

    with pytest.raises(error):
        await asyncio.to_thread(send)
    assert all(not drop.mails for drop in servers.drops)


async def test_a_kept_maildrop_is_there_after_a_restart(tmp_path: Path) -> None:
    """With a folder, mail, UIDs and a changed password outlive the process, and the journal tells what happened."""
    before = MailServers([Account("ada@local.test", "old")], folder=tmp_path, keep=True)
    uids = [before.deliver("ada@local.test", MAIL)[0].uid for _ in range(3)]
    before.drops.get("ada@local.test").expunge([uids[0]])  # type: ignore[union-attr]
    before.drops.get("ada@local.test").change_password("new")  # type: ignore[union-attr]

    after = MailServers([Account("ada@local.test", "old")], folder=tmp_path, keep=True)
    drop = after.drops.get("ada@local.test")

    assert drop is not None
    assert [mail.uid for mail in drop.mails] == uids[1:]
    assert drop.account.password == "new"
    assert drop.deliver(MAIL).uid > uids[-1]
    assert (tmp_path / "mail/ada@local.test/journal.jsonl").read_text().count("\n") == 5


async def test_a_busy_port_gives_way_to_the_next_free_one(servers: MailServers) -> None:
    """Two sandboxes run side by side."""
    second = MailServers(())

    await second.start(Ports(pop3s=servers.ports.pop3s))
    taken = second.ports.pop3s
    await second.stop()

    assert servers.ports.pop3s < taken < servers.ports.pop3s + 50


def test_the_welcome_mails_reach_whom_they_name() -> None:
    """A fresh sandbox has mail for the people it is addressed to."""
    servers = MailServers(
        [Account(f"{name}@local.test", "x") for name in ("marta", "kenji", "owen")],
        everyone="team@local.test",
    )

    deliver_welcome(servers)

    assert {drop.account.address: len(drop.mails) for drop in servers.drops} == {
        "marta@local.test": 9,
        "kenji@local.test": 5,
        "owen@local.test": 2,
    }


async def _ask(reader: StreamReader, writer: StreamWriter, octets: bytes) -> bytes:
    writer.write(octets)
    return await reader.readline()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - the other side is a server that signals nothing
            await asyncio.sleep(0.01)
