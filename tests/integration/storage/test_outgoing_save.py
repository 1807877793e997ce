"""Mail that is saved: once, judged, with its posts in the right threads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from storage.copies import Copies
from storage.errors import NotFound, NotPermitted
from storage.records import EntryState, Notice, Person
from storage.sending import OutgoingState
from storage.sharing import Suspension
from storage.suspension import Suspensions
from tests.integration.storage.outgoing_scene import (
    ACTOR,
    DUE,
    LETTER,
    NEW_MAIL,
    Scene,
    anybody,
    nobody,
)
from tests.integration.storage.stores import LATER, NEW, NOW, OWNER, STRANGER, Stores
from tests.integration.storage.test_storage_conversations import mail

if TYPE_CHECKING:
    from storage.clues import Clues
    from storage.records import Entry
    from storage.sharing import Facts
    from storage.vault import Vault


@pytest.fixture
async def scene(stores: Stores, vault: Vault) -> Scene:
    """A mailbox that sends."""
    return await Scene.on(stores, vault)


async def come(scene: Scene, came: str | Clues, uid: bytes = b"u1") -> Entry:
    """A mail comes and is posted."""
    assert await scene.stores.keep(scene.claim, uid, uid)
    dm = await scene.stores.dm(NOW)
    entry = await scene.stores.head(dm)
    clues = mail(came) if isinstance(came, str) else came
    place = await scene.stores.conversations.place(entry, clues, NOW)
    entry = replace(entry, parent=place.root, conversation=place.conversation)
    entry = replace(entry, state=EntryState.SETTLED, channel="D1", ts="1000.1")
    await scene.stores.outbox.release(await scene.stores.outbox.record(dm, entry, now=NOW, place=place))
    return entry


async def test_a_saved_mail_is_what_was_written(scene: Scene) -> None:
    """It waits for its time to be undone, and whoever sent it finds it as it was."""
    saved = await scene.save(letter=LETTER)

    assert (saved.state, saved.due_at, saved.attempts) == (OutgoingState.WAITING, DUE, 0)
    assert (saved.owner, saved.actor, saved.letter) == (OWNER, OWNER, LETTER)
    assert saved.octets == len(NEW_MAIL.octets)
    assert await scene.outgoings.get(OWNER, saved.id) == saved


async def test_the_same_form_twice_is_one_mail(scene: Scene) -> None:
    """Also when it says something else the second time; another form, or another person's, is another mail."""
    first = await scene.save()

    again = await scene.outgoings.save(
        replace(scene.new(), letter=replace(LETTER, subject="Other")), LATER, nobody
    )
    other = await scene.save("f2")
    theirs = await scene.save(actor=ACTOR)

    assert again == first
    assert len({first.id, other.id, theirs.id}) == 3
    assert len(await scene.entries()) == 3


async def test_what_the_judge_forbids_is_not_saved(scene: Scene) -> None:
    """Nothing is written: no mail, no post, no conversation."""
    with pytest.raises(NotPermitted):
        await scene.outgoings.save(scene.new(), NOW, nobody)

    assert await scene.entries() == []
    assert await scene.claim_all() == []
    assert (await scene.submissions.stock()).by_state == {}


async def test_the_judge_sees_the_facts_of_the_mailbox(scene: Scene) -> None:
    """Whose it is and what is shared of it."""
    seen: list[Facts] = []

    def judge(facts: Facts) -> bool:
        seen.append(facts)
        return True

    await scene.outgoings.save(scene.new(), NOW, judge)

    assert [(facts.mailbox_id, facts.owner) for facts in seen] == [(scene.mailbox.id, OWNER)]


async def test_a_suspended_mailbox_sends_nothing(scene: Scene) -> None:
    """Whatever the judge says."""
    await Suspensions(scene.database).suspend(
        "T1", scene.mailbox.id, Suspension.ADMINISTRATOR, ACTOR, NOW, anybody
    )

    with pytest.raises(NotPermitted):
        await scene.save()


async def test_what_is_gone_sends_and_answers_nothing(scene: Scene) -> None:
    """Neither a mailbox that was removed nor an answer to a message of another one."""
    await come(scene, "a")
    other = await scene.stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW)
    answers = (await scene.entries())[0].message_id

    with pytest.raises(NotFound):
        await scene.outgoings.save(replace(scene.new(), mailbox_id=other.id, answers=answers), NOW, anybody)
    with pytest.raises(NotFound):
        await scene.save(answers="none")
    with pytest.raises(NotFound):
        await scene.outgoings.save(replace(scene.new(), mailbox_id="none"), NOW, anybody)


async def test_a_mail_is_found_by_its_sender_and_its_owner_only(scene: Scene) -> None:
    """An id in a payload opens nothing to anybody else, also not of another workspace."""
    saved = await scene.save(actor=ACTOR)

    assert await scene.outgoings.get(OWNER, saved.id) == await scene.outgoings.get(ACTOR, saved.id) == saved
    for person in (STRANGER, Person("T2", "U1")):
        for act in (scene.outgoings.get(person, saved.id), scene.outgoings.undo(person, saved.id, NOW)):
            with pytest.raises(NotFound):
                await act


# Posts


