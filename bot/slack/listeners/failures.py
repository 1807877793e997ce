"""The one error handler of Slack's side: what went wrong goes back to where the person is."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import structlog
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from bot.errors import BotError
from bot.slack import views
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk

log = structlog.get_logger(__name__)

STORAGE_WORDS = "Mailbox cannot reach its database right now. Nothing was lost; please try again in a minute."


class FailureHandler:
    """Called by Bolt with whatever a listener raised; returns an acknowledgement for what was not yet acknowledged."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(
        self, error: Exception, body: Mapping[str, Any], client: AsyncWebClient, respond: Any
    ) -> BoltResponse:
        """Tell the person in a sentence; the log gets the kind of error and its places, never its payload."""
        sentence, reference = self._told(error)
        view = views.could_not_open(sentence)
        if body.get("type") == "view_submission":
            await _update(client, body, view)
            return BoltResponse(status=200, body={"response_action": "update", "view": view})
        if body.get("response_url"):
            answer = views.failed(sentence, reference=reference)
            await respond(
                text=answer["text"],
                blocks=answer["blocks"],
                response_type="ephemeral",
                replace_original=False,
            )
        elif (body.get("view") or {}).get("type") == "modal":
            await _update(client, body, view)
        return BoltResponse(status=200, body="")

    @staticmethod
    def _told(error: Exception) -> tuple[str, str]:
        """The sentence for the person, and the reference of an error that is ours."""
        if isinstance(error, BotError):
            log.info("person_told", error=type(error).__name__, detail=error.detail)
            return error.sentence, ""
        if isinstance(error, StorageError) and error.temporary:
            log.warning("storage_failed", error=type(error).__name__)
            return STORAGE_WORDS, ""
        reference = secrets.token_hex(4)
        code = error.response.get("error") if isinstance(error, SlackApiError) else None
        log.error("listener_failed", reference=reference, code=code, exc_info=error)
        return BotError.words, reference


async def _update(client: AsyncWebClient, body: Mapping[str, Any], view: Any) -> None:
    """Replace the open view, if it is still there; the error that led here is already told and logged."""
    try:
        await client.views_update(view_id=body["view"]["id"], view=view)
    except SlackApiError as error:
        log.info("view_gone", code=error.response.get("error"))
