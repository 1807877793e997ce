"""The page can switch the faults of the mail servers and put many mails in at once."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.mail.faults import Kind

if TYPE_CHECKING:
    import aiohttp

    from bot.sandbox.mail.servers import MailServers

ADA = "ada@local.test"


async def test_every_fault_is_told_in_words(page: aiohttp.ClientSession) -> None:
    """Name, effect and whom it befalls are there for each kind; at first none is on."""
    shown = await _get(page)

    assert {kind["kind"] for kind in shown["kinds"]} == set(Kind)
    assert all(kind["name"] and kind["effect"] for kind in shown["kinds"])
    assert {kind["befalls"] for kind in shown["kinds"]} == {"server", "maildrop"}
    assert shown["faults"] == []


async def test_a_fault_is_on_until_it_is_switched_off(
    page: aiohttp.ClientSession, servers: MailServers
) -> None:
    """Each answer tells what is on now, with the seconds that count."""
    slow = await _post(page, "faults", kind="slow", on=True)
    slower = await _post(page, "faults", kind="slow", on=True, seconds=0.5)
    both = await _post(page, "faults", kind="busy", on=True, address=ADA)
    one = await _post(page, "faults", kind="slow", on=False)

    assert slow["faults"] == [{"kind": "slow", "address": "", "seconds": 5.0}]
    assert slower["faults"] == [{"kind": "slow", "address": "", "seconds": 0.5}]
    assert len(both["faults"]) == 2
    assert (
        one["faults"] == [{"kind": "busy", "address": ADA, "seconds": None}] == (await _get(page))["faults"]
    )
    assert not servers.faults.on


async def test_one_call_heals_everything(page: aiohttp.ClientSession) -> None:
    """Servers and maildrops."""
    await _post(page, "faults", kind="unreachable", on=True)
    await _post(page, "faults", kind="wrong_password", on=True, address=ADA)

    healed = await _post(page, "heal")

    assert healed["ok"]
    assert (await _get(page))["faults"] == []


@pytest.mark.parametrize(
    "order", [{"kind": "gremlins", "on": True}, {"kind": "busy", "on": True, "address": "x@local.test"}]
)
async def test_an_unknown_fault_is_refused_and_nothing_changes(
    page: aiohttp.ClientSession, order: dict[str, Any]
) -> None:
    """The answer says what is wrong with the order."""
    answer = await _post(page, "faults", **order)

    assert answer["ok"] is False
    assert "there" in answer["error"] or "nobody" in answer["error"]
    assert (await _get(page))["faults"] == []


async def test_many_mails_are_spread_over_the_past_days(
    page: aiohttp.ClientSession, servers: MailServers
) -> None:
    """Sixty, the oldest first, each with Date and Received of its own, half of them from the last week."""
    answer = await _post(page, "many", to=ADA)
    drop, now = servers.drops.get(ADA), datetime.now(UTC)
    assert drop is not None
    mails = [email.message_from_bytes(mail.octets, policy=email.policy.default) for mail in drop.mails]
    dates = [parsedate_to_datetime(str(mail["Date"])) for mail in mails]

    assert answer == {"ok": True, "count": 60}
    assert dates == sorted(set(dates))
    assert [mail.received for mail in drop.mails] == dates
    assert [parsedate_to_datetime(str(mail["Received"]).rpartition(";")[2]) for mail in mails] == dates
    assert now - timedelta(days=14) < dates[0] < now - timedelta(days=13)
    assert sum(date > now - timedelta(days=7) for date in dates) == 30
    assert len({mail["Subject"] for mail in mails}) == len({mail["Message-ID"] for mail in mails}) == 60


@pytest.mark.parametrize(
    "order",
    [
        {"to": "x@local.test"},
        {},
        {"to": ADA, "count": 0},
        {"to": ADA, "count": 501},
        {"to": ADA, "count": "60"},
        {"to": ADA, "days": True},
    ],
)
async def test_too_many_mails_or_none_are_refused(
    page: aiohttp.ClientSession, servers: MailServers, order: dict[str, Any]
) -> None:
    """The answer has a reason, and nothing is delivered."""
    answer = await _post(page, "many", **order)

    assert answer["ok"] is False
    assert answer["error"]
    assert all(not drop.mails for drop in servers.drops)


async def _get(page: aiohttp.ClientSession) -> dict[str, Any]:
    async with page.get("mail/faults") as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def _post(page: aiohttp.ClientSession, call: str, **body: Any) -> dict[str, Any]:
    async with page.post(f"mail/{call}", json=body) as response:
        answer: dict[str, Any] = await response.json()
        return answer
