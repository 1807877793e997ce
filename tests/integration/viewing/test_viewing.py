"""What viewers see of another's mail, level by level, and what they never see."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import NotAllowed
from bot.policy import SENTENCES, Reason
from bot.sandbox.slack import validate
from bot.sandbox.slack.faults import Fault
from bot.slack.views import shared
from storage.records import Person, Shape
from storage.sharing import Act, Audience, AudienceKind, GrantKind, Level, Role, Share
from tests.integration.viewing.conftest import EVERYTHING, KENJI, LUCIA, MARTA, OWEN, PETRA, TO_KENJI

if TYPE_CHECKING:
    from tests.integration.viewing.conftest import Hall

BODY = "The password of the safe is 4711."
MULTIPART = (
    b"From: Ada <ada@elsewhere.example>\r\nTo: marta@local.test\r\nSubject: With a file\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nSee the file.\r\n'
    b'--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename="sums.csv"\r\n\r\n'
    b"1;2;3\r\n--b--\r\n"
)


def whole(view: dict[str, Any]) -> str:
    """The view as Slack gets it, after Slack took it."""
    validate.view(view, "modal")
    assert len(view["private_metadata"]) <= 40
    return json.dumps(view, ensure_ascii=False)


async def test_what_reaches_somebody_is_listed_with_owner_level_and_end(hall: Hall) -> None:
    """The mailbox stands there by its name, the owner by their id; an ended share is gone at once."""
    until = hall.clock() + timedelta(days=2)
    share = await hall.share(Level.OPEN, until=until)

    (opened,) = (await hall.viewing.shared_with(KENJI)).mailboxes
    answer = shared.shared_answer(await hall.viewing.shared_with(KENJI))
    await hall.end(share)

    assert (opened.owner, opened.name, opened.level, opened.until) == (MARTA.user, "Work", Level.OPEN, until)
    assert "<@U0MARTA004>" in json.dumps(answer)
    assert not (await hall.viewing.shared_with(KENJI)).mailboxes
    assert "Nobody has opened" in json.dumps(shared.shared_answer(await hall.viewing.shared_with(KENJI)))


@pytest.mark.parametrize(
    ("audience", "sees"),
    [
        (TO_KENJI, {"kenji"}),
        (Audience(AudienceKind.GROUP, "S0SUPPORT1"), {"kenji"}),
        (Audience(AudienceKind.ROLE, Role.MEMBER), {"kenji", "ines"}),
        (Audience(AudienceKind.ROLE, Role.ADMIN), {"ines"}),
        (Audience(AudienceKind.PERSON, LUCIA.user), {"lucia"}),
    ],
)
async def test_nobody_else_than_the_audience_is_shown_a_share(
    hall: Hall, audience: Audience, sees: set[str]
) -> None:
    """Neither in the list of what is shared, nor by pressing a button that leads there."""
    await hall.share(Level.OPEN, audience)
    people = {
        "kenji": KENJI,
        "lucia": LUCIA,
        "owen": OWEN,
        "petra": PETRA,
        "ines": Person(MARTA.workspace, "U0INES0001"),
    }

    listed = {name for name, person in people.items() if (await hall.viewing.shared_with(person)).mailboxes}
    opened = set()
    for name, person in people.items():
        try:
            await hall.viewing.listing(person, hall.mailbox_id)
        except NotAllowed:
            continue
        opened.add(name)

    assert listed == opened == sees


async def test_guests_get_no_more_than_their_role_unless_named(hall: Hall) -> None:
    """A channel's guest sees; named, they open."""
    await hall.share(Level.MANAGE, Audience(AudienceKind.ROLE, Role.SINGLE_CHANNEL_GUEST))
    by_role = (await hall.viewing.shared_with(OWEN)).mailboxes[0].level
    await hall.share(Level.OPEN, Audience(AudienceKind.PERSON, OWEN.user))

    assert (by_role, (await hall.viewing.shared_with(OWEN)).mailboxes[0].level) == (Level.SEE, Level.OPEN)


