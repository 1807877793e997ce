"""The sandbox's mail servers misbehave when they are told to, and behave again when it is taken back."""

from __future__ import annotations

import asyncio
import poplib
import smtplib
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot import errors
from bot.mail import pop3_client
from bot.mail.hosts import Hosts
from bot.sandbox.mail.faults import FaultRefused, Kind, Switch
from bot.sandbox.mail.maildrops import Account
from bot.sandbox.mail.servers import MailServers
from storage.records import Secret, Security, ServerAddress
from tests.integration.sandbox_mail.conftest import client_tls

if TYPE_CHECKING:
    from pathlib import Path

    from bot.sandbox.mail.maildrops import Maildrop

ADA, BO = "ada@local.test", "bo@local.test"
MAIL = b"Subject: one\r\n\r\n" + b"A line of forty octets, line end and all\r\n" * 50
SignIn = Callable[..., poplib.POP3]
Connect = Callable[..., smtplib.SMTP]


@pytest.mark.parametrize(
    ("kind", "answer", "counter"),
    [
        (Kind.WRONG_PASSWORD, r"\[AUTH\]", "refused_logins"),
        (Kind.BUSY, r"\[IN-USE\]", "busy_logins"),
        (Kind.TEMPORARY, r"\[SYS/TEMP\]", "temporary_logins"),
    ],
)
async def test_a_maildrop_refuses_every_login_until_it_is_healed(
    servers: MailServers, pop3: SignIn, kind: Kind, answer: str, counter: str
) -> None:
    """The right password is answered with the code of the fault, the attempt is counted, and others sign in as ever."""
    await servers.switch(Switch(kind, is_on=True, address=ADA))

    with pytest.raises(poplib.error_proto, match=answer):
        await asyncio.to_thread(pop3)
    await asyncio.to_thread(lambda: pop3(BO, "bo-pass").quit())
    await servers.switch(Switch(kind, is_on=False, address=ADA))
    await asyncio.to_thread(lambda: pop3().quit())

    assert getattr(drop_of(servers).counters, counter) == 1


@pytest.mark.parametrize(
    ("kind", "code"), [(Kind.WRONG_PASSWORD, 535), (Kind.TEMPORARY, 454), (Kind.BUSY, None)]
)
async def test_submission_knows_the_faults_of_a_login(
    servers: MailServers, smtp: Connect, kind: Kind, code: int | None
) -> None:
    """A refused password and a temporary fault hold for outgoing mail too; a maildrop in use does not."""
    await servers.switch(Switch(kind, is_on=True, address=ADA))

    def sign_in() -> int | None:
        with smtp(starttls=False) as client:
            try:
                client.login(ADA, "ada pass")
            except smtplib.SMTPAuthenticationError as error:
                return error.smtp_code
        return None

    assert await asyncio.to_thread(sign_in) == code


async def test_a_server_out_of_reach_refuses_connections_and_keeps_its_ports(
    servers: MailServers, pop3: SignIn
) -> None:
    """All four ports refuse; a session under way goes on; afterwards the same ports serve again."""
    ports = servers.ports
    before = await asyncio.to_thread(pop3)

    await servers.switch(Switch(Kind.UNREACHABLE, is_on=True))
    refused = [await is_refused(port) for port in (ports.pop3s, ports.pop3, ports.smtps, ports.smtp)]
    await asyncio.to_thread(before.noop)
    await asyncio.to_thread(before.quit)
    await servers.switch(Switch(Kind.UNREACHABLE, is_on=False))

    assert refused == [True] * 4
    assert [await is_refused(port) for port in (ports.pop3s, ports.pop3, ports.smtps, ports.smtp)] == [
        False
    ] * 4
    await asyncio.to_thread(lambda: pop3(stls=True).quit())


async def test_an_expired_certificate_is_shown_wherever_tls_begins(
    servers: MailServers, pop3: SignIn, smtp: Connect
) -> None:
    """Incoming and outgoing, at once and after STLS or STARTTLS; then the good one again."""
    ways: list[Callable[[], object]] = [
        lambda: pop3().quit(),
        lambda: pop3(stls=True).quit(),
        lambda: smtp(starttls=False).quit(),
        lambda: smtp(starttls=True).quit(),
    ]

    await servers.switch(Switch(Kind.EXPIRED_CERTIFICATE, is_on=True))
    for way in ways:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            await asyncio.to_thread(way)
    await servers.heal()

    for way in ways:
        await asyncio.to_thread(way)


async def test_a_slow_server_answers_late(servers: MailServers, pop3: SignIn, smtp: Connect) -> None:
    """The greeting and each answer wait, in POP3 and in SMTP; a session that began before does not."""
    before = await asyncio.to_thread(pop3)
    await servers.switch(Switch(Kind.SLOW, is_on=True, seconds=600))  # far beyond what these clients wait
    await asyncio.to_thread(before.noop)
    await asyncio.to_thread(before.quit)

    await servers.switch(Switch(Kind.SLOW, is_on=True, seconds=0.2))
    slow = await seconds_of(lambda: pop3().quit())
    sending = await seconds_of(lambda: smtp(starttls=False).quit())

    assert slow >= 0.8  # greeting, USER, PASS, QUIT
    assert sending >= 0.4  # greeting, QUIT


