"""What Prometheus reads: everything from the start, nothing about anybody, each instrument explained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

from bot.metrics import BROKEN, PUT_OFF, SUPERSEDED, Metrics
from bot.slack.client import CallCounter
from storage.records import Health, Shape

PAGE = Path(__file__).resolve().parents[2] / "docs" / "watching.md"


def families(metrics: Metrics) -> dict[str, list[dict[str, str]]]:
    """Our own metric families and the labels of their samples."""
    return {
        family.name: [sample.labels for sample in family.samples]
        for family in metrics.registry.collect()
        if family.name.startswith("mailbox_")
    }


def test_every_series_is_there_before_anything_happened() -> None:
    """A first failure is a rise from zero that an alert can see."""
    found = families(Metrics())

    assert {labels["outcome"] for labels in found["mailbox_polls"]} == {*Health, SUPERSEDED, PUT_OFF, BROKEN}
    assert {labels["shape"] for labels in found["mailbox_messages_kept"]} == set(Shape)
    assert {labels["health"] for labels in found["mailbox_mailboxes"]} == set(Health)
    assert {labels["part"] for labels in found["mailbox_ready"]} == {"database", "slack"}


def test_labels_are_few_and_name_nobody() -> None:
    """Only words of our own code ever stand in a label."""
    names = {name for samples in families(Metrics()).values() for labels in samples for name in labels}

    assert names == {"outcome", "shape", "health", "part", "state", "le"}


def test_two_sets_share_nothing() -> None:
    """Each program, and each test, has instruments of its own."""
    first, second = Metrics(), Metrics()

    first.octets.inc(7)

    assert first.registry.get_sample_value("mailbox_octets_fetched_total") == 7
    assert second.registry.get_sample_value("mailbox_octets_fetched_total") == 0


def test_the_page_explains_every_instrument_and_no_other() -> None:
    """Docs and code name the same metrics."""
    text = generate_latest(Metrics().registry).decode()
    exposed = set(re.findall(r"^# TYPE (mailbox_\w+) (?!gauge\n\1_created)", text, re.MULTILINE))
    exposed = {name for name in exposed if not name.endswith("_created")}

    explained = set(re.findall(r"^\| `(mailbox_\w+)", PAGE.read_text(), re.MULTILINE))

    assert explained == exposed


def response(status: int, body: Any) -> HttpResponse:
    """An answer as the SDK shows it to retry handlers."""
    return HttpResponse(status_code=status, headers={}, body=body)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (response(200, {"ok": True}), "ok"),
        (response(200, {"ok": False, "error": "not_in_channel"}), "refused"),
        (response(429, {"ok": False, "error": "ratelimited"}), "rate_limited"),
        (response(429, None), "rate_limited"),
        (response(200, {"ok": False, "error": "ratelimited"}), "rate_limited"),
        (response(500, {"ok": False, "error": "internal_error"}), "failed"),
        (response(502, None), "failed"),
        (response(200, ["no", "object"]), "failed"),
        (response(200, {}), "failed"),
        (None, "unanswered"),
    ],
)
async def test_a_call_counts_by_how_it_was_answered(answer: HttpResponse | None, outcome: str) -> None:
    """Whatever Slack says is counted once, and nothing is repeated for it."""
    metrics = Metrics()
    request = HttpRequest(method="POST", url="https://slack.example/api/chat.postMessage", headers={})

    repeats = await CallCounter(metrics).can_retry_async(state=RetryState(), request=request, response=answer)

    labels = {"method": "chat.postMessage", "outcome": outcome}
    assert not repeats
    assert metrics.registry.get_sample_value("mailbox_slack_calls_total", labels) == 1
