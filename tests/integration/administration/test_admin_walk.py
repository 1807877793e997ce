"""`/mailbox admin` as people meet it: on the sandbox, by the labels they see, as an administrator and as a member."""

from __future__ import annotations

import gc
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.sandbox.person import Person, top_view, words
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.people import TEAM_ID
from bot.slack.client import SlackClient, web_client
from bot.slack.grant_drafts import GrantDrafts
from bot.slack.listeners.office import Office
from storage.records import Health
from storage.sharing import Act, GrantKind, Level, Reach, SubjectKind, Suspension
from tests.integration.administration.conftest import BASE, Place, person, to_person
from tests.integration.administration.test_administration import MEMBERS, PRIVATE
from tests.integration.listening import SECONDS, listen, settled
from tests.integration.storage.stores import OK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

AISHA, TOMASZ, MARTA, KENJI = "U0AISHA003", "U0TOMASZ02", "U0MARTA004", "U0KENJI005"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What people see does not depend on the database."""
    return sqlite_url


@pytest.fixture
async def page(place: Place) -> AsyncIterator[Any]:
    """The bot listens; gives somebody at the page."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        web = web_client("xoxb-t", place.api_url, 30)
        office = Office(place.administration, place.inspection, GrantDrafts(lambda: BASE))
        await listen(web, stack, slack=SlackClient(web, session), clock=place.clock, office=office)
        yield lambda user: Person(session, place.url, user)


async def test_an_admin_narrows_the_members(place: Place, page: Any) -> None:
    """Overview, form, preview with numbers, saved, and the overview below says it."""
    mailbox = await place.mailbox(KENJI)
    await place.share(mailbox, to_person(MARTA), Level.OPEN)
    aisha = page(AISHA)

    await aisha.command("/mailbox admin")
    await settled(aisha, "*Members*: may share up to Open")
    await aisha.press("Edit", beside="*Members*")
    form = await settled(aisha, "Binds the mailboxes of everybody in this role")
    await aisha.submit(
        form, {"Level": "See: sender, subject, date, size", "Domains never shared": "bank.example"}
    )
    preview = await settled(aisha, "1 share is lowered:")
    assert f"<@{KENJI}> → <@{MARTA}>: Open → See" in words(preview)
    assert "1 domain added" in words(preview)
    await aisha.submit(preview, {})
    await settled(aisha, "✓ The grant is saved.")

    (grant,) = await place.grants.all(TEAM_ID)
    assert (grant.level, grant.excluded, grant.written_by) == (Level.SEE, frozenset({"bank.example"}), AISHA)
    await aisha.until("the overview", lambda shown: _first(shown, "may share up to See"), SECONDS)


def _first(shown: dict[str, Any], text: str) -> dict[str, Any] | None:
    view = shown["views"][0]
    return view if text in words(view) else None


async def test_choices_show_and_hide_fields_and_lose_nothing(place: Place, page: Any) -> None:
    """Private hides the level, Fixed asks for an audience; what was typed elsewhere stays."""
    aisha = page(AISHA)
    await aisha.command("/mailbox admin")
    await settled(aisha, "Grants")
    await aisha.press("Edit", beside="*Members*")
    form = await settled(aisha, "Widest audience")
    await aisha.type_into(form, "Most mailboxes", "7")

    await aisha.pick("Sharing", "Private: nothing is shared")
    await settled_without(aisha, "Widest audience")
    await aisha.pick("Sharing", "Fixed: shared as set here, owners cannot change it")
    await settled(aisha, "Who gets it")
    await aisha.pick("Who gets it", "A role and those above it")
    form = await settled(aisha, "From which role on")
    await aisha.submit(form, {"From which role on": "Owners and above"})
    await settled(aisha, "always shared at Open with Owners and above · 7 mailboxes")
    await aisha.press("Back to the form")
    form = await settled(aisha, "From which role on")

    assert form["state"]["values"]["most_mailboxes"]["value"]["value"] == "7"


async def settled_without(somebody: Person, text: str) -> dict[str, Any]:
    """The view in front, once it does not say this any more."""

    def holds(shown: dict[str, Any]) -> dict[str, Any] | None:
        view = top_view(shown)
        return view if view is not None and text not in words(view) else None

    return await somebody.until(f"a view without “{text}”", holds, SECONDS)


