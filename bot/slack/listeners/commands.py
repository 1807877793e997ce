"""The slash command, the shortcut and App Home: the ways in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.slack import drafts, forms, names, views
from bot.slack.client import NO_ANSWER, code_of
from bot.slack.listeners.acts import act
from bot.slack.listeners.addresses import look_up
from bot.slack.listeners.belongings import ask_erase, export_data
from bot.slack.listeners.desk import open_view, say
from bot.slack.listeners.muted import open_rules
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from storage.records import Mailbox

log = structlog.get_logger(__name__)


def register(bolt: AsyncApp, desk: Desk) -> None:
    """`/mailbox`, "Add mailbox" and the Home tab."""

    @bolt.command(names.COMMAND)
    async def command(ack: Any, body: Mapping[str, Any], client: AsyncWebClient, respond: Any) -> None:
        await ack()
        await _answer(desk, body, client, respond)

    @bolt.shortcut(names.SHORTCUT_ADD)
    async def shortcut(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await open_add_form(desk, body, client)

    @bolt.event("app_home_opened")
    async def home(event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") == "home":
            await publish_home(desk, body, client)


async def _answer(desk: Desk, body: Mapping[str, Any], client: AsyncWebClient, respond: Any) -> None:
    person = desk.actor(body)
    word, rest = forms.parse_command(body.get("text"))
    if word == names.ADD:
        await open_add_form(desk, body, client, address=rest)
    elif word in {"", names.LIST}:
        mailboxes, waiting = await desk.listed(person)
        not_done = await desk.reading.count_open(person)
        await say(respond, views.mailbox_list(mailboxes, waiting, desk.clock(), not_done))
    elif word == names.HELP:
        await say(respond, views.help_answer())
    elif word == names.RULES:
        await open_rules(desk, body, client)
    elif word == names.EXPORT:
        await say(respond, await export_data(desk, body))
    elif word == names.ERASE:
        answer = await ask_erase(desk, body, client)
        if answer is not None:
            await say(respond, answer)
    elif word in names.BUTTONS:
        await _one_of(desk, word, body, client, respond, called=rest)
    else:
        await say(respond, views.unknown_word(word))


async def _one_of(
    desk: Desk, word: str, body: Mapping[str, Any], client: AsyncWebClient, respond: Any, *, called: str
) -> None:
    """A word that is about one mailbox: the one called so, else the only one there is, else the one the person picks."""
    mailboxes, _ = await desk.listed(desk.actor(body))
    meant = [mailbox for mailbox in mailboxes if not called or _is_called(mailbox, called)]
    if not mailboxes:
        await say(respond, views.nothing_to_do(word))
    elif len(meant) != 1:
        await say(respond, views.picker(word, meant or mailboxes))
    else:
        answer = await act(desk, word, meant[0].id, body, client)
        if answer is not None:
            await say(respond, answer)


def _is_called(mailbox: Mailbox, words: str) -> bool:
    names_of_it = mailbox.profile.name, mailbox.profile.address
    return words.casefold() in {" ".join(name.split()).casefold() for name in names_of_it}


async def open_add_form(
    desk: Desk, body: Mapping[str, Any], client: AsyncWebClient, address: str = ""
) -> None:
    """The add form, with servers in place when an address is given."""
    mailboxes, _ = await desk.listed(desk.actor(body))
    found = desk.discovery.known(address)
    draft = drafts.new_draft(address=address, found=found, asks_active=bool(mailboxes))
    form = views.mailbox_form(draft, provider=found.provider if found else None)
    view = await open_view(client, body, form)
    if found is None and address:
        await look_up(desk, draft, view, client)


async def publish_home(desk: Desk, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    """App Home of the person who acts."""
    person = desk.actor(body)
    mailboxes, waiting = await desk.listed(person)
    view = views.home(mailboxes, waiting, desk.clock(), await desk.reading.count_open(person))
    await client.views_publish(user_id=person.user, view=view)


async def refresh_home(desk: Desk, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    """Draw App Home anew after a change made elsewhere, if that can be done: the change itself is made and told."""
    try:
        await publish_home(desk, body, client)
    except SlackApiError as error:
        log.info("home_not_drawn", code=code_of(error))
    except (*NO_ANSWER, StorageError) as error:
        log.info("home_not_drawn", error=type(error).__name__)
