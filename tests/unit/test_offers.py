"""What an owner may share, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot import offers, policy
from bot.offers import Known, Refusal, Wish
from storage.records import Person
from storage.sharing import (
    EVERYONE,
    Audience,
    AudienceKind,
    Channel,
    ChannelReach,
    Facts,
    Grant,
    GrantKind,
    Level,
    Member,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
    Suspension,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OWNER = Person("T1", "U1")
MEMBER = Member(OWNER, Role.MEMBER)
ANNA = Audience(AudienceKind.PERSON, "U2")
TEAM = Audience(AudienceKind.GROUP, "S1")
ALL = Audience(AudienceKind.ROLE, Role.MEMBER)
ROOM = Audience(AudienceKind.CHANNEL, "C1")
PRIVATE = Channel("C1", "room", is_private=True, is_external=False, is_open=True, members=frozenset({"U1"}))
MEMBERS = Subject(SubjectKind.ROLE, Role.MEMBER)
WIDE = Grant(MEMBERS, GrantKind.CHOICE, Level.REPLY, reach=Reach.ROLES, channels=ChannelReach.PRIVATE)
FACTS = Facts("m1", OWNER, None, (WIDE,), ())
KNOWN = Known(MEMBER, {"U2": Member(Person("T1", "U2"), Role.MEMBER)}, frozenset({"S1"}), {"C1": PRIVATE})
WISH = Wish("m1", (ANNA,), Level.OPEN)


def share(audience: Audience = ANNA, level: Level = Level.OPEN, **more: Any) -> Share:
    """One in force."""
    return Share("s1", "m1", audience, level, NOW - timedelta(days=1), **more)


@pytest.mark.parametrize(
    ("grants", "kind", "levels"),
    [
        ((), GrantKind.CHOICE, {AudienceKind.PERSON: Level.OPEN}),
        (
            (WIDE,),
            GrantKind.CHOICE,
            {
                AudienceKind.PERSON: Level.REPLY,
                AudienceKind.GROUP: Level.REPLY,
                AudienceKind.ROLE: Level.REPLY,
                AudienceKind.CHANNEL: Level.REPLY,
            },
        ),
        ((Grant(MEMBERS, GrantKind.PRIVATE, written_by="U9"),), GrantKind.PRIVATE, {}),
        ((WIDE, Grant(EVERYONE, GrantKind.CHOICE, Level.NONE)), GrantKind.PRIVATE, {}),
        ((Grant(MEMBERS, GrantKind.FIXED, Level.SEE, TEAM, since=NOW),), GrantKind.FIXED, {}),
        (
            (Grant(MEMBERS, GrantKind.FIXED, Level.SEE, TEAM, since=NOW), Grant(EVERYONE, GrantKind.PRIVATE)),
            GrantKind.PRIVATE,
            {},
        ),
    ],
)
def test_an_offer_is_what_all_grants_leave(
    grants: tuple[Grant, ...], kind: GrantKind, levels: dict[AudienceKind, Level]
) -> None:
    """Private beats everything, fixed leaves no choice, and of a choice each kind of audience has its own ceiling."""
    facts = replace(FACTS, grants=grants)

    found = offers.offer(facts, policy.chain(MEMBER, grants), name="Work")

    assert (found.kind, found.levels) == (kind, levels)
    assert (found.fixed is not None) == (kind is GrantKind.FIXED)
    assert found.is_choice == (kind is GrantKind.CHOICE)


def test_without_slack_nothing_is_offered_and_what_is_open_is_listed() -> None:
    """Ending a share must work while Slack does not answer."""
    found = offers.offer(replace(FACTS, shares=(share(),)), None)

    assert found.kind is None
    assert found.shares == (share(),)
    assert not found.is_choice


def test_the_offer_of_a_message_lists_its_own_shares() -> None:
    """The mailbox's list has them all, the message's only those of this message."""
    single = share(message_id="x1")
    facts = replace(FACTS, shares=(share(), single, share(message_id="x2")))
    chain = policy.chain(MEMBER, facts.grants)

    assert len(offers.offer(facts, chain).shares) == 3
    assert offers.offer(facts, chain, message_id="x1").shares == (single,)


@pytest.mark.parametrize(
    ("wish", "facts", "known", "reason"),
    [
        (WISH, FACTS, KNOWN, None),
        (replace(WISH, audiences=(TEAM,)), FACTS, KNOWN, None),
        (replace(WISH, audiences=(ALL,)), FACTS, KNOWN, None),
        (replace(WISH, audiences=(ROOM,)), FACTS, KNOWN, None),
        (WISH, replace(FACTS, owner=Person("T1", "U7")), KNOWN, Refusal.NOT_OWNER),
        (WISH, FACTS, replace(KNOWN, owner=None), Refusal.UNKNOWN),
        (WISH, FACTS, replace(KNOWN, owner=Member(OWNER, None)), Refusal.NO_ROLE),
        (WISH, replace(FACTS, grants=(replace(WIDE, may_hold=False),)), KNOWN, Refusal.NO_ROLE),
        (WISH, replace(FACTS, suspension=Suspension.ADMINISTRATOR), KNOWN, Refusal.SUSPENDED),
        (WISH, replace(FACTS, grants=(Grant(EVERYONE, GrantKind.PRIVATE),)), KNOWN, Refusal.PRIVATE),
        (
            WISH,
            replace(FACTS, grants=(Grant(MEMBERS, GrantKind.FIXED, Level.SEE, TEAM, since=NOW),)),
            KNOWN,
            Refusal.FIXED,
        ),
        (replace(WISH, audiences=(TEAM,)), replace(FACTS, grants=()), KNOWN, Refusal.KIND),
        (replace(WISH, level=Level.MANAGE), FACTS, KNOWN, Refusal.LEVEL),
        (replace(WISH, level=Level.OWN), FACTS, KNOWN, Refusal.LEVEL),
        (replace(WISH, audiences=()), FACTS, KNOWN, Refusal.NOBODY),
        (replace(WISH, level=Level.NONE), FACTS, KNOWN, Refusal.NOBODY),
        (replace(WISH, audiences=(ANNA,) * 21), FACTS, KNOWN, Refusal.TOO_MANY),
        (WISH, FACTS, replace(KNOWN, people={}), Refusal.UNKNOWN),
        (WISH, FACTS, replace(KNOWN, people={"U2": Member(Person("T1", "U2"), None)}), Refusal.STRANGER),
        (replace(WISH, audiences=(Audience(AudienceKind.PERSON, "U1"),)), FACTS, KNOWN, Refusal.ONESELF),
        (replace(WISH, audiences=(TEAM,)), FACTS, replace(KNOWN, groups=frozenset()), Refusal.GROUP_GONE),
        (replace(WISH, audiences=(TEAM,)), FACTS, replace(KNOWN, groups=None), Refusal.UNKNOWN),
        (replace(WISH, audiences=(ROOM,)), FACTS, replace(KNOWN, channels={"C1": None}), Refusal.UNKNOWN),
        (replace(WISH, until=NOW), FACTS, KNOWN, Refusal.PAST),
    ],
)
def test_a_wish_is_refused_for_one_reason(
    wish: Wish, facts: Facts, known: Known, reason: Refusal | None
) -> None:
    """The first thing that is in the way is said, in a sentence of its own."""
    assert offers.refusal(wish, OWNER, facts, known, NOW) is reason
    assert reason is None or offers.SENTENCES[reason]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_open": False}, Refusal.CHANNEL_CLOSED),
        ({"is_external": True}, Refusal.CHANNEL_EXTERNAL),
        ({"is_private": False}, Refusal.CHANNEL_PUBLIC),
        ({"members": frozenset({"U2"})}, Refusal.NOT_IN_CHANNEL),
    ],
)
def test_a_channel_is_refused_by_what_it_is(changes: dict[str, Any], reason: Refusal) -> None:
    """Archived, with outsiders, public where only private ones are allowed, or not the owner's own."""
    known = replace(KNOWN, channels={"C1": replace(PRIVATE, **changes)})

    assert offers.refusal(replace(WISH, audiences=(ROOM,)), OWNER, FACTS, known, NOW) is reason


