"""Copies, tellings and withdrawals as the stores keep them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy

from storage.audits import Audits
from storage.copied import Telling, TellingKind, WithdrawalState
from storage.copies import Copies
from storage.errors import LeaseLost, NotFound, NotPermitted
from storage.records import EntryState, Notice, Person
from storage.shares import Shares
from storage.sharing import Act, Audience, AudienceKind, Level, Share
from storage.spreading import Spreading
from storage.statements import plain
from storage.tables import DmRow, EntryRow
from storage.tellings import Tellings, tell
from storage.withdrawals import Withdrawals
from storage.withdrawing import withdraw_copies
from tests.integration.storage.stores import EVER, LATER, NEW, NOW, OWNER, Stores

if TYPE_CHECKING:
    from storage.records import Claim, Dm

VIEWER = Person("T1", "U7")
CHANNEL = Person("T1", "C1")


def anybody(_: object) -> bool:
    """A judge who lets everybody."""
    return True


def nobody(_: object) -> bool:
    """A judge who lets nobody."""
    return False


async def kept(stores: Stores) -> tuple[Claim, list[str]]:
    """A mailbox with two messages whose posts are in Slack."""
    claim = await stores.claimed()
    for number in range(2):
        assert await stores.keep(claim, str(number).encode())
    dm = await stores.dm()
    for number in range(2):
        entry = await stores.head(dm)
        settled = replace(entry, state=EntryState.SETTLED, channel="D1", ts=f"{number}.1")
        await stores.outbox.record(dm, settled, now=NOW)
    await stores.outbox.release(dm)
    found = await Shares(stores.database).messages(claim.mailbox.id, 9)
    return claim, [message.id for message in reversed(found)]


async def opened(stores: Stores, audience: Audience, message_id: str | None = None) -> Share:
    """A share of the one mailbox, begun before its messages came."""
    (mailbox,) = await stores.mailboxes.of(OWNER)
    new = Share("", mailbox.id, audience, Level.OPEN, NOW - timedelta(hours=1), message_id=message_id)
    (share,) = await Shares(stores.database).open(OWNER, [new], NOW, anybody)
    return share


async def claimed_dm(stores: Stores, person: Person) -> Dm:
    """The DM of one person, claimed; the others too, and let be."""
    dms = await stores.outbox.claim_due(LATER, lease=timedelta(minutes=2), worker="w", limit=10)
    return next(dm for dm in dms if dm.owner == person)


async def owed(stores: Stores, to: Person, share: str = "") -> str:
    """A copy of the newest message."""
    claim, ids = await kept(stores)
    return await Copies(stores.database).owe(claim.mailbox.id, ids[-1], to, NOW, anybody, share=share)


async def test_a_copy_is_owed_once_until_it_is_called_back(stores: Stores) -> None:
    """Asked for again it is the same; called back, it is another one."""
    copies, entry_id = Copies(stores.database), await owed(stores, VIEWER)
    copy = await copies.get(entry_id)

    assert await copies.owe(copy.mailbox_id, copy.message_id, VIEWER, NOW, anybody) == entry_id
    assert await copies.withdraw([entry_id], NOW) == 1
    assert await copies.withdraw([entry_id], NOW) == 0
    again = await copies.owe(copy.mailbox_id, copy.message_id, VIEWER, NOW, anybody)

    assert again != entry_id
    assert [found.entry_id for found in await copies.of_viewer(VIEWER)] == [again]
    assert await copies.of_mailbox(copy.mailbox_id) == await copies.of_viewer(VIEWER)


async def test_both_sides_of_a_copy_are_laid_open_to_them(stores: Stores) -> None:
    """The owner and whoever it was for find it in what is stored about them, and what they were told; nobody else does."""
    await owed(stores, VIEWER)
    await opened(stores, Audience(AudienceKind.PERSON, VIEWER.user))

    owner, viewer, other = [
        (await stores.holdings.dossier(each, 9)).named for each in (OWNER, VIEWER, Person("T2", VIEWER.user))
    ]

    assert [copy.to for copy in owner.copies] == [copy.to for copy in viewer.copies] == [VIEWER.user]
    assert [(told.kind, told.who, told.level) for told in viewer.told] == [
        (TellingKind.SHARED_WITH_YOU, OWNER.user, Level.OPEN)
    ]
    assert (owner.told, other.copies, other.told) == ((), (), ())


async def test_what_the_judge_forbids_is_not_owed(stores: Stores) -> None:
    """Nothing is written, and nothing can be owed of what is not there."""
    claim, ids = await kept(stores)
    copies = Copies(stores.database)

    with pytest.raises(NotPermitted):
        await copies.owe(claim.mailbox.id, ids[0], VIEWER, NOW, nobody)
    with pytest.raises(NotFound):
        await copies.owe(claim.mailbox.id, "none", VIEWER, NOW, anybody)
    with pytest.raises(NotFound):
        await copies.owe("none", ids[0], VIEWER, NOW, anybody)
    assert await copies.of_viewer(VIEWER) == []


async def test_a_channel_is_posted_into_by_its_id(stores: Stores) -> None:
    """No DM is opened for it: its id stands in place of a DM's."""
    entry_id = await owed(stores, CHANNEL)

    dm = await claimed_dm(stores, CHANNEL)

    assert dm.channel == "C1"
    entry = await stores.head(dm)
    assert (entry.id, entry.notice, entry.message_id) == (entry_id, Notice.COPY, None)


