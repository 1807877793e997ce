"""Shares: opened, lowered and ended in one transaction with all that follows; facts; what viewers page through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import text

from storage.audits import Audits
from storage.errors import NotFound, NotPermitted, StorageBusy, TooMany
from storage.grants import Grants
from storage.records import EntryState, Person, Shape
from storage.shares import MOST_SHARES, MOST_SINGLE, Shares
from storage.sharing import (
    EVERYONE,
    Act,
    Audience,
    AudienceKind,
    Facts,
    Grant,
    GrantKind,
    Level,
    ListedMessage,
    Share,
)
from tests.integration.storage.stores import LATER, NEW, NOW, OWNER, STRANGER, Stores
from tests.integration.storage.test_storage_busy import locked
from tests.integration.storage.test_storage_grants import ADMIN, impatient
from tests.integration.storage.test_storage_grants import yes as agreed
from tests.integration.storage.test_storage_plans import recorded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from storage.records import Claim
    from storage.vault import Vault

BOB: Final = Audience(AudienceKind.PERSON, "U2")
TEAM: Final = Audience(AudienceKind.GROUP, "S1")
ELSEWHERE: Final = Person("T2", "U1")


def yes(_: Facts) -> bool:
    """A judge that always agrees."""
    return True


def no(_: Facts) -> bool:
    """A judge that never does."""
    return False


def share(mailbox_id: str, audience: Audience = BOB, level: Level = Level.OPEN, **kw: Any) -> Share:
    """A share as a use case asks for it."""
    return Share("", mailbox_id, audience, level, **{"created_at": NOW, **kw})


async def acts(stores: Stores) -> list[Act]:
    """What the audit holds, the newest first."""
    return [entry.act for entry in await Audits(stores.database).list("T1", limit=99)]


async def posted(stores: Stores, claim: Claim, uid: bytes, **kw: Any) -> str:
    """A message in Slack; its id."""
    assert await stores.keep(claim, uid, **kw)
    dm = await stores.dm()
    entry = await stores.head(dm)
    done = replace(entry, state=EntryState.SETTLED, channel="D1", ts=f"{entry.order}.1")
    await stores.outbox.release(await stores.outbox.record(dm, done, now=NOW))
    return entry.message_id or ""


# Opening


async def test_a_share_is_kept_whole(stores: Stores) -> None:
    """Every field comes back with the mailbox's facts, under an id of the store's."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    until = NOW + timedelta(days=7)
    channel = Audience(AudienceKind.CHANNEL, "C1")
    wanted = [
        share(claim.mailbox.id, BOB, Level.MANAGE, history=True, until=until),
        share(claim.mailbox.id, channel, Level.SEE, was_private=True),
    ]

    opened = await shares.open(OWNER, wanted, NOW, yes)
    facts = await shares.facts(claim.mailbox.id)

    assert [replace(each, id="") for each in opened] == wanted
    assert len({each.id for each in opened} - {""}) == 2
    assert replace(facts, shares=()) == Facts(claim.mailbox.id, OWNER, None, (), ())
    assert set(facts.shares) == set(opened)


async def test_the_same_audience_has_one_share(stores: Stores) -> None:
    """What is opened to it again is what holds; it keeps its id, and what came since it began stays open."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    (first,) = await shares.open(OWNER, [share(claim.mailbox.id)], NOW, yes)
    again = share(claim.mailbox.id, level=Level.REPLY, created_at=LATER, until=LATER + timedelta(days=1))

    (second,) = await shares.open(OWNER, [again], LATER, yes)

    assert second == replace(again, id=first.id, created_at=NOW)
    assert (await shares.facts(claim.mailbox.id)).shares == (second,)
    newest = (await Audits(stores.database).list("T1", limit=1))[0]
    assert (newest.before, newest.after) == (
        "open, to person:U2",
        "reply, to person:U2, until 2026-11-24T10:30Z",
    )


async def test_a_share_that_is_over_does_not_live_on(stores: Stores) -> None:
    """Opened anew after its end, nothing that came in between is open, though nobody had ended it yet."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    (first,) = await shares.open(OWNER, [share(claim.mailbox.id, until=LATER)], NOW, yes)

    (second,) = await shares.open(OWNER, [share(claim.mailbox.id, created_at=LATER)], LATER, yes)

    assert second.id != first.id
    assert second.created_at == LATER
    assert (await shares.facts(claim.mailbox.id)).shares == (second,)
    assert await acts(stores) == [Act.SHARE_OPENED, Act.SHARE_ENDED, Act.SHARE_OPENED]