async def test_see_shows_sender_subject_date_and_size_and_nothing_more(hall: Hall) -> None:
    """Nothing of the body is anywhere in the view, its text or its metadata, and no button leads to it."""
    await hall.share(Level.SEE)
    message_id = await hall.mail("Plans", body=BODY)

    listing = whole(shared.shared_listing(await hall.viewing.listing(KENJI, hall.mailbox_id)))
    message = whole(shared.shared_message(await hall.viewing.page(KENJI, message_id)))

    for view in (listing, message):
        assert "Ada: Plans" in view
        assert "4711" not in view
        assert "password of the safe" not in view
        assert "shared_send" not in view
        assert "shared_headers" not in view
    assert "open_shared_message" not in listing


@pytest.mark.parametrize("level", [Level.SEE, Level.OPEN, Level.REPLY, Level.MANAGE])
async def test_each_level_allows_what_it_says_and_no_more(hall: Hall, level: Level) -> None:
    """Body, headers and copy from Open up; managing for Manage alone; what is refused is noted once."""
    await hall.share(level)
    message_id = await hall.mail("Plans", body=BODY)

    viewed = await hall.viewing.page(KENJI, message_id)
    allowed = {
        "fields": await _is_allowed(hall.viewing.fields(KENJI, message_id)),
        "copy": await _is_allowed(hall.viewing.send_copy(KENJI, message_id)),
        "sender": await _is_allowed(hall.viewing.sender(KENJI, message_id)),
        "manage": await _is_allowed(hall.managing.get(KENJI, hall.mailbox_id)),
        "pause": await _is_allowed(hall.managing.pause(KENJI, hall.mailbox_id)),
    }

    opens, manages = level >= Level.OPEN, level >= Level.MANAGE
    assert (viewed.level, viewed.page is not None) == (level, opens)
    assert allowed == {"fields": opens, "copy": opens, "sender": manages, "manage": manages, "pause": manages}
    assert len(await hall.noted(Act.REFUSED)) == (0 if manages else 1)


async def _is_allowed(call: Any) -> bool:
    try:
        await call
    except NotAllowed:
        return False
    return True


async def test_the_text_comes_in_pages_with_the_attachments_by_name_and_size(hall: Hall) -> None:
    """As its owner has it; headers in a view of their own."""
    await hall.share(Level.OPEN)
    message_id = await hall.message(MULTIPART)
    long_id = await hall.mail(
        "Long", body="\r\n\r\n".join(f"Paragraph {n}: {'words ' * 40}" for n in range(60))
    )

    view = whole(shared.shared_message(await hall.viewing.page(KENJI, message_id)))
    second = whole(shared.shared_message(await hall.viewing.page(KENJI, long_id, 1)))
    fields = whole(shared.shared_fields(message_id, await hall.viewing.fields(KENJI, message_id), 0))

    assert "See the file." in view
    assert "sums.csv (5 bytes)" in view
    assert "1;2;3" not in view
    assert "Page 2 of" in second
    assert "Paragraph 59" not in view
    assert "Subject: With a file" in fields


async def test_what_came_before_is_shown_only_where_history_is_open(hall: Hall) -> None:
    """Its list leaves it out, and so does a press on a button that leads there."""
    before = await hall.mail("Before")
    share = await hall.share(Level.OPEN)
    after = await hall.mail("After")

    listed = [line.message_id for line in (await hall.viewing.listing(KENJI, hall.mailbox_id)).lines]
    with pytest.raises(NotAllowed, match="not_shared"):
        await hall.viewing.page(KENJI, before)
    await hall.end(share)
    await hall.share(Level.OPEN, history=True)

    assert listed == [after]
    assert [line.message_id for line in (await hall.viewing.listing(KENJI, hall.mailbox_id)).lines] == [
        after,
        before,
    ]


async def test_a_single_message_is_all_that_its_share_opens(hall: Hall) -> None:
    """The mailbox is listed for it; nothing else of the mailbox is seen, and nobody manages by it."""
    one, other = await hall.mail("One"), await hall.mail("Other")
    await hall.share(Level.MANAGE, message_id=one)

    (opened,) = (await hall.viewing.shared_with(KENJI)).mailboxes
    listing = await hall.viewing.listing(KENJI, hall.mailbox_id)

    assert opened.is_single
    assert [line.message_id for line in listing.lines] == [one]
    assert "shared_manage" not in whole(shared.shared_listing(listing))
    for call in (hall.viewing.page(KENJI, other), hall.managing.get(KENJI, hall.mailbox_id)):
        with pytest.raises(NotAllowed):
            await call


