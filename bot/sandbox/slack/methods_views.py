"""`views.*`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.slack import form_files, modals, validate
from bot.sandbox.slack.answers import ApiError, Json

if TYPE_CHECKING:
    from bot.sandbox.slack.arguments import Arguments
    from bot.sandbox.slack.core import Sandbox


def _given(args: Arguments) -> Any:
    if not args.has("view"):
        raise ApiError("invalid_arguments", ["missing required field: view"])
    return args.value("view", "invalid_arguments")


def _show(sandbox: Sandbox, args: Arguments, *, onto_open: bool) -> Json:
    view, trigger_id = _given(args), args.text("trigger_id") or args.text("interactivity_pointer")
    if not trigger_id:
        raise ApiError("invalid_arguments", ["missing required field: trigger_id"])
    form_files.check_scope(
        sandbox, validate.view(view, "modal")
    )  # an unsound view does not spend the trigger
    trigger = sandbox.use_trigger(trigger_id)
    return {"view": modals.push(sandbox.workspace, trigger.user, view, onto_open=onto_open).shown()}


def open_(sandbox: Sandbox, args: Arguments) -> Json:
    """`views.open`; over an open modal it pushes."""
    return _show(sandbox, args, onto_open=False)


def push(sandbox: Sandbox, args: Arguments) -> Json:
    """`views.push`."""
    return _show(sandbox, args, onto_open=True)


def update(sandbox: Sandbox, args: Arguments) -> Json:
    """`views.update` by view id or external id."""
    given = _given(args)
    if not args.has("view_id") and not args.has("external_id"):
        raise ApiError("invalid_arguments", ["missing required field: view_id or external_id"])
    view = modals.find(sandbox.workspace, args.text("view_id"), args.text("external_id"))
    form_files.check_scope(sandbox, validate.view(given, view.body["type"]))
    return {"view": modals.update(sandbox.workspace, view, given, args.text("hash") or None).shown()}


def publish(sandbox: Sandbox, args: Arguments) -> Json:
    """`views.publish`."""
    given, user = _given(args), args.required("user_id")
    if not sandbox.manifest.is_home_enabled:
        raise ApiError("not_enabled")
    if not sandbox.workspace.human(user).is_active:
        raise ApiError("user_not_found")
    return {"view": modals.publish(sandbox.workspace, user, given, args.text("hash") or None).shown()}