async def test_faults_stand_in_the_form(place: Place, page: Any) -> None:
    """A wrong domain is said under its field, and the form stays."""
    aisha = page(AISHA)
    await aisha.command("/mailbox admin")
    await settled(aisha, "Grants")
    await aisha.press("Edit", beside="*Everyone*")
    form = await settled(aisha, "Domains never shared")

    with pytest.raises(Exception, match="is no domain"):
        await aisha.submit(form, {"Domains never shared": "not a domain!"})

    await settled(aisha, "Domains never shared")


async def test_an_admin_cannot_widen_owners(place: Place, page: Any) -> None:
    """The form of a higher role offers nothing wider; narrowing warns that it is one way."""
    aisha = page(AISHA)
    await aisha.command("/mailbox admin")
    await settled(aisha, "Grants")
    await aisha.press("Edit", beside="*Owners*")
    form = await settled(aisha, "Owners rank above you")
    assert "Reply: send as the mailbox" not in words(form)

    await aisha.submit(form, {"Level": "See: sender, subject, date, size"})

    await settled(aisha, "not widen it again")


async def test_a_grant_for_a_group_and_a_person(place: Place, page: Any) -> None:
    """Chosen from the overview's menus, saved, listed, and taken back."""
    aisha = page(AISHA)
    await aisha.command("/mailbox admin")
    await settled(aisha, "Grants")
    await aisha.pick("Grant for a group …", "Support")
    form = await settled(aisha, "Group “Support”")
    await aisha.submit(form, {"Sharing": "Private: nothing is shared"})
    preview = await settled(aisha, "Back to the form")
    assert "2 people" in words(preview)
    await aisha.submit(preview, {})
    await settled(aisha, "✓ The grant is saved.")
    (grant,) = await place.grants.all(TEAM_ID)
    assert (grant.subject.kind, grant.kind) == (SubjectKind.GROUP, GrantKind.PRIVATE)

    await aisha.close(await settled(aisha, "saved"))
    await aisha.command("/mailbox admin")
    await settled(aisha, "Groups with a grant of their own")
    await aisha.press("Edit", beside="Group “Support”")
    await settled(aisha, "Remove this grant")
    await aisha.press("Remove this grant …")
    preview = await settled(aisha, "Back to the form")
    await aisha.submit(preview, {})
    await settled(aisha, "✓ The grant is taken back.")
    assert await place.grants.all(TEAM_ID) == []


async def test_the_slower_admin_is_told(place: Place, page: Any) -> None:
    """Somebody else saved meanwhile: nothing is overwritten, the preview is shown anew."""
    aisha = page(AISHA)
    await aisha.command("/mailbox admin")
    await settled(aisha, "Grants")
    await aisha.press("Edit", beside="*Members*")
    form = await settled(aisha, "Widest audience")
    await aisha.submit(form, {"Widest audience": "People and user groups"})
    preview = await settled(aisha, "Back to the form")
    members = (await place.administration.preview(person(TOMASZ), MEMBERS, PRIVATE)).before
    await place.administration.write(person(TOMASZ), MEMBERS, PRIVATE, members)

    await aisha.submit(preview, {})

    again = await settled(aisha, "Somebody changed this grant")
    await aisha.submit(again, {})
    await settled(aisha, "✓ The grant is saved.")
    (grant,) = await place.grants.all(TEAM_ID)
    assert (grant.reach, grant.written_by) == (Reach.GROUPS, AISHA)


async def test_a_mailbox_is_deleted(place: Place, page: Any) -> None:
    """From the list, after a question; it is gone, and its owner is told."""
    await place.mailbox(MARTA)
    claim = await place.stores.claim(place.clock())
    result = replace(OK, health=Health.LOGIN_REFUSED, failures=4, due_at=None)
    await place.stores.mailboxes.finish(claim, result)
    aisha = page(AISHA)
    await aisha.command("/mailbox admin")
    await settled(aisha, "1 mailbox: 0 well, *1 failing*")
    await aisha.press("Mailboxes")
    shown = await settled(aisha, "login refused")
    assert "example.org" in words(shown)
    assert "anna@" not in words(shown)

    await aisha.press("Delete …")
    await aisha.submit(await settled(aisha, "What goes, for good"), {})
    await settled(aisha, f"✓ The mailbox of <@{MARTA}> is deleted. The owner was told.")

    assert await place.stores.mailboxes.of(person(MARTA)) == []
    await page(MARTA).until("the word to the owner", _told, SECONDS)