async def test_mail_of_an_excluded_domain_is_not_there_for_others(hall: Hall) -> None:
    """Not in the list, not by its id, not among the muted senders; its owner reads it as ever."""
    await hall.share(Level.MANAGE)
    hidden = await hall.mail("Secret plans", sender="eve@law.bank.example", body=BODY)
    open_one = await hall.mail("Lunch")
    await hall.grant(replace(EVERYTHING, excluded=frozenset({"bank.example"})))
    await hall.managing.mute(MARTA, hall.mailbox_id, "eve@law.bank.example")
    await hall.managing.mute(MARTA, hall.mailbox_id, "ada@elsewhere.example")

    listing = await hall.viewing.listing(KENJI, hall.mailbox_id)
    with pytest.raises(NotAllowed) as refused:
        await hall.viewing.page(KENJI, hidden)
    _, rules = await hall.managing.muted(KENJI, hall.mailbox_id)

    assert [line.message_id for line in listing.lines] == [open_one]
    assert "Secret plans" not in whole(shared.shared_listing(listing))
    assert refused.value.sentence == SENTENCES[Reason.EXCLUDED]
    assert [rule.label for rule in rules] == ["ada@elsewhere.example"]
    assert (await hall.viewing.page(MARTA, hidden)).page is not None


async def test_pages_lead_on_and_back_and_leave_nothing_out(hall: Hall) -> None:
    """The newest first, each message once, what is hidden in between makes no page shorter."""
    await hall.share(Level.OPEN)
    await hall.grant(replace(EVERYTHING, excluded=frozenset({"bank.example"})))
    shown = []
    for number in range(20):
        sender = "eve@bank.example" if number % 5 == 0 else "ada@elsewhere.example"
        message_id = await hall.mail(f"Mail {number}", sender=sender)
        shown += [message_id] if number % 5 else []

    first = await hall.viewing.listing(KENJI, hall.mailbox_id)
    older = _value(shared.shared_listing(first), "shared_older")
    second = await hall.viewing.listing(KENJI, *shared.turned_to(older))
    newer = _value(shared.shared_listing(second), "shared_newer")
    again = await hall.viewing.listing(KENJI, *shared.turned_to(newer))

    assert [line.message_id for line in (*first.lines, *second.lines)] == shown[::-1]
    assert (len(first.lines), second.before) == (12, None)
    assert again.lines == first.lines


def _value(view: dict[str, Any], action_id: str) -> str:
    """The value of the one button of this kind."""
    buttons = [each for block in view["blocks"] for each in block.get("elements", ()) if "action_id" in each]
    (value,) = [str(each["value"]) for each in buttons if each["action_id"] == action_id]
    return value


async def test_past_its_time_a_message_is_named_no_more(hall: Hall) -> None:
    """The list says that something was there, the message that it is gone; where domains are hidden, neither."""
    await hall.share(Level.OPEN)
    message_id = await hall.mail("Plans")
    hall.clock.push(days=31)
    await hall.stores.messages.purge(hall.clock(), timedelta(days=30))

    listing = whole(shared.shared_listing(await hall.viewing.listing(KENJI, hall.mailbox_id)))
    message = whole(shared.shared_message(await hall.viewing.page(KENJI, message_id)))
    await hall.grant(replace(EVERYTHING, excluded=frozenset({"bank.example"})))

    assert "past its time" in listing
    assert "gone by now" in message
    assert "Plans" not in listing + message
    assert not (await hall.viewing.listing(KENJI, hall.mailbox_id)).lines


async def test_a_message_that_is_not_whole_is_sent_and_not_laid_out(hall: Hall) -> None:
    """Who wrote it about what is shown, and that the rest comes into the DM."""
    await hall.share(Level.OPEN)
    message_id = await hall.message(b"From: Ada <ada@x.example>\r\nSubject: Huge\r\n\r\nstart", Shape.TOP)

    view = whole(shared.shared_message(await hall.viewing.page(KENJI, message_id)))

    assert "Ada: Huge" in view
    assert "too large to be laid out" in view
    assert "shared_send" in view


