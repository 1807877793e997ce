"""What managers do with another's mailbox, and what the front page says of who can see one's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import NoSender, NoSuchRule, NotAllowed
from bot.managing import RetentionUnfit
from bot.retention import WORDS, WhyNot
from storage.records import Retention
from storage.sharing import Act, Audience, AudienceKind, GrantKind, Level, Role
from tests.integration.storage.stores import NEW
from tests.integration.viewing.conftest import EVERYTHING, INES, KENJI, LUCIA, MARTA, TO_KENJI

if TYPE_CHECKING:
    from tests.integration.viewing.conftest import Hall


async def test_a_manager_does_what_managers_may(hall: Hall) -> None:
    """Check, pause, resume, delete setting and mutes take effect, each with its line in the audit."""
    await hall.share(Level.MANAGE)
    box = hall.mailbox_id

    checked = await hall.managing.check_now(KENJI, box)
    paused = await hall.managing.pause(KENJI, box)
    resumed = await hall.managing.resume(KENJI, box)
    kept = await hall.managing.set_retention(KENJI, box, Retention.LEAVE, None)
    rule = await hall.managing.mute(KENJI, box, "ada@elsewhere.example")
    _, rules = await hall.managing.muted(KENJI, box)
    await hall.managing.unmute(KENJI, box, rule.id)

    assert checked.due_at is not None
    assert (paused.is_paused, resumed.is_paused, kept.retention) == (True, False, Retention.LEAVE)
    assert [each.id for each in rules] == [rule.id]
    assert {entry.actor for entry in await hall.noted(Act.MANAGED)} == {KENJI.user}
    assert len(await hall.noted(Act.MANAGED)) == 6
    with pytest.raises(NoSuchRule):
        await hall.managing.unmute(KENJI, box, rule.id)
    with pytest.raises(NoSender):
        await hall.managing.mute(KENJI, box, "")


async def test_a_delete_setting_that_the_server_cannot_carry_out_is_refused(hall: Hall) -> None:
    """By the server as it is set now, whatever an older form offered; nothing is changed."""
    gmail = replace(NEW.profile, incoming=replace(NEW.profile.incoming, host="pop.gmail.com"))
    added = await hall.stores.mailboxes.add(
        replace(NEW, owner=MARTA, form_id="gmail", profile=gmail), hall.clock()
    )
    hall.mailbox_id = added.id
    await hall.share(Level.MANAGE)

    with pytest.raises(RetentionUnfit) as refused:
        await hall.managing.set_retention(KENJI, added.id, Retention.DELETE_POSTED, None)

    assert refused.value.sentence == WORDS[WhyNot.HIDES_FETCHED]
    assert (await hall.stores.mailboxes.get(MARTA, added.id)).retention is added.retention


async def test_an_owner_who_comes_this_way_needs_no_judge_and_no_audit(hall: Hall) -> None:
    """It is their own."""
    await hall.managing.pause(MARTA, hall.mailbox_id)
    await hall.managing.unmute(
        MARTA, hall.mailbox_id, (await hall.managing.mute(MARTA, hall.mailbox_id, "a@b.example")).id
    )

    assert not await hall.noted(Act.MANAGED)


@pytest.mark.parametrize("level", [Level.NONE, Level.SEE, Level.OPEN, Level.REPLY])
async def test_below_manage_every_act_is_refused(hall: Hall, level: Level) -> None:
    """And the mailbox is as it was."""
    if level > Level.NONE:
        await hall.share(level)
    box, before = hall.mailbox_id, await hall.stores.mailbox(hall.mailbox_id, MARTA)

    for call in (
        hall.managing.get(KENJI, box),
        hall.managing.check_now(KENJI, box),
        hall.managing.pause(KENJI, box),
        hall.managing.resume(KENJI, box),
        hall.managing.set_retention(KENJI, box, Retention.LEAVE, None),
        hall.managing.muted(KENJI, box),
        hall.managing.mute(KENJI, box, "a@b.example"),
        hall.managing.unmute(KENJI, box, "r"),
    ):
        with pytest.raises(NotAllowed):
            await call

    assert await hall.stores.mailbox(box, MARTA) == before
    assert len(await hall.noted(Act.REFUSED)) == 1


async def test_a_share_that_ends_after_the_first_look_stops_the_act(hall: Hall) -> None:
    """The store judges once more, in the transaction that would change something."""
    share = await hall.share(Level.MANAGE)
    visit = await hall.door.to_mailbox(KENJI, hall.mailbox_id)
    permits = visit.permits(Level.MANAGE, hall.clock)
    before = permits(visit.facts)
    await hall.end(share)

    assert (before, permits(await hall.shares.facts(hall.mailbox_id))) == (True, False)


async def test_only_what_gives_anything_is_said_of_who_can_see(hall: Hall) -> None:
    """Ended, overdue and forbidden shares are not there; a level is that of the ceiling, single messages are counted."""
    message_id = await hall.mail("Plans")
    await hall.share(Level.MANAGE)
    await hall.end(await hall.share(Level.OPEN, Audience(AudienceKind.PERSON, LUCIA.user)))
    await hall.share(
        Level.OPEN, Audience(AudienceKind.GROUP, "S0SUPPORT1"), until=hall.clock() + timedelta(hours=1)
    )
    await hall.share(Level.SEE, Audience(AudienceKind.ROLE, Role.ADMIN), message_id=message_id)
    hall.clock.push(hours=2)
    await hall.grant(replace(EVERYTHING, level=Level.OPEN))

    standing = await hall.front.of(MARTA)

    assert standing.seen_by is not None
    seen = standing.seen_by[hall.mailbox_id]
    assert [(share.audience, share.level) for share in seen.shares] == [(TO_KENJI, Level.OPEN)]
    assert seen.messages == 1


async def test_a_fixed_grant_is_what_an_owner_reads(hall: Hall) -> None:
    """Theirs are the words, not the owner's shares."""
    await hall.share(Level.OPEN)
    audience = Audience(AudienceKind.ROLE, Role.ADMIN)
    await hall.grant(replace(EVERYTHING, kind=GrantKind.FIXED, level=Level.SEE, audience=audience))

    standing = await hall.front.of(MARTA)

    assert standing.seen_by is not None
    (share,) = standing.seen_by[hall.mailbox_id].shares
    assert (share.audience, share.level) == (audience, Level.SEE)


