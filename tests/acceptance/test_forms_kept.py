"""Forms that Slack, the database or a slow redraw would make people type again: nothing typed is lost."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bot.sandbox.person import Person, words
from tests.acceptance.modals import content, result, says, silent_about, with_field
from tests.acceptance.test_forms_in_trouble import added, answers, opened, said

if TYPE_CHECKING:
    from bot.sandbox.demo import Demo

pytestmark = pytest.mark.timeout(90)


async def test_a_database_that_is_away_loses_nothing_typed(demo: Demo, marta: Person) -> None:
    """The form comes back with the reason and all that was typed, the password included; sent again, it is stored."""
    form = await opened(marta, "/mailbox add")
    with closing(sqlite3.connect(demo.folder / "data" / "mailbox.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        await marta.submit(form, await answers(marta))
        form = await marta.until("the form again", says("cannot reach its database"), 30)
        holder.execute("ROLLBACK")

    assert content(form, "Account name") == "Work"
    assert content(form, "Incoming server") == "localhost"
    await marta.submit(form, {})
    assert "” is added" in words(await result(marta))
    assert len((await marta.state())["home"]["blocks"]) > 0


async def test_a_new_password_is_kept_while_the_database_is_away(demo: Demo, marta: Person) -> None:
    """The same for the password form."""
    await added(marta)
    account = await marta.mailbox("marta@local.test")
    form = await opened(marta, "/mailbox password")
    with closing(sqlite3.connect(demo.folder / "data" / "mailbox.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        await marta.submit(form, {"New password": account["password"]})
        form = await marta.until("the form again", says("cannot reach its database"), 30)
        holder.execute("ROLLBACK")

    await marta.submit(form, {})

    assert "works and is saved" in words(await result(marta))


async def test_a_field_that_was_not_shown_yet_is_shown_before_it_is_asked_for(marta: Person) -> None:
    """A form sent before Slack drew it anew comes with the field, not with a sentence under none."""
    form, field = await opened(marta, "/mailbox add"), "After how many days"
    choice = {"Delete setting": "Delete some days after it is in Slack"}

    await marta.submit(form, await answers(marta, **choice))
    form = await marta.until("the field", with_field(field), 30)

    assert content(form, field) == "30"
    assert content(form, "Password") == "marta-mail-password"
    await marta.submit(form, {field: "3"})
    assert "3 days after" in words(await result(marta))


async def test_two_choices_made_at_once_both_count(marta: Person) -> None:
    """The second comes with the form as it was before the first was shown, and is shown all the same."""
    await opened(marta, "/mailbox add")

    await asyncio.gather(
        marta.pick("Delete setting", "Delete some days after it is in Slack"),
        marta.pick("Sending", "Receiving only"),
    )

    await marta.until("the days", with_field("After how many days"), 30)
    await marta.until("no outgoing server", silent_about("Outgoing server"), 30)


async def test_the_incoming_server_decides_what_is_offered(marta: Person) -> None:
    """Gmail's name typed by hand brings its mode, in the form for a new mailbox and in that for one there is."""
    form = await opened(marta, "/mailbox add")
    await marta.type_into(form, "E-mail address", "ada@work.example")
    await marta.until("a guess", says("only a guess"), 30)
    await marta.type_into(form, "Incoming server", "pop.gmail.com")
    form = await marta.until("its mode", says("Also what other programs"), 30)
    assert content(form, "E-mail address") == "ada@work.example"
    assert content(form, "Incoming server") == "pop.gmail.com"
    await marta.type_into(form, "Incoming server", "pop.gmail.com.example")
    await marta.until("no mode", silent_about("Also what other programs"), 30)
    await marta.close(form)

    await added(marta)
    form = await opened(marta, "/mailbox edit")
    await marta.type_into(form, "Incoming server", "pop.gmail.com")

    await marta.until("its mode", says("Also what other programs"), 30)


async def test_another_maildrop_says_how_much_of_it_comes(demo: Demo, marta: Person) -> None:
    """Its old mail is treated as a new mailbox's is, and the person is told."""
    await added(marta)
    kenji = await marta.mailbox("kenji@local.test")

    form = await opened(marta, "/mailbox edit")
    await marta.submit(form, {"Username": kenji["username"], "Password": kenji["password"]})

    shown = words(await result(marta))
    assert "is changed" in shown
    assert "Bringing" in shown
    assert demo.bot.tail()


async def test_who_writes_to_the_bot_is_answered(demo: Demo, marta: Person) -> None:
    """One friendly sentence; help is given at once; nothing is answered to the answers."""
    await marta.write("hello?")
    await said(marta, "goes to nobody")
    await marta.write("help")
    await said(marta, "look for new mail now")

    posts = (await marta.state())["posts"]
    assert sum("goes to nobody" in words(post) for post in posts) == 1
    assert "Traceback" not in demo.bot.tail()
