"""What administrators may grant, on both databases: each role, each action, previews, and the audit of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot import policy
from bot.administration import OutranksThem
from bot.administrators import NotAdministrator
from bot.errors import NotAllowed
from bot.rechecking import EVERYTHING, Cause, What
from bot.sandbox.slack import changes
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.groups import SUPPORT_ID
from bot.slack.views.admin import AuditFilter
from storage.sharing import (
    EVERYONE,
    Act,
    Audience,
    AudienceKind,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Subject,
    SubjectKind,
)
from tests.integration.administration.conftest import person, to_person

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.integration.administration.conftest import Place

INES, TOMASZ, AISHA, MARTA = "U0INES0001", "U0TOMASZ02", "U0AISHA003", "U0MARTA004"
KENJI, LUCIA, OWEN, PETRA = "U0KENJI005", "U0LUCIA006", "U0OWEN0007", "U0PETRA008"
ADMINISTRATORS = {INES: Role.PRIMARY_OWNER, TOMASZ: Role.OWNER, AISHA: Role.ADMIN}
OTHERS = (MARTA, LUCIA, OWEN, PETRA, "U404")

MEMBERS = Subject(SubjectKind.ROLE, Role.MEMBER)
SUPPORT = Subject(SubjectKind.GROUP, SUPPORT_ID)
PRIVATE = Grant(MEMBERS, GrantKind.PRIVATE)
WIDE = Grant(MEMBERS, GrantKind.CHOICE, Level.MANAGE, reach=Reach.ROLES)

ACTIONS: dict[str, Callable[[Place, Any], Awaitable[Any]]] = {
    "overview": lambda place, actor: place.administration.overview(actor),
    "sheet": lambda place, actor: place.administration.sheet(actor, MEMBERS),
    "preview": lambda place, actor: place.administration.preview(actor, MEMBERS, PRIVATE),
    "preview_removal": lambda place, actor: place.administration.preview(actor, MEMBERS, None),
    "write": lambda place, actor: place.administration.write(
        actor, MEMBERS, PRIVATE, policy.defaults(Role.MEMBER)
    ),
    "remove": lambda place, actor: place.administration.write(
        actor, MEMBERS, None, policy.defaults(Role.MEMBER)
    ),
    "mailboxes": lambda place, actor: place.inspection.mailboxes(actor, 0),
    "audit": lambda place, actor: place.inspection.audit(actor, AuditFilter()),
    "export": lambda place, actor: place.inspection.export(actor, AuditFilter()),
}
TO_MAILBOX: dict[str, Callable[[Place, Any, str], Awaitable[Any]]] = {
    "held": lambda place, actor, mailbox: place.inspection.held(actor, mailbox),
    "suspend": lambda place, actor, mailbox: place.inspection.suspend(actor, mailbox),
    "lift": lambda place, actor, mailbox: place.inspection.lift(actor, mailbox),
    "delete": lambda place, actor, mailbox: place.inspection.delete(actor, mailbox),
}


async def test_administrators_may_do_each(place: Place) -> None:
    """Primary owner, owner and admin alike."""
    for user in ADMINISTRATORS:
        for act in ACTIONS.values():
            await act(place, person(user))

    assert not [entry for entry in await place.audit() if entry.act is Act.REFUSED]


@pytest.mark.parametrize("action", [*ACTIONS, *TO_MAILBOX])
async def test_nobody_else_may_do_any(place: Place, action: str) -> None:
    """Members, guests, the deactivated and strangers are refused, told whom to ask, and recorded; nothing changes."""
    mailbox = await place.mailbox(KENJI)

    for user in OTHERS:
        who = person(user)
        act = ACTIONS[action](place, who) if action in ACTIONS else TO_MAILBOX[action](place, who, mailbox.id)
        with pytest.raises(NotAdministrator) as refused:
            await act
        assert set(refused.value.ask) == set(ADMINISTRATORS)

    recorded = [(entry.act, entry.actor) for entry in await place.audit()]
    assert recorded == [(Act.REFUSED, user) for user in OTHERS]
    assert await place.grants.all(mailbox.owner.workspace) == []
    assert await place.stores.mailboxes.of(mailbox.owner) == [mailbox]
    assert place.rechecked == []


async def test_who_was_demoted_is_refused_at_once(place: Place) -> None:
    """The role that counts is the one at the moment of saving."""
    preview = await place.administration.preview(person(AISHA), MEMBERS, PRIVATE)
    changes.change_role(place.sandbox, AISHA, "member")

    with pytest.raises(NotAdministrator):
        await place.administration.write(person(AISHA), MEMBERS, PRIVATE, preview.before)

    assert await place.grants.all(person(AISHA).workspace) == []


async def test_silence_of_slack_allows_nothing(place: Place) -> None:
    """While Slack cannot be asked, an administrator is told so and may do nothing."""
    place.sandbox.faults.add(Fault("users.info", kind="error", error="internal_error", count=5))

    with pytest.raises(NotAllowed, match="slack not asked"):
        await place.administration.write(person(AISHA), MEMBERS, PRIVATE, policy.defaults(Role.MEMBER))

    assert [entry.act for entry in await place.audit()] == [Act.REFUSED]


@pytest.mark.parametrize("writer", ADMINISTRATORS)
@pytest.mark.parametrize("role", Role)
async def test_nobody_raises_a_role_above_their_own(place: Place, writer: str, role: Role) -> None:
    """A ceiling is widened by those of that rank or above; anybody may narrow it."""
    subject = Subject(SubjectKind.ROLE, role)
    before = policy.defaults(role)
    wide, narrow = replace(WIDE, subject=subject), replace(PRIVATE, subject=subject, may_hold=False)
    may = ADMINISTRATORS[writer].rank >= role.rank

    if may:
        assert (await place.administration.write(person(writer), subject, wide, before))[1]
    else:
        with pytest.raises(OutranksThem):
            await place.administration.write(person(writer), subject, wide, before)
    standing = policy.standing(subject, await place.grants.all(person(writer).workspace))
    assert standing.level is (Level.MANAGE if may else before.level)
    assert (await place.administration.write(person(writer), subject, narrow, standing))[1]


@pytest.mark.parametrize("writer", ADMINISTRATORS)
@pytest.mark.parametrize("role", Role)
async def test_nobody_opens_the_mail_of_a_role_above_their_own(place: Place, writer: str, role: Role) -> None:
    """A fixed grant to oneself, though below the ceiling, is written for one's own rank and those below alone."""
    subject = Subject(SubjectKind.ROLE, role)
    fixed = Grant(subject, GrantKind.FIXED, Level.SEE, to_person(writer))
    may = ADMINISTRATORS[writer].rank >= role.rank

    if may:
        assert (await place.administration.write(person(writer), subject, fixed, policy.defaults(role)))[1]
    else:
        with pytest.raises(OutranksThem):
            await place.administration.preview(person(writer), subject, fixed)

    assert len(await place.grants.all(person(writer).workspace)) == (1 if may else 0)


