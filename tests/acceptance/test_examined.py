"""Why don't I see my e-mail: asked of the whole program, answered by a test that really runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.person import top_view, words
from tests.acceptance.test_mailbox_life import ADDRESS, add, answer, change_password, post

if TYPE_CHECKING:
    from bot.sandbox.demo import Demo
    from bot.sandbox.person import Person

pytestmark = pytest.mark.timeout(120)


async def examined(person: Person) -> dict[str, Any]:
    """`/mailbox doctor`; its last view."""
    await person.command("/mailbox doctor")

    def found(shown: dict[str, Any]) -> dict[str, Any] | None:
        view = top_view(shown)
        return view if view is not None and "*" in words(view) and "Looking into" not in words(view) else None

    return await person.until("what the doctor found", found, 40)


async def test_the_doctor_finds_what_is_wrong(demo: Demo, marta: Person) -> None:
    """All is seen; paused; a password that was changed: each is named, and the button beside it mends it."""
    await add(marta)
    await marta.send_mail(ADDRESS, "Here it is", "Read me.")
    await post(marta, "Here it is")
    view = await examined(marta)
    assert "✓ Signed in" in words(view)
    assert "There is nothing new" in words(view)
    await marta.close(view)

    await marta.command("/mailbox pause")
    await answer(marta, "paused")
    view = await examined(marta)
    assert "It is paused" in words(view)
    await marta.press("Resume")
    await marta.until("the answer", lambda shown: shown if "fetched again" in words(shown) else None, 30)
    await marta.close(view)

    await change_password(demo, "another")
    await post(marta, "Fix password")
    view = await examined(marta)
    assert "✗" in words(view)
    assert "does not take the user name or the password" in words(view)


async def test_the_doctor_is_reached_from_help_and_list(demo: Demo, marta: Person) -> None:
    """Help names it, and each mailbox in the list has its button."""
    await add(marta)
    await marta.command("/mailbox help")
    await answer(marta, "/mailbox doctor")
    await marta.command("/mailbox status")
    await answer(marta, "Last success")

    await marta.press("Doctor")

    await marta.until("the doctor", lambda shown: shown if "Signed in" in words(shown) else None, 40)
