"""`/mailbox admin`: the overview, and the grants' form, preview and saving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError

from bot.administration import OutranksThem
from bot.slack import admin_forms, names, views
from bot.slack.client import code_of
from bot.slack.listeners.desk import at_least, shown
from bot.slack.listeners.office import open_filled, refill
from bot.slack.listeners.payloads import below, value_of, values_of, view_id_of, view_of
from bot.slack.showing import Showing
from bot.slack.views import admin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from bot.slack.listeners.office import Office
    from bot.slack.showing import Shown
    from bot.slack.views import View
    from storage.records import Person
    from storage.sharing import Grant, Subject

SHOWN_SECONDS = 0.5
"""An answer must be shown before the next one replaces it."""

GONE_WORDS = "This was open too long, or Mailbox was started anew meanwhile, so nothing was saved. Please open the grant again."


def register(bolt: AsyncApp, desk: Desk) -> None:
    """The overview, and all that leads to a grant."""
    _register_ways(bolt, desk, desk.office)
    _register_form(bolt, desk, desk.office)
    _register_preview(bolt, desk, desk.office)


async def open_admin(desk: Desk, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    """The overview, or the refusal, in a modal."""
    await open_filled(client, body, "Administration", _overview(desk.office, desk.actor(body)))


async def _overview(office: Office, person: Person) -> View:
    return admin.overview_view(await office.administration.overview(person))


def _register_ways(bolt: AsyncApp, desk: Desk, office: Office) -> None:
    @bolt.action(names.OPEN_ADMIN)
    async def opened(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await open_admin(desk, body, client)

    async def form(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        subject = _chosen(action)
        if subject is not None:
            await open_filled(client, body, "Grant", _form(office, desk.actor(body), subject))

    for action_id in (names.EDIT_GRANT, names.GRANT_GROUP, names.GRANT_PERSON):
        bolt.action(action_id)(form)


def _chosen(action: Mapping[str, Any]) -> Subject | None:
    """The subject that a button or a menu names."""
    if action.get("action_id") == names.GRANT_PERSON:
        return admin_forms.subject_of(f"person:{action.get('selected_user') or ''}")
    if action.get("action_id") == names.GRANT_GROUP:
        return admin_forms.subject_of(f"group:{(action.get('selected_option') or {}).get('value') or ''}")
    return admin_forms.subject_of(value_of(action))


async def _form(
    office: Office, person: Person, subject: Subject, shown_grant: Grant | None = None, trouble: str = ""
) -> View:
    sheet = await office.administration.sheet(person, subject, shown_grant, trouble)
    return admin.grant_form(sheet)


def _register_form(bolt: AsyncApp, desk: Desk, office: Office) -> None:
    showing = Showing()

    @bolt.action(names.GRANT_SHAPE)
    async def shaped(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        person, view = desk.actor(body), view_of(body)
        form = showing.of(view_id_of(body))
        turn = form.begin()
        subject = admin_forms.subject_of(str(view.get("private_metadata") or ""))
        if subject is None:
            return
        sheet = await office.administration.sheet(person, subject)
        now = admin_forms.shape_of(values_of(view), admin_forms.shape(sheet.shown))
        async with form.turn:
            if form.is_newest(turn):
                await _reshape(client, form, form.caught_up(view), admin.grant_form(sheet, now))

    @bolt.action(names.REMOVE_GRANT)
    async def removing(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        subject = _chosen(action)
        if subject is not None:
            work = _preview(office, desk.actor(body), subject, None)
            await refill(client, view_id_of(body), work)

    @bolt.view(names.ADMIN_GRANT_FORM)
    async def entered(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        person, view = desk.actor(body), body["view"]
        subject = admin_forms.subject_of(str(view.get("private_metadata") or ""))
        if subject is None:
            await ack(response_action="update", view=views.expired())
            return
        grant = admin_forms.parse_grant(values_of(view), subject)
        if isinstance(grant, dict):
            await ack(response_action="errors", errors=grant)
            return
        await ack(response_action="update", view=views.loading("Preview"))
        work = _preview(office, person, subject, grant)
        await refill(client, view["id"], at_least(SHOWN_SECONDS, work))


async def _reshape(client: AsyncWebClient, form: Shown, view: Mapping[str, Any], after: View) -> None:
    """Draw the form anew; Slack keeps what stands in the fields that stay."""
    try:
        answer = await client.views_update(view_id=view["id"], hash=view["hash"], view=after)
    except SlackApiError as error:
        if code_of(error) not in {"hash_conflict", "not_found"}:  # sent, or closed
            raise
    else:
        form.showed(view["hash"], answer["view"])


async def _preview(office: Office, person: Person, subject: Subject, grant: Grant | None) -> View:
    """Who would be affected; a grant that may not be written comes back in its form."""
    try:
        preview = await office.administration.preview(person, subject, grant)
    except OutranksThem as error:
        return await _form(office, person, subject, grant, error.sentence)
    draft_id = office.drafts.keep(person, subject, grant, preview.before)
    return admin.preview_view(preview, draft_id)


def _register_preview(bolt: AsyncApp, desk: Desk, office: Office) -> None:
    @bolt.action(names.BACK_TO_GRANT)
    async def back(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        person = desk.actor(body)
        draft = office.drafts.find(person, value_of(action))
        if draft is None:
            await shown(client, view_id_of(body), views.could_not_open(GONE_WORDS))
            return
        work = _form(office, person, draft.subject, draft.grant)
        await refill(client, view_id_of(body), work)

    @bolt.view(names.ADMIN_PREVIEW)
    async def saved(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        person, view = desk.actor(body), body["view"]
        await ack(response_action="update", view=views.loading("Grant"))
        work = _written(office, person, str(view.get("private_metadata") or ""))
        await refill(client, view["id"], at_least(SHOWN_SECONDS, work))
        if below(view):
            await refill(client, below(view), _overview(office, person))


async def _written(office: Office, person: Person, draft_id: str) -> View:
    """Saved, or the preview anew where somebody was faster."""
    draft = office.drafts.find(person, draft_id)
    if draft is None:
        return views.could_not_open(GONE_WORDS)
    try:
        preview, is_written = await office.administration.write(
            person, draft.subject, draft.grant, draft.before
        )
    except OutranksThem as error:
        return await _form(office, person, draft.subject, draft.grant, error.sentence)
    office.drafts.forget(draft_id)
    if is_written:
        return admin.written_view(preview)
    again = office.drafts.keep(person, draft.subject, draft.grant, preview.before)
    return admin.preview_view(preview, again)
