"""What a maildrop tells of the last seven days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from bot.mail import arrivals
from tests.fakes.pop3_server import Answer, Pop3Server

if TYPE_CHECKING:
    from tests.integration.pop3.conftest import Open

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def mail(days_ago: float, *, date: str = "", received: bool = True) -> bytes:
    """A message that arrived then, as its Received field tells; its Date field may lie."""
    arrived = format_datetime(NOW - timedelta(days=days_ago))
    field = f"Received: from a by b; {arrived}\r\nReceived: from c by a; Mon, 1 Jan 2001 00:00:00 +0000\r\n"
    return f"{field if received else ''}Date: {date or arrived}\r\nSubject: x\r\n\r\nbody\r\n".encode()


async def recent(opened: Open, server: Pop3Server) -> frozenset[int] | None:
    """The numbers of the last seven days, asked of the server."""
    session = await opened(server.address)
    numbers = [number for number, _ in await session.uidl()]
    return await arrivals.recent_numbers(session, numbers, NOW)


async def test_the_last_week_is_told_by_received_then_by_date(opened: Open) -> None:
    """What a sender writes counts only where no server wrote anything; what tells nothing counts as new."""
    lies = "Fri, 1 Jan 2038 00:00:00 +0000"
    messages = [
        mail(8),
        mail(8, date=lies),
        mail(6, date="Mon, 1 Jan 2001 00:00:00 +0000"),
        mail(8, received=False),
        mail(6, received=False),
        mail(8, received=False, date="never"),
        mail(0.1),
    ]
    async with Pop3Server(messages) as server:
        assert await recent(opened, server) == frozenset({3, 5, 6, 7})


async def test_only_as_many_headers_are_asked_for_as_are_needed(opened: Open) -> None:
    """From the newest backwards, up to the first batch that is older as a whole; no message is fetched."""
    async with Pop3Server([mail(days) for days in range(300, 0, -1)]) as server:
        found = await recent(opened, server)

        assert found == frozenset(range(295, 301))
        assert sum(line.startswith("TOP") for line in server.commands) == 100
        assert not [line for line in server.commands if line.startswith("RETR")]


async def test_a_full_week_has_its_bound(opened: Open) -> None:
    """The newest of very many messages, and no question about the others."""
    async with Pop3Server([mail(1)] * (arrivals.HEADS + 100)) as server:
        found = await recent(opened, server)

        assert found == frozenset(range(101, arrivals.HEADS + 101))


@pytest.mark.parametrize("answer", [b"-ERR no TOP here\r\n"])
async def test_a_server_without_top_tells_nothing(opened: Open, answer: Answer) -> None:
    """The caller then has to do without."""
    async with Pop3Server([mail(1)] * 3, answers={"TOP": answer}) as server:
        assert await recent(opened, server) is None


async def test_an_empty_maildrop_has_no_recent_mail(opened: Open) -> None:
    """And nothing is asked for."""
    async with Pop3Server([]) as server:
        assert await recent(opened, server) == frozenset()
