"""Every button, menu, field, form and word that listeners know, used by people to whom nothing is open.

`presses` names what each is used with: the owner's own ids. A listener without a row here fails the first test.
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import pytest

from bot.slack import listeners, names
from tests.fakes.tasks import end_the_rest
from tests.integration.presses import (
    ACTIONS,
    FORMS,
    OPENED,
    OTHERS,
    SLOW,
    THEIRS,
    WITHOUT_EFFECT,
)
from tests.integration.pressing import NOOR, TOMASZ, WORD, Ledger, Stage, stage
from tests.integration.viewing.conftest import KENJI, MARTA, OWEN, PETRA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from bot.mail.renderer import Renderer
    from storage.records import Person

ACTORS: Final = {
    "a member with no share": TOMASZ,
    "a member whose share ended": KENJI,
    "a guest": OWEN,
    "somebody who left, named by a share": PETRA,
    "somebody of another workspace, named by a share": NOOR,
}


class Opened(NamedTuple):
    """The stage once everybody has opened what they may."""

    stage: Stage
    views: dict[str, dict[str, Any]]


@pytest.fixture
async def opened(sqlite_url: str, tmp_path: Path, lasting_renderer: Renderer) -> AsyncIterator[Opened]:
    """The views are as their openers had them, the owner's words in them replaced."""
    assert sqlite_url == f"sqlite:///{tmp_path / 'mailbox.db'}"
    async with AsyncExitStack() as stack:
        made = await stage(tmp_path, lasting_renderer, stack)
        views = {callback_id: await _opened(made, callback_id) for callback_id in OPENED}
        made.ids["draft"] = views[names.ADMIN_PREVIEW]["private_metadata"]
        yield Opened(made, views)
        await end_the_rest()


@pytest.fixture
async def ended(opened: Opened) -> Opened:
    """Kenji's share has ended."""
    await opened.stage.end(opened.stage.ids["share"])
    opened.stage.let_out()
    return opened


async def _opened(made: Stage, callback_id: str) -> dict[str, Any]:
    """A view as whoever may open it has it; what it says of the owner is made unknown, its ids stay."""
    person, action_id, value = OPENED[callback_id]
    made.close_all([person.user])
    await made.press(person.user, _action(action_id, value.format(**made.ids)))
    await made.ledger.idle()
    view = made.front_view(person.user)
    if callback_id == names.ADMIN_PREVIEW:
        await made.send(person.user, view)
        await made.ledger.idle()
        view = made.front_view(person.user)
    assert view["callback_id"] == callback_id, f"{callback_id} was not opened"
    return cast("dict[str, Any]", json.loads(re.sub(WORD, "other", json.dumps(view), flags=re.IGNORECASE)))


def _action(action_id: str, value: str) -> dict[str, Any]:
    """What was pressed or chosen, with the fields of every kind of element."""
    return {
        "action_id": "admin_page:on" if action_id.startswith("^") else action_id,
        "value": value,
        "selected_option": {"text": {"type": "plain_text", "text": "x"}, "value": value},
        "selected_user": MARTA.user,
        "selected_date": "2026-01-01",
    }


def _forged(view: Mapping[str, Any]) -> dict[str, Any]:
    """A view that was never open to whoever uses it."""
    return {**view, "id": "V0FORGED01", "previous_view_id": None, "root_view_id": "V0FORGED01"}


