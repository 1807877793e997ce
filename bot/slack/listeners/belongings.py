"""What is stored about a person: given to them as a file in the DM, and the question before it is erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from bot.mail.content import File
from bot.slack import views
from bot.slack.client import CallFailed, Posted, Refused
from bot.slack.listeners.desk import open_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.client import Outcome
    from bot.slack.listeners.desk import Desk
    from bot.slack.views import Answer
    from storage.records import Person

log = structlog.get_logger(__name__)


async def export_data(desk: Desk, body: Mapping[str, Any]) -> Answer:
    """Put a person's data into their DM, wherever they asked for it; what to tell them there."""
    person = desk.actor(body)
    octets = await desk.belongings.export(person)
    name = f"mailbox-export-{desk.clock():%Y-%m-%d}.json"
    try:
        outcome = await share_file(desk, person, File(name, octets, "What Mailbox has stored about you"))
    except CallFailed as failed:
        outcome = failed.outcome
    if isinstance(outcome, Posted):
        return views.given()
    log.warning("export_not_given", outcome=repr(outcome))
    return views.not_given(outcome.code if isinstance(outcome, Refused) else "")


async def share_file(desk: Desk, person: Person, file: File) -> Outcome:
    """Put a file into a person's DM, and nowhere else."""
    channel = await desk.slack.open_dm(person.user)
    if not channel.startswith("D"):  # whatever Slack calls it: personal data goes nowhere else
        return Refused("not_a_dm")
    return await desk.slack.share_files(channel, None, [(await desk.slack.upload(file), file.title)])


async def ask_erase(desk: Desk, body: Mapping[str, Any], client: AsyncWebClient) -> Answer | None:
    """Open the question before everything is erased; what to tell instead when nothing is stored."""
    held = await desk.belongings.held(desk.actor(body))
    if not held:
        return views.nothing_stored()
    await open_view(client, body, views.erase_form(held, desk.clock()))
    return None
