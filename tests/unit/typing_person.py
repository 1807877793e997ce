"""A person who types into the add and edit forms and sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.slack import drafts, forms, names, shapes, views
from tests.unit import kit
from tests.unit.samples import MAILBOX, PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Mapping

ADD_FORM = views.mailbox_form(drafts.new_draft(asks_active=True))
EDIT_FORM = views.mailbox_form(drafts.draft_of(MAILBOX))
GMAIL = PROVIDERS.by_address("ana@gmail.com")
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
    answers = {**FULL, **typed}
    return forms.parse_mailbox(kit.state_values(chosen(view, answers), answers), **asked)


def edit(typed: Mapping[str, str | None], **changes: Any) -> Any:
    """The edit form with only the changes typed into it."""
    asked: dict[str, Any] = {
        "has_stored_password": True,
        "has_typed_before": False,
        "allows_plain": lambda _: False,
    }
    values = kit.state_values(chosen(EDIT_FORM, typed), dict(typed))
    return forms.parse_mailbox(values, is_edit=True, **{**asked, **changes})


def chosen(view: dict[str, Any], typed: Mapping[str, str | None]) -> dict[str, Any]:
    """The form after the choices that show and hide other fields."""
    draft = drafts.read(kit.payload(view, dict(typed)))
    base = drafts.draft_of(MAILBOX) if draft.is_edit else drafts.new_draft()
    return views.mailbox_form(shapes.reshaped(draft, base, ""), provider=GMAIL)
