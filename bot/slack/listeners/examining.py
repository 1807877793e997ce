"""The doctor: a modal that shows a test as it goes, and then what was found."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bot import doctor
from bot.slack import views
from bot.slack.listeners.desk import open_view, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from bot.slack.views import Progress, View
    from storage.records import Mailbox, Person

PROGRESS_SECONDS = 1.0
"""How often the steps are drawn at most: Slack takes about fifty updates a minute."""


async def examine(desk: Desk, mailbox_id: str, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    """Open the doctor's modal and look into one mailbox of the person who acts."""
    person = desk.actor(body)
    mailbox = await desk.registrar.get(person, mailbox_id)
    rests = views.not_examined(mailbox)
    if rests is not None:
        await open_view(client, body, rests)
        return
    progress = views.Progress()
    view = await open_view(client, body, views.doctor_running(mailbox.profile.name, progress))
    work = _examined(desk, person, mailbox, progress)
    drawing = asyncio.create_task(_draw(client, str(view["id"]), mailbox.profile.name, progress))
    await desk.test(client, person, str(view["id"]), _after(drawing, work))


async def _after(drawing: asyncio.Task[None], work: Any) -> View:
    """The result, once nothing more can be drawn over it."""
    try:
        result: View = await work
    finally:
        drawing.cancel()
        with suppress(asyncio.CancelledError):
            await drawing
    return result


async def _examined(desk: Desk, person: Person, mailbox: Mailbox, progress: Progress) -> View:
    found = await desk.examiner.examine(person, mailbox, progress)
    return views.doctor_result(found.report, found.facts, doctor.causes(found.facts), desk.clock())


async def _draw(client: AsyncWebClient, view_id: str, name: str, progress: Progress) -> None:
    """Show each new step; a window that was closed is told nothing more."""
    drawn: View | None = None
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        view = views.doctor_running(name, progress)
        if view != drawn:
            drawn = view
            if not await shown(client, view_id, view):
                return
