"""What owners change, and what that means for their mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot import pace
from bot.errors import NoSuchMailbox
from bot.guard import Guard
from bot.mailboxes import Checked, Order, Registrar
from bot.pace import Pace
from bot.plan import Listed
from bot.slack.views.values import Report, outcome
from storage.old_mail import OldMails
from storage.records import OldMail, Person, Retention, SeenState, ServerAddress
from tests.integration.one_database import database_url  # noqa: F401 - a fixture
from tests.integration.storage.stores import NEW, Stores

if TYPE_CHECKING:
    from pathlib import Path

    from storage.database import Database
    from storage.vault import Vault

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LISTING = tuple(Listed(number, b"uid%d" % number) for number in range(1, 81))
CHECKED = Checked(Report(outcome(()), messages=len(LISTING)), LISTING)


def unreached(*_: object) -> Any:
    """No server takes part in these tests."""
    raise AssertionError


@pytest.fixture
def stores(database: Database, vault: Vault, tmp_path: Path) -> Stores:
    """Empty ones."""
    return Stores.on(database, vault, tmp_path)


@pytest.fixture
def registrar(stores: Stores) -> Registrar:
    """Stores, changes, and asks no server."""
    return Registrar(
        stores.mailboxes,
        stores.outbox,
        OldMails(stores.database),
        Guard(stores.attempts, is_exempt=lambda _: True, clock=lambda: NOW),
        connect=unreached,
        submit=unreached,
        bounds=lambda _: pace.bounds(timedelta(minutes=5), None, is_exact=False),
        clock=lambda: NOW,
        nudge=lambda: None,
    )


async def test_a_check_by_hand_keeps_the_provider_s_minimum(stores: Stores, registrar: Registrar) -> None:
    """Counted from the test in the form too, so that the first poll is not one login too many."""
    registrar.bounds = lambda _: Pace(timedelta(minutes=5), timedelta(minutes=5), timedelta(minutes=1))
    mailbox = await stores.mailboxes.add(NEW, NOW - timedelta(seconds=20))

    asked = await registrar.check_now(mailbox.owner, mailbox.id)

    assert asked.due_at == NOW + timedelta(seconds=40)


@pytest.mark.parametrize(("host", "skipped"), [(NEW.profile.incoming.host, 0), ("pop.elsewhere.example", 30)])
async def test_new_settings_for_the_same_maildrop_skip_no_mail(
    stores: Stores, registrar: Registrar, host: str, skipped: int
) -> None:
    """What came since the mailbox was added is new, though none of it was seen yet; another maildrop's mail is old."""
    mailbox = await stores.mailboxes.add(NEW, NOW)
    profile = replace(
        mailbox.profile, name="Renamed", incoming=ServerAddress(host, 995, NEW.profile.incoming.security)
    )
    order = Order(profile, NEW.passwords, Retention.LEAVE, None, OldMail.LAST_50, make_active=True)

    await registrar.change(mailbox.owner, mailbox.id, order, CHECKED)

    states = [known.state for known in (await stores.messages.seen(mailbox.id)).values()]
    assert states.count(SeenState.SKIPPED) == skipped
    assert states.count(SeenState.OLD) == (50 if skipped else 0)


@pytest.mark.parametrize(
    ("wanted", "old", "skipped"), [(OldMail.NONE, 0, 80), (OldMail.LAST_50, 50, 30), (OldMail.ALL, 80, 0)]
)
async def test_much_old_mail_of_a_new_mailbox_comes_bit_by_bit(
    stores: Stores, registrar: Registrar, wanted: OldMail, old: int, skipped: int
) -> None:
    """What is wanted waits for its turn, and the result says how much that is."""
    order = Order(NEW.profile, NEW.passwords, Retention.LEAVE, None, wanted, make_active=True)

    mailbox = await registrar.add(NEW.owner, order, CHECKED, "form")

    states = [known.state for known in (await stores.messages.seen(mailbox.id)).values()]
    coming = registrar.old_mail_coming(mailbox, order, CHECKED)
    assert (states.count(SeenState.OLD), states.count(SeenState.SKIPPED)) == (old, skipped)
    assert (coming.count, coming.is_in_pieces) == (old, old > 0)


async def test_nobody_stops_another_persons_old_mail(stores: Stores, registrar: Registrar) -> None:
    """The owner is checked where it is stopped, and stopping twice is once."""
    order = Order(NEW.profile, NEW.passwords, Retention.LEAVE, None, OldMail.ALL, make_active=True)
    await registrar.add(NEW.owner, order, CHECKED, "form")
    entry = await stores.head(await stores.dm(NOW))

    with pytest.raises(NoSuchMailbox):
        await registrar.stop_old_mail(Person("T1", "U9"), entry.id)

    assert (await registrar.stop_old_mail(NEW.owner, entry.id)).is_stopped
    assert (await registrar.stop_old_mail(NEW.owner, entry.id)).is_stopped
