"""What a poll leaves in the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.records import Health, Shape

if TYPE_CHECKING:
    from tests.integration.polling.conftest import Desk


def value(desk: Desk, name: str, **labels: str) -> float | None:
    """One series as it stands."""
    return desk.metrics.registry.get_sample_value(name, labels)


async def test_a_poll_moves_the_metrics(desk: Desk) -> None:
    """Polls, their time, messages and octets; what is known already counts once."""
    await desk.add()
    desk.send("one", "two")

    await desk.poll()
    await desk.poll()

    octets = sum(len(mail.octets) for mail in desk.drop.mails)
    assert value(desk, "mailbox_polls_total", outcome=Health.OK) == 2
    assert value(desk, "mailbox_poll_seconds_count") == 2
    assert value(desk, "mailbox_messages_kept_total", shape=Shape.WHOLE) == 2
    assert value(desk, "mailbox_octets_fetched_total") == octets


async def test_a_message_too_large_counts_as_its_head(desk: Desk) -> None:
    """Only what was asked for was fetched."""
    await desk.add()
    desk.send("large", body="x" * 300_000)

    await desk.poll()

    assert value(desk, "mailbox_messages_kept_total", shape=Shape.TOP) == 1
    assert 0 < (value(desk, "mailbox_octets_fetched_total") or 0) < 300_000


async def test_a_refused_login_counts_as_what_it_is(desk: Desk) -> None:
    """The outcome is the health that the owner sees."""
    await desk.add(password="wrong")

    await desk.poll()

    assert value(desk, "mailbox_polls_total", outcome=Health.LOGIN_REFUSED) == 1
    assert value(desk, "mailbox_polls_total", outcome=Health.OK) == 0


async def test_a_poll_whose_lease_went_counts_as_superseded(desk: Desk) -> None:
    """The owner changed something while it ran: nothing is wrong, and it is not a success."""
    mailbox = await desk.add()
    claim = await desk.stores.claim(desk.clock())
    await desk.stores.mailboxes.pause(mailbox.owner, mailbox.id, desk.clock())

    await desk.poller.poll(claim)

    assert value(desk, "mailbox_polls_total", outcome="superseded") == 1
