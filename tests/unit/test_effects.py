"""What a grant would change before it is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot import policy
from bot.effects import Cut, Excess, World, effects, for_review, replaced, roles_of, start
from storage.headcount import Holder
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
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
)
from tests.unit.admin_samples import MEMBERS, member
from tests.unit.samples import NOW

ANA, BEN, CHI, OLA = "U1", "U2", "U3", "U9"
PEOPLE = {
    ANA: member(ANA, Role.MEMBER, "S1"),
    BEN: member(BEN, Role.MEMBER),
    CHI: member(CHI, Role.ADMIN, "S1"),
    OLA: member(OLA, Role.OWNER),
}
DESIGN = Subject(SubjectKind.GROUP, "S1")
TO_BEN = Audience(AudienceKind.PERSON, BEN)
TO_GROUP = Audience(AudienceKind.GROUP, "S1")
TO_CHANNEL = Audience(AudienceKind.CHANNEL, "C1")
PRIVATE_CHANNEL = Channel("C1", "x", is_private=True, is_external=False, is_open=True)
MAILBOXES = [
    Holder("m1", ANA, is_active=True),
    Holder("m2", ANA, is_active=False),
    Holder("m3", CHI, is_active=True),
]
WIDE = Grant(MEMBERS, GrantKind.CHOICE, Level.REPLY, reach=Reach.ROLES, channels=ChannelReach.ANY)


def facts(owner: str, mailbox_id: str, *shares: Share) -> Facts:
    """A mailbox with shares; the grants are handed over apart."""
    return Facts(mailbox_id, Person("T1", owner), None, (), shares)


def share(audience: Audience, level: Level, message_id: str | None = None) -> Share:
    """A share of Ana's first mailbox."""
    return Share("s1", "m1", audience, level, NOW - timedelta(days=1), message_id=message_id)


def world(*shares: Share) -> World:
    """Ana has two mailboxes and these shares, Chi one."""
    return World(PEOPLE, MAILBOXES, [facts(ANA, "m1", *shares)], {"C1": PRIVATE_CHANNEL})


def changed(before: list[Grant], after: Grant, *shares: Share) -> tuple[Cut, ...]:
    """What writing a grant cuts."""
    return effects(after.subject, before, replaced(before, after.subject, after), world(*shares)).cuts


@pytest.mark.parametrize(
    ("subject", "people", "holders", "mailboxes"),
    [
        (EVERYONE, (ANA, BEN, CHI, OLA), (ANA, CHI), 3),
        (MEMBERS, (ANA, BEN), (ANA,), 2),
        (DESIGN, (ANA, CHI), (ANA, CHI), 3),
        (Subject(SubjectKind.PERSON, BEN), (BEN,), (), 0),
        (Subject(SubjectKind.PERSON, "U404"), (), (), 0),
    ],
)
def test_it_counts_those_it_is_for(
    subject: Subject, people: tuple[str, ...], holders: tuple[str, ...], mailboxes: int
) -> None:
    """Everyone, a role, a group or a person: whoever it binds, and their mailboxes."""
    grant = replace(policy.NO_LIMIT, subject=subject)

    found = effects(subject, [], [grant], world())

    assert (found.people, found.holders, found.mailboxes) == (people, holders, mailboxes)


def test_a_lower_level_lowers_shares() -> None:
    """A share above the new ceiling is cut to it; one below stays."""
    after = replace(WIDE, level=Level.SEE)

    cuts = changed([WIDE], after, share(TO_BEN, Level.REPLY), share(TO_GROUP, Level.SEE))

    assert cuts == (Cut(ANA, "m1", TO_BEN, Level.REPLY, Level.SEE),)


def test_a_narrower_reach_ends_shares() -> None:
    """An audience that may not be chosen any more loses its share, that of a single message too."""
    after = replace(WIDE, reach=Reach.PEOPLE)

    cuts = changed([WIDE], after, share(TO_GROUP, Level.OPEN, "x"), share(TO_BEN, Level.OPEN))

    assert cuts == (Cut(ANA, "m1", TO_GROUP, Level.OPEN, Level.NONE, is_message=True),)


