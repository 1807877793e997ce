"""The slash command, the shortcut and App Home: the ways in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.slack import drafts, forms, names, views
from bot.slack.listeners.acts import act
from bot.slack.listeners.addresses import look_up
from bot.slack.listeners.admin import open_admin
from bot.slack.listeners.belongings import ask_erase, export_data
from bot.slack.listeners.desk import open_view, say
from bot.slack.listeners.front import publish_home
from bot.slack.listeners.muted import open_rules
from bot.slack.listeners.shared import shared_with
from bot.slack.listeners.sharing import adding_part
from bot.slack.listeners.writing import open_compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from bot.slack.views import Answer
    from storage.records import Mailbox, Person


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
    elif word in {names.HELP, names.SHARED}:
        await say(respond, await _told(desk, person, word))
    elif word in {names.RULES, names.SEND, names.ADMIN}:
        await _open(desk, word, body, client, called=rest)
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


async def _open(
    desk: Desk, word: str, body: Mapping[str, Any], client: AsyncWebClient, *, called: str
) -> None:
    """The words that open a modal at once."""
    if word == names.ADMIN:
        await open_admin(desk, body, client)
    elif word == names.SEND:
        await open_compose(desk, body, client, called=called)
    else:
        await open_rules(desk, body, client)


async def _told(desk: Desk, person: Person, word: str) -> Answer:
    """What somebody asks to be told: the commands, or what others opened to them."""
    if word == names.SHARED:
        return await shared_with(desk, person)
    return views.help_answer(await words_for(desk, person))


async def words_for(desk: Desk, person: Person) -> tuple[str, ...]:
    """The commands that somebody may use; the check that counts comes with each of them."""
    standing = await desk.reception.front.of(person)
    hidden = set() if standing.is_administrator else {names.ADMIN}
    hidden |= set() if standing.may_view else {names.SHARED}
    if not standing.may_hold and not standing.seen_by:
        hidden |= {names.ADD, names.RULES, *names.BUTTONS}
        hidden |= set() if standing.may_view else {names.SEND}
    return tuple(word for word in names.COMMANDS if word not in hidden)


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
    person = desk.actor(body)
    (mailboxes, _), sharing, (refusal, administrators), offers_plain, most_active = await asyncio.gather(
        desk.listed(person),
        adding_part(desk, person),
        desk.registrar.refusal(person),
        desk.offers_plain(person),
        desk.registrar.most_active(person),
    )
    if refusal:
        await open_view(client, body, views.cannot_add(refusal, administrators))
        return
    found = desk.discovery.known(address)
    draft = drafts.new_draft(address=address, found=found, asks_active=bool(mailboxes))
    draft = replace(draft, sharing=sharing, offers_plain=offers_plain, most_active=most_active)
    form = views.mailbox_form(draft, provider=found.provider if found else None)
    view = await open_view(client, body, form)
    if found is None and address:
        await look_up(desk, draft, view, client)
