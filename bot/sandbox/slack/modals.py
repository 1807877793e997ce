"""Opening, pushing, updating and closing views, for API calls and for acks alike."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from bot.sandbox.slack import validate
from bot.sandbox.slack.answers import ApiError, Json
from bot.sandbox.slack.views import MAX_STACK, View
from bot.sandbox.slack.workspace import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sandbox.slack.workspace import Workspace


def _all_views(workspace: Workspace) -> Iterator[View]:
    for desk in workspace.desks.values():
        yield from desk.stack
        if desk.home:
            yield desk.home


def new_hash(workspace: Workspace) -> str:
    """A hash that no other state of a view has."""
    return f"{int(workspace.now())}.{secrets.token_hex(4)}"


def _free_external_id(workspace: Workspace, body: Json, but: str | None = None) -> None:
    wanted = body.get("external_id")
    if wanted and any(view.external_id == wanted and view.id != but for view in _all_views(workspace)):
        raise ApiError("duplicate_external_id")


def find(workspace: Workspace, view_id: str | None, external_id: str | None) -> View:
    """An open view by its id or the app's own id for it.

    Raises:
        ApiError: `not_found`, also for a view that was closed.
    """
    for view in _all_views(workspace):
        if view.id == view_id or (external_id and view.external_id == external_id):
            return view
    raise ApiError("not_found")


def push(workspace: Workspace, user: str, raw: object, *, onto_open: bool) -> View:
    """Show one more modal on top of the person's stack.

    Args:
        onto_open: refuse when nothing is open to push onto.

    Raises:
        ApiError: the view is unsound, three are open, or its external id is taken.
    """
    stack = workspace.desks[user].stack
    body = validate.view(raw, "modal")
    _free_external_id(workspace, body)
    if onto_open and not stack:
        raise ApiError("not_found")
    if len(stack) >= MAX_STACK:
        raise ApiError("push_limit_reached")
    view_id = new_id("V")
    root, previous = (stack[0].id, stack[-1].id) if stack else (view_id, None)
    view = View(view_id, user, body, new_hash(workspace), root, previous)
    stack.append(view)
    workspace.changed(user)
    return view


def update(workspace: Workspace, view: View, raw: object, expected_hash: str | None = None) -> View:
    """Show another body in an open view.

    Raises:
        ApiError: the view is unsound, `hash_conflict`, or the external id is taken.
    """
    body = validate.view(raw, view.body["type"])
    if expected_hash and expected_hash != view.hash:
        raise ApiError("hash_conflict")
    _free_external_id(workspace, body, but=view.id)
    view.replace(body, new_hash(workspace))
    workspace.changed(view.user)
    return view


def publish(workspace: Workspace, user: str, raw: object, expected_hash: str | None) -> View:
    """Show a person's Home.

    Raises:
        ApiError: the view is unsound or `hash_conflict`.
    """
    desk = workspace.desks[user]
    if desk.home is not None:
        return update(workspace, desk.home, raw, expected_hash)
    body = validate.view(raw, "home")
    _free_external_id(workspace, body)
    view_id = new_id("V")
    desk.home = View(view_id, user, body, new_hash(workspace), view_id, None)
    workspace.changed(user)
    return desk.home


def close(workspace: Workspace, view: View) -> None:
    """Take one view off its person's stack."""
    stack = workspace.desks[view.user].stack
    if view in stack:
        stack.remove(view)
        workspace.changed(view.user)


def clear(workspace: Workspace, user: str) -> None:
    """Take every modal away from a person."""
    workspace.desks[user].stack.clear()
    workspace.changed(user)
