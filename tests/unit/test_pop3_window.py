"""How many RETRs are in flight."""

from __future__ import annotations

import pytest

from bot.mail.pop3_limits import Limits
from bot.mail.pop3_retrieval import Window


@pytest.mark.parametrize(("round_trip", "size"), [(None, 2), (0.0001, 2), (0.005, 3), (0.08, 18), (5.0, 128)])
def test_a_long_way_holds_more_messages(round_trip: float | None, size: int) -> None:
    """A near server is asked for little in advance, a far one for as much as fits."""
    assert Window(Limits(), round_trip).size == size


@pytest.mark.parametrize(("sessions", "most"), [(1, 32), (2, 4), (3, 2), (10, 1)])
def test_sessions_with_one_host_share_what_is_in_flight(sessions: int, most: int) -> None:
    """Beside others a session asks for less in advance, and always for one."""
    window = Window(Limits(), None, sessions)
    for _ in range(9):
        window.note(had_to_wait=True)

    assert window.size == most


def test_without_pipelining_there_is_one_at_a_time() -> None:
    """A server that misbehaved gets the next command after its answer."""
    window = Window(Limits(pipelining=False), 0.08)
    for _ in range(9):
        window.note(had_to_wait=True)

    assert window.size == 1


def test_waiting_for_the_server_widens_the_window() -> None:
    """When every message has to be waited for, more are asked for."""
    window = Window(Limits(), None)
    for _ in range(9):
        window.note(had_to_wait=True)

    assert window.size == 32


def test_a_slow_consumer_narrows_the_window() -> None:
    """When messages wait for us, a crash should find few of them in flight."""
    window = Window(Limits(), 0.08)
    for _ in range(400):
        window.note(had_to_wait=False)

    assert window.size == 2


def test_a_rare_wait_does_not_widen_the_window() -> None:
    """One hiccup among many messages that were there is no reason."""
    window = Window(Limits(), None)
    for turn in range(200):
        window.note(had_to_wait=turn % 10 == 9)

    assert window.size == 2


@pytest.mark.parametrize(("round_trip", "times"), [(None, 1), (0.02, 1), (0.08, 2), (0.12, 3), (9.0, 4)])
def test_a_long_way_holds_more_octets(round_trip: float | None, times: int) -> None:
    """What is in flight to a near server stays small; to a far one it grows, four times at most."""
    assert Window(Limits(), round_trip).octets == times * Limits().window_octets