async def test_who_may_hold_no_mailbox_is_told_whom_to_ask(hall: Hall) -> None:
    """The highest administrators first."""
    await hall.grant(replace(EVERYTHING, may_hold=False))

    standing = await hall.front.of(KENJI)

    assert not standing.may_hold
    assert standing.administrators == ["U0INES0001", "U0TOMASZ02", "U0AISHA003"]
    assert (await hall.front.of(INES)).may_hold
    assert (await hall.front.of(INES)).is_administrator
    assert not standing.is_administrator


async def test_a_stranger_who_presses_is_noted(hall: Hall) -> None:
    """Whoever is in a channel with the bot can press its buttons."""
    await hall.door.note_stranger(MARTA.workspace, "U0PARTNER1", "pressed:" + "x" * 2000)

    (entry,) = await hall.noted(Act.REFUSED)
    assert (entry.actor, entry.after) == ("U0PARTNER1", "no_role")
    assert len(entry.subject) < 100


async def test_a_stranger_who_goes_on_pressing_fills_no_audit(hall: Hall) -> None:
    """One line in ten minutes says as much as a thousand; another stranger has one too."""
    for _ in range(20):
        await hall.door.note_stranger(MARTA.workspace, "U0PARTNER1", "pressed:1")
    await hall.door.note_stranger(MARTA.workspace, "U0PARTNER2", "pressed:1")

    assert len(await hall.noted(Act.REFUSED)) == 2