@pytest.mark.parametrize(
    ("state", "ts", "is_there"),
    [
        (EntryState.WAITING, None, False),
        (EntryState.POSTING, None, True),
        (EntryState.POSTED, "5.1", True),
        (EntryState.FILING, "5.1", True),
        (EntryState.SETTLED, "5.1", True),
        (EntryState.GIVEN_UP, None, False),
        (EntryState.GIVEN_UP, "5.1", True),
    ],
)
async def test_what_may_be_in_slack_is_called_back(
    stores: Stores, state: EntryState, ts: str | None, *, is_there: bool
) -> None:
    """From every state; what no answer came to is looked for when it cannot arrive any more."""
    await owed(stores, VIEWER)
    dm = await claimed_dm(stores, VIEWER)
    lookup = NOW + timedelta(minutes=1) if state in {EntryState.POSTING, EntryState.FILING} else None
    entry = replace(
        await stores.head(dm), state=state, ts=ts, channel="D7", intended_at=NOW, lookup_after=lookup
    )
    await stores.outbox.record(dm, entry, now=NOW)

    await Copies(stores.database).withdraw([entry.id], NOW)

    found = await Withdrawals(stores.database).due(LATER, 9)
    assert [(each.entry_id, each.ts, each.state) for each in found] == [
        (entry.id, ts, WithdrawalState.ASKED)
    ] * is_there
    at_once = await Withdrawals(stores.database).due(NOW, 9)
    assert len(at_once) == (is_there and ts is not None)


async def test_whoever_delivers_a_copy_that_ends_loses_the_lease(stores: Stores) -> None:
    """What Slack answers them afterwards is not recorded, and no file follows."""
    entry_id = await owed(stores, VIEWER)
    dm = await claimed_dm(stores, VIEWER)
    entry = await stores.head(dm)

    await Copies(stores.database).withdraw([entry_id], NOW)

    with pytest.raises(LeaseLost):
        await stores.outbox.record(dm, replace(entry, state=EntryState.POSTED, ts="5.1"), now=NOW)
    assert await stores.outbox.waiting(VIEWER) == {}


