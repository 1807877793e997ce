"""Ids come from payloads, and whoever sends one could write anything into it: it is nobody's mail, on either database."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bot.errors import BotError
from bot.mail.letters import LetterKind
from bot.mail.special import Answer
from storage.sharing import Act
from tests.integration.sending.conftest import filled
from tests.integration.viewing.conftest import KENJI

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.integration.sending.conftest import Bureau


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


USES: dict[str, Callable[[Bureau, str], Awaitable[object]]] = {
    "reply": lambda bureau, found: bureau.sending.started(KENJI, LetterKind.REPLY, found),
    "from": lambda bureau, found: bureau.sending.started(KENJI, LetterKind.NEW, None, found),
    "save": lambda bureau, found: bureau.sending.save(KENJI, filled(found), "form1"),
    "save_reply": lambda bureau, found: bureau.sending.save(
        KENJI, filled("", kind=LetterKind.REPLY, message_id=found), "form1"
    ),
    "undo": lambda bureau, found: bureau.sending.undo(KENJI, found),
    "again": lambda bureau, found: bureau.sending.send_again(KENJI, found),
    "leave": lambda bureau, found: bureau.sending.leave(KENJI, found),
    "write_on": lambda bureau, found: bureau.sending.opened_again(KENJI, found),
    "respond": lambda bureau, found: bureau.sending.respond(KENJI, found, "uid", Answer.ACCEPTED),
    "settings": lambda bureau, found: bureau.sending.settings(KENJI, found),
    "set_settings": lambda bureau, found: bureau.sending.set_settings(KENJI, found, "", "", 10),
}


@pytest.mark.parametrize(
    "found", ["\0", "a\ud800", "x" * 3000, "é\u202e"], ids=["nul", "half", "long", "marks"]
)
async def test_an_id_that_is_none_is_refused_and_noted(bureau: Bureau, found: str) -> None:
    """One sentence for the person, one line of the audit."""
    for at, use in enumerate(USES):
        bureau.hall.clock.push(minutes=2)  # the same refusal within a minute is noted once
        with pytest.raises(BotError):
            await USES[use](bureau, found)

        assert len(await bureau.hall.noted(Act.REFUSED)) == at + 1, use
