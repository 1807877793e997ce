"""What a word or a button does to one mailbox."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.slack import drafts, names, views
from bot.slack.listeners.desk import open_view
from bot.slack.listeners.examining import examine
from bot.slack.listeners.sharing import open_share
from bot.slack.share_forms import ShareDraft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk
    from bot.slack.views import Answer, View
    from storage.records import Person


async def act(
    desk: Desk, word: str, mailbox_id: str, body: Mapping[str, Any], client: AsyncWebClient
) -> Answer | None:
    """Do what a command word means to a mailbox of the person who acts.

    Returns:
        What to tell them; None when a modal was opened instead.
    """
    person = desk.actor(body)
    if word in {names.EDIT, names.PASSWORD, names.REMOVE}:
        view = await _form(desk, word, person, mailbox_id)
        await open_view(client, body, view)
        return None
    if word == names.DOCTOR:
        await examine(desk, mailbox_id, body, client)
        return None
    if word == names.SHARE:
        await open_share(desk, ShareDraft(mailbox_id), body, client)
        return None
    return await _switch(desk, word, person, mailbox_id)


async def _form(desk: Desk, word: str, person: Person, mailbox_id: str) -> View:
    """The modal for what needs one."""
    mailbox = await desk.registrar.get(person, mailbox_id)
    if word == names.REMOVE:
        return views.remove_form(mailbox, await desk.belongings.held(person, mailbox.id))
    draft = drafts.draft_of(mailbox, asks_active=not mailbox.is_active)
    if word == names.PASSWORD:
        return views.password_form(mailbox, draft)
    offers_plain, most_active = await asyncio.gather(
        desk.offers_plain(person), desk.registrar.most_active(person)
    )
    is_erased = views.is_erased(mailbox)
    draft = replace(draft, offers_plain=offers_plain, most_active=most_active, is_erased=is_erased)
    return views.mailbox_form(draft, provider=desk.providers.by_address(mailbox.profile.address))


async def _switch(desk: Desk, word: str, person: Person, mailbox_id: str) -> Answer:
    registrar = desk.registrar
    if word == names.ACTIVATE:
        mailbox, rested = await registrar.activate(person, mailbox_id)
        mailboxes, _ = await desk.listed(person)
        is_only = sum(other.is_active for other in mailboxes) == 1
        return views.activated(mailbox, rested=rested, is_only=is_only)
    if word == names.PAUSE:
        return views.paused(await registrar.pause(person, mailbox_id))
    if word == names.RESUME:
        return views.resumed(await registrar.resume(person, mailbox_id))
    mailbox = await registrar.check_now(person, mailbox_id)
    is_later = mailbox.due_at is not None and mailbox.due_at > desk.clock()
    return views.checking(mailbox, not_before=mailbox.due_at if is_later else None)