def _filled(view: Mapping[str, Any], user: str) -> dict[str, Any]:
    """The same with something in every field that would be missed."""
    form = copy.deepcopy(_forged(view))
    if form["callback_id"] == names.ADD_FORM:
        return form  # what is whole is tried on a server, which takes its time
    values = form["state"]["values"]
    for block in form["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            place = values.setdefault(block["block_id"], {})
            state = place.setdefault(element["action_id"], {"type": element["type"]})
            if element["type"] in {"plain_text_input", "email_text_input"}:
                state["value"] = state.get("value") or _typed(block["block_id"])
            elif element["type"] == "multi_users_select":
                state["selected_users"] = [TOMASZ.user if user != TOMASZ.user else KENJI.user]
            elif element["type"] == "rich_text_input":
                section = {"type": "rich_text_section", "elements": [{"type": "text", "text": "Hello"}]}
                state["rich_text_value"] = {"type": "rich_text", "elements": [section]}
    return form


def _typed(block_id: str) -> str:
    """What stands in a field: an address that nobody connects to, where it is one of a server."""
    word = names.field_of(block_id)
    if word == names.CONFIRMATION:
        return "erase"
    if word.endswith("_port"):
        return "995"
    return "127.0.0.1" if word.endswith("_server") else "someone@gmail.com"


class Watch:
    """What others' presses did that they must not."""

    def __init__(self, made: Stage) -> None:
        self._stage = made
        self.faults: list[str] = []
        self._before: dict[str, list[tuple[Any, ...]]] = {}

    async def begin(self) -> None:
        """Remember what is stored now."""
        self._before = await self._stage.rows()

    async def all_try(
        self,
        what: str,
        one: Callable[[Person], Awaitable[None]],
        *,
        but: frozenset[str] = frozenset(),
        typed: str = "",
    ) -> None:
        """Everybody does the same.

        Args:
            but: whose change is theirs to make.
            typed: what they know anyhow.
        """
        self._stage.close_all(person.user for person in ACTORS.values())
        tries = await asyncio.gather(*(one(person) for person in ACTORS.values()), return_exceptions=True)
        for who, result in zip(ACTORS, tries, strict=True):
            if isinstance(result, BaseException):
                self.faults.append(f"{what} by {who}: {result!r}")
        await self._stage.ledger.idle()
        self.faults += [f"{what} let out: {said[:600]}" for said in self._stage.let_out(typed)]
        after = await self._stage.rows()
        changed = {name for name in {*after, *self._before} if after.get(name) != self._before.get(name)}
        self.faults += [f"{what} changed {name}" for name in changed - but]
        self._before = after


def test_every_listener_has_a_row() -> None:
    """Whoever adds a button or a form writes here what it must not do for others."""
    ledger = Ledger()
    listeners.register(cast("Any", ledger), cast("Any", _Nothing()))

    assert ledger.names["action"] - {".*"} == set(ACTIONS)
    assert ledger.names["view"] - {".*"} == set(FORMS)


class _Nothing:
    """A desk that nobody sits at."""

    def __getattr__(self, name: str) -> _Nothing:
        return self


async def test_no_press_of_others_does_or_shows_anything(ended: Opened) -> None:
    """With the owner's ids in the button: nothing of the owner's is changed or told, and each press is acknowledged."""
    made, watch = ended.stage, Watch(ended.stage)
    await watch.begin()

    for action_id, row in ACTIONS.items():
        view = _forged(ended.views[row.within]) if row.within else None
        for value in row.values:
            action = _action(action_id, value.format(**made.ids))
            await watch.all_try(f"{action_id} {value}", partial(_presses, made, action, view))

    assert not watch.faults, "\n".join(watch.faults)


async def test_whoever_may_has_an_effect(opened: Opened) -> None:
    """The same presses do or show something for the owner, a manager and an administrator: the values are the right ones."""
    made, idle = opened.stage, set()
    made.let_out()

    for action_id, row in sorted(
        ACTIONS.items(), key=lambda one: one[0] in {names.REVOKE_SHARE, names.OUTGOING_UNDO}
    ):
        within = opened.views.get(row.within)
        user = OPENED[row.within][0] if within else OTHERS.get(action_id, MARTA)
        for value in (each for each in row.values if "{" in each and action_id not in SLOW):
            before = await made.rows()
            made.close_all([user.user])
            view = _forged(within) if within else None
            await made.press(user.user, _action(action_id, value.format(**made.ids)), view)
            await made.ledger.idle()
            if not made.let_out() and await made.rows() == before:
                idle.add(f"{action_id} {value}".strip())

    assert idle == WITHOUT_EFFECT.keys()


async def test_no_form_of_others_does_or_shows_anything(ended: Opened) -> None:
    """With the metadata that the owner's, a manager's or an administrator's form had."""
    made, watch = ended.stage, Watch(ended.stage)
    await watch.begin()

    for callback_id in FORMS:
        view = ended.views[callback_id]
        mine = THEIRS if callback_id == names.ERASE_FORM else frozenset()
        await watch.all_try(callback_id, partial(_sends, made, view), but=mine)

    assert not watch.faults, "\n".join(watch.faults)


async def test_no_word_of_others_does_or_shows_anything(ended: Opened) -> None:
    """With the name of the owner's mailbox behind it, and its address; in Slack nobody from elsewhere has the command."""
    made, watch = ended.stage, Watch(ended.stage)
    await watch.begin()

    for word in names.COMMANDS:
        # Whoever adds an address of their own is shown what its domain is.
        for rest in ("zEbRa dEsK", "aNnA@zEbRa.example")[: 1 if word == names.ADD else 2]:
            text = f"{word} {rest}"
            await watch.all_try(text, partial(_types, made, text), typed=rest)

    assert not watch.faults, "\n".join(watch.faults)


async def _presses(
    made: Stage, action: Mapping[str, Any], view: Mapping[str, Any] | None, person: Person
) -> None:
    await made.press(person.user, action, view)


async def _sends(made: Stage, view: Mapping[str, Any], person: Person) -> None:
    await made.send(person.user, _filled(view, person.user))


async def _types(made: Stage, text: str, person: Person) -> None:
    if person != NOOR:
        await made.type(person.user, text)