async def test_the_end_of_a_share_ends_its_copies_alone(stores: Stores) -> None:
    """And those for viewers that name no share; those of another share stay."""
    claim, ids = await kept(stores)
    copies, shares = Copies(stores.database), Shares(stores.database)
    one = await opened(stores, Audience(AudienceKind.PERSON, "U7"))
    two = await opened(stores, Audience(AudienceKind.PERSON, "U8"))
    await copies.owe(claim.mailbox.id, ids[0], VIEWER, NOW, anybody, share=one.id)
    await copies.owe(claim.mailbox.id, ids[1], VIEWER, NOW, anybody)
    kept_one = await copies.owe(claim.mailbox.id, ids[0], Person("T1", "U8"), NOW, anybody, share=two.id)

    await shares.end(one.id, OWNER, NOW, Act.SHARE_REVOKED, anybody)

    assert [copy.entry_id for copy in await copies.of_mailbox(claim.mailbox.id)] == [kept_one]


async def test_a_withdrawal_outlives_mailbox_and_owner(stores: Stores) -> None:
    """Erased as a whole, what stands in Slack is still called back; it names nobody then."""
    await owed(stores, VIEWER)
    dm = await claimed_dm(stores, VIEWER)
    entry = replace(await stores.head(dm), state=EntryState.SETTLED, ts="5.1", channel="D7")
    await stores.outbox.record(dm, entry, now=NOW)

    await stores.holdings.erase(OWNER, LATER, LATER)

    withdrawals = Withdrawals(stores.database)
    (row,) = await withdrawals.due(LATER + timedelta(days=400), 9)
    await withdrawals.record([replace(row, state=WithdrawalState.LOST)], LATER)
    assert await withdrawals.due(EVER, 9) == []
    dms = await stores.outbox.claim_due(LATER, lease=timedelta(minutes=2), worker="w", limit=10)
    assert OWNER not in {each.owner for each in dms}


async def test_who_erases_everything_loses_what_was_posted_to_them(stores: Stores) -> None:
    """No entry names them any more; the posts are called back."""
    await owed(stores, VIEWER)
    dm = await claimed_dm(stores, VIEWER)
    entry = replace(await stores.head(dm), state=EntryState.SETTLED, ts="5.1", channel="D7")
    await stores.outbox.record(dm, entry, now=NOW)

    await stores.holdings.erase(VIEWER, LATER, LATER)

    assert len(await Withdrawals(stores.database).due(EVER, 9)) == 1
    query: Any = sqlalchemy.select(plain(EntryRow).c.id).where(plain(EntryRow).c.owner == VIEWER.user)
    async with stores.database.read() as session:
        assert (await session.exec(query)).all() == []


async def test_a_batch_is_reported_once_all_of_it_is_done(stores: Stores) -> None:
    """The audit counts posts, the owner is told of those that could not be called back."""
    claim, ids = await kept(stores)
    copies, withdrawals = Copies(stores.database), Withdrawals(stores.database)
    for message_id in ids:
        await copies.owe(claim.mailbox.id, message_id, CHANNEL, NOW, anybody)
    dm = await claimed_dm(stores, CHANNEL)
    for _ in ids:
        entry = replace(await stores.head(dm), state=EntryState.SETTLED, ts="5.1", channel="C1")
        await stores.outbox.record(dm, entry, now=NOW)
    async with stores.database.write() as session:
        assert await withdraw_copies(stores.database, session, mailbox_id=claim.mailbox.id, now=NOW) == 2
    one, two = await withdrawals.due(LATER, 9)

    await withdrawals.record([replace(one, state=WithdrawalState.GONE)], NOW)
    assert await Audits(stores.database).list("T1", act=Act.COPIES_WITHDRAWN, limit=9) == []
    await withdrawals.record([replace(two, state=WithdrawalState.LOST)], NOW)

    (said,) = await Audits(stores.database).list("T1", act=Act.COPIES_WITHDRAWN, limit=9)
    assert (said.before, said.after) == ("2 posts", "1 called back, 1 not called back")
    told = await stores.head(await claimed_dm(stores, OWNER))
    assert told.notice is Notice.TOLD
    assert (await Tellings(stores.database).get(told.id))[1].count == 1