def _told(shown: dict[str, Any]) -> dict[str, Any] | None:
    told = "An administrator of this workspace deleted one of your"
    return next((post for post in shown["posts"] if told in f"{words(post)} {post.get('text')}"), None)


async def test_a_mailbox_is_suspended_and_lifted(place: Place, page: Any) -> None:
    """From the list; the line says so, and the button is the way back."""
    mailbox = await place.mailbox(MARTA)
    aisha = page(AISHA)
    await aisha.command("/mailbox admin")
    await settled(aisha, "1 mailbox: 1 well")
    await aisha.press("Mailboxes")
    await settled(aisha, "not checked yet")

    await aisha.press("Suspend")
    await settled(aisha, f"✓ The mailbox of <@{MARTA}> is suspended")
    assert (await place.shares.facts(mailbox.id)).suspension is Suspension.ADMINISTRATOR
    await aisha.press("Lift")
    await settled(aisha, f"✓ The mailbox of <@{MARTA}> goes on")
    assert (await place.shares.facts(mailbox.id)).suspension is None


async def test_the_audit_is_filtered_and_exported(place: Place, page: Any) -> None:
    """Refusals stand in it; the file comes into the administrator's DM."""
    kenji = page(KENJI)
    await kenji.command("/mailbox admin")
    await settled(kenji, "Please ask")
    await place.administration.write(person(AISHA), MEMBERS, PRIVATE, (await place.administration.preview(person(AISHA), MEMBERS, PRIVATE)).before)  # fmt: skip
    aisha = page(AISHA)
    await aisha.command("/mailbox admin")
    await settled(aisha, "Grants")
    await aisha.press("Audit")
    await settled(aisha, f"*<@{KENJI}>* was refused")

    await aisha.pick("What was done", "Set a grant")
    await settled_without(aisha, "was refused ·")
    await settled(aisha, f"*<@{AISHA}>* set a grant · Members")
    await aisha.press("Export as CSV")
    await settled(aisha, "✓ 1 entry is in our direct messages")
    await aisha.press("Show all")
    await settled(aisha, f"*<@{KENJI}>* was refused")


@pytest.mark.filterwarnings("error")
async def test_a_modal_that_slack_does_not_open_is_said_and_nothing_is_asked(place: Place, page: Any) -> None:
    """The next click works; what was to be shown is left behind without a word on the console."""
    aisha = page(AISHA)
    place.sandbox.faults.add(Fault("views.open", "error", error="expired_trigger_id"))

    await aisha.command("/mailbox admin")
    await aisha.until("the word", lambda shown: "did not wait long enough" in str(shown) or None, SECONDS)
    gc.collect()

    await aisha.command("/mailbox admin")
    await settled(aisha, "Grants")
    assert await place.audit() == []


@pytest.mark.parametrize("user", [MARTA, "U0LUCIA006", "U0OWEN0007"])
async def test_others_are_refused_politely(place: Place, page: Any, user: str) -> None:
    """Whoever types it is told whom to ask, and it is recorded."""
    somebody = page(user)

    await somebody.command("/mailbox admin")

    view = await settled(somebody, "so nothing was done")
    assert f"<@{AISHA}>" in words(view)
    assert [(entry.act, entry.actor) for entry in await place.audit()] == [(Act.REFUSED, user)]


async def test_an_old_button_is_refused_after_a_demotion(place: Place, page: Any) -> None:
    """What an administrator left open does nothing once they are none."""
    aisha = page(AISHA)
    await aisha.command("/mailbox admin")
    await settled(aisha, "Grants")
    await aisha.press("Edit", beside="*Members*")
    form = await settled(aisha, "Widest audience")
    await aisha.change_role(AISHA, "member")

    await aisha.submit(form, {"Widest audience": "People and user groups"})

    await settled(aisha, "so nothing was done")
    assert await place.grants.all(TEAM_ID) == []
