"""What owners open and end: decided afresh, once for each form, by nobody but them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import NoSuchMailbox, NoSuchMessage, NotShared, NotTheirs, TooManyShares
from bot.offers import Refusal, Seers, Wish
from bot.rechecking import EVERYTHING
from bot.sandbox.slack import changes
from bot.sandbox.slack.channels import HIRING_ID
from bot.sandbox.slack.groups import SUPPORT_ID
from storage.errors import NotPermitted
from storage.records import Person
from storage.sharing import Act, Audience, AudienceKind, Facts, Grant, GrantKind, Level
from tests.integration.sharing.conftest import (
    INES,
    KENJI,
    LUCIA,
    MARTA,
    MEMBERS,
    PETRA,
    TO_HIRING,
    TO_KENJI,
    TO_MEMBERS,
    TO_SUPPORT,
    WIDE,
)

if TYPE_CHECKING:
    from tests.integration.sharing.conftest import Office

TO_LUCIA = Audience(AudienceKind.PERSON, LUCIA.user)
HIRING = Person(MARTA.workspace, HIRING_ID)


async def test_several_people_are_one_share_each(office: Office) -> None:
    """Each can be ended by itself; each is in the audit."""
    shares = await office.sharing.open(MARTA, Wish(office.mailbox_id, (TO_KENJI, TO_LUCIA), Level.OPEN))

    assert {share.audience for share in shares} == {TO_KENJI, TO_LUCIA}
    assert await office.acts(Act.SHARE_OPENED) == 2


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_form_that_is_sent_twice_has_one_effect(office: Office, *, at_once: bool) -> None:
    """A second press, or Slack's second try, opens nothing, tells nobody and leaves no second line in the audit."""
    wish = Wish(
        office.mailbox_id, (TO_KENJI, TO_SUPPORT), Level.OPEN, until=office.clock() + timedelta(days=3)
    )

    if at_once:
        await asyncio.gather(*(office.sharing.open(MARTA, wish) for _ in range(3)))
    else:
        for _ in range(3):
            await office.sharing.open(MARTA, wish)

    assert len((await office.facts()).shares) == 2
    assert await office.acts(Act.SHARE_OPENED) == 2


async def test_another_level_changes_the_share_there_is(office: Office) -> None:
    """The same audience has one share."""
    first = await office.opened(Wish(office.mailbox_id, (TO_KENJI,), Level.OPEN))
    second = await office.opened(Wish(office.mailbox_id, (TO_KENJI,), Level.SEE))

    assert second.id == first.id
    assert await office.in_force() == {TO_KENJI: Level.SEE}


async def test_an_owner_reads_who_sees_it_before_sharing_more(office: Office) -> None:
    """Of a message those who have the mailbox as well; nobody twice, whatever shares reach them."""
    early = await office.message("Before")
    office.clock.now += timedelta(minutes=1)
    await office.opened(Wish(office.mailbox_id, (TO_KENJI,), Level.SEE))
    office.clock.now += timedelta(minutes=1)
    message_id = await office.message()
    for audience in (TO_KENJI, TO_LUCIA):
        await office.opened(Wish(office.mailbox_id, (audience,), Level.SEE, message_id=message_id))

    async def already(message_id: str = "") -> tuple[str, ...]:
        found = (await office.sharing.sheet(MARTA, office.mailbox_id, message_id, (TO_LUCIA,))).already
        return () if found is None else found.users

    assert await already() == (KENJI.user,)
    assert await already(message_id) == (KENJI.user, LUCIA.user)
    assert await already(early) == ()


@pytest.mark.parametrize("person", [KENJI, INES, LUCIA])
async def test_nobody_else_changes_what_is_shared(office: Office, person: Person) -> None:
    """Not an administrator either: a polite refusal, and a line in the audit."""
    message_id = await office.message()
    share = await office.opened(Wish(office.mailbox_id, (TO_KENJI,), Level.MANAGE))
    wish = Wish(office.mailbox_id, (TO_LUCIA,), Level.SEE)

    for act in (
        office.sharing.open(person, wish),
        office.sharing.open(person, replace(wish, message_id=message_id)),
        office.sharing.revoke(person, share.id),
        office.sharing.sheet(person, office.mailbox_id),
        office.sharing.sheet(person, "", message_id),
    ):
        with pytest.raises(NotTheirs) as refused:
            await act
        assert "Only the owner" in refused.value.sentence

    assert await office.in_force() == {TO_KENJI: Level.MANAGE}
    assert await office.acts(Act.REFUSED) >= 1