async def test_a_dripping_server_pauses_within_an_answer(servers: MailServers, pop3: SignIn) -> None:
    """A message comes whole, in pieces of 512 octets with a pause between each."""
    servers.deliver(ADA, MAIL)
    await servers.switch(Switch(Kind.DRIPPING, is_on=True, seconds=0.1))
    client = await asyncio.to_thread(pop3)
    lines: list[bytes] = []

    took = await seconds_of(lambda: lines.extend(client.retr(1)[1]))
    await asyncio.to_thread(client.quit)

    assert b"\r\n".join(lines) + b"\r\n" == MAIL
    assert took >= len(MAIL) // 512 * 0.1


async def test_who_leaves_a_dripping_server_leaves_the_maildrop_free(
    servers: MailServers, pop3: SignIn
) -> None:
    """A pause ends with its client, so that what is healed is healed."""
    servers.deliver(ADA, MAIL)
    await servers.switch(Switch(Kind.DRIPPING, is_on=True, seconds=60))
    reader, writer = await asyncio.open_connection("127.0.0.1", servers.ports.pop3)

    writer.write(f"USER {ADA}\r\nPASS ada pass\r\nRETR 1\r\n".encode())
    await reader.readuntil(b"Subject: one\r\n")
    held = drop_of(servers).is_locked
    writer.close()
    await servers.heal()
    await unlocked(servers)

    assert held
    await asyncio.to_thread(lambda: pop3().quit())


async def test_a_server_without_uidl_neither_has_nor_names_it(servers: MailServers, pop3: SignIn) -> None:
    """CAPA leaves it out before and after the login, UIDL is refused, the rest goes on."""
    servers.deliver(ADA, MAIL)
    await servers.switch(Switch(Kind.NO_UIDL, is_on=True))

    def session() -> tuple[set[str], int]:
        client = pop3()
        with pytest.raises(poplib.error_proto, match="unknown command"):
            client.uidl()
        found = set(client.capa()), client.stat()[0]
        client.quit()
        return found

    capabilities, count = await asyncio.to_thread(session)

    assert "UIDL" not in capabilities
    assert "TOP" in capabilities
    assert count == 1


async def test_all_uids_are_new_at_once_and_the_old_ones_come_back(
    servers: MailServers, pop3: SignIn
) -> None:
    """None is as before and none twice; each time others; the mails stay what and where they are."""
    own = [servers.deliver(ADA, MAIL)[0].uid for _ in range(3)]
    seen = [await asyncio.to_thread(listed, pop3)]
    for _ in range(2):
        await servers.switch(Switch(Kind.NEW_UIDS, is_on=True, address=ADA))
        seen.append(await asyncio.to_thread(listed, pop3))
    await asyncio.to_thread(lambda: (client := pop3(), client.dele(1), client.quit()))

    await servers.heal()

    assert seen[0] == own
    assert len({uid for uids in seen for uid in uids}) == 9
    assert await asyncio.to_thread(listed, pop3) == own[1:]


async def test_a_session_under_way_keeps_its_uids(servers: MailServers, pop3: SignIn) -> None:
    """A switch is for new sessions."""
    uid = servers.deliver(ADA, MAIL)[0].uid
    client = await asyncio.to_thread(pop3)

    await servers.switch(Switch(Kind.NEW_UIDS, is_on=True, address=ADA))
    answer = await asyncio.to_thread(client.uidl)
    await asyncio.to_thread(client.quit)

    assert answer[1] == [f"1 {uid}".encode()]


async def test_what_gmail_hides_recent_lists_again(servers: MailServers, pop3: SignIn) -> None:
    """Fetched in a session that ended with QUIT is not listed again, but to `recent:`, for 30 days."""
    days = (31, 29, 1)
    now = datetime.now(UTC)
    old, later, fresh = (servers.deliver(ADA, MAIL, now - timedelta(days=ago))[0].uid for ago in days)
    await servers.switch(Switch(Kind.HIDES_FETCHED, is_on=True, address=ADA))

    def fetch(*numbers: int, ends: str) -> None:
        client = pop3()
        for number in numbers:
            client.retr(number)
        getattr(client, ends)()

    await asyncio.to_thread(fetch, 3, ends="close")
    await unlocked(servers)
    await asyncio.to_thread(fetch, 1, 2, ends="quit")

    assert await asyncio.to_thread(listed, pop3) == [fresh]
    assert await asyncio.to_thread(listed, pop3, f"Recent:{ADA}") == [later, fresh]
    await servers.heal()
    assert await asyncio.to_thread(listed, pop3) == [old, later, fresh]


