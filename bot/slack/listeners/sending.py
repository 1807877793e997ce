"""Mail that was sent off: calling it back, writing on, sending it again; answers to invitations; how a mailbox sends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from bot.mail.special import Answer as Part
from bot.sending_errors import NotSendable
from bot.slack import drafts, names, send_forms, send_names, views
from bot.slack.listeners.desk import open_view, say, shown
from bot.slack.listeners.failures import fill
from bot.slack.listeners.payloads import value_of, values_of, view_of
from bot.slack.listeners.reception import visitor
from bot.slack.listeners.writing import fill_form, written_on
from bot.slack.views import sent
from bot.slack.views.words import answer
from storage.sending import OutgoingState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from bot.slack.send_forms import Errors
    from bot.slack.views import View
    from storage.records import Person

PATIENCE_SECONDS: Final = 1.0

PARTS: Final = {
    names.INVITATION_ACCEPT: Part.ACCEPTED,
    names.INVITATION_TENTATIVE: Part.TENTATIVE,
    names.INVITATION_DECLINE: Part.DECLINED,
}


def register(bolt: AsyncApp, desk: Desk) -> None:
    """The buttons of sent mail and of invitations, and the settings of a mailbox."""

    @bolt.action(names.OUTGOING_UNDO)
    async def undo(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        person = await visitor(desk, body, value_of(action))
        await _undo(desk, person, value_of(action), body, client)

    @bolt.action(names.OUTGOING_WRITE_ON)
    async def write_on(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        person = await visitor(desk, body, value_of(action))
        view = await open_view(client, body, views.loading("Write on"))
        await fill_form(client, str(view["id"]), _opened_again(desk, person, value_of(action)))

    @bolt.action(names.OUTGOING_AGAIN)
    async def again(ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], respond: Any) -> None:
        await ack()
        person = await visitor(desk, body, value_of(action))
        outgoing = await desk.sending.send_again(person, value_of(action))
        await say(respond, answer(sent.sent_again(outgoing)))

    @bolt.action(names.OUTGOING_LEAVE)
    async def leave(ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], respond: Any) -> None:
        await ack()
        person = await visitor(desk, body, value_of(action))
        outgoing = await desk.sending.leave(person, value_of(action))
        await say(respond, answer(sent.left(outgoing)))

    for action_id, part in PARTS.items():
        bolt.action(action_id)(_responds(desk, part))
    _register_settings(bolt, desk)


def _register_settings(bolt: AsyncApp, desk: Desk) -> None:
    @bolt.action(names.OUTGOING_PASSWORD_BUTTON)
    async def password(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        person = desk.actor(body)
        mailbox = await desk.registrar.get(person, value_of(action))
        if mailbox.profile.outgoing is None:
            await open_view(client, body, sent.only_receives(mailbox.id, person.user, is_own=True))
            return
        draft = drafts.for_outgoing(drafts.draft_of(mailbox))
        await open_view(client, body, views.password_form(mailbox, draft))

    @bolt.action(names.SENDING_BUTTON)
    async def settings(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        person = desk.actor(body)
        view = await open_view(client, body, views.loading("Sending"))
        await fill(client, str(view["id"]), _settings(desk, person, value_of(action)))

    @bolt.view(send_names.SETTINGS)
    async def chosen(ack: Any, body: Mapping[str, Any]) -> None:
        outcome = await _chosen(desk, desk.actor(body), body["view"])
        if "type" in outcome:
            await ack(response_action="update", view=outcome)
        else:
            await ack(response_action="errors", errors=outcome)


# Calling back and writing on


async def _undo(
    desk: Desk, person: Person, outgoing_id: str, body: Mapping[str, Any], client: AsyncWebClient
) -> None:
    """Call a mail back at once, whatever becomes of the modal that shows it: seconds count."""
    work = asyncio.create_task(_undone(desk, person, outgoing_id))
    view = view_of(body)
    try:
        if view.get("callback_id") != send_names.RESULT:
            view = await open_view(client, body, views.loading("Undo"))
    except BaseException:
        await asyncio.gather(work, return_exceptions=True)
        raise
    await asyncio.wait({work}, timeout=PATIENCE_SECONDS)
    if not work.done():
        # What was written is read anew; whoever sees nothing happen presses again.
        await shown(client, str(view["id"]), views.loading("Undo"))
    await fill_form(client, str(view["id"]), work)


async def _undone(desk: Desk, person: Person, outgoing_id: str) -> View:
    """The form with what was written, or why it is too late."""
    outgoing = await desk.sending.undo(person, outgoing_id)
    if outgoing.state is not OutgoingState.UNDONE:
        return sent.too_late(outgoing)
    return await written_on(desk, person, outgoing, sent.undone())


async def _opened_again(desk: Desk, person: Person, outgoing_id: str) -> View:
    return await written_on(desk, person, await desk.sending.opened_again(person, outgoing_id))


# Settings


async def _settings(desk: Desk, person: Person, mailbox_id: str) -> View:
    return sent.sending_form(await desk.sending.settings(person, mailbox_id))


async def _chosen(desk: Desk, person: Person, view: Mapping[str, Any]) -> View | Errors:
    """What is said once the settings are stored, or what is wrong with them."""
    form = send_forms.parse_sending(values_of(view))
    if isinstance(form, dict):
        return form
    try:
        saved = await desk.sending.set_settings(
            person, str(view.get("private_metadata")), form.sender_name, form.signature, form.undo_seconds
        )
    except NotSendable as error:
        return error.by_field or {send_names.UNDO_SECONDS: error.sentence}
    return sent.sending_saved(saved)


# Invitations


def _responds(desk: Desk, part: Part) -> Any:
    async def responded(ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], respond: Any) -> None:
        await ack()
        message_id, _, uid = value_of(action).partition(":")
        person = await visitor(desk, body, message_id)
        outgoing = await desk.sending.respond(person, message_id, uid, part)
        await say(respond, sent.responded(part, outgoing, desk.clock()))

    return responded