async def test_what_is_gone_is_said_to_be_gone(office: Office) -> None:
    """A mailbox or a message that was erased while the form was open; a share that ended before."""
    with pytest.raises(NoSuchMailbox):
        await office.sharing.open(MARTA, Wish("gone", (TO_KENJI,), Level.SEE))
    with pytest.raises(NoSuchMessage):
        await office.sharing.open(MARTA, Wish(office.mailbox_id, (TO_KENJI,), Level.SEE, message_id="gone"))
    assert not await office.sharing.revoke(MARTA, "gone")


@pytest.mark.parametrize(
    ("grant", "audience", "reason"),
    [
        (replace(WIDE, level=Level.SEE), TO_KENJI, Refusal.LEVEL),
        (Grant(MEMBERS, GrantKind.PRIVATE), TO_KENJI, Refusal.PRIVATE),
        (Grant(MEMBERS, GrantKind.FIXED, Level.SEE, TO_SUPPORT), TO_KENJI, Refusal.FIXED),
        (Grant(MEMBERS, GrantKind.CHOICE, Level.OPEN), TO_MEMBERS, Refusal.KIND),
        (Grant(MEMBERS, GrantKind.CHOICE, Level.OPEN), TO_HIRING, Refusal.KIND),
        (replace(WIDE, may_hold=False), TO_KENJI, Refusal.NO_ROLE),
    ],
)
async def test_a_form_that_outlived_its_right_fails_with_the_reason(
    office: Office, grant: Grant, audience: Audience, reason: Refusal
) -> None:
    """The grant was tightened while the form was open: nothing is opened, and the owner is told why."""
    sheet = await office.sharing.sheet(MARTA, office.mailbox_id)
    assert sheet.offer.levels[audience.kind] is Level.MANAGE

    await office.grant(grant)
    with pytest.raises(NotShared) as refused:
        await office.sharing.open(MARTA, Wish(office.mailbox_id, (audience,), Level.OPEN))

    assert refused.value.reason is reason
    assert await office.in_force() == {}
    assert await office.acts(Act.REFUSED) == 1


async def test_an_owner_who_was_demoted_meanwhile_opens_nothing(office: Office) -> None:
    """Slack is asked afresh when the form is sent, whatever was known when it was opened."""
    await office.sharing.sheet(MARTA, office.mailbox_id)
    office.role(MARTA, "single_channel_guest")
    office.clock.now += timedelta(seconds=6)

    with pytest.raises(NotShared) as refused:
        await office.sharing.open(MARTA, Wish(office.mailbox_id, (TO_KENJI,), Level.SEE))

    assert refused.value.reason is Refusal.PRIVATE


async def test_a_grant_that_is_tightened_within_the_transaction_counts(office: Office) -> None:
    """The store decides on the grants it reads: between reading and writing none slips through."""
    wish = Wish(office.mailbox_id, (TO_KENJI,), Level.OPEN)
    results = await asyncio.gather(
        office.sharing.open(MARTA, wish),
        office.grant(replace(WIDE, level=Level.SEE)),
        return_exceptions=True,
    )
    await office.rechecker.recheck(EVERYTHING)

    assert all(result is None or isinstance(result, list | NotShared) for result in results)
    assert (await office.in_force()).get(TO_KENJI, Level.NONE) <= Level.SEE


async def test_people_without_an_account_and_oneself_are_no_audience(office: Office) -> None:
    """A deactivated colleague, or the owner, cannot be chosen."""
    for user, reason in (
        (PETRA.user, Refusal.STRANGER),
        (MARTA.user, Refusal.ONESELF),
        ("U0", Refusal.STRANGER),
    ):
        wish = Wish(office.mailbox_id, (Audience(AudienceKind.PERSON, user),), Level.SEE)
        with pytest.raises(NotShared) as refused:
            await office.sharing.open(MARTA, wish)
        assert refused.value.reason is reason


