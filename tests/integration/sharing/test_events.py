"""The table of events: what becomes of shares and copies as people, groups, channels and grants change.

Each row twice: told by its event, and found a day later where the event was lost.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.offers import Wish
from bot.rechecking import EVERYTHING, Cause, What
from bot.sandbox.slack import changes
from bot.sandbox.slack.channels import HIRING_ID
from bot.sandbox.slack.groups import SUPPORT_ID
from bot.sandbox.slack.people import BOT_USER_ID
from storage.records import Person
from storage.sharing import (
    EVERYONE,
    Act,
    Audience,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Reach,
    Subject,
    SubjectKind,
)
from tests.integration.sharing.conftest import (
    KENJI,
    MARTA,
    MEMBERS,
    TO_HIRING,
    TO_KENJI,
    TO_MEMBERS,
    TO_SUPPORT,
    WIDE,
)

if TYPE_CHECKING:
    from tests.integration.sharing.conftest import Office

both = pytest.mark.parametrize("path", ["event", "lost"])
HIRING = Person(MARTA.workspace, HIRING_ID)


async def shared(office: Office, audience: Audience, to: Person, level: Level = Level.OPEN) -> None:
    """Marta's mailbox is shared, and a message of it was posted there."""
    share = await office.opened(Wish(office.mailbox_id, (audience,), level))
    office.clock.now += timedelta(seconds=10)
    await office.copy(await office.message(), to, share)


# The viewer


@both
async def test_a_viewer_who_is_demoted_loses_what_their_role_gave(office: Office, path: str) -> None:
    """Kenji becomes a guest: what members were shared goes from him, the share stays for the others."""
    await shared(office, TO_MEMBERS, KENJI)

    office.role(KENJI, "single_channel_guest")
    await office.settle(path, Cause(What.USER, KENJI.user))

    assert await office.copies.of_viewer(KENJI) == []
    assert await office.in_force() == {TO_MEMBERS: Level.OPEN}


@both
async def test_a_viewer_who_leaves_the_group_loses_what_it_gave(office: Office, path: str) -> None:
    """The group is shared with still; Kenji is not in it any more."""
    await shared(office, TO_SUPPORT, KENJI)

    changes.set_group_members(office.sandbox, SUPPORT_ID, [MARTA.user])
    await office.settle(path, Cause(What.GROUP, SUPPORT_ID))

    assert await office.copies.of_viewer(KENJI) == []
    assert await office.in_force() == {TO_SUPPORT: Level.OPEN}


@both
async def test_a_viewer_who_is_deactivated_loses_everything(office: Office, path: str) -> None:
    """The share that names them stays and reaches nobody; its owner's list says so."""
    await shared(office, TO_KENJI, KENJI)

    office.role(KENJI, "deactivated")
    await office.settle(path, Cause(What.USER, KENJI.user))

    assert await office.copies.of_viewer(KENJI) == []
    sheet = await office.sharing.sheet(MARTA, office.mailbox_id)
    assert sheet.idle == {share.id for share in (await office.facts()).shares}


@both
async def test_a_viewer_who_leaves_the_channel_keeps_nothing_of_their_own(office: Office, path: str) -> None:
    """What stands in the channel stays there; what Kenji was given because of it goes."""
    await shared(office, TO_HIRING, KENJI)
    share = (await office.facts()).shares[0]
    await office.copy(await office.message("Second"), HIRING, share)

    office.channel("leave", user=KENJI.user)
    await office.settle(path, Cause(What.CHANNEL, HIRING_ID))

    assert await office.copies.of_viewer(KENJI) == []
    assert len(await office.copies.of_viewer(HIRING)) == 1


@both
async def test_a_viewer_who_keeps_their_right_keeps_their_copies(office: Office, path: str) -> None:
    """A change that takes nothing away withdraws nothing."""
    await shared(office, TO_KENJI, KENJI)

    office.role(KENJI, "admin")
    await office.settle(path, Cause(What.USER, KENJI.user))

    assert len(await office.copies.of_viewer(KENJI)) == 1


# The owner and the grants


@both
async def test_an_owner_who_is_demoted_shares_nothing_any_more(office: Office, path: str) -> None:
    """Guests start private: the shares end, and widening the role later opens none of them again."""
    await shared(office, TO_KENJI, KENJI)

    office.role(MARTA, "multi_channel_guest")
    await office.settle(path, Cause(What.USER, MARTA.user))
    office.role(MARTA, "member")
    await office.settle("event", Cause(What.USER, MARTA.user))

    assert await office.in_force() == {}
    assert await office.copies.of_viewer(KENJI) == []
    assert await office.acts(Act.SHARE_ENDED) == 1


