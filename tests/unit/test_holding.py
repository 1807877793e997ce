"""What grants say to a mailbox that is added, and the words for a no."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import holding
from bot.holding import Obstacle
from storage.records import Person, Profile, Security, ServerAddress
from storage.sharing import EVERYONE, Grant, GrantKind, Member, Role, Room

MEMBER = Member(Person("T1", "U1"), Role.MEMBER)
GUEST = replace(MEMBER, role=Role.SINGLE_CHANNEL_GUEST)
OPEN = Grant(EVERYONE, GrantKind.PRIVATE, active=None, allows_plain=True)
TLS = ServerAddress("pop.example.org", 995, Security.TLS)
BARE = ServerAddress("pop.example.org", 110, Security.NONE)
PROFILE = Profile("Work", "anna@example.org", TLS, "anna", None, None)

ROWS = [
    (None, OPEN, 0, False, Obstacle.UNKNOWN),
    (replace(MEMBER, role=None), OPEN, 0, False, Obstacle.NO_ROLE),
    (MEMBER, OPEN, 0, False, None),
    (GUEST, OPEN, 0, False, None),
    (GUEST, replace(OPEN, may_hold=False), 0, False, Obstacle.GUEST),
    (MEMBER, replace(OPEN, may_hold=False), 0, False, Obstacle.MAY_NOT_HOLD),
    (MEMBER, replace(OPEN, mailboxes=2), 1, False, None),
    (MEMBER, replace(OPEN, mailboxes=2), 2, False, Obstacle.LIMIT),
    (MEMBER, replace(OPEN, mailboxes=2), None, False, None),
    (MEMBER, OPEN, 0, True, Obstacle.PLAIN),  # the member's own standing grant allows none
]


@pytest.mark.parametrize(("member", "grant", "held", "is_plain", "expected"), ROWS)
def test_a_mailbox_is_added_within_its_owners_grants(
    member: Member | None,
    grant: Grant,
    held: int | None,
    is_plain: bool,  # noqa: FBT001 - one of a row
    expected: Obstacle | None,
) -> None:
    """Each reason for a no is found, and nothing else is one."""
    assert holding.obstacle(member, [grant], held, is_plain=is_plain) is expected
    assert holding.room(member, [grant], held, is_plain=is_plain).may is (expected is None)


def test_one_mailbox_is_active_where_nobody_wrote_a_grant() -> None:
    """The start of every role."""
    assert holding.room(MEMBER, []) == Room(active=1)


@pytest.mark.parametrize("found", Obstacle)
def test_every_obstacle_has_words(found: Obstacle) -> None:
    """A person reads a sentence, with the number where there is one."""
    assert holding.sentence(found, 3).endswith(".")
    assert ("3 mailboxes" in holding.sentence(found, 3)) is (found is Obstacle.LIMIT)


def test_only_what_becomes_plain_is_asked_about() -> None:
    """A server that was used without encryption before stays as it is."""
    plain = replace(PROFILE, incoming=BARE)

    assert holding.plain_hosts(plain) == ("pop.example.org",)
    assert holding.plain_hosts(plain, PROFILE) == ("pop.example.org",)
    assert holding.plain_hosts(plain, plain) == ()
    assert holding.is_other_server(plain, PROFILE)
    assert not holding.is_other_server(replace(plain, name="Other"), plain)
