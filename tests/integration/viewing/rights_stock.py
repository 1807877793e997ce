"""The town's database with everything in it: mailboxes at every level, mail, copies, and mail that goes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from storage.clues import Clues
from storage.outgoing import Outgoings
from storage.records import NewMailbox, Notice, Person
from storage.sending import Letter, NewOutgoing, OutgoingState, Recipient, RecipientField
from storage.sharing import Audience, AudienceKind, Level, Share
from tests.integration.storage.stores import LEASE, NEW, Stores
from tests.integration.viewing.rights_world import (
    AUDIENCES,
    BODY,
    CHIEF,
    HOST,
    LEVELS,
    SPARE,
    TEAM,
    VIEWER,
    WIDE,
    Box,
    Clock,
    Rows,
    Template,
)

if TYPE_CHECKING:
    from pathlib import Path

    from storage.database import Database
    from storage.shares import Shares
    from storage.vault import Vault

MEETING: Final = "meeting@elsewhere.example"
TO_ADA: Final = Recipient("ada@elsewhere.example", RecipientField.TO)


async def settled(database: Database, vault: Vault, path: Path, shares: Shares, stock: Any) -> Template:
    """Fill an empty database: five mailboxes for each kind of audience, two messages and a copy in each.

    Args:
        stock: the stores of grants and copies.
    """
    grants, copies = stock
    stores, clock, rows = Stores.on(database, vault, path.parent), Clock(), Rows(path)
    await grants.set(TEAM, WIDE, CHIEF, clock(), lambda _: True)
    boxes = [
        await _box(stores, shares, copies, rows, clock, level, kind) for kind in AUDIENCES for level in LEVELS
    ]
    spares = [(await stores.mailboxes.add(_new(SPARE, f"s{at}"), clock(), most=None)).id for at in LEVELS]
    await shares.open(  # what stays open while an act ends nothing
        SPARE,
        [Share("", spares[0], Audience(AudienceKind.PERSON, CHIEF.user), Level.OPEN, clock())],
        clock(),
        lambda _: True,
    )
    dms = await stores.outbox.claim_due(clock(), lease=LEASE, worker="w", limit=50)
    (dm,) = [dm for dm in dms if dm.owner == VIEWER]
    entry = replace(await stores.head(dm), notice=Notice.COPY, message_id=None)
    await stores.outbox.release_worker("w")
    boxes = [await _written(Outgoings(database, vault), rows, clock, box) for box in boxes]
    rows.connection.close()
    await database.checkpoint()
    return Template(path, tuple(boxes), tuple(spares), entry, clock())


async def _written(outgoings: Outgoings, rows: Rows, clock: Clock, box: Box) -> Box:
    """The box with a mail of the viewer's that failed and one of its owner's that waits."""
    ids = list[str]()
    for person in (VIEWER, HOST):
        new = NewOutgoing(
            mailbox_id=box.id,
            actor=person,
            form_id="before",
            answers=None,
            letter=Letter("<x@example.org>", "anna@example.org", (TO_ADA,), "x", "x", draft="{}"),
            octets=b"Subject: x\r\n\r\nx\r\n",
            clues=Clues("x@example.org", (), "x", ("ada@elsewhere.example",), is_answer=False),
            undo=timedelta(days=1),
        )
        ids.append((await outgoings.save(new, clock(), lambda _: True)).id)
    query = "UPDATE outgoing SET state = ?, due_at = NULL, finished_at = created_at WHERE id = ?"
    rows.connection.execute(query, (OutgoingState.FAILED.value, ids[0]))
    return replace(box, failed_id=ids[0], hosts_id=ids[1])


def _new(owner: Person, form: str) -> NewMailbox:
    return replace(NEW, owner=owner, form_id=form)


def _message(subject: str, *, invites: bool) -> bytes:
    head = f"From: Ada <ada@elsewhere.example>\r\nSubject: {subject}\r\n"
    if not invites:
        return f"{head}\r\n{BODY}\r\n".encode()
    return (
        f'{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        f"--b\r\n\r\n{BODY}\r\n--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n"
        f"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:{MEETING}\r\nSUMMARY:x\r\n"
        "DTSTART:20261201T090000Z\r\nORGANIZER:mailto:ada@elsewhere.example\r\n"
        "ATTENDEE:mailto:anna@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n"
    ).encode()


async def _box(  # noqa: PLR0917 - what it is made of
    stores: Stores, shares: Shares, copies: Any, rows: Rows, clock: Clock, level: Level, kind: AudienceKind
) -> Box:
    form = f"{kind}-{level}"
    mailbox = await stores.mailboxes.add(_new(HOST, form), clock(), most=None)
    share = None
    if level > Level.NONE:
        is_private = kind is AudienceKind.CHANNEL
        new = Share("", mailbox.id, AUDIENCES[kind], level, clock(), history=True, was_private=is_private)
        (share,) = await shares.open(HOST, [new], clock(), lambda _: True)
    claims = await stores.mailboxes.claim_due(clock(), lease=LEASE, worker="p", limit=100)
    (claim,) = [each for each in claims if each.mailbox.id == mailbox.id]
    for uid in (b"one", b"two"):
        octets = _message(form, invites=uid == b"two")
        assert await stores.keep(claim, uid, octets, now=clock())
    await stores.mailboxes.release("p")
    rows.post_all()
    ids = [message.id for message in await shares.messages(mailbox.id, 10)]
    read_id, copied_id = ids
    copy_id = await copies.owe(
        mailbox.id, copied_id, VIEWER, clock(), lambda _: True, share=share.id if share else ""
    )
    return Box(mailbox.id, level, kind, read_id, copied_id, copy_id, share)