@both
async def test_an_owner_who_joins_a_group_with_a_stricter_grant_is_cut(office: Office, path: str) -> None:
    """A grant for a group binds whoever comes into it."""
    await shared(office, TO_KENJI, KENJI)
    strict = Grant(Subject(SubjectKind.GROUP, "S0AGENCY01"), GrantKind.CHOICE, Level.SEE, reach=Reach.PEOPLE)
    await office.grant(strict)

    changes.set_group_members(office.sandbox, "S0AGENCY01", [MARTA.user])
    await office.settle(path, Cause(What.GROUP, "S0AGENCY01"))

    assert await office.in_force() == {TO_KENJI: Level.SEE}
    assert await office.acts(Act.SHARE_CUT) == 1
    assert await office.copies.of_viewer(KENJI) == []


@both
@pytest.mark.parametrize(
    ("grant", "left"),
    [
        (replace(WIDE, level=Level.SEE), {TO_KENJI: Level.SEE}),
        (replace(WIDE, kind=GrantKind.PRIVATE), {}),
        (Grant(EVERYONE, GrantKind.CHOICE, Level.OPEN, reach=Reach.ROLES), {TO_KENJI: Level.OPEN}),
        (Grant(MEMBERS, GrantKind.FIXED, Level.OPEN, TO_SUPPORT), {}),
        (Grant(Subject(SubjectKind.PERSON, MARTA.user), GrantKind.PRIVATE), {}),
    ],
)
async def test_a_grant_that_is_tightened_cuts_at_once(
    office: Office, path: str, grant: Grant, left: dict[Audience, Level]
) -> None:
    """Everyone's, the role's or the person's own: what is more than it allows is lowered or ended."""
    await shared(office, TO_KENJI, KENJI)

    await office.grant(grant)
    await office.settle(path, EVERYTHING)

    assert await office.in_force() == left
    assert len(await office.copies.of_viewer(KENJI)) == (left.get(TO_KENJI, Level.NONE) >= Level.OPEN)


@both
async def test_a_grant_that_is_widened_changes_nothing_by_itself(office: Office, path: str) -> None:
    """A share that was cut stays cut."""
    await shared(office, TO_KENJI, KENJI, Level.REPLY)
    await office.grant(replace(WIDE, level=Level.SEE))
    await office.settle("event", EVERYTHING)

    await office.grant(WIDE)
    await office.settle(path, EVERYTHING)

    assert await office.in_force() == {TO_KENJI: Level.SEE}


@both
async def test_a_fixed_grant_that_is_removed_takes_its_copies_with_it(office: Office, path: str) -> None:
    """What administrators shared is shared no more when they say so; there is no share that could end."""
    await office.grant(Grant(MEMBERS, GrantKind.FIXED, Level.OPEN, TO_SUPPORT))
    office.clock.now += timedelta(seconds=10)
    await office.copy(await office.message(), KENJI)
    await office.settle("event", EVERYTHING)
    assert len(await office.copies.of_viewer(KENJI)) == 1

    await office.grant(replace(WIDE, kind=GrantKind.PRIVATE))
    await office.settle(path, EVERYTHING)

    assert await office.copies.of_viewer(KENJI) == []


@both
async def test_a_domain_that_is_excluded_takes_its_mail_back(office: Office, path: str) -> None:
    """Copies of mail from that domain go, those of other mail stay."""
    share = await office.opened(Wish(office.mailbox_id, (TO_KENJI,), Level.OPEN))
    office.clock.now += timedelta(seconds=10)
    await office.copy(await office.message("Secret", "cfo@bank.example"), KENJI, share)
    kept = await office.copy(await office.message("Open", "ada@elsewhere.example"), KENJI, share)

    await office.grant(replace(WIDE, excluded=frozenset({"bank.example"})))
    await office.settle(path, EVERYTHING)

    assert [copy.entry_id for copy in await office.copies.of_viewer(KENJI)] == [kept]


@both
async def test_a_viewer_who_is_blocked_loses_everything(office: Office, path: str) -> None:
    """A grant can take from a person that they see what others share."""
    await shared(office, TO_KENJI, KENJI)

    block = Grant(Subject(SubjectKind.PERSON, KENJI.user), GrantKind.PRIVATE, may_view=False)
    await office.grant(block)
    await office.settle(path, EVERYTHING)

    assert await office.copies.of_viewer(KENJI) == []
    assert await office.in_force() == {TO_KENJI: Level.OPEN}


# The channel


@both
@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("share", {}),
        ("archive", {"is_archived": True}),
        ("leave", {"user": BOT_USER_ID}),
    ],
    ids=["shared with another company", "archived", "the bot is removed"],
)
async def test_a_channel_that_may_not_be_an_audience_ends_its_share(
    office: Office, path: str, what: str, more: dict[str, Any]
) -> None:
    """What was posted there is called back as far as Slack lets the bot."""
    await shared(office, TO_HIRING, HIRING)

    office.channel(what, **more)
    await office.settle(path, Cause(What.CHANNEL, HIRING_ID))

    assert await office.in_force() == {}
    assert await office.copies.of_viewer(HIRING) == []


