"""What answers need of kept mail, read by real render children: no mail is too hostile to be answered."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.errors import NotShown
from bot.kept import Kept
from bot.mail.content import Arrival
from bot.mail.frames import Mode
from bot.mail.renderer import Renderer
from bot.mail_posts import READ_OCTETS
from storage.records import Shape
from tests.fakes import processes
from tests.integration.one_database import database_url  # noqa: F401 - a fixture
from tests.integration.storage.stores import NOW, Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.database import Database
    from storage.records import Claim
    from storage.vault import Vault

pytestmark = pytest.mark.skipif(not processes.IS_TOLD, reason="the mortal child is a program of Linux")

ROOT = Path(__file__).parents[2]
HEAD = b"From: Ada <ada@x.example>\r\nTo: anna@example.org\r\nSubject: Plans\r\nMessage-ID: <1@x>\r\n"
MAIL = HEAD + b"\r\nHello.\r\n"
WITH_FILE = (
    HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello.\r\n"
    b"--b\r\nContent-Type: a/b\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\nabc\r\n--b--\r\n"
)
TEXT = "é" * 200_000
INVITATION = (
    HEAD
    + b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    b"DTSTART:20261126T130000Z\r\nORGANIZER:mailto:ada@x.example\r\nATTENDEE:mailto:anna@example.org\r\nEND:VEVENT\r\n"
    b"END:VCALENDAR\r\n"
)


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[Renderer]:
    """A renderer whose children obey orders to die."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/fakes/mortal_child.py "$@"\n')
    python.chmod(0o755)
    renderer = Renderer(python=str(python), children=1, deadline=timedelta(seconds=5))
    yield renderer
    await renderer.close()


@dataclass
class Shelf:
    """One mailbox's kept mail."""

    stores: Stores
    claim: Claim
    kept: Kept

    async def put(self, octets: bytes = MAIL, shape: Shape = Shape.WHOLE) -> str:
        """The id of a message with these octets."""
        assert await self.stores.keep(self.claim, b"u1", octets, shape=shape)
        entry = await self.stores.head(await self.stores.dm())
        return entry.message_id or ""


@pytest.fixture
async def shelf(database: Database, vault: Vault, tmp_path: Path, lasting_renderer: Renderer) -> Shelf:
    """A shelf without mail."""
    stores = Stores.on(database, vault, tmp_path)
    return Shelf(stores, await stores.claimed(now=NOW), Kept(stores.messages, lasting_renderer))


async def test_a_kept_mail_is_read_whole(shelf: Shelf) -> None:
    """Its fields, its words, and the domains by which it is judged who may see it."""
    found = await shelf.kept.original(await shelf.put(WITH_FILE))

    assert found is not None
    assert found.original is not None
    assert (found.original.text, found.original.message_id) == ("Hello.", "1@x")
    assert found.original.attachments == (("a.bin", 3),)
    assert found.domains == ("example.org", "x.example")


async def test_its_files_go_on(shelf: Shelf) -> None:
    """With the octets and the type they came with."""
    found = await shelf.kept.files(await shelf.put(WITH_FILE))

    assert found is not None
    assert [(each.name, each.octets, each.type) for each in found.files] == [("a.bin", b"abc", "a/b")]


async def test_its_invitations_come_with_it(shelf: Shelf) -> None:
    """Whoever of the own addresses is asked is named."""
    found = await shelf.kept.original(await shelf.put(INVITATION), "anna@example.org")

    assert found is not None
    assert [(each.uid, each.attendee) for each in found.invited] == [("1", "anna@example.org")]


async def test_a_mail_of_which_only_the_beginning_is_there_can_be_answered(shelf: Shelf) -> None:
    """Without a quote, and its files do not go on."""
    message_id = await shelf.put(shape=Shape.TOP)

    found = await shelf.kept.original(message_id)

    assert found is not None
    assert found.original is not None
    assert (found.original.text, found.original.is_cut) == ("", True)
    with pytest.raises(NotShown):
        await shelf.kept.files(message_id)


async def test_a_mail_over_the_limit_can_be_answered(shelf: Shelf) -> None:
    """Nobody reads it whole, but its header tells to whom an answer goes."""
    found = await shelf.kept.original(await shelf.put(MAIL + b"x" * READ_OCTETS))

    assert found is not None
    assert found.original is not None
    assert (found.original.message_id, found.original.is_cut) == ("1@x", True)


async def test_a_mail_that_is_gone_has_no_original(shelf: Shelf) -> None:
    """Nor files."""
    nobodys = "018f0c0ffee00123456789abcdef0123"

    assert await shelf.kept.original(nobodys) is None
    assert await shelf.kept.files(nobodys) is None


@pytest.mark.parametrize("fault", ["die", "fail", "leave", "lie", "recurse", "spin", "swell"])
async def test_a_mail_that_kills_its_reader_can_be_answered(mortal: Renderer, fault: str) -> None:
    """The header alone tells to whom."""
    octets = f"From: bob@x.example\nX-Fault: {fault}\n\nHello".encode()

    found = await mortal.read(octets, Arrival(Shape.WHOLE, 0, NOW, None, ""), Mode.ORIGINAL)

    assert found is not None
    assert found.original is not None
    assert found.original.sender is not None
    assert (found.original.sender.address, found.original.text) == ("bob@x.example", "")


async def test_a_mail_that_always_kills_has_no_original(mortal: Renderer) -> None:
    """And the next one is read."""
    arrival = Arrival(Shape.WHOLE, 0, datetime(2026, 11, 23, tzinfo=UTC), None, "")

    assert await mortal.read(b"From: a@b.c\nX-Fault-Always: die\n\nx", arrival, Mode.ORIGINAL) is None
    assert await mortal.read(MAIL, arrival, Mode.ORIGINAL) is not None


async def test_the_largest_original_crosses_the_pipe(lasting_renderer: Renderer) -> None:
    """A header and a text of as much as is ever read, in characters that take the most room."""
    people = ",".join(f'"{"é" * 150}" <{"é" * 60}@x{number}.example>' for number in range(180))
    fields = "".join(f"{name}: {people}\n" for name in ("To", "Cc", "Reply-To"))
    octets = f"From: a@x.example\n{fields}\n{TEXT}".encode()

    found = await lasting_renderer.read(octets, Arrival(Shape.WHOLE, 0, NOW, None, ""), Mode.ORIGINAL)

    assert found is not None
    assert found.original is not None
    assert (len(found.original.to), len(found.original.text)) == (len(found.original.cc), 100_000)
