"""How mail that was sent ends: purged, exported, removed, erased; and that nobody reads it from the tables."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
import sqlalchemy

from bot.exported import exported
from storage.audits import ERASED, Audits
from storage.counting import AttemptKind, Counted, Limit
from storage.database import Database
from storage.errors import NotFound, SealBroken
from storage.letters import key_of, opened_letter
from storage.outgoing_rows import row_of
from storage.records import Notice
from storage.sending import OutgoingState, RecipientState, Tried, Trouble
from storage.sending_tables import OutgoingChunkRow, OutgoingPostRow, OutgoingRow, WrittenDomainRow
from storage.sharing import Act, Suspension
from storage.statements import plain, update_rows
from storage.suspension import Suspensions
from tests.integration.storage.outgoing_scene import (
    ACTOR,
    ADA,
    BOB,
    DUE,
    HELD,
    LETTER,
    NEW_MAIL,
    SENT,
    Scene,
    anybody,
)
from tests.integration.storage.stores import LATER, NEW, NOW, OWNER, Stores
from tests.integration.storage.test_storage_canary import everything_below, found_in

if TYPE_CHECKING:
    from pathlib import Path

    from storage.vault import Vault

KEEP: Final = timedelta(days=30)
TABLES: Final = (OutgoingRow, OutgoingChunkRow, OutgoingPostRow, WrittenDomainRow)
CANARIES: Final = [f"zaunkoenig{number:02}pfeift" for number in range(7)]
ADDRESS, DOMAIN, SUBJECT, TEXT, FILE, DRAFT, MESSAGE_ID = CANARIES


@pytest.fixture
async def scene(stores: Stores, vault: Vault) -> Scene:
    """A mailbox that sends."""
    return await Scene.on(stores, vault)


async def rows(scene: Scene) -> list[int]:
    """How many rows each table of mail that is sent has."""
    found = []
    async with scene.database.read() as session:
        for table in TABLES:
            query: Any = sqlalchemy.select(sqlalchemy.func.count()).select_from(plain(table))
            found.append(int((await session.exec(query)).scalar_one()))
    return found


# Purging


async def test_what_ended_long_ago_says_nothing_any_more(scene: Scene) -> None:
    """Letter and octets go a month after its end; that there was a mail stays, and what waits stays whole."""
    old = await scene.sent("f1")
    waits = await scene.save("f2", DUE + timedelta(minutes=1))

    assert await scene.outgoings.purge(DUE + KEEP - timedelta(seconds=1), KEEP) == 0
    assert await scene.outgoings.purge(DUE + KEEP, KEEP) == 1
    assert await scene.outgoings.purge(DUE + KEEP, KEEP) == 0

    assert await scene.outgoings.get(OWNER, old.id) == replace(old, letter=None)
    assert (await scene.outgoings.get(OWNER, waits.id)).letter == waits.letter
    assert (await rows(scene))[1] == 1
    assert await scene.submissions.octets(await scene.claimed(LATER)) == NEW_MAIL.octets


async def test_what_is_past_its_time_is_not_sent_again(scene: Scene) -> None:
    """There is nothing to send any more."""
    mail = await scene.sent(tried=replace(SENT, state=OutgoingState.UNKNOWN))
    await scene.outgoings.purge(DUE + KEEP, KEEP)

    with pytest.raises(NotFound):
        await scene.outgoings.send_again(OWNER, mail.id, LATER, anybody)


async def test_a_purge_takes_no_more_than_it_is_told(scene: Scene) -> None:
    """The rest follows with the next."""
    for number in range(3):
        await scene.outgoings.undo(OWNER, (await scene.save(f"f{number}")).id, NOW)

    counts = [await scene.outgoings.purge(NOW + KEEP, KEEP, limit=2) for _ in range(3)]

    assert counts == [2, 1, 0]


# Told and forgotten


async def test_an_export_lists_what_was_sent_and_to_whom(scene: Scene) -> None:
    """By the person, and from their mailboxes; not what it says."""
    other = await scene.stores.mailboxes.add(replace(NEW, owner=ACTOR, form_id="form-2"), NOW)
    await scene.sent("f1")
    await scene.save("f2", actor=ACTOR)
    theirs = replace(scene.new("f3"), mailbox_id=other.id, actor=ACTOR)
    await scene.outgoings.save(theirs, NOW, anybody)

    of_owner, of_actor = [(await scene.stores.holdings.dossier(person, 9)).sent for person in (OWNER, ACTOR)]

    assert [(sent.actor, sent.state) for sent in of_owner] == [("U7", "waiting"), ("U1", "sent")]
    assert [sent.mailbox_id for sent in of_actor] == [other.id, scene.mailbox.id]
    dossier = await scene.stores.holdings.dossier(OWNER, 9)
    file = exported(OWNER, await scene.stores.mailboxes.of(OWNER), dossier, NOW)
    assert json.loads(file)["sent"][1]["recipients"] == [
        {"address": "ada@y.example", "field": "to", "state": "taken"},
        {"address": "bob@z.example", "field": "bcc", "state": "taken"},
    ]
    assert not [word for word in (b"At noon?", b"menu.pdf", b"m1@") if word in file]


async def test_what_is_held_counts_mail_that_was_sent(scene: Scene) -> None:
    """Of a mailbox and of a person, and how much of it waits."""
    await scene.sent("f1")
    await scene.save("f2", actor=ACTOR)

    of_mailbox = await scene.stores.holdings.count(OWNER, scene.mailbox.id)
    of_owner, of_actor = [await scene.stores.holdings.count(person) for person in (OWNER, ACTOR)]

    assert (of_mailbox.sent, of_mailbox.unsent) == (of_owner.sent, of_owner.unsent) == (2, 1)
    assert (of_actor.sent, of_actor.unsent, bool(of_actor)) == (1, 1, True)


@pytest.mark.parametrize("how", ["remove", "erase"])
async def test_a_mailbox_takes_all_of_it_along(scene: Scene, how: str) -> None:
    """Letters, octets, posts and domains; also what others sent from it, and what they were told of that."""
    await scene.sent("f1")
    await scene.save("f2", actor=ACTOR, octets=b"x" * 600_000)

    if how == "remove":
        await scene.stores.holdings.remove(OWNER, scene.mailbox.id, LATER)
    else:
        await scene.stores.holdings.erase(OWNER, LATER, LATER)

    assert await rows(scene) == [0, 0, 0, 0]
    assert await scene.entries(ACTOR) == []


@pytest.mark.parametrize("is_held", [False, True])
async def test_what_waits_for_nobody_to_act_ends_some_day(scene: Scene, *, is_held: bool) -> None:
    """A refused password, or a suspension, that nobody ends keeps no letter for ever; its sender is told once."""
    saved = await scene.save()
    await scene.posted()
    if is_held:
        await scene.submissions.settle(await scene.claimed(), HELD, DUE)
    else:
        await Suspensions(scene.database).suspend(
            "T1", scene.mailbox.id, Suspension.ADMINISTRATOR, ACTOR, NOW, anybody
        )

    await scene.outgoings.purge(NOW + KEEP - timedelta(minutes=1), KEEP)
    assert (await scene.outgoings.get(OWNER, saved.id)).finished_at is None
    for _ in range(2):
        await scene.outgoings.purge(NOW + KEEP, KEEP)

    found = await scene.outgoings.get(OWNER, saved.id)
    assert (found.state, found.trouble) == (OutgoingState.FAILED, Trouble.TOO_LONG)
    told = [entry for entry in await scene.entries() if entry.notice == Notice.OUTGOING_NEWS]
    assert len(told) == 1
    await scene.outgoings.purge(NOW + 2 * KEEP, KEEP)
    assert (await scene.outgoings.get(OWNER, saved.id)).letter is None


async def test_an_erased_sender_is_taken_out(scene: Scene) -> None:
    """What waits is not sent, no letter of theirs stays, and the owner still sees that mail went out."""
    sent, waits = await scene.save("f1", actor=ACTOR), await scene.save("f2", actor=ACTOR)
    submission = await scene.claimed()
    await scene.submissions.intend(submission, DUE, anybody)
    await scene.submissions.settle(submission, SENT, DUE)
    mine = await scene.save("f3")

    await scene.stores.holdings.erase(ACTOR, LATER, LATER)

    found = [await scene.outgoings.get(OWNER, each.id) for each in (sent, waits)]
    assert [each.state for each in found] == [OutgoingState.SENT, OutgoingState.UNDONE]
    assert {(each.actor.user, each.letter) for each in found} == {(ERASED, None)}
    assert await scene.outgoings.get(OWNER, mine.id) == mine
    assert await scene.entries(ACTOR) == []
    acts = await Audits(scene.database).list("T1", act=Act.SENT, limit=9)
    assert [entry.actor for entry in acts] == [ERASED]
    assert not await scene.stores.holdings.count(ACTOR)
    with pytest.raises(NotFound):
        await scene.outgoings.get(ACTOR, sent.id)


async def test_whoever_waits_for_an_answer_still_gets_it(scene: Scene) -> None:
    """A mail that is just going out is settled although who sent it was erased."""
    await scene.save(actor=ACTOR)
    submission = await scene.claimed()
    await scene.submissions.intend(submission, DUE, anybody)

    await scene.stores.holdings.erase(ACTOR, LATER, LATER)

    settled = await scene.submissions.settle(submission, SENT, DUE)
    assert (settled.state, settled.actor.user) == (OutgoingState.SENT, ERASED)


@pytest.mark.parametrize("how", ["answered", "refused for now", "never answered"])
async def test_no_letter_stays_of_a_sender_who_was_erased_while_it_went_out(scene: Scene, how: str) -> None:
    """However that ended; and nothing is tried again for somebody who is not there any more."""
    await scene.save(actor=ACTOR)
    submission = await scene.claimed()
    await scene.submissions.intend(submission, DUE, anybody)

    await scene.stores.holdings.erase(ACTOR, LATER, LATER)
    if how == "never answered":
        await scene.submissions.release("w1", DUE)
    else:
        later = Tried(OutgoingState.WAITING, (ADA, BOB), LATER, Trouble.RECIPIENTS_REFUSED)
        await scene.submissions.settle(submission, SENT if how == "answered" else later, DUE)

    found = await scene.outgoings.get(OWNER, submission.outgoing.id)
    states = {"answered": OutgoingState.SENT, "never answered": OutgoingState.UNKNOWN}
    assert found.state is states.get(how, OutgoingState.FAILED)
    assert (found.actor.user, found.letter) == (ERASED, None)
    assert (await rows(scene))[1] == 0


async def test_what_is_counted_of_mail_is_forgotten_too(scene: Scene) -> None:
    """Mails and recipients of a person count for an hour, or until they have everything erased."""
    attempts, hour = scene.stores.attempts, timedelta(hours=1)
    who = (ACTOR.workspace, ACTOR.user)
    mails, recipients = (
        Counted(Limit(kind, 5, hour), who) for kind in (AttemptKind.SENT, AttemptKind.SENT_TO)
    )
    await attempts.take([mails, replace(recipients, times=4)], NOW)
    assert (await scene.stores.holdings.count(ACTOR)).others == 2
    assert (await scene.stores.holdings.dossier(ACTOR, 9)).tests == 0

    await scene.stores.holdings.erase(ACTOR, LATER, LATER)

    assert isinstance(await attempts.take([replace(recipients, times=5)], NOW), dict)


# Seals


async def test_sealed_octets_open_in_their_own_place_only(scene: Scene) -> None:
    """Moved to another mail, or in another order, they open for nobody."""
    one = await scene.save("f1", octets=b"a" * 600_000)
    two = await scene.save("f2", NOW + timedelta(seconds=1), octets=b"b" * 600_000)
    chunk, row = plain(OutgoingChunkRow).c, plain(OutgoingRow).c
    async with scene.database.write() as session:
        query: Any = sqlalchemy.select(chunk.number, chunk.octets).where(chunk.outgoing_id == one.id)
        pieces = dict((await session.exec(query)).all())
        first = (chunk.outgoing_id == two.id) & (chunk.number == 0)
        await update_rows(session, OutgoingChunkRow, first, {"octets": pieces[0]})
        swapped = (chunk.outgoing_id == one.id) & (chunk.number == 1)
        await update_rows(session, OutgoingChunkRow, swapped, {"octets": pieces[0]})
        letter: Any = sqlalchemy.select(row.letter).where(row.id == one.id)
        moved = (await session.exec(letter)).scalar_one()
        found = await row_of(session, two.id)

    submission = await scene.claimed()
    with pytest.raises(SealBroken):
        await scene.submissions.octets(submission)
    with pytest.raises(SealBroken):
        await scene.submissions.octets(replace(submission, outgoing=two))
    with pytest.raises(SealBroken):
        opened_letter(key_of(scene.vault, found), "T1", two.id, moved)


async def test_octets_that_were_cut_do_not_open(scene: Scene) -> None:
    """The last piece says that it is the last."""
    await scene.save(octets=b"a" * 600_000)
    submission = await scene.claimed()
    chunk = plain(OutgoingChunkRow).c
    async with scene.database.write() as session:
        await session.exec(sqlalchemy.delete(plain(OutgoingChunkRow)).where(chunk.number == 2))

    with pytest.raises(SealBroken):
        await scene.submissions.octets(submission)


async def test_nothing_of_a_mail_stands_in_clear(sqlite_url: str, vault: Vault, tmp_path: Path) -> None:
    """No address, domain, subject, text, file name, draft or Message-ID in the database's files."""
    database = await Database.open(sqlite_url)
    scene = await Scene.on(Stores.on(database, vault, tmp_path), vault)
    ada = replace(LETTER.recipients[0], address=f"{ADDRESS}@{DOMAIN}.example")
    letter = replace(
        LETTER, message_id=f"<{MESSAGE_ID}@x>", recipients=(ada,), subject=SUBJECT, text=TEXT, files=(FILE,),
        draft=DRAFT,
    )  # fmt: skip
    people = (ada.address,)
    clues = replace(NEW_MAIL.clues, own_id=f"{MESSAGE_ID}@x", subject=SUBJECT, people=people)
    await scene.save(letter=letter, clues=clues, octets=" ".join(CANARIES).encode())
    submission = await scene.claimed()
    await scene.submissions.intend(submission, DUE, anybody)
    await scene.submissions.settle(
        submission, replace(SENT, recipients=(replace(ada, state=RecipientState.TAKEN),)), DUE
    )
    assert await scene.outgoings.new_domains(scene.mailbox.id, [f"{DOMAIN}.example"]) == set()

    early = everything_below(tmp_path)
    await database.checkpoint()
    late = everything_below(tmp_path)
    await database.close()

    assert found_in(early + late, CANARIES) == []
