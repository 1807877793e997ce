"""What holds of every decision, whatever grants, shares, roles, groups and channels meet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.granting import imposes, is_wider, may_write
from bot.policy import defaults, reaches
from storage.sharing import (
    ADMINISTRATORS,
    EVERYONE,
    Audience,
    AudienceKind,
    Channel,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Mail,
    Member,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
    Suspension,
)
from tests.unit.policy_scene import ANA, BEGIN, BOB, NOW, Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

laws = settings(max_examples=100, deadline=None)

GROUPS: Final = ("S1", "S2")
DOMAINS: Final = ("bank.example", "mail.bank.example", "example.org")
SUBJECTS: Final = (
    EVERYONE,
    *(Subject(SubjectKind.ROLE, role) for role in Role),
    *(Subject(SubjectKind.GROUP, group) for group in GROUPS),
    *(Subject(SubjectKind.PERSON, user) for user in ("UANA", "UBOB")),
)
# Most of what is drawn lets something through, else the laws would be about nothing.
audiences = st.one_of(
    st.just(Audience(AudienceKind.PERSON, "UBOB")),
    st.sampled_from(["UBOB", "UEVE"]).map(lambda user: Audience(AudienceKind.PERSON, user)),
    st.sampled_from(GROUPS).map(lambda group: Audience(AudienceKind.GROUP, group)),
    st.sampled_from(Role).map(lambda role: Audience(AudienceKind.ROLE, role)),
    st.just(Audience(AudienceKind.CHANNEL, "C1")),
)
mostly_yes = st.sampled_from([True] * 9 + [False])
levels = st.sampled_from([Level.MANAGE, Level.REPLY, Level.OPEN, Level.SEE, Level.MANAGE, Level.NONE])
domains = st.sampled_from([frozenset[str]()] * 5 + [frozenset({each}) for each in DOMAINS])
# Built once: to build a strategy takes longer than to draw from it.
subjects = st.sampled_from(SUBJECTS)
kinds = st.sampled_from([GrantKind.CHOICE] * 5 + [GrantKind.FIXED] * 2 + [GrantKind.PRIVATE])
maybe_audiences = st.none() | audiences
reaches_of_grants = st.sampled_from([Reach.ROLES, *Reach])
channel_reaches = st.sampled_from([ChannelReach.ANY, *ChannelReach])
ids = st.sampled_from("abcdef")
ages = st.sampled_from([timedelta(), timedelta(days=6, hours=12)])
one_message = st.sampled_from([None, None, None, "m1", "m2"])
ends = st.sampled_from([None, None, None, None, NOW, NOW + timedelta(days=1)])
roles_or_none = st.sampled_from([Role.MEMBER, *Role, *sorted(ADMINISTRATORS), None])
some_groups = st.frozensets(st.sampled_from(GROUPS))
suspensions = st.sampled_from([None] * 9 + [Suspension.ROLE])
mails = st.none() | st.builds(
    Mail,
    st.sampled_from(["m1", "m2"]),
    st.sampled_from([BEGIN - timedelta(days=1), NOW - timedelta(days=1)]),
    st.none() | domains,
)
rooms = st.none() | st.builds(
    Channel,
    st.just("C1"),
    st.just("c"),
    st.booleans(),
    st.just(False),
    mostly_yes,
    st.frozensets(st.sampled_from(["UANA", "UBOB", "UEVE"])),
)


@st.composite
def grants(draw: st.DrawFn, subject: Subject | None = None) -> Grant:
    """A grant for that subject, else for any."""
    return Grant(
        subject=subject or draw(subjects),
        kind=draw(kinds),
        level=draw(levels),
        audience=draw(maybe_audiences),
        reach=draw(reaches_of_grants),
        channels=draw(channel_reaches),
        may_hold=draw(mostly_yes),
        may_view=draw(mostly_yes),
        excluded=draw(domains),
        since=BEGIN,
    )


@st.composite
def shares(draw: st.DrawFn) -> Share:
    """A share that may be over, or of one message, or of a channel that was private."""
    return Share(
        id=draw(ids),
        mailbox_id="box",
        audience=draw(audiences),
        level=draw(levels),
        created_at=BEGIN + draw(ages),
        message_id=draw(one_message),
        history=draw(st.booleans()),
        until=draw(ends),
        was_private=draw(st.booleans()),
    )


@st.composite
def members(draw: st.DrawFn, person: object = BOB) -> Member:
    """A person of any role or none, in any groups."""
    assert person in {ANA, BOB}
    return Member(BOB if person is BOB else ANA, draw(roles_or_none), draw(some_groups))


owners, viewers = members(ANA), members(BOB)
some_shares = st.lists(shares(), min_size=1, max_size=4)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Anything that may meet."""
    found = draw(rooms)
    owner = draw(owners)
    own = Subject(SubjectKind.ROLE, owner.role or Role.MEMBER)
    bound = st.lists(st.sampled_from([own, own, EVERYONE, *SUBJECTS[7:]]), max_size=4, unique=True)
    written = [draw(grants(subject)) for subject in draw(bound)]
    return Scene(
        owner=owner,
        viewer=draw(viewers),
        grants=tuple(written),
        shares=tuple(draw(some_shares)),
        channels={} if found is None else {"C1": found},
        suspension=draw(suspensions),
        mail=draw(mails),
    )


