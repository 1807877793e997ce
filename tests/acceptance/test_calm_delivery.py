"""A flood and quiet hours, as their owner sees them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from bot.sandbox.person import Unexpected, top_view, words
from tests.acceptance.modals import result
from tests.acceptance.test_mailbox_life import ADDRESS, add, answer, post

if TYPE_CHECKING:
    from bot.sandbox.demo import Demo
    from bot.sandbox.person import Person

pytestmark = pytest.mark.timeout(180)

SUBJECTS = [f"Flood {number}" for number in range(22)]


async def change(person: Person, answers: dict[str, str], then: dict[str, str]) -> str:
    """Change the settings; what is asked for besides is answered when the form asks for it."""
    await person.command("/mailbox edit")
    form = await person.until("the form", top_view, 10)
    await person.submit(form, answers)
    if then:
        label = next(iter(then))

        def asking(shown: dict[str, Any]) -> dict[str, Any] | None:
            view = top_view(shown)
            return view if view is not None and label in words(view) else None

        await person.submit(await person.until(f"the field “{label}”", asking, 10), then)
    view = await result(person)
    await person.close(view)
    return words(view)


async def test_a_flood_is_one_post_with_a_thread(demo: Demo, marta: Person) -> None:
    """Twenty-two messages that are there at once: one post that names them, each in its thread, in order."""
    await add(marta)
    await marta.command("/mailbox pause")
    await answer(marta, "paused")
    for subject in SUBJECTS:
        await marta.send_mail(ADDRESS, subject, "One of many.")
    await marta.command("/mailbox resume")

    def whole(shown: dict[str, Any]) -> dict[str, Any] | None:
        over = [post for post in shown["posts"] if "22 new messages" in post["text"]]
        return over[0] if over and len(over[0]["replies"]) == len(SUBJECTS) else None

    over = await marta.until("the whole thread", whole, 120)

    assert [reply["blocks"][0]["text"]["text"] for reply in over["replies"]] == SUBJECTS
    assert "Flood 19" in words(over["blocks"])
    assert "And 2 more." in words(over["blocks"])
    assert not any("One of many" in words(post["blocks"]) for post in (await marta.state())["posts"])


async def is_waiting(person: Person) -> None:
    """Ask for the list until it says that a message waits."""
    for _ in range(10):
        await person.command("/mailbox list")
        with suppress(Unexpected):
            await person.until("it", lambda shown: shown if "1 message waits" in words(shown) else None, 3)
            return
    raise AssertionError("The list does not say that a message waits.")


async def test_quiet_hours_hold_mail_and_their_end_lets_it_go(demo: Demo, marta: Person) -> None:
    """By the clock of the person's own time zone, and at once when they are taken back."""
    await add(marta)
    hour = datetime.now(UTC).astimezone(ZoneInfo("Europe/Stockholm")).hour
    said = await change(
        marta, {"Quiet hours from": f"{hour}:00"}, {"Quiet hours until": f"{(hour + 2) % 24}:00"}
    )
    await marta.send_mail(ADDRESS, "In the night", "Hush.")
    await marta.command("/mailbox check")

    await is_waiting(marta)
    assert f"Quiet hours from {hour}:00" in said
    assert "Europe/Stockholm" in said
    assert not any("In the night" in words(post) for post in (await marta.state())["posts"])

    await change(marta, {"Quiet hours from": "No quiet hours"}, {})
    await post(marta, "In the night")
