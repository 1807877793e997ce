"""What owners change, and what that means for their mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.mail import providers
from bot.mailboxes import Checked, Order, Registrar
from bot.plan import Listed
from bot.slack.views.values import Report, outcome
from storage.records import OldMail, Retention, ServerAddress
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
        connect=unreached,
        submit=unreached,
        providers=providers.load(),
        interval=lambda _: timedelta(minutes=5),
        clock=lambda: NOW,
        nudge=lambda: None,
    )


@pytest.mark.parametrize(("host", "skipped"), [(NEW.profile.incoming.host, 0), ("pop.elsewhere.example", 30)])
async def test_new_settings_for_the_same_maildrop_skip_no_mail(
    stores: Stores, registrar: Registrar, host: str, skipped: int
) -> None:
    """What came since the mailbox was added is new, though none of it was seen yet; another maildrop's mail is old."""
    mailbox = await stores.mailboxes.add(NEW, NOW)
    profile = replace(
        mailbox.profile, name="Renamed", incoming=ServerAddress(host, 995, NEW.profile.incoming.security)
    )
    order = Order(profile, NEW.passwords, Retention.LEAVE, OldMail.LAST_50, make_active=True)

    await registrar.change(mailbox.owner, mailbox.id, order, CHECKED)

    assert len(await stores.messages.seen(mailbox.id)) == skipped
