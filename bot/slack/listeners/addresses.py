"""The address in the add and the edit form: as it is typed, servers are found for it and filled in.

What is known is shown at once; for the rest the domain is asked once the typing pauses. The answer comes seconds
later into a form that may have moved on: it counts for the newest address alone, and only where the person has not
typed meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError

from bot.slack import drafts, names, views
from bot.slack.client import code_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.mail.suggestions import Suggestion
    from bot.slack.listeners.desk import Desk
    from bot.slack.waiting import Waiting

PAUSE_SECONDS = 0.5
"""How long nothing is typed before a domain is asked about: half a name would be somebody else's."""


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Typing the address."""

    @bolt.action(names.ADDRESS_TYPED)
    async def address_typed(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        desk.actor(body)
        await _typed(desk, body["view"], client)


async def look_up(desk: Desk, draft: drafts.Draft, view: Mapping[str, Any], client: AsyncWebClient) -> None:
    """Fill in a form that was opened with an address of which nothing is known yet."""
    with desk.waiting.opened(view["id"], view["hash"], draft) as form:
        await _ask(desk, form, client)


async def _typed(desk: Desk, view: Mapping[str, Any], client: AsyncWebClient) -> None:
    """Put the servers of a known provider where the person has not typed their own, or ask for those of another."""
    draft = drafts.read(view)
    found = desk.discovery.known(draft.text(names.ADDRESS))
    with desk.waiting.opened(view["id"], view["hash"], draft) as form:
        is_shown = await _show(form, found, client)
        if not is_shown or found is not None or draft.is_edit:
            return
        await asyncio.sleep(PAUSE_SECONDS)
        if form.is_current:
            await _ask(desk, form, client)


async def _ask(desk: Desk, form: Waiting, client: AsyncWebClient) -> None:
    found = await desk.discovery.ask(form.draft.text(names.ADDRESS))
    if form.is_current:
        await _show(form, found, client)


async def _show(form: Waiting, found: Suggestion | None, client: AsyncWebClient) -> bool:
    """Show the form with what was found; False when it is another form by now, or gone."""
    async with form.turn:
        if not form.is_current:
            return False
        form.catch_up()
        seen = form.draft
        draft = drafts.fill_in(seen, found)
        if draft is seen:
            return True
        view = views.mailbox_form(draft, provider=found.provider if found else None)
        try:
            answer = await client.views_update(view_id=form.view_id, hash=form.hash, view=view)
        except SlackApiError as error:
            # The form was sent or closed, or was shown anew by somebody else.
            if code_of(error) not in {"hash_conflict", "not_found"}:
                raise
            return False
        form.updated(answer["view"]["hash"], seen, draft)
        return True