def that_bind(scene: Scene) -> list[Grant]:
    """The grants of the owner, found anew: everyone's, the role's or what it starts with, their groups', their own."""
    assert scene.owner is not None
    assert scene.owner.role is not None
    written = {grant.subject: grant for grant in scene.grants}
    role = Subject(SubjectKind.ROLE, scene.owner.role)
    found = [written.get(role, defaults(scene.owner.role))]
    others = [EVERYONE, Subject(SubjectKind.PERSON, "UANA")]
    others += [Subject(SubjectKind.GROUP, group) for group in scene.owner.groups]
    return found + [written[subject] for subject in others if subject in written]


def most(grant: Grant, audience: Audience, channels: dict[str, Channel]) -> Level:
    """What one grant allows for an audience, in other words than the code's."""
    if grant.kind is GrantKind.PRIVATE or (grant.kind is GrantKind.FIXED and grant.audience != audience):
        return Level.NONE
    if audience.kind is AudienceKind.CHANNEL:
        room = channels.get(audience.id)
        may_any = grant.channels is ChannelReach.ANY
        may_private = may_any or grant.channels is ChannelReach.PRIVATE
        is_good = room is not None and room.is_open and not room.is_external
        return (
            grant.level if is_good and room and (may_private if room.is_private else may_any) else Level.NONE
        )
    if grant.kind is GrantKind.FIXED:
        return grant.level
    wanted = {AudienceKind.PERSON: "people groups roles", AudienceKind.GROUP: "groups roles"}
    return grant.level if grant.reach.name.lower() in wanted.get(audience.kind, "roles") else Level.NONE


@laws
@given(scenes())
def test_no_grant_of_the_chain_is_ever_exceeded(scene: Scene) -> None:
    """What anybody else gets, each grant that binds the owner allows by itself."""
    decision = scene.decision()
    if decision.level is Level.NONE:
        return
    assert decision.share is not None

    for grant in that_bind(scene):
        assert decision.level <= most(grant, decision.share.audience, scene.channels)
    assert decision.level <= min(decision.share.level, Level.MANAGE)


@laws
@given(scenes(), st.sampled_from(["viewer", "owner", "both", "channels"]))
def test_unknown_is_no(scene: Scene, what: str) -> None:
    """Slack could not be asked about either person: nothing; about a channel: nothing by way of it."""
    if what == "channels":
        decision = scene.but(channels={}).decision()
        assert decision.share is None or decision.share.audience.kind is not AudienceKind.CHANNEL
        return
    gone = {"viewer": {"viewer": None}, "owner": {"owner": None}, "both": {"viewer": None, "owner": None}}[
        what
    ]

    assert scene.but(**gone).level() is Level.NONE
    assert scene.but(**gone).decision().share is None


@laws
@given(
    scenes(),
    st.sampled_from([each for each in SUBJECTS if each.kind is not SubjectKind.ROLE]).flatmap(grants),
)
def test_another_grant_only_takes_away(scene: Scene, fresh: Grant) -> None:
    """Nobody gets more by it, unless it is FIXED; and then no more than each grant of the chain allows."""
    assume(fresh.subject not in {grant.subject for grant in scene.grants})
    after = scene.but(grants=(*scene.grants, fresh))

    if fresh.kind is not GrantKind.FIXED:
        assert after.level() <= scene.level()
    elif after.level() > scene.level():
        decision = after.decision()
        assert decision.share is not None
        assert decision.share.is_fixed
        assert decision.share.audience == fresh.audience
        assert all(
            decision.level <= most(grant, decision.share.audience, after.channels)
            for grant in that_bind(after)
        )


# A grant with one field narrower.
NARROWER: Final[dict[str, Callable[[Grant], Grant]]] = {
    "level": lambda grant: replace(grant, level=Level(max(grant.level - 1, 0))),
    "reach": lambda grant: replace(grant, reach=Reach(max(grant.reach - 1, 0))),
    "channels": lambda grant: replace(grant, channels=ChannelReach(max(grant.channels - 1, 0))),
    "private": lambda grant: replace(grant, kind=GrantKind.PRIVATE),
    "may_hold": lambda grant: replace(grant, may_hold=False),
    "may_view": lambda grant: replace(grant, may_view=False),
    "excluded": lambda grant: replace(grant, excluded=grant.excluded | {"example.org"}),
}


@laws
@given(scenes(), st.data())
def test_narrowing_never_widens(scene: Scene, data: st.DataObject) -> None:
    """One grant, one field narrower: nobody gets more; and it does not count as wider."""
    assume(scene.grants)
    before = data.draw(st.sampled_from(scene.grants))

    for how in NARROWER:
        after = NARROWER[how](before)
        rest = tuple(after if grant == before else grant for grant in scene.grants)
        assert scene.but(grants=rest).level() <= scene.level(), how
        assert not is_wider(after, before), how
        assert not imposes(after, before), how


