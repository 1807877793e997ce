"""What is held back: gathered in a digest, let go in time, and once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import text
from sqlmodel import select

from storage.calm import wake
from storage.delivery import FLOOD_WAIT, Calm, Chosen, Delivery, Held
from storage.errors import LeaseLost, NotFound
from storage.records import EntryState, Health, Notice, Person, Retention, SeenState
from storage.tables import DmRow
from tests.integration.storage.stores import LEASE, NEW, NOW, OK, OWNER, PASSWORDS, PROFILE, Stores

if TYPE_CHECKING:
    from datetime import datetime

    from storage.records import Claim, Entry

LATER: Final = NOW + timedelta(hours=1)
LATEST: Final = NOW + timedelta(hours=9)
HOURLY: Final = Calm(Delivery.HOURLY, None, 22, 7)
CHANGE: Final[dict[str, Any]] = {
    "profile": PROFILE,
    "passwords": PASSWORDS,
    "retention": Retention.LEAVE,
    "delete_days": None,
    "listing": None,
    "skip": (),
    "now": NOW,
}


async def holding(stores: Stores, count: int = 3, until: datetime = LATER) -> Claim:
    """A mailbox of which so many messages are held back."""
    claim = replace(await stores.claimed(replace(NEW, calm=HOURLY)), held_until=until)
    for number in range(count):
        assert await stores.keep(claim, b"u%d" % number, b"Subject: %d\r\n\r\n" % number)
    return claim


async def owed(stores: Stores, now: datetime) -> list[Entry]:
    """What is posted of all that is owed now, in order."""
    found: list[Entry] = []
    for _ in range(50):
        dms = await stores.outbox.claim_due(now, lease=LEASE, worker="w", limit=5)
        if not dms:
            return found
        (dm,) = dms
        entry = await stores.head(dm)
        dm = await stores.outbox.record(dm, settled(entry), now=now)
        await stores.outbox.release(dm)
        found.append(entry)
    raise AssertionError("There is no end of it.")


def settled(entry: Entry) -> Entry:
    """The same, in Slack."""
    return replace(entry, state=EntryState.SETTLED, channel="D1", ts=f"{entry.order}.1")


async def words(stores: Stores, entry: Entry) -> str:
    """A message's subject, or what a notice is."""
    if entry.message_id is None:
        assert entry.notice is not None
        return entry.notice.value
    return (await stores.messages.load(entry.message_id))[1].split()[1].decode()


async def test_messages_wait_together_and_come_in_order(stores: Stores) -> None:
    """Nothing before its time; then the digest, and its messages in its thread as they arrived."""
    await holding(stores)

    early = await owed(stores, LATER - timedelta(seconds=1))
    entries = await owed(stores, LATER)

    assert early == []
    assert [await words(stores, entry) for entry in entries] == ["digest", "0", "1", "2"]
    assert [entry.parent for entry in entries] == [None, *[entries[0].id] * 3]
    assert await owed(stores, LATEST) == []


async def test_what_is_held_holds_up_nothing_else(stores: Stores) -> None:
    """Another mailbox's mail in the same DM comes at once, and the digest is let go in its time all the same."""
    await holding(stores)
    other = await stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW)
    claim = await stores.claim(NOW)
    assert claim.mailbox.id == other.id
    await stores.keep(claim, b"now", b"Subject: now\r\n\r\n")

    assert [await words(stores, entry) for entry in await owed(stores, NOW)] == ["now"]
    assert [await words(stores, entry) for entry in await owed(stores, LATER)] == ["digest", "0", "1", "2"]


async def test_a_digest_takes_what_comes_while_it_is_held(stores: Stores) -> None:
    """Nothing overtakes it: also a message that is not to be held joins it; once let go, another one begins."""
    claim = await holding(stores, 1)
    await stores.keep(replace(claim, held_until=None), b"x", b"Subject: x\r\n\r\n")
    await stores.keep(replace(claim, held_until=LATEST), b"y", b"Subject: y\r\n\r\n")
    first = await owed(stores, LATER)
    await stores.keep(replace(claim, held_until=LATEST), b"z", b"Subject: z\r\n\r\n")

    assert [await words(stores, entry) for entry in first] == ["digest", "0", "x", "y"]
    assert await owed(stores, LATER) == []
    assert [await words(stores, entry) for entry in await owed(stores, LATEST)] == ["digest", "z"]


