"""Buttons and pickers, wherever they stand: in an answer, a post in the DM, a modal or App Home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.slack import names, views
from bot.slack.listeners.acts import act
from bot.slack.listeners.belongings import ask_erase, export_data
from bot.slack.listeners.commands import open_add_form
from bot.slack.listeners.desk import say, show_result
from bot.slack.listeners.front import publish_home, refresh_home
from bot.slack.listeners.payloads import value_of, view_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from bot.slack.views import Answer

WORDS = {action_id: word for word, action_id in names.BUTTONS.items()} | {
    action_id: word for word, action_id in names.PICKS.items()
}
"""Which command word a button or a picker stands for."""


def register(bolt: AsyncApp, desk: Desk) -> None:
    """One listener for each action id."""
    for action_id, word in WORDS.items():
        bolt.action(action_id)(_pressed(desk, word))

    @bolt.action(names.OPEN_ADD)
    async def add(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await open_add_form(desk, body, client)

    @bolt.action(names.OPEN_LIST)
    async def listed(ack: Any, body: Mapping[str, Any], client: AsyncWebClient, respond: Any) -> None:
        await ack()
        person = desk.actor(body)
        mailboxes, waiting = await desk.listed(person)
        not_done = await desk.reading.count_open(person)
        answer = views.mailbox_list(mailboxes, waiting, desk.clock(), not_done)
        await _tell(desk, body, client, respond, answer)

    for action_id in (names.HOME_PAGE, names.HOME_PAGE_BACK):
        bolt.action(action_id)(_turned(desk))

    @bolt.action(names.EXPORT_BUTTON)
    async def export(ack: Any, body: Mapping[str, Any], client: AsyncWebClient, respond: Any) -> None:
        await ack()
        await _tell(desk, body, client, respond, await export_data(desk, body))

    @bolt.action(names.ERASE_BUTTON)
    async def erase(ack: Any, body: Mapping[str, Any], client: AsyncWebClient, respond: Any) -> None:
        await ack()
        answer = await ask_erase(desk, body, client)
        if answer is not None:
            await _tell(desk, body, client, respond, answer)


def _pressed(desk: Desk, word: str) -> Any:
    async def pressed(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient, respond: Any
    ) -> None:
        await ack()
        chosen = action.get("selected_option") or action
        answer = await act(desk, word, str(chosen.get("value", "")), body, client)
        if answer is not None:
            await _tell(desk, body, client, respond, answer)

    return pressed


def _turned(desk: Desk) -> Any:
    async def turned(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await publish_home(desk, body, client, names.number_in(value_of(action)) or 0)

    return turned


async def _tell(
    desk: Desk, body: Mapping[str, Any], client: AsyncWebClient, respond: Any, answer: Answer
) -> None:
    """Answer where the button stands: beside its message, in its modal, or by drawing App Home anew."""
    view = view_of(body)
    if body.get("response_url"):
        await say(respond, answer)
    elif view.get("type") == "modal":
        await show_result(client, desk.actor(body), view["id"], views.as_modal(answer))
        await refresh_home(desk, body, client)
    else:
        await publish_home(desk, body, client)
