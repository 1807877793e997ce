"""The questions before something is destroyed: removing one mailbox, erasing everything about a person."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.slack import names, views
from bot.slack.client import NO_ANSWER, code_of
from bot.slack.listeners.desk import at_least, show_result, shown, tell
from bot.slack.listeners.front import refresh_home

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from storage.records import Person

log = structlog.get_logger(__name__)

SHOWN_SECONDS = 0.5
"""A large mailbox takes its time to go, so the question is answered first; that answer must be shown before the next."""


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Sending either form."""

    @bolt.view(names.REMOVE_FORM)
    async def remove(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        person = desk.actor(body)
        mailbox = await desk.registrar.get(person, body["view"]["private_metadata"])
        await ack(response_action="update", view=views.loading("Remove mailbox"))
        receipt = await at_least(SHOWN_SECONDS, desk.belongings.remove(person, mailbox.id))
        done = views.as_modal(views.removed(mailbox.profile.name, receipt))
        await show_result(client, person, body["view"]["id"], done)
        await refresh_home(desk, body, client)

    @bolt.view(names.ERASE_FORM)
    async def erase(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        person, view = desk.actor(body), body["view"]
        asked_at = _asked_at(view)
        if asked_at is None:
            await ack(response_action="update", view=views.expired())
            return
        if not _is_confirmed(view):
            await ack(response_action="errors", errors=views.not_confirmed())
            return
        await ack(response_action="update", view=views.loading("Erase everything"))
        await at_least(SHOWN_SECONDS, _erase(desk, person, view["id"], client, asked_at))
        await refresh_home(desk, body, client)


async def _erase(
    desk: Desk, person: Person, view_id: str, client: AsyncWebClient, asked_at: datetime
) -> None:
    """Destroy it all; the receipt goes into the DM, since nothing of ours will remember it."""
    await desk.end_tests(person)
    receipt = await desk.belongings.erase(person, asked_at)
    desk.typed.forget_all(person)
    answer = views.erased(receipt)
    is_shown = await shown(client, view_id, views.as_modal(answer))
    try:
        await tell(client, person, answer["text"])
    except SlackApiError as error:
        log.warning("receipt_not_posted", receipt=receipt.id, is_shown=is_shown, code=code_of(error))
    except NO_ANSWER as error:
        log.warning("receipt_not_posted", receipt=receipt.id, is_shown=is_shown, error=type(error).__name__)


def _asked_at(view: Mapping[str, Any]) -> datetime | None:
    """When the form was shown; None for one that says no time."""
    try:
        time = datetime.fromisoformat(view["private_metadata"])
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


def _is_confirmed(view: Mapping[str, Any]) -> bool:
    typed = view["state"]["values"].get(names.CONFIRMATION, {}).get(names.VALUE, {}).get("value") or ""
    return typed.strip().strip("“”\"'").casefold() == views.CONFIRMATION_WORD