async def test_a_session_that_outlasts_its_hold_gathers_on(stores: Stores) -> None:
    """What comes after the digest was let go is in one more, not in one each."""
    claim = await holding(stores, 1)
    await owed(stores, LATER)
    for uid in (b"x", b"y"):
        await stores.keep(claim, uid, b"Subject: %b\r\n\r\n" % uid, now=LATER)

    assert await owed(stores, LATER) == []
    entries = await owed(stores, LATER + FLOOD_WAIT)
    assert [await words(stores, entry) for entry in entries] == ["digest", "x", "y"]


async def test_a_digest_knows_its_messages(stores: Stores) -> None:
    """How many, and the first of them in order, with their headers."""
    await holding(stores)
    dm = (await stores.outbox.claim_due(LATER, lease=LEASE, worker="w", limit=5))[0]
    entry = await stores.head(dm)

    gathered = await stores.digests.gathered(entry, 2)
    message, octets = await stores.digests.head(gathered.message_ids[1])

    assert (gathered.count, len(gathered.message_ids)) == (3, 2)
    assert octets.startswith(b"Subject: 1\r\n")
    assert message.id == gathered.message_ids[1]


async def test_the_head_of_a_large_message_is_its_first_piece(stores: Stores) -> None:
    """However large it is, a line of a digest takes no more."""
    claim = replace(await stores.claimed(), held_until=LATER)
    await stores.keep(claim, b"u", b"Subject: large\r\n\r\n" + b"x" * 900_000)
    entries = await owed(stores, LATER)

    _, octets = await stores.digests.head(entries[1].message_id or "")

    assert octets.startswith(b"Subject: large")
    assert len(octets) <= 256 * 1024
    with pytest.raises(NotFound):
        await stores.digests.head("nowhere")


async def test_a_dissolved_digest_leaves_its_messages(stores: Stores) -> None:
    """They come by themselves, in order, and before what came after them."""
    claim = await holding(stores)
    dm = (await stores.outbox.claim_due(LATER, lease=LEASE, worker="w", limit=5))[0]
    digest = await stores.head(dm)
    await stores.keep(replace(claim, held_until=None), b"x", b"Subject: x\r\n\r\n")

    await stores.digests.dissolve(dm, digest, LATER)
    await stores.outbox.release(dm)
    entries = await owed(stores, LATER)

    assert [await words(stores, entry) for entry in entries] == ["0", "1", "2", "x"]
    assert [entry.parent for entry in entries] == [None] * 4
    with pytest.raises(LeaseLost):
        await stores.digests.dissolve(dm, digest, LATER)


async def test_the_end_of_a_session_lets_its_flood_go(stores: Stores) -> None:
    """By the claim that held it, and by no other."""
    claim = await holding(stores, 2)
    with pytest.raises(LeaseLost):
        await stores.digests.end_hold(replace(claim, fence=claim.fence + 1), Held(), NOW)
    assert await owed(stores, NOW) == []

    await stores.digests.end_hold(claim, Held(), NOW)

    assert len(await owed(stores, NOW)) == 3


@pytest.mark.parametrize("held", [Held(), Held(LATEST, LATEST)], ids=["let go", "longer"])
async def test_new_settings_hold_or_let_go_at_once(stores: Stores, held: Held) -> None:
    """What is held follows the settings, whole and once; a poll that runs adds nothing by the old ones."""
    claim = await holding(stores)

    changed = await stores.mailboxes.change(
        OWNER, claim.mailbox.id, **CHANGE, chosen=Chosen(Calm(quiet_from=1, quiet_to=2), "Asia/Tokyo", held)
    )

    assert (changed.calm, changed.zone) == (Calm(quiet_from=1, quiet_to=2), "Asia/Tokyo")
    with pytest.raises(LeaseLost):
        await stores.keep(claim, b"late")
    assert len(await owed(stores, LATER)) == (0 if held.mail else 4)
    assert len(await owed(stores, LATEST)) == (4 if held.mail else 0)


