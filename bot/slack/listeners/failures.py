"""The one error handler of Slack's side: what went wrong goes back to where the person is."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

import structlog
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from bot.errors import BotError
from bot.slack import views
from bot.slack.client import NO_ANSWER, code_of
from bot.slack.listeners.desk import say, show_result, shown, tell
from bot.slack.listeners.payloads import view_of
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from bot.slack.views import Answer, View

log = structlog.get_logger(__name__)

STORAGE_WORDS = "Mailbox cannot reach its database right now. Nothing was lost; please try again in a minute."
TOO_LATE_WORDS = "Slack did not wait long enough to open the form. Please try again."
TOO_LATE = {"expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "trigger_exchanged"}

TOO_DEEP_WORDS = (
    "Slack shows three windows over each other and no more. Close this one and open it from elsewhere."
)
TOO_DEEP = "push_limit_reached"

ACK_SECONDS = 0.1
"""Bolt looks for an acknowledgement every 10 ms and forgets one when the error handler returns before that."""


class FailureHandler:
    """Called by Bolt with whatever a listener raised; returns an acknowledgement for what was not yet acknowledged."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(
        self, error: Exception, ack: Any, body: Mapping[str, Any], client: AsyncWebClient, respond: Any
    ) -> BoltResponse | None:
        """Tell the person in a sentence; the log gets the kind of error and its places, never its payload."""
        sentence, reference = told(error)
        answer = views.failed(sentence, reference=reference)
        if ack.response is None and body.get("type") == "view_submission":
            field = _first_field(body["view"]) if sentence == STORAGE_WORDS else None
            return BoltResponse(status=200, body=_replaced(answer) if field is None else _kept(field))
        try:
            await self._tell(body, client, respond, answer)
        except SlackApiError as failure:
            log.warning("person_not_told", code=code_of(failure))
        except (*NO_ANSWER, BotError) as failure:
            log.warning("person_not_told", error=type(failure).__name__)
        if ack.response is None:
            return BoltResponse(status=200, body="")
        await asyncio.sleep(ACK_SECONDS)
        return None

    async def _tell(
        self, body: Mapping[str, Any], client: AsyncWebClient, respond: Any, answer: Answer
    ) -> None:
        """Where the person is: beside the message, in the modal, else in the DM; an event asked for no answer."""
        view = view_of(body)
        if body.get("response_url"):
            await say(respond, answer)
        elif view.get("type") == "modal":
            await show_result(client, self._desk.actor(body), view["id"], views.as_modal(answer))
        elif body.get("type") != "event_callback":
            await tell(client, self._desk.actor(body), answer["text"])


def told(error: BaseException) -> tuple[str, str]:
    """The sentence for the person, and the reference of an error that is ours; the log gets what it should."""
    if isinstance(error, BotError):
        log.info("person_told", error=type(error).__name__, detail=error.detail)
        return error.sentence, ""
    if isinstance(error, StorageError) and error.temporary:
        log.warning("storage_failed", error=type(error).__name__)
        return STORAGE_WORDS, ""
    code = code_of(error) if isinstance(error, SlackApiError) else None
    if code in TOO_LATE:
        log.warning("trigger_expired")
        return TOO_LATE_WORDS, ""
    if code == TOO_DEEP:
        log.info("views_too_deep")
        return TOO_DEEP_WORDS, ""
    reference = secrets.token_hex(4)
    log.error("listener_failed", reference=reference, code=code, exc_info=error)
    return BotError.words, reference


def sentence_of(error: BaseException) -> str:
    """What is said of an error that is caught where it happened, as plain words."""
    sentence, reference = told(error)
    return f"{sentence} (Reference {reference})" if reference else sentence


async def fill(client: AsyncWebClient, view_id: str, work: Awaitable[View]) -> bool:
    """Show in a modal what belongs there; where that cannot be had, the reason: it would say "Loading" for ever.

    Returns:
        Whether Slack took it.
    """
    try:
        view = await work
    except BotError as error:
        view = views.could_not_open(error.sentence)
    except StorageError as error:
        if not error.temporary:
            await shown(client, view_id, views.could_not_open(BotError.words))
            raise
        log.warning("storage_failed", error=type(error).__name__)
        view = views.could_not_open(STORAGE_WORDS)
    return await shown(client, view_id, view)


def _first_field(view: Mapping[str, Any]) -> str | None:
    """The block id of the first input of a form."""
    return next((block["block_id"] for block in view.get("blocks") or () if block["type"] == "input"), None)


def _kept(field: str) -> dict[str, Any]:
    """The form stays as it is, so that it can be sent again: nothing of it was wrong, and nothing of it is lost."""
    return {"response_action": "errors", "errors": {field: STORAGE_WORDS}}


def _replaced(answer: Answer) -> dict[str, Any]:
    return {"response_action": "update", "view": views.as_modal(answer)}
