"""The password form: the new password is tested before it replaces the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.errors import NoSuchMailbox
from bot.mailboxes import Order
from bot.slack import drafts, forms, names, views
from bot.slack.listeners.commands import refresh_home
from storage.records import OldMail, Passwords, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.drafts import Draft
    from bot.slack.listeners.desk import Desk
    from bot.slack.views import View
    from storage.records import Mailbox, Person


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Sending the password form."""

    @bolt.view(names.PASSWORD_FORM)
    async def sent(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        person = desk.actor(body)
        view = body["view"]
        draft = drafts.read(view)
        typed = desk.typed.find(person, draft.draft_id) if draft.draft_id else None
        parsed = forms.parse_password(view["state"]["values"], has_typed_before=typed is not None)
        if isinstance(parsed, dict):
            await ack(response_action="errors", errors=parsed)
            return
        mailbox = await desk.registrar.get(person, draft.mailbox_id)
        await ack(response_action="update", view=views.password_in_progress(mailbox))
        if view["id"] in desk.testing:
            return
        password = parsed or (typed.incoming if typed else None)
        assert password is not None, "forms.parse_password demands a password that is nowhere else"
        await desk.test(client, person, view["id"], _tested(desk, person, draft, mailbox, password))
        await refresh_home(desk, body, client)


async def _tested(desk: Desk, person: Person, draft: Draft, mailbox: Mailbox, password: Secret) -> View:
    """Store the password once the incoming server takes it; the outgoing one is reported beside it."""
    stored = await desk.registrar.passwords(person, mailbox.id)
    passwords = Passwords(password, stored.outgoing)
    checked = await desk.registrar.check(mailbox.profile, passwords)
    desk.typed.forget(draft.draft_id)
    if not checked.report.is_incoming_fine:
        draft_id = desk.typed.keep(person, passwords)
        again = drafts.after_failure(draft, draft_id=draft_id)
        return views.password_form(mailbox, again, report=checked.report)
    order = Order(mailbox.profile, passwords, mailbox.retention, OldMail.ALL, make_active=False)
    try:
        changed = await desk.registrar.change(person, mailbox.id, order, checked)
    except NoSuchMailbox as error:
        return views.could_not_open(error.sentence)
    return views.password_saved(changed, checked.report)
