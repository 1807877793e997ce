"""Special mail in the child process: what it needs is there within its bounds, and hostile mail costs the card alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.mail.renderer import Renderer
from storage.records import Shape
from tests.fakes.block_rules import visible
from tests.unit.special import calendars, outlook_files, reports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def renderer() -> AsyncIterator[Renderer]:
    """One that trusts a server of the administrator's."""
    renderer = Renderer(children=1, authserv_ids=("gate.example",))
    yield renderer
    await renderer.close()


async def shown(renderer: Renderer, octets: bytes, host: str = "") -> str:
    """What a reader sees of a mail."""
    post = await renderer.render(
        octets,
        shape=Shape.WHOLE,
        listed_octets=len(octets),
        received_at=datetime(2026, 11, 23, tzinfo=UTC),
        mailbox_name=None,
        own_address="bob@x.example",
        incoming_host=host,
    )
    return visible(post.blocks)


async def test_libraries_are_there(renderer: Renderer) -> None:
    """A child without files of its own still reads calendars with their zones, reports and Outlook's files."""
    assert "Europe/Berlin, UTC+1" in await shown(renderer, calendars.mail(calendars.GOOGLE))
    assert "mailbox full (5.2.2)" in await shown(renderer, reports.POSTFIX)
    assert "Not delivered to bob@x.example" in await shown(renderer, reports.QMAIL)
    assert "Plan für alle.doc" in await shown(renderer, outlook_files.mail(outlook_files.WHOLE))


async def test_trust_reaches_the_child(renderer: Renderer) -> None:
    """The mailbox's server and the administrator's names decide whose doubts are shown."""
    mail = b"From: a@bank.example\nAuthentication-Results: %s; dmarc=fail\n\nx"

    assert "could not confirm" in await shown(renderer, mail % b"mx.home.example", "pop.home.example")
    assert "could not confirm" in await shown(renderer, mail % b"mx.gate.example")
    assert "could not confirm" not in await shown(renderer, mail % b"mx.home.example", "pop.other.example")


@pytest.mark.parametrize(
    ("octets", "kept"),
    [
        (
            calendars.mail(b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n" * 10_000),
            "invitation.ics",
        ),
        (calendars.mail(calendars.own("SUMMARY:" + "x" * 1_000_000)), "invitation.ics"),
        (outlook_files.mail(outlook_files.winmail(b"garbage" * 100_000)), "winmail.dat"),
        (
            b"From: a@b.example\nSubject: Plans\n"
            + b"List-Unsubscribe: <https://a.b/>\n" * 10_000
            + b"\nHello",
            "Hello",
        ),
        (
            reports.prose("<bob@x.example>:\n" * 100_000, subject="Plans failure notice"),
            "Not delivered to bob@x.example",
        ),
    ],
    ids=[
        "10,000 events",
        "1 MB calendar",
        "garbage winmail.dat",
        "10,000 ways to leave",
        "100,000 recipients",
    ],
)
async def test_hostile(renderer: Renderer, octets: bytes, kept: str) -> None:
    """A hostile special mail is still shown as a mail with what it holds, not by the card of last resort."""
    found = await shown(renderer, octets)

    assert "could not be shown" not in found
    assert kept in found