async def test_a_copy_is_owed_once_to_the_viewer_alone(hall: Hall) -> None:
    """A second press says that it is there already."""
    share = await hall.share(Level.OPEN)
    message_id = await hall.mail("Plans")

    first = await hall.viewing.send_copy(KENJI, message_id)
    second = await hall.viewing.send_copy(KENJI, message_id)

    assert (first.is_new, second.is_new) == (True, False)
    (copy,) = await hall.copies.of_viewer(KENJI)
    assert (copy.message_id, copy.to, copy.share) == (message_id, KENJI, share.id)
    (entry,) = await hall.noted(Act.COPY_SENT)
    assert (entry.actor, entry.owner, entry.subject) == (KENJI.user, MARTA.user, f"message:{message_id}")


@pytest.mark.parametrize(
    "change", ["ended", "demoted", "deactivated", "blocked", "owner gone", "slack silent"]
)
async def test_what_changes_meanwhile_counts_at_the_next_press(hall: Hall, change: str) -> None:
    """List, message, headers and copy of somebody who could a moment ago are refused with the reason."""
    share = await hall.share(Level.OPEN, Audience(AudienceKind.ROLE, Role.MEMBER))
    message_id = await hall.mail("Plans", body=BODY)
    assert (await hall.viewing.page(KENJI, message_id)).page is not None
    hall.clock.push(seconds=10)

    reason = await _change(hall, share, change)

    for call in (
        hall.viewing.page(KENJI, message_id),
        hall.viewing.fields(KENJI, message_id),
        hall.viewing.send_copy(KENJI, message_id),
        hall.viewing.listing(KENJI, hall.mailbox_id),
    ):
        with pytest.raises(NotAllowed) as refused:
            await call
        assert refused.value.sentence == SENTENCES[reason]
    assert not await hall.copies.of_viewer(KENJI)
    assert [entry.actor for entry in await hall.noted(Act.REFUSED)] == [KENJI.user]


async def _change(hall: Hall, share: Share, change: str) -> Reason:
    """Let something happen that the bot does not hear of; why people are refused after it."""
    if change == "ended":
        await hall.end(share)
        return Reason.NOT_SHARED
    if change == "demoted":
        hall.change_role(KENJI, "multi_channel_guest")
        return Reason.NOT_SHARED
    if change == "deactivated":
        hall.change_role(KENJI, "deactivated")
        return Reason.NO_ROLE
    if change == "blocked":
        await hall.grant(replace(EVERYTHING, may_view=False))
        return Reason.BLOCKED
    if change == "owner gone":
        hall.change_role(MARTA, "deactivated")
        return Reason.OWNER_GONE
    hall.clock.push(minutes=10)
    hall.sandbox.faults.add(Fault("users.info", "rate_limited", count=1000))
    return Reason.UNKNOWN


async def test_what_is_not_there_reads_like_what_is_not_shared(hall: Hall) -> None:
    """Nobody learns by pressing which mailboxes and messages there are."""
    message_id = await hall.mail("Plans")

    for call in (
        hall.viewing.page(KENJI, message_id),
        hall.viewing.page(KENJI, "0" * 32),
        hall.viewing.listing(KENJI, hall.mailbox_id),
        hall.viewing.listing(KENJI, "0" * 32),
        hall.managing.get(KENJI, "0" * 32),
    ):
        with pytest.raises(NotAllowed) as refused:
            await call
        assert refused.value.sentence == SENTENCES[Reason.NOT_SHARED]


async def test_a_fixed_grant_opens_from_then_on_without_a_share(hall: Hall) -> None:
    """It is listed like any other, and what the owner chose counts no more."""
    await hall.share(Level.MANAGE, Audience(AudienceKind.PERSON, LUCIA.user))
    fixed = replace(EVERYTHING, kind=GrantKind.FIXED, level=Level.SEE, audience=TO_KENJI)
    await hall.grant(fixed)
    message_id = await hall.mail("Plans")

    (opened,) = (await hall.viewing.shared_with(KENJI)).mailboxes

    assert (opened.level, (await hall.viewing.page(KENJI, message_id)).level) == (Level.SEE, Level.SEE)
    assert not (await hall.viewing.shared_with(LUCIA)).mailboxes


async def test_an_administrator_reads_nothing_by_being_one(hall: Hall) -> None:
    """The primary owner is refused like anybody else, and it is noted."""
    message_id, ines = await hall.mail("Plans"), Person(MARTA.workspace, "U0INES0001")

    with pytest.raises(NotAllowed):
        await hall.viewing.page(ines, message_id)

    assert [entry.actor for entry in await hall.noted(Act.REFUSED)] == [ines.user]
