"""What deliveries leave in the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.delivery.conftest import GRACE

if TYPE_CHECKING:
    from tests.integration.delivery.conftest import Desk


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