@laws
@given(scenes(), st.sampled_from(sorted(ADMINISTRATORS)), st.data())
def test_an_administrator_reads_nothing_that_is_not_shared(
    scene: Scene, role: Role, data: st.DataObject
) -> None:
    """Whatever is shared with others, whatever is written: without a share that reaches them, nothing."""
    viewer = Member(BOB, role, data.draw(some_groups))

    def is_theirs(audience: Audience | None) -> bool:
        return audience is not None and reaches(audience, viewer, scene.channels)

    assume(not any(is_theirs(grant.audience) for grant in scene.grants))
    others = tuple(each for each in scene.shares if not is_theirs(each.audience))

    assert scene.but(viewer=viewer, shares=others).level() is Level.NONE


@laws
@given(scenes(), st.sampled_from(sorted(ADMINISTRATORS)))
def test_an_administrators_role_adds_nothing_to_a_share(scene: Scene, role: Role) -> None:
    """By a share with a person, a group or a channel, an administrator gets what a member would."""
    assert scene.viewer is not None
    named = tuple(each for each in scene.shares if each.audience.kind is not AudienceKind.ROLE)
    audiences = {grant.audience and grant.audience.kind for grant in scene.grants}
    assume(AudienceKind.ROLE not in audiences)
    written = tuple(replace(grant, may_view=True) for grant in scene.grants)
    base = scene.but(shares=named, grants=written)

    levels = {base.but(viewer=replace(scene.viewer, role=each)).level() for each in (role, Role.MEMBER)}

    assert len(levels) == 1


@laws
@given(scenes(), st.sampled_from([None, *Role]))
def test_the_owner_never_loses_their_own(scene: Scene, role: Role | None) -> None:
    """Whatever is written, whatever Slack says of them, and when it says nothing."""
    assert scene.but(who=ANA, viewer=Member(ANA, role)).level() is Level.OWN
    assert scene.but(who=ANA, viewer=None, owner=None, channels={}).level() is Level.OWN


@laws
@given(scenes(), st.data())
def test_what_is_not_wider_allows_nobody_more(scene: Scene, data: st.DataObject) -> None:
    """One grant in the place of another: not wider and not imposed, no decision is higher."""
    before, after, first, second = changed(scene, data)
    assume(not is_wider(after, before) and not imposes(after, before))

    assert second.level() <= first.level()


@laws
@given(scenes(), st.data())
def test_what_is_imposed_stays_below_what_was_allowed(scene: Scene, data: st.DataObject) -> None:
    """A FIXED grant that is not wider opens no more than the owner could have opened before."""
    before, after, first, second = changed(scene, data)
    assume(not is_wider(after, before))
    decision = second.decision()
    imposing = [grant for grant in second.grants if grant.kind is GrantKind.FIXED]

    if decision.share is not None and decision.share.is_fixed and imposing == [after]:
        own = replace(decision.share, id="own", is_fixed=False)
        assert decision.level <= most(before, own.audience, first.channels)


@laws
@given(
    scenes(),
    st.data(),
    st.sampled_from([*sorted(ADMINISTRATORS), Role.MEMBER]),
    st.frozensets(st.sampled_from(Role), max_size=2),
)
def test_nobody_opens_more_of_those_above_them(
    scene: Scene, data: st.DataObject, rank: Role, affected: frozenset[Role]
) -> None:
    """What somebody may write never gives anybody more of the mail of a role above theirs."""
    before, after, first, second = changed(scene, data)
    assert scene.owner is not None
    assume(scene.owner.role is not None)
    assert scene.owner.role is not None
    roles = {scene.owner.role, *affected}
    assume(may_write(Member(BOB, rank), after, before, roles))

    assert rank in ADMINISTRATORS
    if list(Role).index(scene.owner.role) < list(Role).index(rank):
        assert second.level() <= first.level()


def changed(scene: Scene, data: st.DataObject) -> tuple[Grant, Grant, Scene, Scene]:
    """A grant, another for the same subject, often one that is narrower here and there, and the scene under each."""
    own = (
        []
        if scene.owner is None or scene.owner.role is None
        else [Subject(SubjectKind.ROLE, scene.owner.role)]
    )
    subject = data.draw(st.sampled_from([EVERYONE, *own, *own, *SUBJECTS[7:]]))
    before = data.draw(grants(subject))
    after = before
    if data.draw(st.booleans()):
        after = data.draw(grants(subject))
    for how in data.draw(st.lists(st.sampled_from(sorted(NARROWER)), max_size=2)):
        after = NARROWER[how](after)
    rest = tuple(grant for grant in scene.grants if grant.subject != subject)
    return before, after, scene.but(grants=(*rest, before)), scene.but(grants=(*rest, after))


@laws
@given(scenes(), st.data())
def test_the_order_of_grants_and_shares_changes_nothing(scene: Scene, data: st.DataObject) -> None:
    """They are sets: whoever was written first has no advantage."""
    mixed: Sequence[Grant] = data.draw(st.permutations(scene.grants))
    other = scene.but(grants=tuple(mixed), shares=tuple(data.draw(st.permutations(scene.shares))))

    assert (other.level(), other.decision().reason) == (scene.level(), scene.decision().reason)
