"""Choices in the add and the edit form that show or hide other fields."""

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
    """Ticking a box, choosing a delete setting."""

    @bolt.action(names.SHAPE_CHOSEN)
    async def chosen(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        view = body["view"]
        draft = drafts.read(view)
        changed = names.field_of(str(action.get("block_id", "")))
        after = shapes.reshaped(draft, await _base(desk, body, draft), changed)
        if not draft.is_edit:
            after = drafts.fill_in(after, desk.discovery.known(draft.text(names.ADDRESS)))
        shown = views.mailbox_form(after, provider=desk.provider(after))
        if _fields(shown) == _fields(view):
            desk.waiting.saw(view["id"], draft)
            return
        await _show(desk, view, shown, after, client)


async def _base(desk: Desk, body: Mapping[str, Any], draft: Draft) -> Draft:
    """What a field starts with that was hidden."""
    if not draft.is_edit:
        return drafts.new_draft()
    return drafts.draft_of(await desk.registrar.get(desk.actor(body), draft.mailbox_id))


def _fields(view: Mapping[str, Any]) -> list[str]:
    """Which fields a form shows, in their order; the words between them may differ."""
    return [block["block_id"] for block in view["blocks"] if block["type"] == "input"]


async def _show(
    desk: Desk, view: Mapping[str, Any], shown: View, draft: Draft, client: AsyncWebClient
) -> None:
    try:
        answer = await client.views_update(view_id=view["id"], hash=view["hash"], view=shown)
    except SlackApiError as error:
        # The form was shown anew meanwhile, or sent, or closed; the choice itself is kept by Slack and sent with it.
        if code_of(error) not in {"hash_conflict", "not_found"}:
            raise
        desk.waiting.saw(view["id"], draft)
        return
    desk.waiting.showed(view["id"], answer["view"]["hash"], draft)
