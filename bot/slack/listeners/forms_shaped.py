"""Choices in the add and the edit form that show or hide other fields, and the incoming server, which does so too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError

from bot.slack import drafts, names, shapes, views
from bot.slack.client import code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.drafts import Draft
    from bot.slack.listeners.desk import Desk


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Ticking a box, choosing a delete setting, typing where an address fills in."""

    @bolt.action(names.SHAPE_CHOSEN)
    async def chosen(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        base = await _base(desk, body)

        def changed(draft: Draft) -> Draft:
            after = shapes.reshaped(draft, base, _changed(action))
            if draft.is_edit:
                return after
            return drafts.fill_in(after, desk.discovery.known(draft.text(names.ADDRESS)))

        await draw_anew(desk, body["view"], client, changed)

    @bolt.action(names.SERVER_TYPED)
    async def server_typed(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        desk.actor(body)
        # Gmail's server has a mode of its own, and other delete settings.
        if _changed(action) == names.INCOMING_SERVER:
            base = await _base(desk, body)
            await draw_anew(desk, body["view"], client, lambda draft: shapes.reshaped(draft, base, ""))
        else:
            view = body["view"]
            _, draft = desk.waiting.caught_up(view["id"], view["hash"], drafts.read(view))
            desk.waiting.saw(view["id"], draft)


def _changed(action: Mapping[str, Any]) -> str:
    """The field that was typed into, or in which a choice was made."""
    return names.field_of(str(action.get("block_id", "")))


async def _base(desk: Desk, body: Mapping[str, Any]) -> Draft:
    """What a field starts with that was hidden."""
    draft = drafts.read(body["view"])
    if not draft.is_edit:
        return drafts.new_draft()
    return drafts.draft_of(await desk.registrar.get(desk.actor(body), draft.mailbox_id))


def _fields(view: Mapping[str, Any]) -> list[str]:
    """Which fields a form shows, in their order; the words between them may differ."""
    return [block["block_id"] for block in view["blocks"] if block["type"] == "input"]


async def draw_anew(
    desk: Desk, view: Mapping[str, Any], client: AsyncWebClient, changed: Callable[[Draft], Draft]
) -> None:
    """Draw a form anew where it has other fields now, or says something else of sharing; Slack keeps what stands in the others.

    Args:
        view: as a payload has it; the form may have been drawn anew since, and then that one is changed.
    """
    waiting = desk.waiting
    async with waiting.turn(view["id"]):
        view_hash, seen = waiting.caught_up(view["id"], view["hash"], drafts.read(view))
        after = changed(seen)
        shown = views.mailbox_form(after, provider=desk.provider(after))
        is_newest = view_hash == view["hash"]
        if is_newest and _fields(shown) == _fields(view) and after.sharing == seen.sharing:
            waiting.saw(view["id"], seen)
            return
        try:
            answer = await client.views_update(view_id=view["id"], hash=view_hash, view=shown)
        except SlackApiError as error:
            # The form was sent, or closed; the choice itself is kept by Slack and sent with it.
            if code_of(error) not in {"hash_conflict", "not_found"}:
                raise
            waiting.saw(view["id"], after)
            return
        waiting.showed(view["id"], view_hash, answer["view"]["hash"], seen=seen, shown=after)