async def test_nobody_is_told_the_same_of_a_share_twice(stores: Stores) -> None:
    """Of one kind, share and level; what is about no share is told each time."""
    shared = Telling(TellingKind.SHARED_WITH_YOU, "U1", Level.OPEN, share_id="s1")
    other = Telling(TellingKind.MAILBOX_LIFTED)

    async with stores.database.write() as session:
        told = [
            await tell(stores.database, session, VIEWER, "m1", each, now=NOW)
            for each in (shared, shared, other, other)
        ]

    assert told == [True, False, True, True]
    entry = await stores.head(await claimed_dm(stores, VIEWER))
    assert await Tellings(stores.database).get(entry.id) == ("m1", shared)


async def test_new_mail_of_a_shared_mailbox_is_found_for_its_channel(stores: Stores) -> None:
    """Each message once for ever, called back or not; one single message too, whenever it came."""
    _, ids = await kept(stores)
    share = await opened(stores, Audience(AudienceKind.CHANNEL, "C1"))
    single = await opened(stores, Audience(AudienceKind.CHANNEL, "C2"), ids[0])
    spreading, copies = Spreading(stores.database), Copies(stores.database)

    fresh = await spreading.fresh(LATER)
    assert [(each.message_id, each.to.user, each.share) for each in fresh] == [
        (ids[0], "C1", share.id),
        (ids[1], "C1", share.id),
        (ids[0], "C2", single.id),
    ]
    assert await copies.spread(fresh, NOW) == 3
    await copies.withdraw([copy.entry_id for copy in await copies.of_viewer(CHANNEL)], NOW)

    assert await spreading.fresh(LATER) == []
    assert await copies.spread(fresh, NOW) == 0


async def test_a_share_that_is_over_brings_nothing(stores: Stores) -> None:
    """Ended, past its end, or a day old: no message is found."""
    await kept(stores)
    share = await opened(stores, Audience(AudienceKind.CHANNEL, "C1"))
    spreading = Spreading(stores.database)
    assert await spreading.fresh(NOW + timedelta(days=400)) == []

    await Shares(stores.database).end(share.id, OWNER, NOW, Act.SHARE_REVOKED, anybody)

    assert await spreading.fresh(LATER) == []


async def test_old_mail_comes_into_no_channel(stores: Stores) -> None:
    """What is brought bit by bit is no news."""
    new = replace(NEW, old=(b"0",))
    claim = await stores.claimed(new)
    assert await stores.keep(claim, b"0")
    dm = await stores.dm()
    for number in range(2):
        settled = replace(await stores.head(dm), state=EntryState.SETTLED, channel="D1", ts=f"{number}.1")
        await stores.outbox.record(dm, settled, now=NOW)
    await opened(stores, Audience(AudienceKind.CHANNEL, "C1"))

    assert await Spreading(stores.database).fresh(LATER) == []


async def test_mail_for_a_granted_channel_is_found(stores: Stores) -> None:
    """Of the mailboxes that are named, from the time of the grant on."""
    claim, ids = await kept(stores)
    spreading = Spreading(stores.database)

    found = await spreading.fresh_of([claim.mailbox.id], CHANNEL, NOW, NOW)

    assert [each.message_id for each in found] == ids
    assert await spreading.fresh_of([claim.mailbox.id], CHANNEL, LATER, NOW) == []
    assert await spreading.owners("T1", NOW) == {}


async def test_a_copy_that_nobody_can_judge_waits_apart(stores: Stores) -> None:
    """It holds up nothing else in its DM, and comes again at its time."""
    await owed(stores, VIEWER)
    dm = await claimed_dm(stores, VIEWER)
    entry = await stores.head(dm)

    await Copies(stores.database).put_off(dm, entry, LATER, NOW)

    assert await stores.outbox.head(dm) is None
    await stores.outbox.release(dm)
    assert (await stores.head(await claimed_dm(stores, VIEWER))).id == entry.id
    query: Any = sqlalchemy.select(plain(DmRow).c.wake_at).where(plain(DmRow).c.owner == VIEWER.user)
    async with stores.database.read() as session:
        assert (await session.exec(query)).scalars().one() is None
