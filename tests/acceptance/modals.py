"""What tests wait for in the modal in front: what it says, what its fields hold, and how a connection test ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.person import title, top_view, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.person import Person

    Look = Callable[[dict[str, Any]], dict[str, Any] | None]
    """Finds a modal in what the page shows; None while it is not there."""


def where(holds: Callable[[dict[str, Any]], bool]) -> Look:
    """Looks for a modal in front that is so."""

    def look(shown: dict[str, Any]) -> dict[str, Any] | None:
        front = top_view(shown)
        return front if front is not None and holds(front) else None

    return look


def says(text: str) -> Look:
    """Looks for one that says this."""
    return where(lambda front: text in words(front))


def silent_about(text: str) -> Look:
    """Looks for one that no longer says this."""
    return where(lambda front: text not in words(front))


def shows(label: str, text: str) -> Look:
    """Looks for a form whose field has this content."""
    return where(lambda front: content(front, label) == text)


def with_field(label: str) -> Look:
    """Looks for a form that has this field."""
    return where(lambda front: content(front, label) is not None)


def content(view: dict[str, Any], label: str) -> str | None:
    """What a field holds; None when the form has no such field."""
    for block in view["blocks"]:
        if block["type"] == "input" and block["label"]["text"] == label:
            element = block["element"]
            state = view["state"]["values"][block["block_id"]][element["action_id"]]
            chosen = state.get("selected_option") or {}
            return str(state.get("value") or chosen.get("value") or "")
    return None


async def view(person: Person, text: str) -> dict[str, Any]:
    """The modal in front, once it says this."""
    return await person.until(f"a modal with “{text}”", says(text), 30)


async def result(person: Person) -> dict[str, Any]:
    """The view after a connection test."""
    ended = where(lambda front: not front["busy"] and not title(front).startswith("Testing"))
    return await person.until("the result", ended, 30)
