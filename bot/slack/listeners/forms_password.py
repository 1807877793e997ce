"""The password form: a new password is tested before it replaces the old one, each of the two by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from bot.errors import NoSuchMailbox, NotAllowed, RoleUnknown, Suspended
from bot.mailboxes import Checked, Order
from bot.slack import drafts, forms, names, views
from bot.slack.listeners.desk import NOT_STORED_WORDS
from bot.slack.listeners.front import refresh_home
from bot.slack.listeners.payloads import values_of
from storage.errors import StorageError
from storage.records import OldMail, Passwords, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.drafts import Draft
    from bot.slack.listeners.desk import Desk
    from bot.slack.views import Report, View
    from storage.records import Mailbox, Person

log = structlog.get_logger(__name__)

_NOT_TYPED = Secret("")


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form on its way; None for a password that stays as it is."""

    person: Person
    draft: Draft
    mailbox: Mailbox
    incoming: Secret | None
    outgoing: Secret | None


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Sending the password form."""

    @bolt.view(names.PASSWORD_FORM)
    async def sent(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        person = desk.actor(body)
        view = body["view"]
        draft = drafts.read(view)
        typed = desk.typed.find(person, draft.draft_id) if draft.draft_id else None
        parsed = forms.parse_passwords(values_of(view), has_typed_before=typed is not None)
        if isinstance(parsed, dict):
            await ack(response_action="errors", errors=parsed)
            return
        mailbox = await desk.registrar.get(person, draft.mailbox_id)
        is_outgoing = parsed.incoming is None and (typed is None or not typed.incoming)
        await ack(response_action="update", view=views.password_in_progress(mailbox, is_outgoing=is_outgoing))
        if view["id"] in desk.testing:
            return
        incoming = parsed.incoming or (typed.incoming if typed else None) or None
        outgoing = parsed.outgoing or (typed.outgoing if typed else None)
        work = _tested(desk, _Sent(person, draft, mailbox, incoming, outgoing))
        await desk.test(client, person, view["id"], work)
        await refresh_home(desk, body, client)


async def _tested(desk: Desk, sent: _Sent) -> View:
    """Store each new password once its server takes it."""
    desk.typed.forget(sent.draft.draft_id)
    if sent.mailbox.suspension is not None:
        return views.could_not_open(Suspended(sent.mailbox.suspension).sentence)
    try:
        if sent.incoming is None:
            return await _tested_outgoing(desk, sent)
        return await _tested_incoming(desk, sent, sent.incoming)
    except (NoSuchMailbox, Suspended, NotAllowed, RoleUnknown) as error:
        return views.could_not_open(error.sentence)
    except StorageError as error:
        if not error.temporary:
            raise
        log.warning("storage_failed", error=type(error).__name__)
        return _again(desk, sent, None, sent.incoming or _NOT_TYPED)


async def _tested_incoming(desk: Desk, sent: _Sent, incoming: Secret) -> View:
    person, mailbox = sent.person, sent.mailbox
    stored = await desk.registrar.passwords(person, mailbox.id)
    passwords = Passwords(incoming, sent.outgoing or stored.outgoing)
    checked = await desk.registrar.check(person, mailbox.profile, passwords)
    report = checked.report
    if not report.is_incoming_fine:
        return _again(desk, sent, report, incoming)
    is_outgoing_wrong = sent.outgoing is not None and report.is_outgoing_refused
    works = Passwords(incoming, stored.outgoing) if is_outgoing_wrong else passwords
    changed = await _store(desk, sent, works, checked)
    if is_outgoing_wrong:
        return _again(desk, sent, report, _NOT_TYPED)
    return views.password_saved(changed, report)


async def _tested_outgoing(desk: Desk, sent: _Sent) -> View:
    """The incoming side is left alone: its password may be the very one that is refused."""
    assert sent.outgoing is not None, "forms.parse_passwords demands a password"
    report = await desk.registrar.check_outgoing(sent.person, sent.mailbox.profile, sent.outgoing)
    if report.outgoing is None or report.outgoing.failed is not None:
        return _again(desk, sent, report, _NOT_TYPED)
    changed = await desk.registrar.change_outgoing_password(sent.person, sent.mailbox.id, sent.outgoing)
    return views.password_saved(changed, report)


async def _store(desk: Desk, sent: _Sent, passwords: Passwords, checked: Checked) -> Mailbox:
    mailbox = sent.mailbox
    order = Order(
        mailbox.profile, passwords, mailbox.retention, mailbox.delete_days, OldMail.ALL, make_active=False
    )
    return await desk.registrar.change(sent.person, mailbox.id, order, checked)


def _again(desk: Desk, sent: _Sent, report: Report | None, incoming: Secret) -> View:
    """The form again; what was typed and not yet stored is kept for its owner, what the vault holds never is.

    Args:
        report: None when the database was in the way.
    """
    draft_id = desk.typed.keep(sent.person, Passwords(incoming, sent.outgoing))
    again = drafts.after_failure(sent.draft, draft_id=draft_id)
    return views.password_form(sent.mailbox, again, report=report, trouble=NOT_STORED_WORDS)
