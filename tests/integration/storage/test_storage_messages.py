"""The store of messages and of UIDs seen."""

from __future__ import annotations

import asyncio
import itertools
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlmodel import col, select

from storage.errors import NotFound, SealBroken
from storage.records import EntryState, Retention, Seen, SeenState, Shape
from storage.tables import ChunkRow, EntryRow, MessageRow
from tests.integration.storage.stores import NEW, NOW, OWNER, PASSWORDS, PROFILE, Stores

if TYPE_CHECKING:
    from storage.records import Claim

MEBIBYTE = 1024 * 1024
KEPT = Seen(SeenState.KEPT, 0, is_settled=False)
ALWAYS = 2**62
"""Whatever is settled is due."""


linux = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="looks into Linux' /proc")


async def settled(stores: Stores, claim: Claim, *uids: bytes) -> None:
    """Keep messages under these UIDs and settle their posts."""
    for uid in uids:
        await stores.keep(claim, uid)
    dm = await stores.dm()
    while entry := await stores.outbox.head(dm):
        dm = await stores.outbox.record(dm, replace(entry, state=EntryState.SETTLED), now=NOW)
    await stores.outbox.release(dm)


async def stored_id(stores: Stores) -> str:
    """The id of the one message there is."""
    async with stores.database.read() as session:
        return (await session.exec(select(MessageRow.id))).one()


@pytest.mark.parametrize("octets", [0, 1, 256 * 1024, 256 * 1024 + 1, 512 * 1024, 3 * MEBIBYTE + 7])
async def test_kept_octets_load_unchanged(stores: Stores, octets: int) -> None:
    """A message of any size comes back octet by octet, with what the server said of it."""
    claim = await stores.claimed()
    content = os.urandom(octets)

    assert await stores.keep(claim, b"u1", content, shape=Shape.TOP, listed_octets=octets + 5)

    message, loaded = await stores.messages.load(await stored_id(stores))
    assert loaded == content
    assert (message.mailbox_id, message.shape, message.received_at) == (claim.mailbox.id, Shape.TOP, NOW)
    assert (message.octets, message.listed_octets) == (octets, octets + 5)


async def test_pieces_of_any_size_make_the_same_message(stores: Stores) -> None:
    """However the network cut it, the message is the same."""
    claim = await stores.claimed()
    content = os.urandom(2 * MEBIBYTE)
    spool = stores.messages.spool(claim)
    cuts = [0, 1, 1, 70_000, 70_001, 1_400_000, len(content)]

    for begin, end in itertools.pairwise(cuts):
        await spool.write(content[begin:end])
    assert spool.octets == len(content)
    await stores.messages.keep(claim, b"u1", spool, shape=Shape.WHOLE, listed_octets=0, now=NOW)
    await spool.close()

    assert (await stores.messages.load(await stored_id(stores)))[1] == content


async def test_keep_is_once_per_uid(stores: Stores) -> None:
    """A UID fetched again, at the same moment or later, is stored and owed once."""
    claim = await stores.claimed()

    kept = await asyncio.gather(*(stores.keep(claim, b"u1") for _ in range(3)))
    later = await stores.keep(claim, b"u1", b"other octets")

    assert (sorted(kept), later) == ([False, False, True], False)
    assert await stores.messages.seen(claim.mailbox.id) == {b"u1": KEPT}
    assert await stores.outbox.waiting(OWNER) == {claim.mailbox.id: 1}


async def test_keep_may_be_repeated_with_the_same_spool(stores: Stores) -> None:
    """After a keep whose outcome nobody knows, the same octets may be kept again."""
    claim = await stores.claimed()
    spool = stores.messages.spool(claim)
    await spool.write(b"octets")

    kept = [
        await stores.messages.keep(claim, b"u1", spool, shape=Shape.WHOLE, listed_octets=6, now=NOW)
        for _ in range(2)
    ]
    await spool.close()

    assert kept == [True, False]
    assert (await stores.messages.load(await stored_id(stores)))[1] == b"octets"


async def test_uids_are_octets(stores: Stores) -> None:
    """UIDs with any octets in them, up to a kilobyte, are told apart by every octet."""
    claim = await stores.claimed()
    uids = [b"a/b", b"A/B", b"\xff\x00\xfe", b" ", b"x" * 1_024, b"x" * 1_023 + b"y"]

    for uid in uids:
        await stores.keep(claim, uid)

    assert set(await stores.messages.seen(claim.mailbox.id)) == set(uids)
    assert set(await stores.messages.seen_among(claim.mailbox.id, [*uids, b"a"])) == set(uids)


