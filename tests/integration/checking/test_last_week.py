"""What the test of a form finds out about the last seven days."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from bot.mailboxes import Order
from storage.records import OldMail, Passwords, Profile, Retention, Secret
from tests.fakes.pop3_server import Answer, Pop3Server, hang_up
from tests.integration.checking.conftest import ANNA

if TYPE_CHECKING:
    from tests.integration.checking.conftest import Ground

DAYS = range(100, 0, -1)


@pytest.mark.parametrize(
    ("answers", "count", "has_no_dates"),
    [({}, 6, False), ({"TOP": b"-ERR no TOP\r\n"}, 50, True), ({"TOP": hang_up}, 50, True)],
)
async def test_the_last_week_comes_or_else_the_newest_fifty(
    ground: Ground, answers: dict[str, Answer], count: int, *, has_no_dates: bool
) -> None:
    """A server that tells no dates, or breaks over the question, still passes its test, and the result says so."""
    dates = [format_datetime(ground.clock() - timedelta(days=days)) for days in DAYS]
    messages = [f"Date: {date}\r\n\r\nbody\r\n".encode() for date in dates]
    async with Pop3Server(messages, answers=answers) as server:
        profile = Profile("Work", server.username, server.address, server.username, None, None)
        passwords = Passwords(Secret(server.password), None)
        order = Order(profile, passwords, Retention.LEAVE, None, OldMail.LAST_7_DAYS, make_active=True)

        checked = await ground.registrar.check(ANNA, profile, passwords, old_mail=order.old_mail)
        mailbox = await ground.registrar.add(ANNA, order, checked, "form")
        coming = ground.registrar.old_mail_coming(mailbox, order, checked)

    assert checked.report.is_incoming_fine
    assert (coming.count, coming.has_no_dates) == (count, has_no_dates)


async def test_dates_are_asked_for_only_where_they_matter(ground: Ground) -> None:
    """Every other choice costs no TOP."""
    async with Pop3Server([b"Subject: x\r\n\r\n"] * 3) as server:
        await ground.test(server.address)

        assert not [line for line in server.commands if line.startswith("TOP")]
