"""How often other people's servers may be tested, and how often they may refuse us."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import LoginRejected, Step, TooOften
from storage.records import Health, Person, Security
from tests.fakes.pop3_server import Pop3Server, hang_up, silence
from tests.fakes.smtp_server import SmtpServer
from tests.integration.checking.conftest import at
from tests.integration.storage.stores import NEW

if TYPE_CHECKING:
    from storage.records import Mailbox
    from tests.integration.checking.conftest import Ground

MINUTE = timedelta(minutes=1)


async def test_the_sixth_test_is_not_made(ground: Ground) -> None:
    """No connection, nothing counted, and the time to come again."""
    async with Pop3Server() as server:
        for number in range(5):
            server.username = f"user{number}@example.org"
            assert (await ground.test(server.address, username=server.username)).is_incoming_fine
        ground.clock.ahead += 3 * MINUTE

        refused = await ground.test(server.address, username="user6@example.org")
        sessions = server.sessions
        ground.clock.ahead += 7 * MINUTE
        server.username = "user6@example.org"
        after = await ground.test(server.address, username="user6@example.org")

    assert refused.incoming.failed is Step.TURN
    assert refused.incoming.sentence.endswith("Try again in 7 minutes.")
    assert (sessions, server.sessions) == (5, 6)
    assert after.is_incoming_fine


async def test_one_login_is_tested_three_times_an_hour(ground: Ground) -> None:
    """Whoever asks, and however the name is spelled."""
    async with Pop3Server() as server:
        for number in range(3):
            await ground.test(server.address, person=Person("T1", f"U{number}"))

        refused = await ground.test(server.address, person=Person("T1", "U9"), username="USER@example.org")

    assert refused.incoming.failed is Step.TURN
    assert server.sessions == 3


async def test_a_workspace_tests_twenty_times_an_hour(ground: Ground) -> None:
    """Another workspace is not held up by it."""
    async with Pop3Server() as server:
        for number in range(20):
            server.username = f"user{number}@example.org"
            person = Person("T1", f"U{number}")
            assert (
                await ground.test(server.address, person=person, username=server.username)
            ).is_incoming_fine
        server.username = "new@example.org"

        refused = await ground.test(server.address, person=Person("T1", "U99"), username="new@example.org")
        other = await ground.test(server.address, person=Person("T2", "U99"), username="new@example.org")

    assert refused.incoming.failed is Step.TURN
    assert other.is_incoming_fine


async def test_a_host_refuses_three_logins_an_hour(ground: Ground) -> None:
    """Over everybody; then nobody's login is tried there before the hour has passed."""
    async with Pop3Server() as server:
        for number in range(3):
            person = Person(f"T{number}", "U1")
            report = await ground.test(server.address, person=person, username=f"u{number}", password="wrong")
            assert report.incoming.failed is Step.LOGIN
        sessions = server.sessions

        late = await ground.test(server.address, person=Person("T9", "U1"))
        ground.clock.ahead += 60 * MINUTE
        after = await ground.test(server.address, person=Person("T9", "U1"))

    assert late.incoming.failed is Step.TURN
    assert late.incoming.sentence.endswith("Try again in 60 minutes.")
    assert sessions == 3
    assert after.is_incoming_fine


async def test_spraying_at_once_gets_three_tries(ground: Ground) -> None:
    """Twenty people with twenty names and passwords at the same moment: three reach the server."""
    async with Pop3Server() as server:
        reports = await asyncio.gather(
            *(
                ground.test(
                    server.address, person=Person(f"T{number}", "U1"), username=f"u{number}", password="guess"
                )
                for number in range(20)
            )
        )

    assert sum(report.incoming.failed is Step.LOGIN for report in reports) == 3
    assert sum(line.startswith(("PASS", "AUTH")) for line in server.commands) == 3


async def test_good_logins_leave_room(ground: Ground) -> None:
    """What a server takes counts against nobody there."""
    async with Pop3Server() as server:
        for number in range(8):
            server.username = f"user{number}@example.org"
            person = Person(f"T{number}", "U1")
            assert (
                await ground.test(server.address, person=person, username=server.username)
            ).is_incoming_fine

        report = await ground.test(server.address, person=Person("T9", "U1"), password="wrong")

    assert report.incoming.failed is Step.LOGIN


async def test_tests_in_flight_ask_for_a_minute_only(ground: Ground) -> None:
    """While three logins at a host have not ended, a fourth cannot know: most of them will leave room."""
    async with Pop3Server(answers={"AUTH": silence}) as server:
        running = [
            asyncio.create_task(
                ground.test(server.address, person=Person(f"T{number}", "U1"), username=f"u{number}")
            )
            for number in range(3)
        ]
        async with asyncio.timeout(30):
            while len(server.commands) < 6:  # noqa: ASYNC110 - the server calls nobody
                await asyncio.sleep(0.01)

        fourth = await ground.test(server.address, person=Person("T9", "U1"))
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        late = await ground.test(server.address, person=Person("T9", "U1"))

    assert fourth.incoming.sentence.endswith("Try again in 1 minute.")
    assert late.incoming.sentence.endswith("Try again in 60 minutes.")  # nobody knows how those three ended


