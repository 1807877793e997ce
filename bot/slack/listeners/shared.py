"""What others opened: the list of it, a mailbox's messages, a message, and what managers do.

Each press is decided on anew by the use case. A modal is opened first, since Slack gives three seconds for it, and holds
what belongs in it, or the reason why there is nothing, a moment later.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from bot.errors import NoSuchRule
from bot.slack import forms, names, views
from bot.slack.listeners.desk import at_least, open_view
from bot.slack.listeners.failures import fill
from bot.slack.listeners.payloads import value_of, values_of, view_id_of, view_of
from bot.slack.listeners.reception import visitor
from bot.slack.views import managed, shared
from storage.records import Retention

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from bot.slack.views import Answer, View
    from storage.records import Person

SHOWN_SECONDS: Final = 0.5
"""A form is answered by a modal that waits, which must be shown before the next one comes."""

_ANY: Final = tuple((each, None) for each in Retention)


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Every button and form of shared mail."""
    for action_id, title, view in (
        (names.SHARED_LIST, "Shared mail", _listing),
        (names.SHARED_OPEN, "Shared message", _message),
        (names.SHARED_HEADERS, "Headers", _fields),
        (names.SHARED_MANAGE, "Manage", _managed),
        (names.SHARED_RETENTION, "Delete setting", _retention),
        (names.SHARED_RULES, "Muted senders", _muted),
    ):
        bolt.action(action_id)(_opens(desk, title, view))
    for action_id, change in (
        (names.SHARED_OLDER, _listing),
        (names.SHARED_NEWER, _listing),
        (names.SHARED_SEND, _send),
        (names.SHARED_MUTE, _mute),
        (names.SHARED_CHECK, _check),
        (names.SHARED_PAUSE, _pause),
        (names.SHARED_RESUME, _resume),
    ):
        bolt.action(action_id)(_changes(desk, change))
    for action_id in (names.SHARED_NEXT, names.SHARED_PREVIOUS):
        bolt.action(action_id)(_turned(desk))

    @bolt.action(names.SHARED_UNMUTE)
    async def unmuted(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        viewer = await visitor(desk, body, value_of(action))
        mailbox_id = str(view_of(body).get("private_metadata", ""))
        await fill(client, view_id_of(body), _unmute(desk, viewer, mailbox_id, value_of(action)))

    @bolt.view(names.SHARED_RETENTION_FORM)
    async def retention(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        view = body["view"]
        chosen, days, errors = forms.parse_retention(values_of(view), _ANY)
        if errors:
            await ack(response_action="errors", errors=errors)
            return
        viewer = await visitor(desk, body, view["private_metadata"])
        await ack(response_action="update", view=views.loading("Delete setting"))
        work = _save(desk, viewer, view["private_metadata"], chosen, days)
        await fill(client, view["id"], at_least(SHOWN_SECONDS, work))


async def shared_with(desk: Desk, person: Person) -> Answer:
    """The answer to the command: all that others opened to somebody."""
    return shared.shared_answer(await desk.reception.viewing.shared_with(person))


def _opens(desk: Desk, title: str, view: Callable[[Desk, Person, str], Awaitable[View]]) -> Any:
    """A button that opens a modal."""

    async def opened(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        viewer = await visitor(desk, body, value_of(action))
        modal = await open_view(client, body, views.loading(title))
        await fill(client, str(modal["id"]), view(desk, viewer, value_of(action)))

    return opened


def _changes(desk: Desk, view: Callable[[Desk, Person, str], Awaitable[View]]) -> Any:
    """A button that changes the modal in which it stands."""

    async def changed(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        viewer = await visitor(desk, body, value_of(action))
        await fill(client, view_id_of(body), view(desk, viewer, value_of(action)))

    return changed


def _turned(desk: Desk) -> Any:
    async def turned(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        view, number = view_of(body), names.number_in(value_of(action))
        page = {names.SHARED_MESSAGE: _message, names.SHARED_FIELDS: _fields}.get(view.get("callback_id", ""))
        if page is not None and number is not None:
            message_id = str(view["private_metadata"])
            viewer = await visitor(desk, body, message_id)
            await fill(client, view["id"], page(desk, viewer, f"{message_id}:{number}"))

    return turned


# Views


async def _listing(desk: Desk, viewer: Person, value: str) -> View:
    mailbox_id, trail = shared.turned_to(value)
    return shared.shared_listing(await desk.reception.viewing.listing(viewer, mailbox_id, trail))


async def _message(desk: Desk, viewer: Person, value: str) -> View:
    return shared.shared_message(await desk.reception.viewing.page(viewer, *shared.at_page(value)))


async def _fields(desk: Desk, viewer: Person, value: str) -> View:
    message_id, number = shared.at_page(value)
    return shared.shared_fields(
        message_id, await desk.reception.viewing.fields(viewer, message_id, number), number
    )


async def _send(desk: Desk, viewer: Person, value: str) -> View:
    sent = await desk.reception.viewing.send_copy(viewer, *shared.at_page(value))
    return shared.shared_message(sent.viewed, said=shared.SENT if sent.is_new else shared.SENT_BEFORE)


async def _mute(desk: Desk, viewer: Person, value: str) -> View:
    message_id, number = shared.at_page(value)
    mailbox_id, sender = await desk.reception.viewing.sender(viewer, message_id)
    rule = await desk.reception.managing.mute(viewer, mailbox_id, sender)
    viewed = await desk.reception.viewing.page(viewer, message_id, number)
    return shared.shared_message(viewed, said=shared.muted_sender(rule.label))


async def _managed(desk: Desk, viewer: Person, mailbox_id: str) -> View:
    return managed.managed(await desk.reception.managing.get(viewer, mailbox_id), desk.clock())


async def _check(desk: Desk, viewer: Person, mailbox_id: str) -> View:
    mailbox = await desk.reception.managing.check_now(viewer, mailbox_id)
    said = managed.CHECKING if mailbox.due_at is not None else managed.NOT_CHECKED
    return managed.managed(mailbox, desk.clock(), said=said)


async def _pause(desk: Desk, viewer: Person, mailbox_id: str) -> View:
    return managed.managed(
        await desk.reception.managing.pause(viewer, mailbox_id), desk.clock(), said=managed.PAUSED
    )


async def _resume(desk: Desk, viewer: Person, mailbox_id: str) -> View:
    return managed.managed(
        await desk.reception.managing.resume(viewer, mailbox_id), desk.clock(), said=managed.RESUMED
    )


async def _muted(desk: Desk, viewer: Person, mailbox_id: str) -> View:
    return managed.shared_rules(*await desk.reception.managing.muted(viewer, mailbox_id))


async def _unmute(desk: Desk, viewer: Person, mailbox_id: str, rule_id: str) -> View:
    with suppress(NoSuchRule):  # pressed twice: the list that is shown then does without it
        await desk.reception.managing.unmute(viewer, mailbox_id, rule_id)
    return await _muted(desk, viewer, mailbox_id)


async def _retention(desk: Desk, viewer: Person, mailbox_id: str) -> View:
    mailbox = await desk.reception.managing.get(viewer, mailbox_id)
    profile = mailbox.profile
    return managed.retention_form(mailbox, desk.allowed_retentions(profile.incoming.host, profile.username))


async def _save(desk: Desk, viewer: Person, mailbox_id: str, chosen: Retention, days: int | None) -> View:
    mailbox = await desk.reception.managing.set_retention(viewer, mailbox_id, chosen, days)
    return managed.managed(mailbox, desk.clock(), said=managed.SAVED)
