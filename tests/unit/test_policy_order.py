"""The order in which policy decides, and what each step of it looks at."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from bot.policy import SENTENCES, Reason
from storage.records import Person
from storage.sharing import (
    EVERYONE,
    Grant,
    GrantKind,
    Level,
    Mail,
    Member,
    Role,
    SubjectKind,
    Suspension,
)
from tests.unit.policy_scene import (
    ANA,
    BEGIN,
    BOB,
    MAIL,
    NOW,
    ROOM,
    TO_BOB,
    TO_ROOM,
    TO_TEAM,
    WIDE,
    Scene,
    everyone_in,
    for_group,
    for_person,
    for_role,
    share,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SHARED: Final = Scene(shares=(share(),))


def without_role(scene: Scene) -> Scene:
    """Slack says that the viewer has no role."""
    return scene.but(viewer=None if scene.viewer is None else replace(scene.viewer, role=None))


def owner_without_role(scene: Scene) -> Scene:
    """Slack says that the owner has no role any more."""
    return scene.but(owner=None if scene.owner is None else replace(scene.owner, role=None))


# Each makes its own reason true; the earlier one wins over all later ones.
ORDER: Final[list[tuple[Reason, Callable[[Scene], Scene]]]] = [
    (Reason.OWNER, lambda scene: scene.but(who=ANA)),
    (Reason.UNKNOWN, lambda scene: scene.but(viewer=None)),
    (Reason.NO_ROLE, without_role),
    (Reason.BLOCKED, lambda scene: scene.but(grants=(*scene.grants, for_person("UBOB", may_view=False)))),
    (Reason.UNKNOWN, lambda scene: scene.but(owner=None)),
    (Reason.OWNER_GONE, owner_without_role),
    (Reason.SUSPENDED, lambda scene: scene.but(suspension=Suspension.ADMINISTRATOR)),
    (
        Reason.EXCLUDED,
        lambda scene: scene.but(grants=(*scene.grants, Grant(EVERYONE, GrantKind.CHOICE, **WIDE, level=Level.MANAGE, excluded=frozenset({"example.org"})))),
    ),
    (Reason.NOT_SHARED, lambda scene: scene.but(shares=())),
    (Reason.CEILING, lambda scene: scene.but(grants=(*scene.grants, for_person("UANA", GrantKind.PRIVATE)))),
]  # fmt: skip


@pytest.mark.parametrize("places", [
    each for size in range(3) for each in itertools.combinations(range(len(ORDER)), size)
])  # fmt: skip
def test_the_earlier_reason_wins(places: tuple[int, ...]) -> None:
    """None of them: shared. One: that one. Any two at once: the earlier."""
    scene = SHARED
    for place in reversed(places):
        scene = ORDER[place][1](scene)

    decision = scene.decision()

    assert decision.reason is (ORDER[places[0]][0] if places else Reason.SHARED)
    assert (decision.level is not Level.NONE) is (decision.reason in {Reason.OWNER, Reason.SHARED})
    assert (decision.share is not None) is (decision.reason is Reason.SHARED)


def test_any_number_of_reasons_gives_the_first() -> None:
    """All 1,024 sets of them."""
    for size in range(len(ORDER) + 1):
        for places in itertools.combinations(range(len(ORDER)), size):
            scene = SHARED
            for place in reversed(places):
                scene = ORDER[place][1](scene)
            assert scene.decision().reason is (ORDER[places[0]][0] if places else Reason.SHARED)


def test_every_reason_has_its_sentence() -> None:
    """One short paragraph, for people."""
    assert set(SENTENCES) == set(Reason)
    assert len(set(SENTENCES.values())) == len(Reason)
    assert all(text.endswith(".") and len(text) < 200 for text in SENTENCES.values())


def test_another_person_or_workspace_is_never_taken_for_the_viewer() -> None:
    """What Slack says of somebody else counts for nothing; the same user id elsewhere is somebody else."""
    elsewhere = Person("T2", "UBOB")

    assert SHARED.but(viewer=Member(ANA, Role.OWNER)).decision().reason is Reason.UNKNOWN
    assert SHARED.but(owner=Member(BOB, Role.OWNER)).decision().reason is Reason.UNKNOWN
    stranger = SHARED.but(who=elsewhere, viewer=Member(elsewhere, Role.PRIMARY_OWNER))
    assert stranger.decision().reason is Reason.NO_ROLE
    assert SHARED.but(who=Person("T2", "UANA"), viewer=None).level() is Level.NONE


def test_an_owner_who_may_hold_no_mailbox_shares_nothing() -> None:
    """Whichever of their grants says so."""
    for grant in (
        for_role(Role.MEMBER, may_hold=False),
        for_group("S9", may_hold=False),
        for_person("UANA", may_hold=False),
        replace(for_role(Role.MEMBER, may_hold=False), subject=EVERYONE),
    ):
        owner = Member(ANA, Role.MEMBER, frozenset({"S9"}))
        scene = SHARED.but(owner=owner, grants=(for_role(Role.MEMBER), grant))
        if grant.subject.kind is SubjectKind.ROLE:
            scene = scene.but(grants=(grant,))
        assert scene.decision().reason is Reason.OWNER_GONE


# Excluded domains


@pytest.mark.parametrize(
    ("domains", "is_excluded"),
    [
        ({"bank.example"}, True),
        ({"example.org", "bank.example"}, True),
        ({"mail.bank.example"}, True),
        ({"a.b.bank.example"}, True),
        ({"mybank.example"}, False),
        ({"bank.example.org"}, False),
        ({"example"}, False),
        (set[str](), False),
        (None, True),
    ],
)
def test_a_domain_that_is_excluded_is_nobody_elses(domains: set[str] | None, *, is_excluded: bool) -> None:
    """It and those below it, not those that only look like it; and mail of which nobody knows the domains."""
    mail = Mail("m1", NOW, None if domains is None else frozenset(domains))
    scene = SHARED.but(grants=(for_role(Role.MEMBER, excluded=frozenset({"bank.example"})),), mail=mail)

    assert (scene.decision().reason is Reason.EXCLUDED) is is_excluded
    assert scene.but(mail=None).decision().reason is Reason.SHARED


def test_without_excluded_domains_nobody_needs_to_know_any() -> None:
    """Mail whose header is not read is shared where nothing is excluded."""
    assert SHARED.but(mail=Mail("m1", NOW, None)).decision().reason is Reason.SHARED


def test_the_excluded_domains_of_all_grants_add_up() -> None:
    """Those of the role, the groups and the person; those of the viewer play no part."""
    owner = Member(ANA, Role.MEMBER, frozenset({"S9"}))
    for domain, reason in (("r", "excluded"), ("g", "excluded"), ("p", "excluded"), ("v", "shared")):
        grants = (
            for_role(Role.MEMBER, excluded=frozenset({"r"})),
            for_group("S9", excluded=frozenset({"g"})),
            for_person("UANA", excluded=frozenset({"p"})),
            for_person("UBOB", excluded=frozenset({"v"})),
        )
        scene = SHARED.but(owner=owner, grants=grants, mail=Mail("m1", NOW, frozenset({domain})))
        assert scene.decision().reason.value == reason


# Time


def test_a_share_ends_at_its_date() -> None:
    """Until the very moment, and not at it; ended earlier, at once."""
    scene = SHARED.but(shares=(share(until=NOW),))

    assert scene.level(NOW - timedelta(seconds=1)) is Level.MANAGE
    assert scene.decision(NOW).reason is Reason.NOT_SHARED
    assert SHARED.but(shares=(share(until=None, ended_at=BEGIN),)).decision().reason is Reason.NOT_SHARED


@pytest.mark.parametrize("history", [True, False])
def test_mail_of_before_is_history(*, history: bool) -> None:
    """Open only where the owner ticked it; what came at the moment of sharing is not before."""
    scene = SHARED.but(shares=(share(history=history),))
    old = Mail("m0", BEGIN - timedelta(seconds=1), frozenset())

    assert (scene.but(mail=old).level() is Level.MANAGE) is history
    assert scene.but(mail=replace(old, received_at=BEGIN)).level() is Level.MANAGE


def test_a_single_message_opens_nothing_else() -> None:
    """Not another message, and not the mailbox; however old it is."""
    scene = SHARED.but(
        shares=(share(message_id="m1"),), mail=replace(MAIL, received_at=BEGIN - timedelta(days=900))
    )

    assert scene.level() is Level.MANAGE
    assert scene.but(mail=replace(MAIL, id="m2")).decision().reason is Reason.NOT_SHARED
    assert scene.but(mail=None).decision().reason is Reason.NOT_SHARED


def test_the_highest_of_all_shares_counts() -> None:
    """Each lowered by itself, in whatever order they stand."""
    team = frozenset({"STEAM"})
    guest = Member(BOB, Role.SINGLE_CHANNEL_GUEST, team)
    several = [
        share(TO_TEAM, Level.MANAGE),
        share(TO_BOB, Level.OPEN),
        share(everyone_in(Role.ADMIN), Level.MANAGE),
    ]

    for shares in itertools.permutations(several):
        decision = SHARED.but(viewer=guest, shares=shares).decision()
        assert (decision.level, decision.share) == (Level.OPEN, several[1])


# Channels


@pytest.mark.parametrize(
    ("room", "level"),
    [
        (ROOM, Level.MANAGE),
        (replace(ROOM, is_external=True), Level.NONE),
        (replace(ROOM, is_open=False), Level.NONE),
        (replace(ROOM, is_private=False), Level.NONE),
        (replace(ROOM, members=frozenset({"UANA"})), Level.NONE),
        (None, Level.NONE),
    ],
)
def test_a_channel_is_an_audience_only_as_it_was_chosen(room: object, level: Level) -> None:
    """Private as it was, nobody of outside in it, the bot in it, not archived, the viewer in it; unknown is no."""
    channels = {} if room is None else {"CROOM": room}
    scene = SHARED.but(shares=(share(TO_ROOM, was_private=True),), channels=channels)

    assert scene.level() is level


def test_a_public_channel_under_a_grant_for_private_ones() -> None:
    """It is none of theirs, also where it was public from the start; made private later, it is."""
    grants = (for_role(Role.MEMBER, **{**WIDE, "channels": 1}),)
    scene = SHARED.but(shares=(share(TO_ROOM),), grants=grants)
    public = {"CROOM": replace(ROOM, is_private=False)}

    assert scene.but(channels=public).decision().reason is Reason.CEILING
    assert scene.level() is Level.MANAGE
    assert SHARED.but(shares=(share(TO_ROOM),), channels=public).level() is Level.MANAGE


def test_a_fixed_channel_is_left_alone_once_it_is_open_to_outsiders() -> None:
    """External or archived, the administrator's own choice counts for nothing either."""
    grants = (for_role(Role.MEMBER, GrantKind.FIXED, Level.OPEN, audience=TO_ROOM),)

    levels = [
        Scene(grants=grants, channels={"CROOM": room}).level()
        for room in (ROOM, replace(ROOM, is_private=False), replace(ROOM, is_external=True))
    ]

    assert levels == [Level.OPEN, Level.OPEN, Level.NONE]
    assert Scene(grants=grants, channels={}).level() is Level.NONE
