"""What the one error handler does with a form that could not be taken."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import NoSuchMailbox
from bot.slack import drafts, views
from bot.slack.listeners.failures import STORAGE_WORDS, FailureHandler
from storage.errors import SealBroken, StorageBusy

FORM = {"type": "view_submission", "view": views.mailbox_form(drafts.new_draft())}


async def answered(error: Exception, body: dict[str, Any]) -> dict[str, Any]:
    """What Slack is answered to a form whose listener failed before it acknowledged."""
    nobody = cast("Any", None)
    answer = await FailureHandler(nobody)(error, cast("Any", AsyncAck)(), body, nobody, nobody)
    assert answer is not None
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def test_a_form_outlives_a_database_that_is_away() -> None:
    """It stays as it was typed, with the reason under its first field, and can be sent again."""
    answer = await answered(StorageBusy(), FORM)

    assert answer == {"response_action": "errors", "errors": {"account_name": STORAGE_WORDS}}


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (NoSuchMailbox(), FORM),
        (SealBroken(), FORM),
        (StorageBusy(), {"type": "view_submission", "view": views.loading("Remove mailbox")}),
    ],
    ids=["gone", "ours", "no field"],
)
async def test_any_other_form_is_replaced_by_the_reason(error: Exception, body: dict[str, Any]) -> None:
    """Sending it again would not help, or there is no field to say so under."""
    answer = await answered(error, body)

    assert answer["response_action"] == "update"
    assert answer["view"]["blocks"]