async def test_everyone_is_widened_by_the_primary_owner_alone(place: Place) -> None:
    """All six roles are bound by it; who narrows it is warned that they cannot take it back."""
    narrow = replace(policy.NO_LIMIT, level=Level.SEE)

    preview = await place.administration.preview(person(AISHA), EVERYONE, narrow)
    assert preview.is_one_way
    await place.administration.write(person(AISHA), EVERYONE, narrow, preview.before)
    (standing,) = await place.grants.all(person(AISHA).workspace)
    for user in (AISHA, TOMASZ):
        with pytest.raises(OutranksThem):
            await place.administration.preview(person(user), EVERYONE, None)

    assert (await place.administration.write(person(INES), EVERYONE, None, standing))[1]


@pytest.mark.parametrize(("user", "may"), [(KENJI, True), (AISHA, True), (TOMASZ, False), (INES, False)])
async def test_a_person_s_role_decides_who_widens_their_grant(place: Place, user: str, may: bool) -> None:  # noqa: FBT001 - a row of a table
    """An admin takes back what binds a member, not what binds an owner."""
    subject = Subject(SubjectKind.PERSON, user)
    narrow = replace(PRIVATE, subject=subject)
    await place.administration.write(
        person(AISHA), subject, narrow, replace(policy.NO_LIMIT, subject=subject)
    )
    (standing,) = await place.grants.all(person(AISHA).workspace)

    if may:
        assert (await place.administration.write(person(AISHA), subject, None, standing))[1]
    else:
        with pytest.raises(OutranksThem):
            await place.administration.write(person(AISHA), subject, None, standing)

    assert len(await place.grants.all(person(AISHA).workspace)) == (0 if may else 1)


async def test_the_form_of_a_higher_role_is_limited(place: Place) -> None:
    """An admin sees what owners have as the limit; an owner sees none."""
    owners = Subject(SubjectKind.ROLE, Role.OWNER)

    limited = await place.administration.sheet(person(AISHA), owners)
    free = await place.administration.sheet(person(TOMASZ), owners)

    assert limited.limit == policy.defaults(Role.OWNER)
    assert free.limit is None


async def test_a_new_grant_starts_from_the_role_s(place: Place) -> None:
    """The form of a group or a person without a grant shows what their role has."""
    group = await place.administration.sheet(person(AISHA), SUPPORT)
    guest = await place.administration.sheet(person(AISHA), Subject(SubjectKind.PERSON, OWEN))

    assert (group.shown.level, group.shown.active, group.is_written) == (Level.OPEN, 1, False)
    assert guest.shown.kind is GrantKind.PRIVATE
    assert group.groups[SUPPORT_ID] == "Support"


async def test_the_preview_counts_and_names(place: Place) -> None:
    """People, mailboxes and shares are those there are, and nothing is written yet."""
    mailbox = await place.mailbox(KENJI)
    await place.mailbox(KENJI, "second")
    await place.mailbox(AISHA)
    await place.share(mailbox, to_person(MARTA), Level.OPEN)

    preview = await place.administration.preview(person(AISHA), MEMBERS, PRIVATE)

    found = preview.effects
    assert found.people == tuple(sorted((MARTA, KENJI)))
    assert (found.holders, found.mailboxes) == ((KENJI,), 2)
    assert [(cut.owner, cut.audience.id, cut.before, cut.after) for cut in found.cuts] == [
        (KENJI, MARTA, Level.OPEN, Level.NONE)
    ]
    assert await place.grants.all(mailbox.owner.workspace) == []