@pytest.mark.parametrize(
    ("channels", "left"),
    [(ChannelReach.ANY, None), (ChannelReach.PRIVATE, None), (ChannelReach.NONE, Level.NONE)],
)
def test_channels_end_when_they_are_not_allowed(channels: ChannelReach, left: Level | None) -> None:
    """A share into a private channel lives while private channels are allowed."""
    cuts = changed([WIDE], replace(WIDE, channels=channels), share(TO_CHANNEL, Level.OPEN))

    assert [cut.after for cut in cuts] == ([] if left is None else [left])


def test_another_s_grant_cuts_nothing() -> None:
    """A grant for owners leaves members' shares alone."""
    owners = Grant(Subject(SubjectKind.ROLE, Role.OWNER), GrantKind.PRIVATE)

    assert changed([WIDE], owners, share(TO_BEN, Level.REPLY)) == ()


def test_fixed_ends_the_choice_and_opens_its_own() -> None:
    """A fixed grant ends what owners chose for others, and opens new mail of all who have some."""
    grant = Grant(MEMBERS, GrantKind.FIXED, Level.OPEN, TO_GROUP)

    found = effects(MEMBERS, [WIDE], [grant], world(share(TO_BEN, Level.REPLY)))

    assert found.opened == (ANA,)
    assert [(cut.audience, cut.after) for cut in found.cuts] == [(TO_BEN, Level.NONE)]


def test_choice_after_fixed_ends_what_was_fixed() -> None:
    """When the owner chooses again, what was fixed is over."""
    grant = Grant(MEMBERS, GrantKind.FIXED, Level.OPEN, TO_GROUP, since=NOW)

    found = effects(MEMBERS, [grant], [WIDE], world())

    assert [(cut.audience, cut.before, cut.after) for cut in found.cuts] == [
        (TO_GROUP, Level.OPEN, Level.NONE)
    ]


def test_it_says_who_may_have_less() -> None:
    """No mailbox, no view of others', fewer mailboxes, fewer active ones: each by name."""
    none = Grant(MEMBERS, GrantKind.PRIVATE, may_hold=False, may_view=False, mailboxes=1)

    found = effects(MEMBERS, [], [none], world())

    assert found.loses_hold == (ANA,)
    assert found.loses_view == (ANA, BEN)
    assert found.over_mailboxes == (Excess(ANA, 2, 1),)
    assert found.over_active == ()


def test_a_grant_above_its_role_s_is_said_to_bind_less() -> None:
    """A person's grant that is wider than the role's is named with the role; one as wide is not."""
    wide = replace(policy.NO_LIMIT, subject=Subject(SubjectKind.PERSON, ANA))
    like_role = start(wide.subject, [], Role.MEMBER)

    assert effects(wide.subject, [], [wide], world()).narrower == (MEMBERS,)
    assert effects(wide.subject, [], [like_role], world()).narrower == ()


def test_grants_of_those_without_the_role_are_for_review() -> None:
    """Written by somebody who is an administrator no more, or has gone; nothing is said while Slack is silent."""
    grants = [
        replace(WIDE, subject=Subject(SubjectKind.PERSON, user), written_by=user)
        for user in (ANA, CHI, "U404")
    ]

    assert {subject.id for subject in for_review([*grants, WIDE], PEOPLE)} == {ANA, "U404"}
    assert for_review(grants, None) == frozenset()


def test_roles_of_those_it_is_for() -> None:
    """Everyone is all six roles, whoever is there; a group is whoever is in it."""
    assert roles_of(EVERYONE, []) == frozenset(Role)
    assert roles_of(DESIGN, PEOPLE.values()) == {Role.MEMBER, Role.ADMIN}
