"""Ids come from payloads, and whoever sends one could write anything into it: administration finds nothing, on either database."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bot.errors import NoSuchMailbox, NotAllowed
from bot.slack.views.admin import AuditFilter
from storage.sharing import Act, Subject, SubjectKind
from tests.integration.administration.conftest import person

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from storage.records import Person
    from tests.integration.administration.conftest import Place

AISHA, KENJI = person("U0AISHA003"), person("U0KENJI005")


@pytest.fixture(params=["sqlite", "postgresql"])
def sqlite_url(request: pytest.FixtureRequest) -> str:
    """Both databases: they differ in what they take as text."""
    return str(request.getfixturevalue(f"{request.param}_url_as_it_is"))


@pytest.fixture
def postgresql_url_as_it_is(postgresql_url: str) -> str:
    """The one."""
    return postgresql_url


@pytest.fixture
def sqlite_url_as_it_is(sqlite_template: Path, tmp_path: Path) -> str:
    """The other."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'mailbox.db')}"


OF_MAILBOX: dict[str, Callable[[Place, Person, str], Awaitable[object]]] = {
    "held": lambda place, actor, found: place.inspection.held(actor, found),
    "suspend": lambda place, actor, found: place.inspection.suspend(actor, found),
    "lift": lambda place, actor, found: place.inspection.lift(actor, found),
    "delete": lambda place, actor, found: place.inspection.delete(actor, found),
}
FORGED = pytest.mark.parametrize(
    "found", ["\0", "a\ud800", "x" * 3000, "é\u202e"], ids=["nul", "half", "long", "marks"]
)


@FORGED
async def test_an_administrator_finds_no_such_mailbox(place: Place, found: str) -> None:
    """What is no id is no mailbox."""
    for act in OF_MAILBOX.values():
        with pytest.raises(NoSuchMailbox):
            await act(place, AISHA, found)


@FORGED
async def test_whoever_is_no_administrator_is_refused_and_noted(place: Place, found: str) -> None:
    """One sentence for the person, one line of the audit, whatever the id holds."""
    for at, act in enumerate(OF_MAILBOX.values()):
        with pytest.raises(NotAllowed):
            await act(place, KENJI, found)

        assert [entry.act for entry in await place.audit()] == [Act.REFUSED] * (at + 1)


@FORGED
async def test_a_page_of_the_audit_begins_nowhere(place: Place, found: str) -> None:
    """Behind an entry that never was there is nothing, or everything, and no fault."""
    await place.inspection.audit(AISHA, AuditFilter(actor=found, owner=found), found)


@FORGED
async def test_a_grant_of_nobody_is_shown_as_nobody(place: Place, found: str) -> None:
    """The form of a grant for a person who is none opens for nobody."""
    with pytest.raises(NotAllowed):
        await place.administration.sheet(KENJI, Subject(SubjectKind.PERSON, found))

    (entry,) = await place.audit()
    assert entry.act is Act.REFUSED
