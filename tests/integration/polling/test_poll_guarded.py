"""Polls of a host that has refused logins: who waits, and that waiting is nobody's fault."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot import limits
from storage.records import Health
from tests.fakes.pop3_server import Pop3Server
from tests.integration.polling.test_poll_hostile import register

if TYPE_CHECKING:
    from tests.integration.polling.conftest import Desk

ONE: Final = b"Subject: one\r\n\r\nHello.\r\n"
REFUSAL: Final = {"AUTH": b"-ERR login failed\r\n"}


def logins(server: Pop3Server) -> int:
    """How many logins the server has seen."""
    return sum(line.startswith("AUTH") for line in server.commands)


async def refused_by_others(desk: Desk, times: int) -> None:
    """Somebody else's logins that the host refused."""
    for _ in range(times):
        await desk.stores.attempts.note(limits.refusal_at("localhost"), desk.clock())


async def test_a_doubted_password_waits_for_its_host(desk: Desk) -> None:
    """No login, no failure, no notice; when the hour has passed it is tried, and its mail comes."""
    async with Pop3Server() as server:
        await register(desk, server)
        await desk.poll()
        server.answers = dict(REFUSAL)
        doubted = await desk.poll()
        await refused_by_others(desk, 2)
        server.answers, server.messages, server.uids = {}, [ONE], [b"uid-1"]
        before = logins(server)

        waiting = await desk.poll()

        assert (doubted.health, doubted.failures) == (Health.LOGIN_DOUBTED, 1)
        assert logins(server) == before
        assert (waiting.health, waiting.failures) == (doubted.health, doubted.failures)
        assert waiting.polled_at == doubted.polled_at
        assert waiting.due_at is not None
        assert waiting.due_at - desk.clock() > timedelta(minutes=30)
        assert await desk.settle() == []
        assert (await desk.poll()).health is Health.OK
        assert await desk.subjects() == ["one"]


async def test_a_password_that_works_waits_for_nobody(desk: Desk) -> None:
    """However many logins of others the host refuses, mail comes on time."""
    async with Pop3Server() as server:
        await register(desk, server)
        await desk.poll()
        await refused_by_others(desk, 9)
        server.messages, server.uids = [ONE], [b"uid-1"]

        assert (await desk.poll()).health is Health.OK

    assert await desk.subjects() == ["one"]


async def test_refused_polls_count_for_their_host(desk: Desk) -> None:
    """Polls and tests share one count: two refused polls leave room for one more login that is doubtful."""
    async with Pop3Server(answers={}) as server:
        await register(desk, server)
        await desk.poll()
        server.answers = dict(REFUSAL)
        await desk.poll()
        stopped = await desk.poll()

    taken = [
        await desk.stores.attempts.take([limits.refusal_at("localhost")], desk.clock()) for _ in range(2)
    ]

    assert (stopped.health, logins(server)) == (Health.LOGIN_REFUSED, 3)
    assert [isinstance(each, dict) for each in taken] == [True, False]