async def test_a_group_s_grant_binds_its_members(place: Place) -> None:
    """Who is in the group is affected; wider than the members' grant is said to bind only as far."""
    wide = replace(WIDE, subject=SUPPORT)

    preview = await place.administration.preview(person(AISHA), SUPPORT, wide)

    assert preview.effects.people == tuple(sorted((MARTA, KENJI)))
    assert preview.effects.narrower == (MEMBERS,)


async def test_a_channel_without_mailbox_is_said(place: Place) -> None:
    """A fixed grant to a channel Mailbox is not in shares nothing, which the preview says."""
    audience = Audience(AudienceKind.CHANNEL, "C404")
    fixed = Grant(MEMBERS, GrantKind.FIXED, Level.SEE, audience)

    preview = await place.administration.preview(person(AISHA), MEMBERS, fixed)

    assert preview.closed == ("C404",)


async def test_saving_writes_records_and_rechecks(place: Place) -> None:
    """A grant is stored with its writer, recorded once, and what it does not allow is looked at."""
    _, is_written = await place.administration.write(
        person(AISHA), MEMBERS, PRIVATE, policy.defaults(Role.MEMBER)
    )

    (grant,) = await place.grants.all(person(AISHA).workspace)
    (entry,) = await place.audit()
    assert is_written
    assert (grant.kind, grant.written_by) == (GrantKind.PRIVATE, AISHA)
    assert (entry.act, entry.actor, entry.subject) == (Act.GRANT_SET, AISHA, "role:member")
    assert place.rechecked == [EVERYTHING]


@pytest.mark.parametrize(
    ("subject", "cause"),
    [
        (Subject(SubjectKind.PERSON, KENJI), Cause(What.USER, KENJI)),
        (SUPPORT, EVERYTHING),
        (EVERYONE, EVERYTHING),
    ],
)
async def test_those_concerned_are_rechecked(place: Place, subject: Subject, cause: Cause) -> None:
    """Of one person they alone; of a group everybody, since a grant taken back is not found by it any more."""
    before = replace(policy.NO_LIMIT, subject=subject)

    await place.administration.write(person(INES), subject, replace(PRIVATE, subject=subject), before)

    assert place.rechecked == [cause]


async def test_the_slower_of_two_sees_a_new_preview(place: Place) -> None:
    """What changed since the preview is not overwritten; saving the new preview is."""
    seen = await place.administration.preview(person(AISHA), MEMBERS, PRIVATE)
    other = replace(WIDE, level=Level.SEE)
    await place.administration.write(person(TOMASZ), MEMBERS, other, seen.before)

    again, is_written = await place.administration.write(person(AISHA), MEMBERS, PRIVATE, seen.before)

    assert (is_written, again.is_stale, again.before.written_by) == (False, True, TOMASZ)
    assert (await place.administration.write(person(AISHA), MEMBERS, PRIVATE, again.before))[1]


async def test_taking_a_grant_back_returns_to_the_start(place: Place) -> None:
    """A role has its defaults again; the audit says who took it back."""
    await place.administration.write(person(AISHA), MEMBERS, PRIVATE, policy.defaults(Role.MEMBER))
    (standing,) = await place.grants.all(person(AISHA).workspace)

    preview, is_written = await place.administration.write(person(AISHA), MEMBERS, None, standing)

    assert is_written
    assert preview.after == policy.defaults(Role.MEMBER)
    assert await place.grants.all(person(AISHA).workspace) == []
    assert [entry.act for entry in await place.audit()] == [Act.GRANT_SET, Act.GRANT_REMOVED]


async def test_a_writer_who_lost_the_role_is_listed_for_review(place: Place) -> None:
    """The grant stays and binds; the overview marks it."""
    await place.administration.write(person(AISHA), MEMBERS, PRIVATE, policy.defaults(Role.MEMBER))
    changes.change_role(place.sandbox, AISHA, "member")
    place.clock.ahead += place.clock.ahead * 100

    overview = await place.administration.overview(person(TOMASZ))

    assert overview.review == {MEMBERS}
    assert [grant.kind for grant in overview.grants] == [GrantKind.PRIVATE]


async def test_what_follows_from_a_grant_may_fail(place: Place) -> None:
    """The grant stands all the same: every decision is taken by it."""
    subject = Subject(SubjectKind.PERSON, OWEN)
    before = replace(policy.NO_LIMIT, subject=subject)

    _, is_written = await place.administration.write(
        person(AISHA), subject, replace(PRIVATE, subject=subject), before
    )

    assert is_written
    assert place.rechecked == [Cause(What.USER, OWEN)]
    assert len(await place.grants.all(person(AISHA).workspace)) == 1
