"""What the one error handler does with a form that could not be taken."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, cast

import pytest
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import BotError, NoSuchMailbox
from bot.slack import drafts, send_names, views
from bot.slack.listeners import writing
from bot.slack.listeners.desk import shown
from bot.slack.listeners.failures import STORAGE_WORDS, FailureHandler, fill
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


async def test_what_was_written_outlives_a_fault_of_ours() -> None:
    """Its form keeps it, with a reference, as for every other reason not to save a mail."""

    async def work() -> Any:
        raise SealBroken

    task = asyncio.create_task(work())
    await asyncio.wait({task})
    outcome = writing._outcome(task)

    assert isinstance(outcome, writing._Trouble)
    assert list(outcome.errors) == [send_names.TEXT]
    assert outcome.sentence.startswith(f"{BotError.words} (Reference ")


class Window:
    """A modal that is open.

    Args:
        silences: how many calls get no answer.
    """

    def __init__(self, silences: int = 0) -> None:
        self.shown: list[Any] = []
        self.silences = silences

    async def views_update(self, *, view_id: str, view: Any) -> None:
        """What Slack's method of this name takes."""
        if self.silences:
            self.silences -= 1
            raise TimeoutError
        self.shown.append((view_id, view))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StorageBusy(), STORAGE_WORDS),
        (NoSuchMailbox(), NoSuchMailbox().sentence),
        (SealBroken(), BotError.words),
    ],
    ids=["database", "gone", "ours"],
)
async def test_a_modal_that_cannot_be_filled_says_why(error: Exception, words: str) -> None:
    """It was opened with "Loading", and nothing else would ever change that."""

    async def work() -> Any:
        raise error

    window = Window()
    with suppress(SealBroken):  # goes on to the one error handler
        await fill(cast("Any", window), "V1", work())

    assert window.shown == [("V1", views.could_not_open(words))]


async def test_a_modal_is_filled_once_slack_answers_again() -> None:
    """The word “Loading” does not stay because Slack was silent three times in a row."""
    window = Window(silences=3)

    assert await shown(cast("Any", window), "V1", views.expired(), pauses=(0, 0, 0))

    assert window.shown == [("V1", views.expired())]
    assert not await shown(cast("Any", Window(silences=4)), "V1", views.expired(), pauses=(0, 0, 0))