async def test_a_message_is_shared_beside_its_mailbox(stores: Stores) -> None:
    """Two shares to the same person, one of them of a single message; one of another mailbox is refused."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    message_id = await posted(stores, claim, b"u1")
    both = [share(claim.mailbox.id), share(claim.mailbox.id, message_id=message_id)]

    opened = await shares.open(OWNER, both, NOW, yes)
    other = await stores.mailboxes.add(replace(NEW, form_id="form-2", make_active=False), NOW)

    assert set((await shares.facts(claim.mailbox.id)).shares) == set(opened)
    for mailbox_id, wrong in ((other.id, message_id), (claim.mailbox.id, "gone")):
        with pytest.raises(NotFound):
            await shares.open(OWNER, [share(mailbox_id, message_id=wrong)], NOW, yes)


async def test_nothing_is_opened_that_the_judge_refuses(stores: Stores) -> None:
    """All or none; the judge is asked about the facts before; no audit entry is left."""
    claim, shares, seen = await stores.claimed(), Shares(stores.database), []
    (first,) = await shares.open(OWNER, [share(claim.mailbox.id)], NOW, yes)

    def judge(facts: Facts) -> bool:
        seen.append(facts.shares)
        return False

    with pytest.raises(NotPermitted):
        await shares.open(STRANGER, [share(claim.mailbox.id, TEAM)], NOW, judge)
    with pytest.raises(NotPermitted):
        await shares.end(first.id, STRANGER, NOW, Act.SHARE_REVOKED, judge)
    for attempt in (
        shares.open(ELSEWHERE, [share(claim.mailbox.id, TEAM)], NOW, yes),
        shares.end(first.id, ELSEWHERE, NOW, Act.SHARE_REVOKED, yes),
        shares.open(OWNER, [share("gone")], NOW, yes),
        shares.end("gone", OWNER, NOW, Act.SHARE_REVOKED, yes),
    ):
        with pytest.raises(NotFound):
            await attempt

    assert seen == [(first,), (first,)]
    assert (await shares.facts(claim.mailbox.id)).shares == (first,)
    assert await acts(stores) == [Act.SHARE_OPENED]


async def test_there_are_only_so_many_shares(stores: Stores) -> None:
    """Of the mailbox, and of single messages; what is over or ended takes no room, and nothing is half opened."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    message_id = await posted(stores, claim, b"u1")
    people = [Audience(AudienceKind.PERSON, f"U{number}") for number in range(MOST_SINGLE + 1)]
    whole = [share(claim.mailbox.id, each) for each in people]
    single = [replace(each, message_id=message_id) for each in whole]
    opened = await shares.open(OWNER, [*whole[:MOST_SHARES], *single[:MOST_SINGLE]], NOW, yes)

    for one_more in (whole[MOST_SHARES], single[MOST_SINGLE]):
        with pytest.raises(TooMany):
            await shares.open(OWNER, [one_more], NOW, yes)

    assert set((await shares.facts(claim.mailbox.id)).shares) == set(opened)
    await shares.open(OWNER, [replace(whole[0], until=LATER)], NOW, yes)
    await shares.open(OWNER, [whole[MOST_SHARES]], LATER, yes)


# Ending and lowering


async def test_a_share_ends_once(stores: Stores) -> None:
    """It is in no facts any more, and ending it again writes nothing."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    (first,) = await shares.open(OWNER, [share(claim.mailbox.id)], NOW, yes)

    ended = [await shares.end(first.id, OWNER, at, Act.SHARE_REVOKED, yes) for at in (NOW, LATER)]

    assert ended == [replace(first, ended_at=NOW)] * 2
    assert (await shares.facts(claim.mailbox.id)).shares == ()
    assert await acts(stores) == [Act.SHARE_REVOKED, Act.SHARE_OPENED]


async def test_a_share_is_only_ever_lowered(stores: Stores) -> None:
    """Lower for good, never raised, ended by NONE; a share that is over or gone is left."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    (first,) = await shares.open(OWNER, [share(claim.mailbox.id, level=Level.REPLY)], NOW, yes)

    cut = [await shares.cut(first.id, level, NOW) for level in (Level.MANAGE, Level.REPLY, Level.SEE)]
    ended = await shares.cut(first.id, Level.NONE, LATER)

    assert cut == [None, None, replace(first, level=Level.SEE)]
    assert ended == replace(first, level=Level.SEE, ended_at=LATER)
    assert await shares.cut(first.id, Level.NONE, LATER) is None
    assert await shares.cut("gone", Level.NONE, LATER) is None
    assert await acts(stores) == [Act.SHARE_ENDED, Act.SHARE_CUT, Act.SHARE_OPENED]


