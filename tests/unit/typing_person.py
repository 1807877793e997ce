"""A person who types into the add and edit forms and sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.slack import drafts, forms, names, views
from tests.unit import kit
from tests.unit.samples import MAILBOX

if TYPE_CHECKING:
    from collections.abc import Mapping

ADD_FORM = views.mailbox_form(drafts.new_draft(asks_active=True))
EDIT_FORM = views.mailbox_form(drafts.draft_of(MAILBOX))
FULL = {
    names.NAME: " Work ",
    names.ADDRESS: "ana@example.org",
    names.INCOMING_SERVER: "pop.example.org",
    names.USERNAME: "ana",
    names.INCOMING_PASSWORD: " hunter2 ",
    names.OUTGOING_SERVER: "smtp.example.org",
}


def parse(typed: Mapping[str, str | None], view: dict[str, Any] = ADD_FORM, **changes: Any) -> Any:
    """The form with FULL typed into it, but for the changes."""
    asked: dict[str, Any] = {
        "is_edit": False,
        "has_stored_password": False,
        "has_typed_before": False,
        "allows_plain": lambda host: host == "mail.test",
        **changes,
    }
    return forms.parse_mailbox(kit.state_values(view, {**FULL, **typed}), **asked)


def edit(typed: Mapping[str, str | None], **changes: Any) -> Any:
    """The edit form with only the changes typed into it."""
    asked: dict[str, Any] = {
        "has_stored_password": True,
        "has_typed_before": False,
        "allows_plain": lambda _: False,
    }
    return forms.parse_mailbox(kit.state_values(EDIT_FORM, dict(typed)), is_edit=True, **{**asked, **changes})
