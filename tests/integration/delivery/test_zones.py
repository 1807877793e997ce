"""Time zones come from Slack, seldom, and hold up nobody's mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlmodel import col

from bot.sandbox.slack.people import TEAM_ID
from bot.slack.client import SlackClient, web_client
from bot.zones import ASK_AGAIN, ZoneKeeper
from storage.delivery import Calm
from storage.records import Person
from storage.statements import update_rows
from storage.tables import MailboxRow
from tests.integration.storage.stores import NEW

if TYPE_CHECKING:
    from tests.integration.delivery.conftest import Desk

DAY = timedelta(days=1)
QUIET = Calm(quiet_from=22, quiet_to=7)


def keeper(desk: Desk) -> ZoneKeeper:
    """The use case, on the stores and the sandbox of the desk."""
    slack = SlackClient(web_client("xoxb-t", desk.sandbox.api_url, 30, desk.metrics), desk.http)
    return ZoneKeeper(desk.stores.zones, desk.stores.mailboxes, slack, clock=desk.clock)


async def quiet_mailbox(desk: Desk, zone: str | None = None) -> str:
    """A mailbox with quiet hours, of which one message is held for long."""
    new = replace(NEW, owner=desk.claim.mailbox.owner, calm=QUIET, zone=zone, form_id="form-2")
    mailbox = await desk.stores.mailboxes.add(new, desk.clock())
    (claim,) = await desk.stores.mailboxes.claim_due(desk.clock(), lease=DAY, worker="w", limit=5)
    desk.claim = replace(claim, held_until=desk.clock() + 9 * DAY)
    await desk.keep("held")
    return mailbox.id


async def zone(desk: Desk, mailbox_id: str) -> str | None:
    """What is stored."""
    return (await desk.stores.mailbox(mailbox_id, desk.claim.mailbox.owner)).zone


async def test_a_zone_is_asked_for_once_a_day(desk: Desk) -> None:
    """And never for people whose mailboxes post at any time."""
    zones = keeper(desk)
    await zones.refresh()
    before = await desk.calls("users.info")
    mailbox_id = await quiet_mailbox(desk)

    await zones.refresh()
    await zones.refresh()

    assert before == 0
    assert await zone(desk, mailbox_id) == "Europe/Stockholm"
    assert await desk.calls("users.info") == 1
    desk.clock.ahead += DAY
    await zones.refresh()
    assert await desk.calls("users.info") == 2


@pytest.mark.parametrize("kind", ["status", "rate_limited"])
async def test_a_zone_that_does_not_come_is_asked_for_later(desk: Desk, kind: str) -> None:
    """The last one known counts meanwhile."""
    zones = keeper(desk)
    mailbox_id = await quiet_mailbox(desk, "Asia/Tokyo")
    desk.clock.ahead += DAY
    await desk.fault("users.info", kind)

    await zones.refresh()
    await zones.refresh()
    known = await zone(desk, mailbox_id)
    desk.clock.ahead += ASK_AGAIN
    await zones.refresh()

    assert known == "Asia/Tokyo"
    assert await zone(desk, mailbox_id) == "Europe/Stockholm"
    assert await desk.calls("users.info") == 2


async def test_a_scope_that_is_missing_leaves_utc(desk: Desk) -> None:
    """An app that was made without `users:read` posts all the same."""
    await desk.fault("users.info", "error", error="missing_scope")

    assert await keeper(desk).ask(desk.claim.mailbox.owner) is None


async def test_a_new_zone_moves_what_is_held(desk: Desk) -> None:
    """What waited by the old one waits by the new one, for the next end of quiet hours at most."""
    zones = keeper(desk)
    await quiet_mailbox(desk, "Asia/Tokyo")
    desk.clock.ahead += DAY

    await zones.refresh()
    desk.clock.ahead += timedelta(hours=10)
    await desk.deliver()

    assert await desk.subjects() == ["held"]


async def test_a_zone_nobody_knows_is_none(desk: Desk) -> None:
    """Whatever stands in somebody's profile."""
    people = desk.sandbox.workspace.people
    user = desk.claim.mailbox.owner.user
    people[user] = replace(people[user], tz="Nowhere/Land")

    assert await keeper(desk).ask(desk.claim.mailbox.owner) is None


async def test_a_mailbox_that_does_not_open_holds_up_nobodys_zone(desk: Desk) -> None:
    """Its owner is asked for again later, everybody else's zone comes."""
    mailbox_id = await quiet_mailbox(desk)
    other = Person(TEAM_ID, "U0BROKEN")
    new = replace(NEW, owner=other, calm=QUIET, form_id="form-3")
    broken = await desk.stores.mailboxes.add(new, desk.clock() - DAY)
    people = desk.sandbox.workspace.people
    people[other.user] = replace(people[desk.claim.mailbox.owner.user], id=other.user)
    async with desk.stores.database.write() as session:
        await update_rows(session, MailboxRow, col(MailboxRow.id) == broken.id, {"profile": b"spoilt"})

    await keeper(desk).refresh()

    assert await zone(desk, mailbox_id) == "Europe/Stockholm"
    assert await desk.stores.zones.due(desk.clock(), 5) == []
