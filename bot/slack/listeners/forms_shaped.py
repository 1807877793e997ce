"""Choices in the add and the edit form that show or hide other fields, and the incoming server, which does so too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError

from bot.slack import drafts, names, shapes, views
from bot.slack.client import code_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.drafts import Draft
    from bot.slack.listeners.desk import Desk
    from bot.slack.views import View


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Ticking a box, choosing a delete setting, typing where an address fills in."""

    @bolt.action(names.SHAPE_CHOSEN)
    async def chosen(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        draft = drafts.read(body["view"])
        after = shapes.reshaped(draft, await _base(desk, body, draft), _changed(action))
        if not draft.is_edit:
            after = drafts.fill_in(after, desk.discovery.known(draft.text(names.ADDRESS)))
        await _show_if_reshaped(desk, body["view"], draft, after, client)

    @bolt.action(names.SERVER_TYPED)
    async def server_typed(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        desk.actor(body)
        draft = drafts.read(body["view"])
        desk.waiting.saw(body["view"]["id"], draft)
        # Gmail's server has a mode of its own, and other delete settings.
        if _changed(action) == names.INCOMING_SERVER:
            after = shapes.reshaped(draft, await _base(desk, body, draft), "")
            await _show_if_reshaped(desk, body["view"], draft, after, client)


def _changed(action: Mapping[str, Any]) -> str:
    """The field that was typed into, or in which a choice was made."""
    return names.field_of(str(action.get("block_id", "")))


async def _base(desk: Desk, body: Mapping[str, Any], draft: Draft) -> Draft:
    """What a field starts with that was hidden."""
    if not draft.is_edit:
        return drafts.new_draft()
    return drafts.draft_of(await desk.registrar.get(desk.actor(body), draft.mailbox_id))


def _fields(view: Mapping[str, Any]) -> list[str]:
    """Which fields a form shows, in their order; the words between them may differ."""
    return [block["block_id"] for block in view["blocks"] if block["type"] == "input"]


async def _show_if_reshaped(
    desk: Desk, view: Mapping[str, Any], seen: Draft, after: Draft, client: AsyncWebClient
) -> None:
    """Draw a form anew where it has other fields now; Slack keeps what stands in those that stay."""
    shown = views.mailbox_form(after, provider=desk.provider(after))
    if _fields(shown) == _fields(view):
        desk.waiting.saw(view["id"], seen)
    else:
        await show(desk, view, shown, after, client)


async def show(
    desk: Desk, view: Mapping[str, Any], shown: View, draft: Draft, client: AsyncWebClient
) -> None:
    """Draw a form anew, unless it has moved on meanwhile."""
    try:
        answer = await client.views_update(view_id=view["id"], hash=view["hash"], view=shown)
    except SlackApiError as error:
        # The form was shown anew meanwhile, or sent, or closed; the choice itself is kept by Slack and sent with it.
        if code_of(error) not in {"hash_conflict", "not_found"}:
            raise
        desk.waiting.saw(view["id"], draft)
        return
    desk.waiting.showed(view["id"], answer["view"]["hash"], draft)