async def test_a_login_that_is_cut_off_counts_as_refused(ground: Ground) -> None:
    """Servers that hang up on a wrong password have counted it too."""
    async with Pop3Server(answers={"AUTH": hang_up, "PASS": hang_up}) as server:
        for number in range(3):
            await ground.test(server.address, person=Person(f"T{number}", "U1"), username=f"u{number}")

        late = await ground.test(server.address, person=Person("T9", "U1"))

    assert late.incoming.failed is Step.TURN


async def test_outgoing_logins_count_at_their_own_host(ground: Ground) -> None:
    """A fake incoming server of one's own is no way to spray an outgoing one."""
    async with Pop3Server() as mine, SmtpServer() as theirs:
        for number in range(3):
            report = await ground.test(
                mine.address,
                at(theirs.port, host="127.0.0.1"),
                person=Person(f"T{number}", "U1"),
                username=mine.username,
                outgoing_username=f"o{number}",
                outgoing_password="wrong",
            )
            assert report.is_outgoing_refused
            mine.username = f"next{number}"

        late = await ground.test(
            mine.address, at(theirs.port, host="127.0.0.1"), person=Person("T9", "U1"), username=mine.username
        )

    assert late.incoming.failed is Step.TURN
    assert theirs.commands.count("AUTH") == 3


async def test_an_exempt_host_is_never_counted(ground: Ground) -> None:
    """What the operator runs for trying things out may be tried at will."""
    ground.exempt()
    async with Pop3Server() as server:
        for _ in range(8):
            report = await ground.test(server.address, password="wrong")

    assert report.incoming.failed is Step.LOGIN
    assert server.sessions == 8


# Polls

HOST = "pop.example.org"
FINE = Health.OK, 0
DOUBTED = Health.LOGIN_DOUBTED, 1


async def mailbox(ground: Ground, number: int, state: tuple[Health, int]) -> Mailbox:
    """A mailbox of somebody's at the one host."""
    new = replace(NEW, owner=Person("T1", f"U{number}"), form_id=f"form-{number}")
    stored = await ground.stores.mailboxes.add(new, ground.clock())
    return replace(stored, health=state[0], failures=state[1])


def _answer(*, is_refused: bool) -> None:
    if is_refused:
        raise LoginRejected


async def poll(ground: Ground, polled: Mailbox, *, is_refused: bool) -> str:
    """A poll's login: what became of it."""
    try:
        async with ground.guard.login(polled):
            _answer(is_refused=is_refused)
    except LoginRejected:
        return "refused"
    except TooOften:
        return "put off"
    return "fine"


async def test_doubtful_polls_wait_where_three_were_refused(ground: Ground) -> None:
    """Passwords that work go on; doubtful ones wait for the hour to pass, and then one by one."""
    async with Pop3Server() as server:
        for number in range(3):
            person = Person(f"T{number}", "U1")
            await ground.test(at(server.port), person=person, username=f"u{number}", password="wrong")
    doubted, fine = await mailbox(ground, 1, DOUBTED), await mailbox(ground, 2, FINE)
    here = at(995, Security.TLS)
    doubted = replace(doubted, profile=replace(doubted.profile, incoming=here))
    fine = replace(fine, profile=replace(fine.profile, incoming=here))

    assert await poll(ground, doubted, is_refused=False) == "put off"
    assert await poll(ground, fine, is_refused=False) == "fine"
    ground.clock.ahead += 60 * MINUTE
    assert await poll(ground, doubted, is_refused=False) == "fine"


async def test_doubtful_polls_that_are_taken_leave_room(ground: Ground) -> None:
    """Passwords that are right after all are no reason to wait."""
    doubted = [await mailbox(ground, number, DOUBTED) for number in range(6)]

    outcomes = [await poll(ground, each, is_refused=number > 2) for number, each in enumerate(doubted)]

    assert outcomes == ["fine"] * 3 + ["refused"] * 3
    assert await poll(ground, doubted[0], is_refused=False) == "put off"


async def test_a_host_that_refuses_everybody_is_left_alone(ground: Ground) -> None:
    """A ban that reads "wrong password": after three of those that worked, the rest wait instead of making it longer."""
    fine = [await mailbox(ground, number, FINE) for number in range(6)]

    outcomes = [await poll(ground, each, is_refused=True) for each in fine]

    assert outcomes == ["refused"] * 3 + ["put off"] * 3
    ground.clock.ahead += 60 * MINUTE
    assert await poll(ground, fine[5], is_refused=False) == "fine"
    assert await poll(ground, fine[4], is_refused=False) == "fine"


async def test_new_passwords_at_the_provider_hold_up_nobody_else(ground: Ground) -> None:
    """Where some are refused and others are taken, those that work go on."""
    fine = [await mailbox(ground, number, FINE) for number in range(9)]

    outcomes = [await poll(ground, each, is_refused=number % 3 != 2) for number, each in enumerate(fine)]

    assert outcomes == ["refused", "refused", "fine"] * 3