async def test_same_uid_in_two_mailboxes_is_two_messages(stores: Stores) -> None:
    """What one mailbox has seen says nothing about another."""
    first = await stores.claimed()
    await stores.keep(first, b"u1")
    second = await stores.claimed(replace(NEW, form_id="form-2"))

    assert await stores.keep(second, b"u1")
    assert await stores.messages.seen_among(second.mailbox.id, [b"u1", b"u2"]) == {b"u1": KEPT}


async def test_failed_ones_are_kept_when_they_come_and_skipped_ones_never(stores: Stores) -> None:
    """A message that failed before is stored; one that its owner said no to while it came is not."""
    claim = await stores.claimed(replace(NEW, skip=(b"old",)))
    assert await stores.messages.note_failure(claim, b"bad", NOW) == 1

    assert not await stores.keep(claim, b"old")
    assert await stores.keep(claim, b"bad")

    seen = await stores.messages.seen(claim.mailbox.id)
    assert seen[b"old"].state is SeenState.SKIPPED
    assert seen[b"bad"].state is SeenState.KEPT


async def test_failures_are_counted(stores: Stores) -> None:
    """Each failed attempt counts, and what is kept already stays kept."""
    claim = await stores.claimed()
    await stores.keep(claim, b"good")

    assert [await stores.messages.note_failure(claim, b"bad", NOW) for _ in range(3)] == [1, 2, 3]
    await stores.messages.note_failure(claim, b"good", NOW)

    seen = await stores.messages.seen(claim.mailbox.id)
    assert seen[b"bad"] == Seen(SeenState.FAILED, 3, is_settled=False)
    assert seen[b"good"].state is SeenState.KEPT


async def test_skip_leaves_known_uids_alone(stores: Stores) -> None:
    """Skipping many UIDs at once changes none that is known."""
    claim = await stores.claimed()
    await stores.keep(claim, b"u5")
    uids = [b"u%d" % number for number in range(1_300)]

    await stores.mailboxes.change(
        OWNER,
        claim.mailbox.id,
        profile=PROFILE,
        passwords=PASSWORDS,
        retention=Retention.LEAVE,
        delete_days=None,
        listing=[b"another"],
        skip=uids,
        now=NOW,
    )

    seen = await stores.messages.seen(claim.mailbox.id)
    assert seen.pop(b"u5") == KEPT
    assert {known.state for known in seen.values()} == {SeenState.SKIPPED}
    assert len(seen) == 1_299


async def test_purge_takes_octets_and_keeps_the_proof(stores: Stores) -> None:
    """Octets go when their time is over; that the message was seen stays known, and younger ones stay."""
    claim = await stores.claimed()
    await settled(stores, claim, *(b"u%d" % number for number in range(60)))
    await stores.keep(claim, b"waiting")
    month = timedelta(days=30)

    early = await stores.messages.purge(NOW + month - timedelta(seconds=1), month)
    limited = await stores.messages.purge(NOW + month, month, limit=55)
    rest = await stores.messages.purge(NOW + month, month)

    assert (early, limited, rest) == (0, 55, 5)
    assert len(await stores.messages.seen(claim.mailbox.id)) == 61
    async with stores.database.read() as session:
        purged = (
            await session.exec(select(MessageRow.id).where(col(MessageRow.purged_at).is_not(None)))
        ).first()
        assert len((await session.exec(select(ChunkRow.message_id))).all()) == 1
    with pytest.raises(NotFound):
        await stores.messages.load(purged or "")


async def test_unknown_message_is_not_found(stores: Stores) -> None:
    """A message nobody stored cannot be loaded."""
    with pytest.raises(NotFound):
        await stores.messages.load("missing")