def test_a_wish_that_is_fulfilled_opens_nothing() -> None:
    """The same form sent twice asks for nothing the second time; another level or end asks for a change."""
    facts = replace(FACTS, shares=(share(),))

    assert offers.still_wanted(WISH, facts) == ()
    assert offers.still_wanted(replace(WISH, level=Level.SEE), facts) == (ANNA,)
    assert offers.still_wanted(replace(WISH, until=NOW), facts) == (ANNA,)
    assert offers.still_wanted(replace(WISH, history=True), facts) == (ANNA,)
    assert offers.still_wanted(replace(WISH, message_id="x1"), facts) == (ANNA,)


def test_each_of_several_people_gets_a_share() -> None:
    """Several audiences are several shares; a private channel is remembered as one, and a message has no history."""
    wish = replace(WISH, audiences=(ANNA, ROOM), message_id="x1", history=True)

    anna, room = offers.shares_of(wish, FACTS, KNOWN, NOW)

    assert (anna.audience, anna.was_private, anna.history) == (ANNA, False, False)
    assert (room.audience, room.was_private, room.created_at) == (ROOM, True, NOW)


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2026, 11, 23), None, datetime(2026, 11, 24, 0, tzinfo=UTC)),
        (date(2026, 11, 23), "Asia/Tokyo", datetime(2026, 11, 23, 15, tzinfo=UTC)),
        (date(2026, 10, 25), "Europe/Berlin", datetime(2026, 10, 25, 23, tzinfo=UTC)),  # a day of 25 hours
        (date(2026, 12, 31), "America/New_York", datetime(2027, 1, 1, 5, tzinfo=UTC)),
    ],
)
def test_a_day_ends_where_its_owner_lives(day: date, zone: str | None, end: datetime) -> None:
    """The end of the day is its last moment by the clock on the wall; UTC where no zone is known."""
    assert offers.end_of(day, zone) == end


def test_who_will_see_it_leaves_out_those_who_may_not() -> None:
    """The owner, people without a role and blocked ones are not named; guests of a group are counted by their cap."""
    roles = {
        "U1": Role.MEMBER,
        "U2": Role.MEMBER,
        "U3": Role.SINGLE_CHANNEL_GUEST,
        "U4": Role.MULTI_CHANNEL_GUEST,
    }
    members = {user: Member(Person("T1", user), role) for user, role in roles.items()}
    blocked = Grant(Subject(SubjectKind.PERSON, "U2"), GrantKind.PRIVATE, may_view=False)
    facts = replace(FACTS, grants=(blocked,))

    found = offers.seers(["U4", "U1", "U2", "U3", "U5"], OWNER, members, facts, named=False)
    named = offers.seers(["U3"], OWNER, members, facts, named=True)

    assert found == offers.Seers(("U3", "U4"), open_guests=1, see_guests=1)
    assert named == offers.Seers(("U3",))
