"""A mailbox that an administrator suspended, as its owner meets it in the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.person import top_view, words
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.people import TEAM_ID
from storage.database import Database
from storage.records import Person as Owner
from storage.shares import Shares
from storage.sharing import Suspension
from storage.suspension import Suspensions
from tests.acceptance.conftest import MARTA
from tests.acceptance.test_mailbox_life import add, answer

if TYPE_CHECKING:
    from bot.sandbox.demo import Demo
    from bot.sandbox.person import Person

pytestmark = pytest.mark.timeout(120)

AISHA = Owner(TEAM_ID, "U0AISHA003")


async def test_its_owner_is_told_and_nobody_signs_in(demo: Demo, marta: Person) -> None:
    """The list says who to ask, the doctor makes no login, and resuming is refused in a sentence."""
    await add(marta)
    database = await Database.open(f"sqlite:///{demo.folder / 'data' / 'mailbox.db'}")
    (facts,) = await Shares(database).facts_of(Owner(TEAM_ID, MARTA))
    now = datetime.now(UTC)
    await Suspensions(database).suspend(
        TEAM_ID, facts.mailbox_id, Suspension.ADMINISTRATOR, AISHA, now, lambda _: True
    )
    await database.close()

    await marta.command("/mailbox doctor")
    seen = await marta.until("the doctor", top_view, 30)
    await marta.close(seen)
    await marta.command("/mailbox resume")
    await answer(marta, "This mailbox is suspended")
    await marta.command("/mailbox list")
    await answer(marta, "Suspended by an administrator")
    logins = _logins(demo)
    await marta.command("/mailbox password")
    form = await marta.until("the password form", top_view, 30)
    await marta.submit(form, {"New password": "marta-mail-password"})
    refused = await marta.until("the refusal", _refused, 30)

    assert "nobody signs in to it" in words(seen)
    assert "nothing was changed" in words(refused)
    assert _logins(demo) == logins


def _logins(demo: Demo) -> int:
    return sum(drop.counters.logins for drop in demo.mail.drops)


def _refused(page: dict[str, Any]) -> dict[str, Any] | None:
    view = top_view(page)
    return view if view is not None and "This mailbox is suspended" in words(view) else None


async def test_while_slack_does_not_say_who_somebody_is_nothing_is_added(demo: Demo, marta: Person) -> None:
    """The form opens; sent, it comes back with the reason."""
    for method in ("users.info", "usergroups.list"):
        demo.slack.sandbox.faults.add(Fault(method, "rate_limited", count=1000, seconds=30))

    said = await add(marta)
    await marta.command("/mailbox list")
    await answer(marta, "You have no mailbox yet")

    assert "could not ask Slack" in said