async def test_settings_left_alone_leave_what_is_held(stores: Stores) -> None:
    """A new password changes no digest."""
    claim = await holding(stores)

    changed = await stores.mailboxes.change(OWNER, claim.mailbox.id, **CHANGE)

    assert changed.calm == HOURLY
    assert await owed(stores, NOW) == []
    assert len(await owed(stores, LATER)) == 4


async def test_what_is_due_at_this_very_moment_is_put_off_no_further(stores: Stores) -> None:
    """Settings that are saved just when a digest is due let it go."""
    claim = await holding(stores)
    chosen = Chosen(HOURLY, None, Held(LATEST))

    await stores.mailboxes.change(OWNER, claim.mailbox.id, **CHANGE | {"now": LATER}, chosen=chosen)

    assert len(await owed(stores, LATER)) == 4


async def test_a_pause_lets_go_what_is_held(stores: Stores) -> None:
    """A digest to which nothing is added any more is complete."""
    claim = await holding(stores)

    await stores.mailboxes.pause(OWNER, claim.mailbox.id, NOW, Held())

    assert len(await owed(stores, NOW)) == 4


async def test_a_removed_mailbox_drops_what_is_held(stores: Stores) -> None:
    """And leaves nothing that wakes anybody for ever."""
    claim = await holding(stores)

    await stores.holdings.remove(OWNER, claim.mailbox.id, LATER)

    assert await stores.outbox.waiting(OWNER) == {}
    assert await stores.outbox.claim_due(LATEST, lease=LEASE, worker="w", limit=5) == []


async def test_an_alarm_waits_for_the_end_of_quiet_hours(stores: Stores) -> None:
    """With the mail that came before it."""
    claim = await holding(stores, 1, LATEST)
    refused = replace(OK, health=Health.LOGIN_REFUSED, notice=Notice.LOGIN_REFUSED, notice_until=LATEST)

    await stores.mailboxes.finish(claim, refused)

    assert await owed(stores, LATER) == []
    entries = await owed(stores, LATEST)
    assert [await words(stores, entry) for entry in entries] == ["digest", "login_refused", "0"]


async def test_an_all_clear_counts_what_a_digest_gathered(stores: Stores) -> None:
    """It stands in a thread as old mail does, and is new all the same."""
    claim = await stores.claimed()
    refused = replace(OK, health=Health.UNREACHABLE, notice=Notice.UNREACHABLE, due_at=NOW)
    await stores.mailboxes.finish(claim, refused)
    claim = replace(await stores.claim(NOW), held_until=LATER)
    for uid in (b"1", b"2"):
        await stores.keep(claim, uid)
    await stores.mailboxes.finish(claim, replace(OK, notice=Notice.ALL_CLEAR))

    *_, all_clear = await owed(stores, NOW)

    assert all_clear.notice is Notice.ALL_CLEAR
    assert await stores.outbox.caught_up(all_clear) == 2


async def test_what_is_held_counts_as_waiting_and_not_as_overdue(stores: Stores) -> None:
    """The owner is told of it; whoever watches the outbox is not alarmed."""
    claim = await holding(stores)

    assert await stores.outbox.waiting(OWNER) == {claim.mailbox.id: 3}
    assert (await stores.outbox.depth()).entries == 0
    await stores.outbox.claim_due(LATER, lease=LEASE, worker="w", limit=5)
    assert (await stores.outbox.depth()).entries == 4


async def test_nothing_is_settled_before_its_own_post_is(stores: Stores) -> None:
    """The delete setting acts on no message because the digest that names it is in Slack."""
    claim = await holding(stores, 2)
    dm = (await stores.outbox.claim_due(LATER, lease=LEASE, worker="w", limit=5))[0]
    dm = await stores.outbox.record(dm, settled(await stores.head(dm)), now=LATER)
    before = await stores.messages.seen(claim.mailbox.id)
    await stores.outbox.record(dm, settled(await stores.head(dm)), now=LATER)
    after = await stores.messages.seen(claim.mailbox.id)

    assert {uid: row.is_settled for uid, row in before.items()} == {b"u0": False, b"u1": False}
    assert {uid: row.is_settled for uid, row in after.items()} == {b"u0": True, b"u1": False}
    assert {row.state for row in after.values()} == {SeenState.KEPT}


