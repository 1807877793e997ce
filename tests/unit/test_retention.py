"""Which delete settings each provider can carry out."""

from __future__ import annotations

import pytest

from bot import retention
from bot.retention import WhyNot
from storage.records import Retention
from tests.unit.samples import PROVIDERS

ROWS = {provider.id: provider for provider in PROVIDERS}
HIDING = {"gmail", "google_workspace"}


@pytest.mark.parametrize(
    ("username", "why"),
    [
        ("ana@example.org", WhyNot.HIDES_FETCHED),
        ("recent:ana@example.org", WhyNot.READS_RECENT),
    ],
)
def test_only_what_a_provider_can_do_is_offered(username: str, why: WhyNot) -> None:
    """Gmail lists nothing twice, so nothing can be deleted after it is in Slack; everybody else can do all."""
    for provider in (None, *ROWS):
        found = retention.allowed_retentions(ROWS[provider] if provider else None, username)
        reason = why if provider in HIDING else None

        assert dict(found) == dict.fromkeys(Retention, reason) | {Retention.LEAVE: None}, provider


def test_gmail_lists_everything_to_recent_only() -> None:
    """So UIDs that look new are news there, and nowhere else at Gmail."""
    gmail = PROVIDERS.by_host("pop.gmail.com")

    assert not retention.lists_all(gmail, "ana@gmail.com")
    assert retention.lists_all(gmail, "Recent:ana@gmail.com")
    assert retention.lists_all(None, "ana@example.org")


def test_every_reason_has_its_words() -> None:
    """Nobody reads an id."""
    assert set(retention.WORDS) == set(WhyNot)
