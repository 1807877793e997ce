"""What a person has muted: the list of it, and the way back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bot.errors import NoSuchRule
from bot.slack import names, views
from bot.slack.listeners.desk import open_view, say
from bot.slack.listeners.failures import fill
from bot.slack.listeners.payloads import value_of, view_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from bot.slack.views import View
    from storage.records import Person


def register(bolt: AsyncApp, desk: Desk) -> None:
    """The button that opens the list, and those that remove a rule."""

    @bolt.action(names.OPEN_RULES)
    async def opened(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await open_rules(desk, body, client)

    @bolt.action(names.REMOVE_RULE)
    async def removed(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        person = desk.actor(body)
        with suppress(NoSuchRule):  # pressed twice: the list that is shown then does without it
            await desk.muting.remove(person, value_of(action))
        await fill(client, view_id_of(body), _rules(desk, person))

    @bolt.action(names.UNMUTE_BUTTON)
    async def unmuted(ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], respond: Any) -> None:
        await ack()
        await desk.muting.remove(desk.actor(body), value_of(action))
        await say(respond, views.unmuted())


async def open_rules(desk: Desk, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    """The modal first, since Slack gives three seconds for it; then what belongs in it."""
    person = desk.actor(body)
    view = await open_view(client, body, views.loading("Muted mail"))
    await fill(client, str(view["id"]), _rules(desk, person))


async def _rules(desk: Desk, person: Person) -> View:
    mailboxes, _ = await desk.listed(person)
    return views.rules(await desk.muting.of(person), {each.id: each.profile.name for each in mailboxes})
