"""What can be done to a message from its post: the row of buttons and the menu beside them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from bot.errors import NotKept
from bot.mail.frames import Mode
from bot.slack import actions, names, views
from bot.slack.listeners.desk import open_view, say, shown
from bot.slack.listeners.failures import fill
from bot.slack.listeners.payloads import value_of, view_of
from bot.slack.listeners.sharing import open_share
from bot.slack.share_forms import ShareDraft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.reading import OpenMail
    from bot.slack.listeners.desk import Desk
    from bot.slack.views import Answer, View
    from storage.records import Person

MODES: Final = {names.WHOLE_TEXT: Mode.TEXT, names.HEADERS_SHOWN: Mode.FIELDS}


def register(bolt: AsyncApp, desk: Desk) -> None:
    """The buttons of the row, its menu, and the pages they open."""

    @bolt.action(names.SHOW_ALL_BUTTON)
    async def show_all(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await _open_pages(desk, names.WHOLE_TEXT, value_of(action), body, client)

    @bolt.action(names.MORE_MENU)
    async def more(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient, respond: Any
    ) -> None:
        await ack()
        await _chosen(desk, value_of(action.get("selected_option") or {}), body, client, respond)

    @bolt.action(names.GET_WHOLE_BUTTON)
    async def get_whole(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient, respond: Any
    ) -> None:
        await ack()
        await _original(desk, value_of(action), body, respond, client)

    for action_id, is_done in ((names.DONE_BUTTON, True), (names.NOT_DONE_BUTTON, False)):
        bolt.action(action_id)(_marked(desk, is_done=is_done))
    for action_id in (names.NEXT_PAGE, names.PREVIOUS_PAGE):
        bolt.action(action_id)(_turned(desk))

    @bolt.action(names.OPEN_NOT_DONE)
    async def not_done(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        person = desk.actor(body)
        view = await open_view(client, body, views.loading("Not done"))
        await fill(client, str(view["id"]), _not_done(desk, person, value_of(action)))


async def _chosen(
    desk: Desk, value: str, body: Mapping[str, Any], client: AsyncWebClient, respond: Any
) -> None:
    """What a line of the menu does."""
    word, message_id = actions.chosen(value)
    if word == names.MORE_HEADERS:
        await _open_pages(desk, names.HEADERS_SHOWN, message_id, body, client)
    elif word == names.MORE_ORIGINAL:
        await _original(desk, message_id, body, respond, client)
    elif word == names.MORE_SHARE:
        await open_share(desk, ShareDraft("", message_id), body, client)
    elif word in {names.MORE_MUTE_SENDER, names.MORE_MUTE_THREAD}:
        await say(respond, await _mute(desk, desk.actor(body), word, message_id))
    elif word == names.MORE_DELETE:
        await desk.reading.standing(desk.actor(body), message_id)
        await say(respond, views.ask_delete(message_id))


async def redraw(desk: Desk, respond: Any, body: Mapping[str, Any], message_id: str) -> bool:
    """Show in a message's post how things stand with it; False where the button stands elsewhere."""
    message = body.get("message") or {}
    standing = await desk.reading.standing(desk.actor(body), message_id)
    after = actions.redrawn(message.get("blocks") or (), standing)
    if after is not None:
        await respond(text=str(message.get("text", "")), blocks=after, replace_original=True)
    return after is not None


def _marked(desk: Desk, *, is_done: bool) -> Any:
    async def marked(ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], respond: Any) -> None:
        await ack()
        await desk.reading.mark(desk.actor(body), value_of(action), is_done=is_done)
        await redraw(desk, respond, body, value_of(action))

    return marked


def _turned(desk: Desk) -> Any:
    async def turned(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        view, number = view_of(body), names.number_in(value_of(action))
        if view.get("callback_id") in MODES and number is not None:
            pages = _pages(desk, desk.actor(body), view["callback_id"], view["private_metadata"], number)
            await fill(client, view["id"], pages)

    return turned


async def _open_pages(
    desk: Desk, callback_id: str, message_id: str, body: Mapping[str, Any], client: AsyncWebClient
) -> None:
    """The modal first, since Slack gives three seconds for it; then what belongs in it."""
    person = desk.actor(body)
    view = await open_view(client, body, views.loading(views.TITLES[callback_id]))
    await fill(client, str(view["id"]), _pages(desk, person, callback_id, message_id, 0))


async def _pages(desk: Desk, person: Person, callback_id: str, message_id: str, number: int) -> View:
    try:
        read = await desk.reading.page(person, message_id, MODES[callback_id], number)
    except NotKept as error:
        return views.not_kept(callback_id, message_id, error.sentence)
    return views.page(callback_id, message_id, read, number)


async def _original(
    desk: Desk, message_id: str, body: Mapping[str, Any], respond: Any, client: AsyncWebClient
) -> None:
    mailbox, original = await desk.reading.original(desk.actor(body), message_id, again=True)
    said = views.original_answer(mailbox, original)
    view = view_of(body)
    if view:
        await shown(client, view["id"], views.as_modal(said))
        return
    await say(respond, said)
    await redraw(desk, respond, body, message_id)


async def _mute(desk: Desk, person: Person, word: str, message_id: str) -> Answer:
    mailbox_id, label = await desk.reading.label(person, message_id)
    if word == names.MORE_MUTE_SENDER:
        return views.muted(await desk.muting.mute_sender(person, mailbox_id, label))
    return views.muted(await desk.muting.mute_thread(person, mailbox_id, message_id, label))


async def _not_done(desk: Desk, person: Person, mailbox_id: str) -> View:
    mailbox, mails = await desk.reading.newest_open(person, mailbox_id)
    count = (await desk.reading.count_open(person)).get(mailbox_id, 0)
    links = await asyncio.gather(*(desk.slack.permalink(mail.post.channel, mail.post.ts) for mail in mails))
    labels = [mail.label or _dated(mail) for mail in mails]
    return views.not_done(mailbox, list(zip(labels, links, strict=True)), count)


def _dated(mail: OpenMail) -> str:
    """A message whose octets are gone."""
    return f"An e-mail of {mail.post.received_at:%Y-%m-%d %H:%M} UTC"
