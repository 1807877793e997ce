"""The conversation that every real server has with our client, and what it shows of the server.

What only the raw wire tells (what becomes of a command sent behind the login) is asked with a plain socket.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import BotError, CommandRefused, LoginRejected
from bot.mail.hosts import Hosts
from bot.mail.pop3_client import Limits, Session, connect
from storage.records import Secret, Security, ServerAddress
from tests.fakes.real_servers.private_root import PASSWORD, USER

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Sequence

    from tests.fakes.real_servers.catalogue import RealServer

LIMITS = Limits(command=timedelta(seconds=15))
PATIENCE = 1.0
"""Seconds after which a command that was not answered counts as lost."""

MESSAGES = (
    b"Subject: one\r\nMessage-ID: <1@x>\r\n\r\nfirst\r\nsecond\r\nthird\r\n",
    b"Subject: dots\r\nMessage-ID: <2@x>\r\n\r\n.\r\n..\r\n...x\r\n.y\r\nend\r\n",
    b"Subject: long\r\nMessage-ID: <3@x>\r\n\r\n" + b"x" * 990 + b"\r\n" + b"line\r\n" * 20_000,
    b"Subject: odd\r\nMessage-ID: <4@x>\r\n\r\n\xff\xfe caf\xc3\xa9\r\n\r\n\r\n",
    *(b"Subject: %d\r\nMessage-ID: <%d@x>\r\n\r\nbody %d\r\n" % (n, n, n) for n in range(5, 60)),
)


class Guest:
    """Our side: connects to one server under one protection."""

    def __init__(self, server: RealServer, security: Security, tls: ssl.SSLContext) -> None:
        self._address = ServerAddress("localhost", server.ports[security], security)
        self._tls = tls
        self._server = server

    async def connect(self) -> Session:
        """A session before its login."""
        return await connect(
            self._address, hosts=Hosts(["localhost", "127.0.0.1", "::1"]), tls=self._tls, limits=LIMITS
        )

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session that is logged in."""
        async with await self.connect() as session:
            await session.login(USER, Secret(PASSWORD))
            yield session

    async def fill(self, *messages: bytes) -> None:
        """Make these the whole content of the maildrop."""
        async with self.session() as session:
            await session.dele([number for number, _ in await session.uidl()])
            assert await session.quit()
        self._server.deliver(*messages)


async def whole(session: Session, numbers: Sequence[int]) -> list[bytes]:
    """Messages as they arrive, several in flight."""
    return [b"".join([chunk async for chunk in incoming.chunks]) async for incoming in session.retr(numbers)]


def body(message: bytes) -> bytes:
    """What stands behind the header, which a delivery may have lengthened."""
    return message.partition(b"\r\n\r\n")[2]


# What a server does, in words


async def facts(server: RealServer, tls: ssl.SSLContext) -> dict[str, str]:
    """One column of the table in `docs/servers.md`: a name for each fact, and what was seen."""
    guest = Guest(server, Security.NONE, tls)
    return {
        **await _capabilities(guest),
        "STAT sent behind PASS": await _behind_login(server, [b"USER " + USER.encode()], _PASS),
        "STAT sent behind AUTH PLAIN": await _behind_login(server, [], _PLAIN),
        "wrong password": await _wrong_password(guest),
        "59 RETR in flight": await _in_flight(guest),
        **await _listing(guest),
        "message number out of range": await _no_such_message(guest),
        "DELE without RETR": await _delete_unread(guest),
        "second session": await _second_session(guest),
        "TLS": _protections(server),
    }


_PASS = b"PASS " + PASSWORD.encode()
_PLAIN = b"AUTH PLAIN " + base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())


async def _capabilities(guest: Guest) -> dict[str, str]:
    async with await guest.connect() as session:
        offered = session.capabilities
    delay = next((line.split()[1] for line in offered if line.startswith("LOGIN-DELAY")), "not announced")
    plain = any(line.startswith("SASL") and "PLAIN" in line.split() for line in offered)
    return {
        "CAPA": "yes" if offered else "refused",
        "PIPELINING": "announced" if "PIPELINING" in offered else "not announced",
        "SASL PLAIN": "announced" if plain else "not announced",
        "LOGIN-DELAY": delay,
    }


async def _behind_login(server: RealServer, before: list[bytes], login: bytes) -> str:
    """What becomes of STAT in the same packet as the login."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[Security.NONE])
    try:
        await reader.readline()
        for command in before:
            writer.write(command + b"\r\n")
            await reader.readline()
        writer.write(login + b"\r\nSTAT\r\n")
        if not (await asyncio.wait_for(reader.readline(), 15)).startswith(b"+OK"):
            return "no such login"
        with contextlib.suppress(TimeoutError):
            return "answered" if await asyncio.wait_for(reader.readline(), PATIENCE) else "closed"
        return "**lost**"
    finally:
        writer.transport.abort()


async def _wrong_password(guest: Guest) -> str:
    async with await guest.connect() as session:
        try:
            await session.login(USER, Secret("wrong"))
        except LoginRejected as error:
            code = re.match(r"\[[A-Z/-]+\]", error.detail)
            return f"`{code[0] if code else error.detail}`"
    return "let in"


async def _in_flight(guest: Guest) -> str:
    await guest.fill(*MESSAGES)
    async with guest.session() as session:
        found = await whole(session, range(1, len(MESSAGES) + 1))
    return "all answered" if list(map(body, found)) == list(map(body, MESSAGES)) else "mixed up"


async def _listing(guest: Guest) -> dict[str, str]:
    same = b"Subject: same\r\n\r\nequal\r\n"
    await guest.fill(same, same, b"Subject: end\r\n\r\nno line end")
    async with guest.session() as session:
        uids = [uid.decode() for _, uid in await session.uidl()]
        sizes = await session.sizes()
        found = await whole(session, [1, 2, 3])
    off = [sizes[number] - len(message) for number, message in enumerate(found, 1)]
    return {
        "UID": f"`{_form(uids[0])}`",
        "equal messages": "**equal UIDs**" if uids[0] == uids[1] else "different UIDs",
        "LIST less octets sent": "equal" if off[:2] == [0, 0] else str(off[0]),
        "the same, no line end stored": "equal" if off[2] == 0 else str(off[2]),
    }


def _form(uid: str) -> str:
    """What a UID looks like: letters as they are, runs of digits as #."""
    return "16 hex digits" if re.fullmatch(r"[0-9a-f]{16}", uid) else re.sub(r"[0-9]+", "#", uid)


async def _no_such_message(guest: Guest) -> str:
    async with guest.session() as session:
        found = await session.probe([999])
        try:
            await session.top(999, 1)
        except CommandRefused:
            return "refused" if found.uids == {999: None} else "UIDL answers"
    return "TOP answers"


async def _delete_unread(guest: Guest) -> str:
    await guest.fill(*MESSAGES[:2])
    async with guest.session() as session:
        agreed = await session.dele([1])
        is_left = await session.quit()
    async with guest.session() as session:
        count = (await session.probe([])).count
    return "deleted at QUIT" if (agreed, is_left, count) == ([1], True, 1) else f"{count} of 2 left"


async def _second_session(guest: Guest) -> str:
    async with guest.session() as first:
        try:
            async with guest.session() as second:
                await second.noop()
        except BotError as error:
            return type(error).__name__
        await first.noop()
    return "allowed"


def _protections(server: RealServer) -> str:
    words = {Security.TLS: "port", Security.STARTTLS: "STLS"}
    return " and ".join(word for security, word in words.items() if security in server.ports) or "none"