async def test_shares_past_their_end_are_found(stores: Stores) -> None:
    """In their workspace, from the very moment on, until they are ended; meanwhile they are among the facts."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    wanted = [share(claim.mailbox.id, until=LATER), share(claim.mailbox.id, TEAM)]
    first, _ = await shares.open(OWNER, wanted, NOW, yes)

    assert await shares.overdue("T1", LATER - timedelta(seconds=1)) == []
    assert await shares.overdue("T1", LATER) == [first]
    assert await shares.overdue("T2", LATER) == []
    assert first in (await shares.facts(claim.mailbox.id)).shares
    await shares.end(first.id, None, LATER, Act.SHARE_ENDED, yes)
    assert await shares.overdue("T1", LATER) == []


async def test_shares_go_with_what_they_are_of(stores: Stores) -> None:
    """With the message, with the mailbox; then nothing can be read or opened."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    message_id = await posted(stores, claim, b"u1")
    both = [share(claim.mailbox.id), share(claim.mailbox.id, message_id=message_id)]
    whole, _ = await shares.open(OWNER, both, NOW, yes)

    async with stores.database.write() as session:
        await (await session.connection()).execute(text("DELETE FROM message"))
    assert (await shares.facts(claim.mailbox.id)).shares == (whole,)
    await stores.holdings.remove(OWNER, claim.mailbox.id, LATER)

    for call in (shares.facts(claim.mailbox.id), shares.facts_of_message(message_id)):
        with pytest.raises(NotFound):
            await call
    assert await shares.facts_of(OWNER) == await shares.all_facts("T1") == []
    assert await shares.cut(whole.id, Level.SEE, NOW) is None


# Facts


async def test_facts_of_a_message_are_those_of_its_mailbox(stores: Stores) -> None:
    """With the message, kept or not; what its owner keeps out of Slack is not there for others."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    message_id = await posted(stores, claim, b"u1")
    await stores.keep(claim, b"u2")
    dm = await stores.dm()
    muted = await stores.head(dm)
    await stores.outbox.record(dm, replace(muted, state=EntryState.MUTED), now=NOW)

    facts, message = await shares.facts_of_message(message_id)
    await stores.messages.purge(NOW + timedelta(days=31), timedelta(days=30))
    _, purged = await shares.facts_of_message(message_id)

    assert facts == await shares.facts(claim.mailbox.id)
    octets = len(b"Subject: x\r\n\r\nbody\r\n")
    assert message == ListedMessage(message_id, claim.mailbox.id, Shape.WHOLE, octets, octets, NOW)
    assert purged == message
    with pytest.raises(NotFound):
        await shares.facts_of_message(muted.message_id or "")


async def test_what_is_shared_with_an_audience_is_found(stores: Stores) -> None:
    """By a share in force, of the whole or of a message, and by a FIXED grant, which opens all; channels by their ids."""
    claim, shares, grants = await stores.claimed(), Shares(stores.database), Grants(stores.database)
    mailbox_id, message_id = claim.mailbox.id, await posted(stores, claim, b"u1")
    other = await stores.mailboxes.add(replace(NEW, owner=STRANGER, form_id="form-2"), LATER)
    rooms = [Audience(AudienceKind.CHANNEL, f"C{number}") for number in range(4)]
    single = share(mailbox_id, rooms[1], message_id=message_id)
    opened = await shares.open(OWNER, [share(mailbox_id, rooms[0]), share(mailbox_id), single], NOW, yes)
    await grants.set("T1", Grant(EVERYONE, GrantKind.FIXED, Level.SEE, audience=rooms[2]), ADMIN, NOW, agreed)

    async def found(audience: Audience) -> list[str]:
        return [each.mailbox_id for each in await shares.facts_with("T1", audience)]

    assert [await found(room) for room in rooms] == [[mailbox_id], [mailbox_id], [mailbox_id, other.id], []]
    assert await found(BOB) == [mailbox_id]
    assert await shares.channels("T1") == ["C0", "C1", "C2"]
    await shares.end(opened[0].id, OWNER, NOW, Act.SHARE_REVOKED, yes)
    assert await found(rooms[0]) == []
    assert await shares.channels("T1") == ["C1", "C2"]
    assert (await shares.facts_with("T2", BOB), await shares.channels("T2")) == ([], [])


async def test_all_facts_are_of_what_may_be_shared(stores: Stores) -> None:
    """Mailboxes with a share in force; with a FIXED grant, all of the workspace; each as `facts` has it."""
    claim, shares, grants = await stores.claimed(), Shares(stores.database), Grants(stores.database)
    other = await stores.mailboxes.add(replace(NEW, owner=STRANGER, form_id="form-2"), LATER)
    elsewhere = await stores.mailboxes.add(replace(NEW, owner=ELSEWHERE), LATER)
    (first,) = await shares.open(OWNER, [share(claim.mailbox.id)], NOW, yes)

    assert [each.mailbox_id for each in await shares.all_facts("T1")] == [claim.mailbox.id]
    fixed = Grant(EVERYONE, GrantKind.FIXED, Level.SEE, audience=TEAM)
    await grants.set("T1", fixed, ADMIN, NOW, agreed)
    everything = await shares.all_facts("T1")

    assert everything == [await shares.facts(claim.mailbox.id), await shares.facts(other.id)]
    assert await shares.facts_of(OWNER) == everything[:1]
    assert await shares.all_facts("T2") == []
    assert (await shares.facts(elsewhere.id)).grants == ()
    await grants.remove("T1", EVERYONE, ADMIN, NOW, agreed)
    await shares.end(first.id, OWNER, NOW, Act.SHARE_REVOKED, yes)
    assert await shares.all_facts("T1") == []


async def test_facts_are_cheap(stores: Stores) -> None:
    """A mailbox with fifty shares takes no more statements than one with a single share."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    people = [Audience(AudienceKind.PERSON, f"U{number}") for number in range(MOST_SHARES)]
    counts = []

    for some in (people[:1], people[1:]):
        await shares.open(OWNER, [share(claim.mailbox.id, each) for each in some], NOW, yes)
        with recorded(stores.database) as statements:
            facts = await shares.facts(claim.mailbox.id)
        counts.append((len(facts.shares), len(statements)))

    (one, few), (many, as_few) = counts
    assert (one, many) == (1, MOST_SHARES)
    assert as_few == few <= 4


