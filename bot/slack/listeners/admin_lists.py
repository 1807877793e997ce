"""The administrator's lists: health of all mailboxes with what can be done to them, and the audit."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.mail.content import File
from bot.slack import names, views
from bot.slack.client import NO_ANSWER, CallFailed, Posted, Refused, code_of
from bot.slack.listeners.belongings import share_file
from bot.slack.listeners.desk import at_least, tell
from bot.slack.listeners.office import open_filled, refill
from bot.slack.listeners.payloads import below, value_of, values_of, view_id_of, view_of
from bot.slack.views import admin
from storage.sharing import Act

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from bot.slack.listeners.office import Office
    from bot.slack.views import View
    from bot.slack.views.admin import AuditFilter
    from storage.records import Person

log = structlog.get_logger(__name__)

SHOWN_SECONDS = 0.5


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Both lists."""
    _register_mailboxes(bolt, desk, desk.office)
    _register_deleting(bolt, desk, desk.office)
    _register_audit(bolt, desk, desk.office)


# Mailboxes


def _register_mailboxes(bolt: AsyncApp, desk: Desk, office: Office) -> None:
    @bolt.action(names.OPEN_ADMIN_MAILBOXES)
    async def opened(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await open_filled(client, body, "Mailboxes", _mailboxes(office, desk.actor(body), 0))

    @bolt.action(re.compile(f"^{names.ADMIN_PAGE}:"))
    async def turned(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        page = names.number_in(value_of(action)) or 0
        await refill(client, view_id_of(body), _mailboxes(office, desk.actor(body), page))

    @bolt.action(names.SUSPEND_MAILBOX)
    @bolt.action(names.LIFT_MAILBOX)
    async def switched(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        is_suspended = action["action_id"] == names.SUSPEND_MAILBOX
        work = _switched(office, desk.actor(body), value_of(action), _page(body), is_suspended=is_suspended)
        await refill(client, view_id_of(body), work)


async def _mailboxes(office: Office, person: Person, page: int, notice: str = "") -> View:
    found, page, total = await office.inspection.mailboxes(person, page)
    return admin.mailboxes_view(found, page, total, notice=notice)


async def _switched(
    office: Office, person: Person, mailbox_id: str, page: int, *, is_suspended: bool
) -> View:
    act = office.inspection.suspend if is_suspended else office.inspection.lift
    state = await act(person, mailbox_id)
    return await _mailboxes(office, person, page, admin.switched(state))


def _register_deleting(bolt: AsyncApp, desk: Desk, office: Office) -> None:
    @bolt.action(names.DELETE_MAILBOX)
    async def asked(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        work = _ask_delete(office, desk.actor(body), value_of(action), _page(body))
        await open_filled(client, body, "Delete mailbox", work)

    @bolt.view(names.ADMIN_DELETE_FORM)
    async def confirmed(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        person, view = desk.actor(body), body["view"]
        mailbox_id, _, page = str(view.get("private_metadata") or "").partition(" ")
        await ack(response_action="update", view=views.loading("Delete mailbox"))
        work = _deleted(office, client, person, mailbox_id)
        await refill(client, view["id"], at_least(SHOWN_SECONDS, work))
        if below(view):
            await refill(client, below(view), _mailboxes(office, person, names.number_in(page) or 0))


async def _ask_delete(office: Office, person: Person, mailbox_id: str, page: int) -> View:
    state, held = await office.inspection.held(person, mailbox_id)
    return admin.delete_form(state, held, page)


async def _deleted(office: Office, client: AsyncWebClient, person: Person, mailbox_id: str) -> View:
    owner, receipt = await office.inspection.delete(person, mailbox_id)
    is_told = await _told(client, owner)
    return admin.deleted(owner.user, receipt.id, is_told=is_told)


async def _told(client: AsyncWebClient, owner: Person) -> bool:
    """Tell the owner; whether Slack took it. Nothing of ours remembers the mailbox, so the outbox cannot."""
    try:
        await tell(client, owner, admin.owner_told())
    except SlackApiError as error:
        log.warning("owner_not_told", code=code_of(error))
        return False
    except NO_ANSWER as error:
        log.warning("owner_not_told", error=type(error).__name__)
        return False
    return True


# Audit


def _register_audit(bolt: AsyncApp, desk: Desk, office: Office) -> None:
    @bolt.action(names.OPEN_ADMIN_AUDIT)
    async def opened(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await open_filled(client, body, "Audit", _audit(office, desk.actor(body), admin.AuditFilter()))

    async def narrowed(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await refill(
            client, view_id_of(body), _audit(office, desk.actor(body), _filter(body), generation=_page(body))
        )

    for action_id in (
        names.AUDIT_ACTOR,
        names.AUDIT_OWNER,
        names.AUDIT_ACT,
        names.AUDIT_SINCE,
        names.AUDIT_NEWEST,
    ):
        bolt.action(action_id)(narrowed)

    @bolt.action(names.AUDIT_OLDER)
    async def older(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        before = value_of(action)
        work = _audit(office, desk.actor(body), _filter(body), generation=_page(body), before=before)
        await refill(client, view_id_of(body), work)

    @bolt.action(names.AUDIT_CLEAR)
    async def cleared(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        work = _audit(office, desk.actor(body), admin.AuditFilter(), generation=_page(body) + 1)
        await refill(client, view_id_of(body), work)

    @bolt.action(names.AUDIT_EXPORT)
    async def export(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        work = _exported(desk, office, desk.actor(body), _filter(body), _page(body))
        await refill(client, view_id_of(body), work)


async def _audit(
    office: Office,
    person: Person,
    chosen: AuditFilter,
    *,
    generation: int = 0,
    before: str | None = None,
    notice: str = "",
) -> View:
    entries, has_more = await office.inspection.audit(person, chosen, before)
    groups = await office.administration.group_names()
    return admin.audit_view(
        entries,
        chosen,
        groups,
        generation=generation,
        is_first=before is None,
        has_more=has_more,
        notice=notice,
    )


async def _exported(desk: Desk, office: Office, person: Person, chosen: AuditFilter, generation: int) -> View:
    """The file into the person's DM, and what became of it over the list."""
    octets, count, is_cut = await office.inspection.export(person, chosen)
    name = f"mailbox-audit-{desk.clock():%Y-%m-%d}.csv"
    try:
        outcome = await share_file(desk, person, File(name, octets, "Audit of Mailbox"))
    except CallFailed as failed:
        outcome = failed.outcome
    if isinstance(outcome, Posted):
        notice = admin.exported(count, is_cut=is_cut)
    else:
        log.warning("audit_not_given", outcome=repr(outcome))
        notice = admin.not_exported(outcome.code if isinstance(outcome, Refused) else "")
    return await _audit(office, person, chosen, generation=generation, notice=notice)


def _filter(body: Mapping[str, Any]) -> AuditFilter:
    """What stands in the filter; anything odd narrows nothing."""
    state: dict[str, Any] = {}
    for block_id, elements in values_of(view_of(body)).items():
        if names.field_of(block_id) == names.AUDIT_FILTER:
            state = elements
    act = ((state.get(names.AUDIT_ACT) or {}).get("selected_option") or {}).get("value")
    since = (state.get(names.AUDIT_SINCE) or {}).get("selected_date")
    return admin.AuditFilter(
        actor=(state.get(names.AUDIT_ACTOR) or {}).get("selected_user") or None,
        owner=(state.get(names.AUDIT_OWNER) or {}).get("selected_user") or None,
        act=Act(act) if act in set(Act) else None,
        since=_day(since),
    )


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _page(body: Mapping[str, Any]) -> int:
    """The page, or the generation of the filter, that a view's metadata holds."""
    return names.number_in(str(view_of(body).get("private_metadata") or "")) or 0