async def test_a_hold_on_the_dm_goes_before(stores: Stores) -> None:
    """What is let go while Slack wants silence waits for its end."""
    await holding(stores)
    await stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW)
    await stores.keep(await stores.claim(NOW), b"now")
    dm = await stores.dm(NOW)
    silence = LATER + timedelta(minutes=1)
    await stores.outbox.record(dm, settled(await stores.head(dm)), now=NOW, held_until=silence)
    await stores.outbox.release(dm)

    assert await owed(stores, LATER) == []
    assert len(await owed(stores, silence)) == 4


# Time zones


async def test_zones_are_asked_for_where_they_matter(stores: Stores) -> None:
    """At once when it is not known, a day later when it is, and never for a mailbox that posts at any time."""
    quiet = Calm(quiet_from=22, quiet_to=7)
    others = [Person("T1", f"U{number}") for number in range(4)]
    for person, calm, zone in zip(
        others, [Calm(), Calm(Delivery.HOURLY), quiet, quiet], [None, None, None, "Asia/Tokyo"], strict=True
    ):
        await stores.mailboxes.add(replace(NEW, owner=person, calm=calm, zone=zone), NOW)

    assert await stores.zones.due(NOW, 10) == [others[2]]
    assert await stores.zones.due(NOW + timedelta(days=1), 10) == [others[2], others[3]]


async def test_a_zone_that_is_learnt_is_kept(stores: Stores) -> None:
    """Of all mailboxes of that person; what is held in one of them waits by the new one."""
    claim = await holding(stores)
    held = {claim.mailbox.id: Held(LATEST, LATEST)}

    await stores.zones.learn(OWNER, "Asia/Tokyo", LATEST, held, NOW)

    assert (await stores.mailbox(claim.mailbox.id)).zone == "Asia/Tokyo"
    assert await stores.zones.due(LATER, 10) == []
    assert await stores.zones.due(LATEST, 10) == [OWNER]
    assert await owed(stores, LATER) == []
    assert len(await owed(stores, LATEST)) == 4


async def test_a_zone_that_slack_does_not_tell_stays(stores: Stores) -> None:
    """It is asked for again, and what is held is not touched."""
    claim = await holding(stores)
    await stores.zones.learn(OWNER, "Asia/Tokyo", NOW, {}, NOW)

    await stores.zones.learn(OWNER, None, LATEST, {}, NOW)

    assert (await stores.mailbox(claim.mailbox.id)).zone == "Asia/Tokyo"
    assert len(await owed(stores, LATER)) == 4


async def test_nothing_joins_a_digest_that_was_let_go_meanwhile(stores: Stores) -> None:
    """A message that is kept while its digest is let go waits with the next one, which nobody has dissolved."""
    claim = await holding(stores, 1)
    async with stores.database.write() as session:
        if stores.database.is_sqlite:  # it has one writer
            await wake(session, LATER)
            keeping = None
        else:
            await session.exec(select(DmRow).with_for_update())
            keeping = asyncio.create_task(stores.keep(replace(claim, held_until=LATEST), b"late"))
            await blocked(stores)
            await wake(session, LATER)
    assert await (keeping or stores.keep(replace(claim, held_until=LATEST), b"late"))

    (digest, message) = await owed(stores, LATER)
    assert digest.notice is Notice.DIGEST
    assert message.parent == digest.id
    (second, late) = await owed(stores, LATEST)
    assert (second.notice, late.parent) == (Notice.DIGEST, second.id)


async def blocked(stores: Stores) -> None:
    """Wait until somebody on this PostgreSQL database waits for a lock."""
    waits = text(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with asyncio.timeout(30):
        while True:
            async with stores.database.read() as session:
                if (await (await session.connection()).execute(waits)).first() is not None:
                    return
            await asyncio.sleep(0.01)