async def test_an_answer_is_told_in_the_thread_of_what_it_answers(scene: Scene) -> None:
    """Before all that waits in threads: while it may be undone, that must be seen."""
    root = await come(scene, "a")

    saved = await scene.save(answers=root.message_id)

    entry = (await scene.entries())[-1]
    assert (entry.notice, entry.parent, entry.gives_way) == (Notice.OUTGOING, root.id, False)
    assert (await scene.outgoings.of_entry(entry.id)) == saved
    with pytest.raises(NotFound):
        await scene.outgoings.of_entry(root.id)


async def test_an_answer_is_found_by_its_clues_too(scene: Scene) -> None:
    """Where the answered mail is known by its id only."""
    root = await come(scene, "a")

    await scene.save(clues=replace(NEW_MAIL.clues, refers_to=("a",), is_answer=True))

    assert (await scene.entries())[-1].parent == root.id


async def test_answers_to_a_new_mail_stand_in_its_thread(scene: Scene) -> None:
    """Its post begins the conversation; answers by its id, and one without ids by its subject, follow."""
    await scene.save("f1")
    (begun,) = await scene.entries()
    await scene.posted()

    for uid, clues in (
        (b"1", mail("x", "f1@example.org")),
        (b"2", replace(mail("y"), people=("ada@y.example",), is_answer=True)),
    ):
        await scene.stores.keep(scene.claim, uid, uid)
        dm = await scene.stores.dm(LATER)
        entry = await scene.stores.head(dm)
        place = await scene.stores.conversations.place(entry, clues, NOW)
        assert (begun.parent, place.root, place.conversation) == ("", begun.id, begun.id)
        await scene.stores.outbox.record(
            dm, replace(entry, state=EntryState.SETTLED, ts=f"2000.{uid!r}"), now=NOW
        )
        await scene.stores.outbox.release(dm)


@pytest.mark.parametrize(
    ("clues", "joins"),
    [
        (replace(mail("x", "given@server.example"), people=("ada@y.example", "eve@x")), True),
        (replace(mail("x", "given@server.example"), people=("eve@x",)), False),
        (replace(mail("x", "given@server.example"), people=("ada@y.example",), subject="tea"), False),
        (replace(mail("x", "given@server.example"), people=("ada@y.example",), is_answer=False), False),
    ],
)
@pytest.mark.parametrize("begins", [True, False])
async def test_an_answer_finds_a_mail_to_which_its_server_gave_another_id(
    scene: Scene, clues: Clues, *, joins: bool, begins: bool
) -> None:
    """By subject and participant, also where it bears ids; what follows is found by the id that nobody knew before."""
    root = None if begins else await come(scene, "a")
    sent = replace(NEW_MAIL.clues, is_sent=True)
    await scene.save(answers=root and root.message_id, clues=sent)
    begun = root or (await scene.entries())[0]
    await scene.posted()

    answer = await come(scene, clues, b"u2")
    again = await come(scene, replace(mail("y", "given@server.example"), subject="other"), b"u3")

    assert (answer.parent == begun.id) is joins
    assert again.parent == (begun.id if joins else answer.id)


async def test_a_copy_of_ones_own_mail_stands_in_its_thread(scene: Scene) -> None:
    """By Bcc to oneself, by a list, or from a provider that gives out sent mail too: it begins nothing anew."""
    await scene.save("f1", clues=replace(NEW_MAIL.clues, is_sent=True))
    (begun,) = await scene.entries()
    await scene.posted()

    assert (await come(scene, NEW_MAIL.clues)).parent == begun.id


async def test_a_thread_that_is_gone_begins_anew_with_the_mail(scene: Scene) -> None:
    """Its post knows its conversation, so what loses its thread becomes the root."""
    root = await come(scene, "a")

    await scene.save(answers=root.message_id)

    assert (await scene.entries())[-1].conversation == root.conversation == root.id


async def test_somebody_elses_mail_is_told_to_both(scene: Scene) -> None:
    """To the owner in the mail's thread, to who sent it in the thread of their copy."""
    root = await come(scene, "a")
    copy = await Copies(scene.database).owe(scene.mailbox.id, root.message_id or "", ACTOR, NOW, anybody)
    await scene.posted(ACTOR)

    saved = await scene.save(answers=root.message_id, actor=ACTOR)

    owners, actors = (await scene.entries())[-1], (await scene.entries(ACTOR))[-1]
    assert (owners.parent, actors.parent) == (root.id, copy)
    assert actors.gives_way is False
    assert (await scene.outgoings.of_entry(actors.id)).id == saved.id


async def test_without_a_copy_its_sender_is_told_by_itself(scene: Scene) -> None:
    """Also where the copy was called back, or never came."""
    root = await come(scene, "a")
    copies = Copies(scene.database)
    copy = await copies.owe(scene.mailbox.id, root.message_id or "", ACTOR, NOW, anybody)
    await scene.posted(ACTOR)
    await copies.withdraw([copy], NOW)

    await scene.save(answers=root.message_id, actor=ACTOR)

    assert (await scene.entries(ACTOR))[-1].parent == ""


async def test_a_mail_of_any_size_comes_back_whole(scene: Scene) -> None:
    """Nothing, a piece to the octet, a piece and one, several."""
    piece = 256 * 1024
    for number, size in enumerate((0, 1, piece, piece + 1, 3 * piece)):
        octets = bytes([65 + number]) * size
        await scene.save(f"f{number}", octets=octets, undo=timedelta(seconds=number))
        submission = await scene.claimed(NOW + timedelta(seconds=number))
        assert await scene.submissions.octets(submission) == octets
        await scene.outgoings.undo(OWNER, submission.outgoing.id, NOW)