async def test_a_share_can_be_ended_while_slack_does_not_answer(office: Office) -> None:
    """Opening needs Slack's word, ending does not; nor does the list of what is shared."""
    share = await office.opened(Wish(office.mailbox_id, (TO_KENJI,), Level.OPEN))
    await office.copy(await office.message(), KENJI, share)
    office.clock.now += timedelta(minutes=10)
    office.silence()

    sheet = await office.sharing.sheet(MARTA, office.mailbox_id)
    with pytest.raises(NotShared) as refused:
        await office.sharing.open(MARTA, Wish(office.mailbox_id, (TO_LUCIA,), Level.OPEN))
    assert sheet.offer.kind is None
    assert [each.id for each in sheet.offer.shares] == [share.id]
    assert refused.value.reason is Refusal.UNKNOWN
    assert await office.sharing.revoke(MARTA, share.id)
    office.clock.now += timedelta(seconds=1)
    assert not await office.sharing.revoke(MARTA, share.id)
    assert await office.copies.of_viewer(KENJI) == []
    assert await office.acts(Act.SHARE_REVOKED) == 1


async def test_a_copy_that_is_owed_while_its_share_ends_does_not_stay(office: Office) -> None:
    """Whichever is first: a copy goes with its share, and none is owed after it."""
    message_id = await office.message()
    for _ in range(10):
        share = await office.opened(Wish(office.mailbox_id, (TO_KENJI,), Level.OPEN))

        def is_in_force(facts: Facts, share_id: str = share.id) -> bool:
            return any(each.id == share_id for each in facts.shares)

        owing = office.copies.owe(
            office.mailbox_id, message_id, KENJI, office.clock(), is_in_force, share=share.id
        )
        owed, ended = await asyncio.gather(
            owing, office.sharing.revoke(MARTA, share.id), return_exceptions=True
        )
        assert isinstance(owed, str | NotPermitted)
        assert ended is True
        assert await office.copies.of_viewer(KENJI) == []


async def test_a_message_that_is_shared_with_a_channel_is_posted_there_once(office: Office) -> None:
    """However often the form is sent; ended, it is called back."""
    message_id = await office.message()
    wish = Wish(office.mailbox_id, (TO_HIRING,), Level.OPEN, message_id=message_id)

    (share,) = await office.sharing.open(MARTA, wish)
    await office.sharing.open(MARTA, wish)
    copies = await office.copies.of_viewer(HIRING)
    assert [(copy.message_id, copy.share) for copy in copies] == [(message_id, share.id)]

    await office.sharing.revoke(MARTA, share.id)
    assert await office.copies.of_viewer(HIRING) == []


async def test_there_are_only_so_many_shares(office: Office) -> None:
    """The owner is told to end some; the ones there are stay."""
    users = [changes.hire(office.sandbox, f"New {number}", "member") for number in range(60)]
    known = [Audience(AudienceKind.PERSON, user) for user in users]
    for at in range(0, 48, 12):
        await office.sharing.open(MARTA, Wish(office.mailbox_id, tuple(known[at : at + 12]), Level.SEE))

    with pytest.raises(TooManyShares):
        await office.sharing.open(MARTA, Wish(office.mailbox_id, tuple(known[48:60]), Level.SEE))

    assert len((await office.facts()).shares) == 48


async def test_who_will_see_it_is_known_before_it_is_shared(office: Office) -> None:
    """Of a group, a role or a channel, everybody but the owner; guests are counted; a group's name is there."""
    group = await office.sharing.sheet(MARTA, office.mailbox_id, audiences=[TO_SUPPORT])
    channel = await office.sharing.sheet(MARTA, office.mailbox_id, audiences=[TO_HIRING])
    role = await office.sharing.sheet(MARTA, office.mailbox_id, audiences=[TO_MEMBERS])

    assert group.seers == Seers((KENJI.user,))
    assert group.groups[SUPPORT_ID] == "Support"
    assert channel.seers == Seers(
        tuple(sorted([INES.user, "U0AISHA003", KENJI.user, LUCIA.user])), open_guests=1
    )
    assert role.seers is not None
    assert KENJI.user in role.seers.users
    assert LUCIA.user not in role.seers.users


async def test_a_new_mailbox_is_offered_what_its_owner_may_share(office: Office) -> None:
    """Before it is there: the grant in words, with the names where administrators decided."""
    free = await office.sharing.sheet_of_new(MARTA, [KENJI.user])
    await office.grant(Grant(MEMBERS, GrantKind.FIXED, Level.SEE, TO_SUPPORT))
    fixed = await office.sharing.sheet_of_new(MARTA)

    assert free.offer.is_choice
    assert free.seers == Seers((KENJI.user,))
    assert fixed.offer.fixed is not None
    assert fixed.offer.fixed.level is Level.SEE
    assert fixed.seers == Seers((KENJI.user,))