async def test_recent_wants_the_same_password_and_is_no_name_for_sending(
    servers: MailServers, pop3: SignIn, smtp: Connect
) -> None:
    """It is a way to look at a maildrop, not an account."""
    with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
        await asyncio.to_thread(pop3, f"recent:{ADA}", "wrong")
    client = await asyncio.to_thread(lambda: smtp(starttls=False))
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await asyncio.to_thread(client.login, f"recent:{ADA}", "ada pass")
    await asyncio.to_thread(client.quit)


def test_a_kept_maildrop_remembers_when_its_mail_came(tmp_path: Path) -> None:
    """After a restart `recent:` lists the same."""
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    before = MailServers([Account(ADA, "x")], folder=tmp_path, keep=True)
    before.deliver(ADA, MAIL, when)

    after = MailServers([Account(ADA, "x")], folder=tmp_path, keep=True)

    assert [mail.received for mail in drop_of(after).mails] == [when]
    assert drop_of(after).listed(recent=True) == []


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (Kind.WRONG_PASSWORD, errors.LoginRejected),
        (Kind.BUSY, errors.MaildropBusy),
        (Kind.TEMPORARY, errors.ServerBusy),
        (Kind.NO_UIDL, errors.UidlUnsupported),
        (Kind.EXPIRED_CERTIFICATE, errors.CertificateInvalid),
        (Kind.UNREACHABLE, errors.ServerUnreachable),
        (Kind.SLOW, errors.ServerUnreachable),
    ],
)
async def test_the_bots_client_takes_each_fault_for_what_it_is(
    servers: MailServers, kind: Kind, error: type[errors.BotError]
) -> None:
    """What somebody switches on is what the bot tells its owner, and healed it works again."""
    address = "" if kind in {Kind.NO_UIDL, Kind.EXPIRED_CERTIFICATE, Kind.UNREACHABLE, Kind.SLOW} else ADA
    await servers.switch(Switch(kind, is_on=True, address=address, seconds=600))

    with pytest.raises(error):
        await look(servers, seconds=1 if kind is Kind.SLOW else 30)
    await servers.heal()
    await look(servers)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({}, "there is no such fault; there are unreachable, "),
        ({"kind": "gremlins", "on": True}, "there is no such fault"),
        ({"kind": "slow"}, "on \\(true or false\\)"),
        ({"kind": "slow", "on": "yes"}, "on \\(true or false\\)"),
        ({"kind": "slow", "on": True, "adress": ADA}, "perhaps address or seconds"),
        ({"kind": "slow", "on": True, "address": ADA}, "takes no address"),
        ({"kind": "busy", "on": True}, "wants an address"),
        ({"kind": "busy", "on": True, "address": ADA, "seconds": 1}, "takes no seconds"),
        ({"kind": "slow", "on": True, "seconds": 0}, "above 0 and up to 600"),
        ({"kind": "slow", "on": True, "seconds": float("nan")}, "above 0"),
        ({"kind": "slow", "on": True, "seconds": True}, "above 0"),
    ],
)
def test_what_is_no_switch_is_refused_in_words(raw: dict[str, object], words: str) -> None:
    """A mistake in a test or by hand says what would have been right."""
    with pytest.raises(FaultRefused, match=words):
        Switch.from_json(raw)


async def test_a_fault_for_everybody_takes_the_address_that_reaches_everybody(servers: MailServers) -> None:
    """`team@…` means all; an address nobody has is refused."""
    await servers.switch(Switch(Kind.BUSY, is_on=True, address="Team@local.test"))

    assert all(drop.faults.has(Kind.BUSY) for drop in servers.drops)
    with pytest.raises(FaultRefused, match="nobody"):
        await servers.switch(Switch(Kind.BUSY, is_on=True, address="x@local.test"))


def drop_of(servers: MailServers) -> Maildrop:
    """Ada's."""
    drop = servers.drops.get(ADA)
    assert drop is not None
    return drop


def listed(pop3: SignIn, user: str = ADA) -> list[str]:
    """The UIDs that a session sees, in order."""
    client = pop3(user)
    rows = client.uidl()[1]
    client.quit()
    return [row.decode().split()[1] for row in rows]


async def unlocked(servers: MailServers) -> None:
    """Until no session holds Ada's maildrop."""
    async with asyncio.timeout(30):
        while drop_of(servers).is_locked:  # noqa: ASYNC110 - the server signals nothing
            await asyncio.sleep(0.01)


async def is_refused(port: int) -> bool:
    """Whether a connection comes about."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


async def seconds_of(work: Callable[[], object]) -> float:
    """How long it takes, in a thread."""
    began = time.monotonic()
    await asyncio.to_thread(work)
    return time.monotonic() - began


async def look(servers: MailServers, *, seconds: float = 30) -> None:
    """Connect, log in and list, as the bot does; each command has so long."""
    limits = pop3_client.Limits(command=timedelta(seconds=seconds))
    address = ServerAddress("localhost", servers.ports.pop3s, Security.TLS)
    async with await pop3_client.connect(
        address, hosts=Hosts(["localhost"]), tls=client_tls(servers), limits=limits
    ) as session:
        await session.login(ADA, Secret("ada pass"))
        await session.uidl()
        await session.quit()
