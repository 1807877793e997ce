"""What deliveries leave in the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.integration.delivery.conftest import GRACE
from tests.integration.storage.test_storage_plans import recorded

if TYPE_CHECKING:
    from tests.integration.delivery.conftest import Desk

MOST_STATEMENTS: Final = 14
"""That read or change rows and are recorded; two more insert a mail's conversation and its keys."""


def calls(desk: Desk, method: str, outcome: str) -> float:
    """How many requests are counted."""
    labels = {"method": method, "outcome": outcome}
    return desk.metrics.registry.get_sample_value("mailbox_slack_calls_total", labels) or 0


async def test_every_request_counts_by_its_answer(desk: Desk) -> None:
    """Told to wait, accepted without an answer, looked up, posted: each shows as what it was."""
    await desk.keep("one", "two")
    await desk.fault("chat.postMessage", "rate_limited", seconds=1)
    await desk.deliver()
    desk.clock.ahead += GRACE
    await desk.fault("chat.postMessage", "accept_then_drop")
    await desk.deliver()
    desk.clock.ahead += 2 * GRACE
    await desk.deliver()

    assert len(await desk.posts()) == 2
    assert calls(desk, "chat.postMessage", "rate_limited") == 1
    assert calls(desk, "chat.postMessage", "unanswered") == 1
    assert calls(desk, "chat.postMessage", "ok") == 1
    assert calls(desk, "conversations.history", "ok") == 1
    assert calls(desk, "conversations.open", "ok") == 1


async def test_a_refusal_counts_as_one(desk: Desk) -> None:
    """Slack said no: neither a failure of the network nor a success."""
    await desk.keep("one")
    await desk.fault("conversations.open", "error", error="user_not_found")

    await desk.deliver()

    assert calls(desk, "conversations.open", "refused") == 1
    assert await desk.posts() == []


async def test_a_mail_takes_few_statements(desk: Desk) -> None:
    """Each delivered mail asks the database so often and no more, however many there are."""
    await desk.keep("first")
    await desk.deliver()
    counts = []
    for number in (2, 4):
        await desk.keep(*(f"{number}-{each}" for each in range(number)))
        with recorded(desk.stores.database) as statements:
            await desk.deliver()
        counts.append(len(statements))

    assert (counts[1] - counts[0]) / 2 <= MOST_STATEMENTS