@pytest.mark.parametrize("fault", ["swap", "drop_first", "drop_last", "cut", "drop_all", "repeat_last"])
async def test_tampered_chunks_are_noticed(stores: Stores, fault: str) -> None:
    """A message whose pieces were reordered, dropped, doubled or cut is not shown as if it were whole."""
    claim = await stores.claimed()
    await stores.keep(claim, b"u1", os.urandom(MEBIBYTE))
    async with stores.database.write() as session:
        chunks = list((await session.exec(select(ChunkRow).order_by(col(ChunkRow.number)))).all())
        message_id, last = chunks[0].message_id, chunks[-1]
        if fault == "swap":
            chunks[0].octets, chunks[1].octets = chunks[1].octets, chunks[0].octets
        elif fault == "cut":
            chunks[1].octets = chunks[1].octets[:-1]
        elif fault == "repeat_last":
            session.add(ChunkRow(message_id=message_id, number=last.number + 1, octets=last.octets))
        for chunk in {"drop_first": chunks[:1], "drop_last": chunks[-1:], "drop_all": chunks}.get(fault, []):
            await session.delete(chunk)

    with pytest.raises(SealBroken):
        await stores.messages.load(message_id)


async def test_chunks_of_another_message_do_not_fit(stores: Stores) -> None:
    """Octets of one message put under another one do not open."""
    claim = await stores.claimed()
    await stores.keep(claim, b"u1", b"first")
    await stores.keep(claim, b"u2", b"other")
    async with stores.database.write() as session:
        first, second = (await session.exec(select(ChunkRow))).all()
        first.octets, second.octets = second.octets, first.octets

    with pytest.raises(SealBroken):
        await stores.messages.load(first.message_id)


async def test_equal_messages_do_not_look_equal(stores: Stores) -> None:
    """Who reads the database cannot tell that two people got the same message."""
    first = await stores.claimed()
    await stores.keep(first, b"u1", b"same")
    second = await stores.claimed(replace(NEW, form_id="form-2"))
    await stores.keep(second, b"u1", b"same")

    async with stores.database.read() as session:
        prints = (await session.exec(select(MessageRow.fingerprint))).all()
    assert len(set(prints)) == 2


async def test_failed_keep_leaves_nothing(stores: Stores) -> None:
    """A keep that breaks off half-way leaves neither UID nor message nor entry."""
    claim = await stores.claimed()
    spool = stores.messages.spool(claim)
    await spool.write(b"octets")
    await spool.finish()
    await spool.close()

    with pytest.raises(ValueError, match="closed"):
        await stores.messages.keep(claim, b"u1", spool, shape=Shape.WHOLE, listed_octets=6, now=NOW)

    assert await stores.messages.seen(claim.mailbox.id) == {}
    async with stores.database.read() as session:
        for table in (MessageRow, EntryRow):
            assert (await session.exec(select(table))).all() == []


@linux
async def test_spool_leaves_no_file(stores: Stores, tmp_path: Path) -> None:
    """A large message under way has no name in the file system, and what is on disk is sealed."""
    claim = await stores.claimed()
    spool = stores.messages.spool(claim)

    await spool.write(b"canary " * MEBIBYTE)

    assert list((tmp_path / "spool").iterdir()) == []
    contents = open_files_below(tmp_path / "spool")
    await spool.close()
    assert sum(map(len, contents)) > MEBIBYTE
    assert not any(b"canary" in content for content in contents)


@linux
async def test_large_message_is_never_in_memory(stores: Stores) -> None:
    """A message of 50 MB costs less than 30 MB on its way into the database."""
    claim = await stores.claimed()
    await stores.keep(claim, b"warm", bytes(4 * MEBIBYTE))
    piece = os.urandom(64 * 1024)
    before = start_of_peak()

    spool = stores.messages.spool(claim)
    for _ in range(50 * 16):
        await spool.write(piece)
    await stores.messages.keep(claim, b"u1", spool, shape=Shape.WHOLE, listed_octets=0, now=NOW)
    await spool.close()

    assert peak_kilobytes() - before < 30_000


def open_files_below(folder: Path) -> list[bytes]:
    """What this process has in open files of a folder, named or not."""
    paths = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]  # noqa: PTH208 - names, not paths
    ours = [
        Path(path) for path in paths if os.path.lexists(path) and str(folder) in str(Path(path).readlink())
    ]
    return [path.read_bytes() for path in ours]


def start_of_peak() -> int:
    """Begin to watch this process' memory; what it holds now, in kilobytes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak_kilobytes()


def peak_kilobytes() -> int:
    """The most memory this process held since the watch began."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
