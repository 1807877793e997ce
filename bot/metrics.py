"""The instruments that Prometheus reads; what each means and what is normal stands in docs/watching.md.

Built once by the composition root and handed down. No label holds anything of a person, a mailbox or a server: every
value comes from our own code and there are few of them.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from storage.records import Health, Shape
from storage.sending import OutgoingState, Trouble

SUPERSEDED: Final = "superseded"
PUT_OFF: Final = "put_off"
BROKEN: Final = "broken"
PARTS: Final = ("database", "slack")
UNDER_WAY: Final = (OutgoingState.WAITING, OutgoingState.HELD, OutgoingState.SENDING)

POLL_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
LAG_BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """One set of instruments and the registry they stand in."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.registry: Final = registry
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        self.polls: Final = counter("mailbox_polls", "Polls, by the health they found.", ["outcome"])
        self.poll_seconds: Final = Histogram(
            "mailbox_poll_seconds",
            "Time from claim to recorded result, waiting for a turn at the server included.",
            registry=registry,
            buckets=POLL_BUCKETS,
        )
        self.messages: Final = counter(
            "mailbox_messages_kept", "Messages stored for delivery, by shape.", ["shape"]
        )
        self.octets: Final = counter("mailbox_octets_fetched", "Octets of messages that servers sent.")
        self.slack_calls: Final = counter(
            "mailbox_slack_calls",
            "Requests to Slack's Web API, by how they were answered.",
            ["method", "outcome"],
        )
        self.loop_lag: Final = Histogram(
            "mailbox_loop_lag_seconds",
            "How late the event loop came to a timer.",
            registry=registry,
            buckets=LAG_BUCKETS,
        )
        self.entries: Final = gauge("mailbox_outbox_entries", "Entries not yet finished.")
        self.oldest: Final = gauge("mailbox_outbox_oldest_seconds", "Age of the oldest unfinished entry.")
        self.overdue: Final = gauge(
            "mailbox_outbox_overdue_seconds", "How long the longest waiting DM could have been attended to."
        )
        self.mailboxes: Final = gauge(
            "mailbox_mailboxes", "Mailboxes that are polled, by health.", ["health"]
        )
        self.submissions: Final = counter(
            "mailbox_submissions", "Tries to send a mail, by what came of them.", ["outcome"]
        )
        self.outgoing: Final = gauge(
            "mailbox_outgoing_mails",
            "Mails that people send and that are not at their end, by state.",
            ["state"],
        )
        self.outgoing_oldest: Final = gauge(
            "mailbox_outgoing_oldest_seconds", "How long the longest waiting mail could have been tried."
        )
        self.ready: Final = gauge("mailbox_ready", "1 while the part answers.", ["part"])
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """A series that first appears with its first failure has no rise that an alert could see."""
        for outcome in (*Health, SUPERSEDED, PUT_OFF, BROKEN):
            self.polls.labels(outcome)
        for shape in Shape:
            self.messages.labels(shape)
        for health in Health:
            self.mailboxes.labels(health)
        for outcome in (OutgoingState.SENT, *Trouble, SUPERSEDED, PUT_OFF):
            self.submissions.labels(outcome)
        for state in UNDER_WAY:
            self.outgoing.labels(state)
        for part in PARTS:
            self.ready.labels(part)
