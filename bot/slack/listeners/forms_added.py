"""The add and the edit form: checked, tested, stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from bot.errors import NotAllowed, RoleUnknown, Suspended
from bot.mailboxes import Order, is_same_maildrop
from bot.slack import drafts, forms, names, shapes, views
from bot.slack.listeners.desk import NOT_STORED_WORDS
from bot.slack.listeners.front import refresh_home
from bot.slack.listeners.payloads import values_of
from bot.slack.listeners.sharing import share_new
from storage.errors import StorageError
from storage.records import Passwords, Security

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.mailboxes import Checked
    from bot.slack.drafts import Draft
    from bot.slack.forms import Errors, MailboxForm
    from bot.slack.listeners.desk import Desk
    from bot.slack.views import Report, View
    from storage.records import Mailbox, Person

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known besides the form: the mailbox being edited, its passwords, those typed before."""

    stored: Mailbox | None
    stored_passwords: Passwords | None
    typed: Passwords | None

    @property
    def base(self) -> Passwords | None:
        """What an empty password field stands for: what was typed before, else what is stored."""
        typed, stored = self.typed, self.stored_passwords
        if typed is None or stored is None:
            return typed or stored
        return Passwords(typed.incoming, typed.outgoing or stored.outgoing)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form on its way from the person to the store; `form_id` makes a repeated submission harmless."""

    person: Person
    draft: Draft
    known: _Known
    form_id: str


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Sending either form."""

    @bolt.view(names.ADD_FORM)
    async def added(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await _sent(desk, ack, body, client)

    @bolt.view(names.EDIT_FORM)
    async def edited(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await _sent(desk, ack, body, client)


async def _sent(desk: Desk, ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    person = desk.actor(body)
    view = body["view"]
    draft = drafts.read(view)
    desk.waiting.forget(view["id"])
    refusal = _without_password(desk, view, draft)
    if refusal is not None:
        await ack(**refusal)
        return
    sent = _Sent(person, draft, await _known(desk, person, draft), view["id"])
    form = _parsed(desk, view, sent, may_be_plain=await _may_be_plain(desk, person, draft))
    if isinstance(form, dict):
        await ack(**_sent_back(desk, view, sent, form))
        return
    await ack(response_action="update", view=views.in_progress(form.profile))
    if view["id"] in desk.testing:
        return
    await desk.test(client, person, view["id"], _tested(desk, sent, form))
    await refresh_home(desk, body, client)


def _without_password(desk: Desk, view: Mapping[str, Any], draft: Draft) -> dict[str, Any] | None:
    """What answers an add form that asked for no password, since none would be taken; None for any other form.

    That is the reason, or the form with a password field once the person has named a server of their own.
    """
    if draft.is_edit or names.INCOMING_PASSWORD in drafts.typed(values_of(view)):
        return None
    provider = desk.provider(draft)
    if views.asks_password(draft, provider):
        return {"response_action": "update", "view": views.mailbox_form(draft, provider=provider)}
    return {
        "response_action": "errors",
        "errors": {draft.block_id(names.ADDRESS): views.no_way_in(provider)},
    }


async def _may_be_plain(desk: Desk, person: Person, draft: Draft) -> bool:
    """Whether their grants allow servers without encryption; asked only where one is wanted."""
    wanted = {draft.text(names.INCOMING_SECURITY), draft.text(names.OUTGOING_SECURITY)}
    return Security.NONE in wanted and await desk.registrar.allows_plain(person)


async def _known(desk: Desk, person: Person, draft: Draft) -> _Known:
    typed = desk.typed.find(person, draft.draft_id) if draft.draft_id else None
    if not draft.is_edit:
        return _Known(None, None, typed)
    stored = await desk.registrar.get(person, draft.mailbox_id)
    passwords = await desk.registrar.passwords(person, draft.mailbox_id)
    return _Known(stored, passwords if passwords.incoming else None, typed)


def _parsed(desk: Desk, view: Mapping[str, Any], sent: _Sent, *, may_be_plain: bool) -> MailboxForm | Errors:
    known = sent.known
    return forms.parse_mailbox(
        values_of(view),
        is_edit=sent.draft.is_edit,
        has_stored_password=known.stored_passwords is not None,
        has_typed_before=known.typed is not None,
        allows_plain=lambda host: may_be_plain or desk.allows_plain(host),
        has_outgoing_password=known.base is not None and known.base.outgoing is not None,
        has_typed_outgoing=known.typed is not None and known.typed.outgoing is not None,
        stored=known.stored.profile if known.stored else None,
        allowed=desk.allowed_retentions,
    )


def _sent_back(desk: Desk, view: Mapping[str, Any], sent: _Sent, errors: Errors) -> dict[str, Any]:
    """The sentences under their fields. Slack shows none whose field is not there: then the form comes with that field.

    It is missing when the form was sent before it could be shown anew after a choice.
    """
    if errors.keys() <= {block.get("block_id") for block in view["blocks"]}:
        return {"response_action": "errors", "errors": errors}
    stored = sent.known.stored
    base = drafts.draft_of(stored) if stored else drafts.new_draft()
    draft = shapes.reshaped(sent.draft, base, "")
    provider = desk.provider(draft)
    shown = views.mailbox_form(draft, provider=provider)
    if {names.field_of(block_id) for block_id in errors} <= drafts.fields_of(shown):
        return {"response_action": "update", "view": shown}
    return {
        "response_action": "errors",
        "errors": {draft.block_id(names.ADDRESS): views.no_way_in(provider)},
    }


async def _tested(desk: Desk, sent: _Sent, form: MailboxForm) -> View:
    """Test what the form says; store it when it works, else give the form back with everything typed."""
    order = Order(
        form.profile,
        _passwords(form, sent.known),
        form.retention,
        form.delete_days,
        form.old_mail,
        form.make_active,
        form.calm,
        await desk.zones.ask(sent.person) if form.calm.needs_zone else None,
    )
    try:
        await desk.registrar.allow(sent.person, order.profile, sent.draft.mailbox_id)
        checked = await desk.registrar.check(
            sent.person, order.profile, order.passwords, old_mail=order.old_mail
        )
        if not checked.report.is_incoming_fine or checked.report.is_outgoing_refused:
            return _again(desk, sent, form, order, checked.report)
        view = await _stored(desk, sent, order, checked)
    except (NotAllowed, RoleUnknown, Suspended) as error:
        return _again(desk, sent, form, order, None, trouble=error.sentence)
    except StorageError as error:
        if not error.temporary:
            raise
        log.warning("storage_failed", error=type(error).__name__)
        return _again(desk, sent, form, order, None)
    desk.typed.forget(sent.draft.draft_id)
    return view


def _passwords(form: MailboxForm, known: _Known) -> Passwords:
    base = known.base
    incoming = form.incoming_password or (base.incoming if base else None)
    assert incoming is not None, "forms.parse_mailbox demands a password that is nowhere else"
    has_own_outgoing = form.profile.outgoing is not None and form.profile.outgoing_username is not None
    outgoing = form.outgoing_password or (base.outgoing if base else None)
    return Passwords(incoming, outgoing if has_own_outgoing else None)


def _again(
    desk: Desk,
    sent: _Sent,
    form: MailboxForm,
    order: Order,
    report: Report | None,
    *,
    trouble: str = NOT_STORED_WORDS,
) -> View:
    """The form as it was; what the person typed is kept for them, what the vault holds never becomes typed.

    Args:
        report: None when something else was in the way, which `trouble` says.
    """
    typed = sent.known.typed
    desk.typed.forget(sent.draft.draft_id)
    has_typed = form.incoming_password is not None or typed is not None
    outgoing = form.outgoing_password or (typed.outgoing if typed else None)
    shown = drafts.after_failure(
        sent.draft,
        draft_id=desk.typed.keep(sent.person, Passwords(order.passwords.incoming, outgoing))
        if has_typed
        else "",
        has_typed=has_typed,
        offers_receiving_only=report is not None and report.is_outgoing_refused,
    )
    return views.mailbox_form(shown, provider=desk.provider(shown), report=report, trouble=trouble)


async def _stored(desk: Desk, sent: _Sent, order: Order, checked: Checked) -> View:
    person, draft, sharing = sent.person, sent.draft, ""
    before = {each.id for each in (await desk.listed(person))[0] if each.is_active}
    if draft.is_edit:
        mailbox = await desk.registrar.change(person, draft.mailbox_id, order, checked)
        if order.make_active and draft.asks_active:
            mailbox, _ = await desk.registrar.activate(person, mailbox.id)
    else:
        mailbox = await desk.registrar.add(person, order, checked, sent.form_id)
        sharing = await share_new(desk, person, draft, mailbox.id)
    mailboxes, _ = await desk.listed(person)
    others = [other for other in mailboxes if other.id != mailbox.id]
    stored = sent.known.stored
    is_new_maildrop = stored is None or not is_same_maildrop(stored.profile, order.profile)
    return views.saved(
        mailbox,
        checked.report,
        is_new=not draft.is_edit,
        old=desk.registrar.old_mail_coming(mailbox, order, checked) if is_new_maildrop else None,
        interval=desk.registrar.bounds(mailbox).interval,
        active=[other for other in others if other.is_active],
        rested=[other for other in others if other.id in before and not other.is_active],
        sharing=sharing,
    )
