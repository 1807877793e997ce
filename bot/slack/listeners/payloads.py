"""What is read from the payload of a press or a form, whatever it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def value_of(action: Mapping[str, Any]) -> str:
    """What a button carries; "" where it carries nothing."""
    return str(action.get("value") or "")


def view_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The view that somebody acted in; empty where they acted elsewhere."""
    view: Mapping[str, Any] = body.get("view") or {}
    return view


def view_id_of(body: Mapping[str, Any]) -> str:
    """The id of that view; "" where there is none."""
    return str(view_of(body).get("id") or "")


def values_of(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands in the view's fields."""
    values: Mapping[str, Any] = (view.get("state") or {}).get("values") or {}
    return values


def below(view: Mapping[str, Any]) -> str:
    """The id of the view under this one; "" where there is none."""
    found = view.get("previous_view_id")
    return str(found) if found and found != view.get("id") else ""