# Messages


async def test_viewers_page_through_what_is_in_slack(stores: Stores) -> None:
    """The newest first, a page after the other; what is muted, refused or still on its way is not among them."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    ids = [await posted(stores, claim, f"u{number}".encode()) for number in range(5)]
    await posted(stores, claim, b"refused", shape=Shape.REFUSED, octets=b"")
    await stores.keep(claim, b"muted")
    dm = await stores.dm()
    muted = replace(await stores.head(dm), state=EntryState.MUTED, ts="9.9")
    await stores.outbox.record(dm, muted, now=NOW)
    await stores.keep(claim, b"waiting")
    await stores.messages.purge(NOW + timedelta(days=31), timedelta(days=30))

    first = await shares.messages(claim.mailbox.id, 2)
    second = await shares.messages(claim.mailbox.id, 9, before=first[-1].id)

    assert [each.id for each in (*first, *second)] == ids[::-1]
    assert await shares.messages("gone", 9) == []


@pytest.mark.parametrize(
    "method",
    ["open", "end", "cut", "facts", "facts_of_message", "facts_of", "all_facts", "overdue", "messages"],
)
async def test_a_locked_database_is_busy(
    database_url: str, vault: Vault, tmp_path: Path, method: str
) -> None:
    """While another process holds the database every method says busy; afterwards it works."""
    async with impatient(database_url) as database:
        stores, shares = Stores.on(database, vault, tmp_path), Shares(database)
        claim = await stores.claimed()
        message_id = await posted(stores, claim, b"u1")
        (first,) = await shares.open(OWNER, [share(claim.mailbox.id)], NOW, yes)
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "open": lambda: shares.open(OWNER, [share(claim.mailbox.id, TEAM)], NOW, yes),
            "end": lambda: shares.end(first.id, OWNER, NOW, Act.SHARE_REVOKED, yes),
            "cut": lambda: shares.cut(first.id, Level.SEE, NOW),
            "facts": lambda: shares.facts(claim.mailbox.id),
            "facts_of_message": lambda: shares.facts_of_message(message_id),
            "facts_of": lambda: shares.facts_of(OWNER),
            "all_facts": lambda: shares.all_facts("T1"),
            "overdue": lambda: shares.overdue("T1", NOW),
            "messages": lambda: shares.messages(claim.mailbox.id, 5),
        }

        async with locked(database_url):
            if method in {"open", "end", "cut"} or not database.is_sqlite:  # SQLite's readers wait for nobody
                with pytest.raises(StorageBusy):
                    await calls[method]()

        await calls[method]()
