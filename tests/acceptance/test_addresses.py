"""The address field of the form, as a person at the page meets it: servers come, advice changes, nothing typed is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.person import Unexpected, top_view, words
from tests.acceptance.modals import content, says, shows, silent_about

if TYPE_CHECKING:
    from bot.sandbox.person import Person

pytestmark = pytest.mark.timeout(90)

LATE_SECONDS = 5.0
"""Longer than an answer may take."""


async def opened(person: Person, command: str = "/mailbox add") -> dict[str, Any]:
    """The form of a command."""
    await person.command(command)
    return await person.until("the form", top_view, 30)


async def test_advice_follows_the_address(marta: Person) -> None:
    """Gmail's advice comes, gives way to another provider's, and goes when the address names nobody known."""
    form = await opened(marta)
    await marta.type_into(form, "E-mail address", "ada@gmail.com")
    form = await marta.until("Gmail's servers", shows("Incoming server", "pop.gmail.com"), 30)
    assert "Gmail wants an app password here" in words(form)
    assert "Make an app password" in words(form)

    await marta.type_into(form, "E-mail address", "ada@web.de")
    form = await marta.until("WEB.DE's servers", shows("Incoming server", "pop3.web.de"), 30)
    assert "15 minutes" in words(form)
    assert "Gmail" not in words(form)

    await marta.type_into(form, "E-mail address", "ada@web")
    await marta.until("no advice", silent_about("15 minutes"), 30)


async def test_a_provider_that_takes_no_password_is_asked_for_none(marta: Person) -> None:
    """The form says so, has no password field, and cannot be sent; with a server of one's own it can."""
    form = await opened(marta)
    await marta.type_into(form, "E-mail address", "ada@outlook.com")
    form = await marta.until("the advice", says("takes no passwords"), 30)
    assert content(form, "Password") is None
    assert content(form, "Outgoing password") is None

    with pytest.raises(Unexpected, match="Enter the address of another mailbox"):
        await marta.submit(form, {"Account name": "Work"})

    await marta.submit(form, {"Account name": "Work", "Incoming server": "mail.ada.example"})
    form = await marta.until("a password field", lambda shown: _with_password(top_view(shown)), 30)
    assert content(form, "Account name") == "Work"
    assert content(form, "Incoming server") == "mail.ada.example"


def _with_password(view: dict[str, Any] | None) -> dict[str, Any] | None:
    return view if view is not None and content(view, "Password") is not None else None


async def test_the_sandbox_s_own_servers_are_found(marta: Person) -> None:
    """DNS names them, the form fills them in, and the mailbox is added without a server having been typed."""
    account = await marta.mailbox("marta@local.test")
    form = await opened(marta, "/mailbox add marta@local.test")

    form = await marta.until("the servers", shows("Incoming server", "localhost"), 30)

    assert content(form, "Port") == str(account["pop"]["port"])
    assert content(form, "Outgoing port") == str(account["smtp"]["port"])
    assert content(form, "Username") == "marta@local.test"
    assert "names itself" in words(form)
    answers = {"Account name": "Work", "Password": account["password"], "How much old mail to bring": "None"}
    await marta.submit(form, answers)
    await marta.until("the result", says("” is added"), 30)


async def test_a_guess_is_marked_and_gives_way(marta: Person) -> None:
    """A domain that says nothing gets a guess that is called one, and a better address replaces it."""
    form = await opened(marta)
    await marta.type_into(form, "E-mail address", "ada@example.org")

    form = await marta.until("a guess", shows("Incoming server", "pop.example.org"), 30)
    assert "only a guess" in words(form)
    assert content(form, "Outgoing server") == "smtp.example.org"

    await marta.type_into(form, "E-mail address", "ada@gmail.com")
    form = await marta.until("Gmail's servers", shows("Incoming server", "pop.gmail.com"), 30)
    assert "only a guess" not in words(form)


async def test_a_late_answer_undoes_nothing(marta: Person) -> None:
    """What a person types while the domain is being asked stays, and the rest is filled in around it."""
    form = await opened(marta)
    await marta.type_into(form, "E-mail address", "ada@example.org")
    await marta.type_into(form, "Incoming server", "mail.ada.example")
    await marta.type_into(form, "Port", "1100")

    form = await marta.until("the answer", shows("Outgoing server", "smtp.example.org"), 30)

    assert content(form, "Incoming server") == "mail.ada.example"
    assert content(form, "Port") == "1100"


async def test_a_form_that_was_sent_is_not_shown_again(marta: Person) -> None:
    """An answer that comes after the form was sent does not push the test aside."""
    account = await marta.mailbox("marta@local.test")
    form = await opened(marta)
    await marta.type_into(form, "E-mail address", "ada@example.org")
    answers = {
        "Account name": "Work",
        "E-mail address": "ada@example.org",
        "Incoming server": "localhost",
        "Port": str(account["pop"]["port"]),
        "Username": account["username"],
        "Password": account["password"],
        "How much old mail to bring": "None",
    }

    await marta.submit(form, answers)
    await marta.until("the result", says("” is added"), 30)

    with pytest.raises(Unexpected, match="did not come"):
        await marta.until("a form", says("only a guess"), LATE_SECONDS)


async def test_only_the_newest_address_counts(marta: Person) -> None:
    """Typing on takes back the question about half an address."""
    form = await opened(marta)
    for address in ("ada@exa.co", "ada@exa.com", "ada@exa.com.example"):
        await marta.type_into(form, "E-mail address", address)
        await asyncio.sleep(0)

    form = await marta.until("a guess", says("only a guess"), 30)

    assert content(form, "Incoming server") == "pop.exa.com.example"


async def test_a_slip_corrected_at_once_leaves_the_right_form(marta: Person) -> None:
    """A character taken back and typed again faster than the form is shown anew: the advice is there at the end."""
    form = await opened(marta)
    for address in ("ada@gmail.com", "ada@gmail.co", "ada@gmail.com", "ada@web.d", "ada@web.de") * 3:
        await marta.type_into(form, "E-mail address", address)

    form = await marta.until("WEB.DE's servers", shows("Incoming server", "pop3.web.de"), 30)

    assert "15 minutes" in words(form)
    assert content(form, "Username") == "ada"
