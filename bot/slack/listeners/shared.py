"""What others opened: the list of it, a mailbox's messages, a message, and what managers do.

Each press is decided on anew by the use case. A modal is opened first, since Slack gives three seconds for it, and holds
what belongs in it, or the reason why there is nothing, a moment later.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bot.errors import BotError, NoSuchRule
from bot.retention import WORDS
from bot.slack import forms, names, views
from bot.slack.listeners.desk import at_least, open_view
from bot.slack.listeners.failures import fill
from bot.slack.listeners.reception import visitor
from bot.slack.views import managed, shared
from storage.records import Retention

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from bot.slack.listeners.reception import Reception
    from bot.slack.views import Answer, View
    from storage.records import Person

SHOWN_SECONDS: Final = 0.5
"""A form is answered by a modal that waits, which must be shown before the next one comes."""

_ANY: Final = tuple((each, None) for each in Retention)


@dataclass(frozen=True, slots=True)
class Place:
    """What the listeners here are given."""

    desk: Desk
    reception: Reception


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Every button and form of shared mail, where mail is shared at all."""
    if desk.reception is not None:
        _register(bolt, Place(desk, desk.reception))


def _register(bolt: AsyncApp, place: Place) -> None:
    for action_id, title, view in (
        (names.SHARED_LIST, "Shared mail", _listing),
        (names.SHARED_OPEN, "Shared message", _message),
        (names.SHARED_HEADERS, "Headers", _fields),
        (names.SHARED_MANAGE, "Manage", _managed),
        (names.SHARED_RETENTION, "Delete setting", _retention),
        (names.SHARED_RULES, "Muted senders", _muted),
    ):
        bolt.action(action_id)(_opens(place, title, view))
    for action_id, change in (
        (names.SHARED_OLDER, _listing),
        (names.SHARED_NEWER, _listing),
        (names.SHARED_SEND, _send),
        (names.SHARED_MUTE, _mute),
        (names.SHARED_CHECK, _check),
        (names.SHARED_PAUSE, _pause),
        (names.SHARED_RESUME, _resume),
    ):
        bolt.action(action_id)(_changes(place, change))
    for action_id in (names.SHARED_NEXT, names.SHARED_PREVIOUS):
        bolt.action(action_id)(_turned(place))

    @bolt.action(names.SHARED_UNMUTE)
    async def unmuted(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        viewer, view = await visitor(place.desk, body, _value(action)), body.get("view") or {}
        work = _unmute(place, viewer, str(view.get("private_metadata", "")), _value(action))
        await fill(client, str(view.get("id", "")), work)

    @bolt.view(names.SHARED_RETENTION_FORM)
    async def retention(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        view = body["view"]
        chosen, days, errors = forms.parse_retention(view["state"]["values"], _ANY)
        if errors:
            await ack(response_action="errors", errors=errors)
            return
        viewer = await visitor(place.desk, body, view["private_metadata"])
        await ack(response_action="update", view=views.loading("Delete setting"))
        work = _save(place, viewer, view["private_metadata"], chosen, days)
        await fill(client, view["id"], at_least(SHOWN_SECONDS, work))


async def shared_with(reception: Reception, person: Person) -> Answer:
    """The answer to the command: all that others opened to somebody."""
    return shared.shared_answer(await reception.viewing.shared_with(person))


def _opens(place: Place, title: str, view: Callable[[Place, Person, str], Awaitable[View]]) -> Any:
    """A button that opens a modal."""

    async def opened(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        viewer = await visitor(place.desk, body, _value(action))
        modal = await open_view(client, body, views.loading(title))
        await fill(client, str(modal["id"]), view(place, viewer, _value(action)))

    return opened


def _changes(place: Place, view: Callable[[Place, Person, str], Awaitable[View]]) -> Any:
    """A button that changes the modal in which it stands."""

    async def changed(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        viewer, modal = await visitor(place.desk, body, _value(action)), body.get("view") or {}
        await fill(client, str(modal.get("id", "")), view(place, viewer, _value(action)))

    return changed


def _turned(place: Place) -> Any:
    async def turned(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        view, number = body.get("view") or {}, shared.number_in(_value(action))
        page = {names.SHARED_MESSAGE: _message, names.SHARED_FIELDS: _fields}.get(view.get("callback_id", ""))
        if page is not None and number is not None:
            message_id = str(view["private_metadata"])
            viewer = await visitor(place.desk, body, message_id)
            await fill(client, view["id"], page(place, viewer, f"{message_id}:{number}"))

    return turned


def _value(action: Mapping[str, Any]) -> str:
    return str(action.get("value", ""))


# Views


async def _listing(place: Place, viewer: Person, value: str) -> View:
    mailbox_id, trail = shared.turned_to(value)
    return shared.shared_listing(await place.reception.viewing.listing(viewer, mailbox_id, trail))


async def _message(place: Place, viewer: Person, value: str) -> View:
    return shared.shared_message(await place.reception.viewing.page(viewer, *shared.at_page(value)))


async def _fields(place: Place, viewer: Person, value: str) -> View:
    message_id, number = shared.at_page(value)
    return shared.shared_fields(
        message_id, await place.reception.viewing.fields(viewer, message_id, number), number
    )


async def _send(place: Place, viewer: Person, value: str) -> View:
    sent = await place.reception.viewing.send_copy(viewer, *shared.at_page(value))
    return shared.shared_message(sent.viewed, said=shared.SENT if sent.is_new else shared.SENT_BEFORE)


async def _mute(place: Place, viewer: Person, value: str) -> View:
    message_id, number = shared.at_page(value)
    mailbox_id, sender = await place.reception.viewing.sender(viewer, message_id)
    rule = await place.reception.managing.mute(viewer, mailbox_id, sender)
    viewed = await place.reception.viewing.page(viewer, message_id, number)
    return shared.shared_message(viewed, said=shared.muted_sender(rule.label))


async def _managed(place: Place, viewer: Person, mailbox_id: str) -> View:
    return managed.managed(await place.reception.managing.get(viewer, mailbox_id), place.desk.clock())


async def _check(place: Place, viewer: Person, mailbox_id: str) -> View:
    mailbox = await place.reception.managing.check_now(viewer, mailbox_id)
    said = managed.CHECKING if mailbox.due_at is not None else managed.NOT_CHECKED
    return managed.managed(mailbox, place.desk.clock(), said=said)


async def _pause(place: Place, viewer: Person, mailbox_id: str) -> View:
    return managed.managed(
        await place.reception.managing.pause(viewer, mailbox_id), place.desk.clock(), said=managed.PAUSED
    )


async def _resume(place: Place, viewer: Person, mailbox_id: str) -> View:
    return managed.managed(
        await place.reception.managing.resume(viewer, mailbox_id), place.desk.clock(), said=managed.RESUMED
    )


async def _muted(place: Place, viewer: Person, mailbox_id: str) -> View:
    return managed.shared_rules(*await place.reception.managing.muted(viewer, mailbox_id))


async def _unmute(place: Place, viewer: Person, mailbox_id: str, rule_id: str) -> View:
    with suppress(NoSuchRule):  # pressed twice: the list that is shown then does without it
        await place.reception.managing.unmute(viewer, mailbox_id, rule_id)
    return await _muted(place, viewer, mailbox_id)


async def _retention(place: Place, viewer: Person, mailbox_id: str) -> View:
    mailbox = await place.reception.managing.get(viewer, mailbox_id)
    profile = mailbox.profile
    return managed.retention_form(
        mailbox, place.desk.allowed_retentions(profile.incoming.host, profile.username)
    )


async def _save(place: Place, viewer: Person, mailbox_id: str, chosen: Retention, days: int | None) -> View:
    """The delete setting, once more held against what the server can do as it is set now."""
    profile = (await place.reception.managing.get(viewer, mailbox_id)).profile
    why_not = dict(place.desk.allowed_retentions(profile.incoming.host, profile.username))[chosen]
    if why_not is not None:
        raise BotError("a setting that the server cannot carry out", sentence=WORDS[why_not])
    mailbox = await place.reception.managing.set_retention(viewer, mailbox_id, chosen, days)
    return managed.managed(mailbox, place.desk.clock(), said=managed.SAVED)