@both
async def test_a_channel_that_is_made_public_ends_its_share(office: Office, path: str) -> None:
    """It was private when Marta chose it, so everybody who could join it now is not whom she chose."""
    office.channel("convert", is_private=True)
    await shared(office, TO_HIRING, HIRING)

    office.channel("convert", is_private=False)
    await office.settle(path, Cause(What.CHANNEL, HIRING_ID))

    assert await office.in_force() == {}
    assert await office.copies.of_viewer(HIRING) == []


async def test_a_channel_is_looked_at_every_minute(office: Office) -> None:
    """Slack sends no event for a channel that is made public: a minute later it is known all the same."""
    office.channel("convert", is_private=True)
    await shared(office, TO_HIRING, HIRING)
    await office.rechecker.patrol()

    office.channel("convert", is_private=False)
    office.clock.now += timedelta(seconds=61)
    await office.rechecker.patrol()

    assert await office.in_force() == {}


@both
async def test_channels_that_are_granted_no_more_end_their_shares(office: Office, path: str) -> None:
    """Private ones only, or none at all."""
    await shared(office, TO_HIRING, HIRING)

    await office.grant(replace(WIDE, channels=ChannelReach.PRIVATE))
    await office.settle(path, EVERYTHING)

    assert await office.in_force() == {}


# Time


async def test_a_share_ends_with_its_day(office: Office) -> None:
    """At its end it is over, once, with a line in the audit, and its copies go."""
    until = office.clock() + timedelta(hours=1)
    share = await office.opened(Wish(office.mailbox_id, (TO_KENJI,), Level.OPEN, until=until))
    office.clock.now += timedelta(seconds=10)
    await office.copy(await office.message(), KENJI, share)

    await office.rechecker.tick()
    assert await office.in_force() == {TO_KENJI: Level.OPEN}
    office.clock.now = until
    await office.rechecker.tick()
    await office.rechecker.tick()

    assert await office.in_force() == {}
    assert await office.copies.of_viewer(KENJI) == []
    assert await office.acts(Act.SHARE_ENDED) == 1


async def test_a_share_that_is_prolonged_in_time_goes_on(office: Office) -> None:
    """Another day instead of the first one: the first one ends nothing."""
    first = office.clock() + timedelta(hours=1)
    await office.opened(Wish(office.mailbox_id, (TO_KENJI,), Level.OPEN, until=first))
    await office.opened(Wish(office.mailbox_id, (TO_KENJI,), Level.OPEN, until=first + timedelta(days=2)))

    office.clock.now = first + timedelta(minutes=1)
    await office.rechecker.tick()

    assert await office.in_force() == {TO_KENJI: Level.OPEN}


# Slack does not answer


@pytest.mark.parametrize(
    "cause",
    [Cause(What.USER, MARTA.user), Cause(What.USER, KENJI.user), EVERYTHING, Cause(What.CHANNEL, HIRING_ID)],
)
async def test_nothing_ends_while_slack_does_not_answer(office: Office, cause: Cause) -> None:
    """What is not known takes nothing from anybody; it is looked at again once Slack answers."""
    await shared(office, TO_KENJI, KENJI)
    share = await office.opened(Wish(office.mailbox_id, (TO_HIRING,), Level.OPEN))
    await office.copy(await office.message("Second"), HIRING, share)
    office.role(MARTA, "single_channel_guest")
    office.clock.now += timedelta(minutes=10)
    office.people.forget(MARTA.user, group=True, channel=HIRING_ID)
    office.silence()

    await office.rechecker.recheck(cause)
    assert len(await office.in_force()) == 2
    assert len(await office.copies.of_mailbox(office.mailbox_id)) == 2

    office.speak()
    office.clock.now += timedelta(seconds=11)
    await office.rechecker.patrol()
    assert await office.in_force() == {}
    assert await office.copies.of_mailbox(office.mailbox_id) == []


async def test_many_events_at_once_cost_little(office: Office) -> None:
    """A thousand changes of people are one look at everything, by one list of all members."""
    await shared(office, TO_KENJI, KENJI)
    office.role(MARTA, "single_channel_guest")
    office.people.forget(MARTA.user)
    before = office.calls()

    await asyncio.gather(
        *(office.rechecker.recheck(Cause(What.USER, f"U{number}")) for number in range(1000))
    )

    assert await office.in_force() == {}
    assert office.calls() - before < 60


async def test_a_look_that_is_made_twice_changes_nothing_more(office: Office) -> None:
    """Events come late and twice."""
    await shared(office, TO_KENJI, KENJI, Level.REPLY)
    await office.grant(replace(WIDE, level=Level.OPEN))

    for _ in range(3):
        await office.settle("event", EVERYTHING)
        await office.settle("event", Cause(What.USER, MARTA.user))

    assert await office.acts(Act.SHARE_CUT) == 1
    assert await office.in_force() == {TO_KENJI: Level.OPEN}
