"""Sharing, as its owner meets it: the form of a mailbox or of one message, the shares in it, and the part in the add form."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from bot import offers
from bot.errors import BotError, NotShared
from bot.offers import Offer, Wish
from bot.slack import drafts, names, share_forms, views
from bot.slack.listeners.desk import open_view, say
from bot.slack.listeners.failures import STORAGE_WORDS, fill
from bot.slack.listeners.forms_shaped import draw_anew
from bot.slack.listeners.front import refresh_home
from bot.slack.listeners.payloads import value_of, view_of
from bot.slack.share_forms import ShareDraft
from bot.slack.showing import Showing
from bot.slack.views import sharing as pages
from bot.slack.views.words import answer
from storage.errors import StorageError
from storage.sharing import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.drafts import Draft
    from bot.slack.listeners.desk import Desk
    from bot.slack.share_forms import Errors
    from bot.slack.views import View
    from bot.slack.views.words import Block
    from storage.records import Person

log = structlog.get_logger(__name__)

ANSWER_SECONDS: Final = 2.0
"""Slack waits three for the answer to a form; what takes longer is shown when it is there."""

ADD_SECONDS: Final = 1.5
"""What an add form waits for Slack's word on whom its owner may share with, before it opens without."""

WESTERNMOST: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a form: faults under its fields, and the view that shows the same where it is too late for those."""

    view: View
    errors: Errors


def register(bolt: AsyncApp, desk: Desk) -> None:
    """The button of a message's post, choices in the form, sending it, ending a share."""
    showing = Showing()

    @bolt.action(names.SHARE_MESSAGE)
    async def message(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await open_share(desk, ShareDraft("", value_of(action)), body, client)

    @bolt.action(names.SHARE_CHOSEN)
    async def chosen(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        if body["view"].get("callback_id") == names.ADD_FORM:
            await _chosen_in_add_form(desk, body, client)
            return
        form = showing.of(body["view"]["id"])
        turn = form.begin()
        view = await _form(desk, desk.actor(body), share_forms.read(body["view"]))
        if form.is_newest(turn):
            await fill(client, body["view"]["id"], _ready(view))

    @bolt.view(names.SHARE_FORM)
    async def sent(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        showing.of(body["view"]["id"]).begin()
        await _sent(desk, ack, body, client)
        await refresh_home(desk, body, client)

    @bolt.action(names.REVOKE_SHARE)
    async def revoked(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient, respond: Any
    ) -> None:
        await ack()
        person, share_id, view = desk.actor(body), value_of(action), view_of(body)
        if view.get("callback_id") == names.SHARE_FORM:
            showing.of(view["id"]).begin()
            await fill(client, view["id"], _revoked(desk, person, share_id, share_forms.read(view)))
            await refresh_home(desk, body, client)
            return
        was_open = await desk.sharing.revoke(person, share_id)
        await say(respond, answer(pages.revoked(was_open=was_open)))


async def open_share(desk: Desk, draft: ShareDraft, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    """The modal first, since Slack gives three seconds for it; then what belongs in it."""
    person = desk.actor(body)
    title = "Share a message" if draft.message_id else "Share a mailbox"
    view = await open_view(client, body, views.loading(title))
    await fill(client, str(view["id"]), _form(desk, person, draft))


async def _form(
    desk: Desk, person: Person, draft: ShareDraft, said: str = "", *, is_done: bool = False
) -> View:
    """The form as things stand now, with what is chosen in it as far as it is offered."""
    sheet = await desk.sharing.sheet(person, draft.mailbox_id, draft.message_id, draft.audiences)
    fitting = share_forms.fitting(draft, sheet.offer)
    label = await _label(desk, person, draft.message_id) if draft.message_id else ""
    return pages.share_form(sheet, fitting, label=label, said=said, is_done=is_done)


async def _label(desk: Desk, person: Person, message_id: str) -> str:
    """Sender and subject, where they can be had."""
    try:
        _, label = await desk.reading.label(person, message_id)
    except BotError:
        return ""
    return label.text


async def _sent(desk: Desk, ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    person, view = desk.actor(body), body["view"]
    draft = share_forms.read(view)
    errors = share_forms.faults(draft, person.user, (desk.clock() - WESTERNMOST).date())
    if errors:
        await ack(response_action="errors", errors=errors)
        return
    work = asyncio.create_task(_opened(desk, person, draft))
    await asyncio.wait({work}, timeout=ANSWER_SECONDS)
    if not work.done():
        await ack(response_action="update", view=views.loading("Sharing"))
        await asyncio.sleep(ACK_SECONDS)
        await fill(client, view["id"], _view_of(work))
        return
    outcome = work.result()
    if outcome.errors and outcome.errors.keys() <= {block.get("block_id") for block in view["blocks"]}:
        await ack(response_action="errors", errors=outcome.errors)
    else:
        await ack(response_action="update", view=outcome.view)


ACK_SECONDS: Final = 0.1
"""Bolt looks for an acknowledgement every 10 ms; what it says must not come over what follows it."""


async def _opened(desk: Desk, person: Person, draft: ShareDraft) -> _Outcome:
    until = offers.end_of(draft.until, await desk.zones.ask(person)) if draft.until is not None else None
    mailbox_id = draft.mailbox_id or await desk.sharing.message_mailbox(person, draft.message_id)
    wish = Wish(
        mailbox_id,
        draft.audiences,
        draft.level,
        message_id=draft.message_id or None,
        history=draft.history,
        until=until,
    )
    try:
        shares = await desk.sharing.open(person, wish)
    except NotShared as error:
        reason = offers.Refusal(error.reason)
        view = await _form(desk, person, draft, pages.refused(reason))
        return _Outcome(view, share_forms.refused(reason, draft))
    fresh = ShareDraft(mailbox_id, draft.message_id)
    groups = (await desk.sharing.sheet(person, mailbox_id, draft.message_id)).groups
    return _Outcome(await _form(desk, person, fresh, pages.opened(shares, groups), is_done=True), {})


async def _view_of(work: asyncio.Task[_Outcome]) -> View:
    return (await work).view


async def _ready(view: View) -> View:
    return view


async def _revoked(desk: Desk, person: Person, share_id: str, draft: ShareDraft) -> View:
    was_open = await desk.sharing.revoke(person, share_id)
    return await _form(desk, person, draft, pages.revoked(was_open=was_open))


# The add form


async def adding_part(desk: Desk, person: Person) -> tuple[Block, ...]:
    """What an add form says of sharing, as far as Slack answers in time."""
    work = asyncio.create_task(_adding(desk, person, (), Level.SEE))
    await asyncio.wait({work}, timeout=ADD_SECONDS)
    if work.done():
        return work.result()
    work.add_done_callback(lambda task: task.cancelled() or task.exception())
    return tuple(pages.adding_blocks(offers.Sheet(Offer("", "", None), None, {}), (), Level.SEE))


async def _adding(desk: Desk, person: Person, users: tuple[str, ...], level: Level) -> tuple[Block, ...]:
    return tuple(pages.adding_blocks(await desk.sharing.sheet_of_new(person, users), users, level))


async def _chosen_in_add_form(desk: Desk, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    person, view = desk.actor(body), body["view"]
    draft = drafts.read(view)
    part = await _adding(desk, person, _users(draft, person), _level(draft))
    await draw_anew(desk, view, client, lambda newest: replace(newest, sharing=part))


async def share_new(desk: Desk, person: Person, draft: Draft, mailbox_id: str) -> str:
    """Share a mailbox that was just added with those its form names; what to say of it, "" for nobody.

    The mailbox is stored by then: whatever goes wrong here is said, and takes nothing back.
    """
    users = _users(draft, person)
    if not users:
        return ""
    try:
        shares = await desk.sharing.open(person, Wish(mailbox_id, offers.people(users), _level(draft)))
    except BotError as error:
        return pages.not_shared(error.sentence)
    except StorageError as error:
        log.warning("storage_failed", error=type(error).__name__, temporary=error.temporary)
        return pages.not_shared(STORAGE_WORDS)
    return pages.opened(shares, {})


def _users(draft: Draft, person: Person) -> tuple[str, ...]:
    """Those whom an add form names, its owner apart."""
    return tuple(
        user for user in share_forms.people_of(draft.text(names.SHARE_PEOPLE)) if user != person.user
    )


def _level(draft: Draft) -> Level:
    """The level of an add form; the lowest where it was sent before the field was there."""
    chosen = draft.text(names.SHARE_LEVEL)
    return next((level for level in share_forms.LEVELS if str(level.value) == chosen), Level.SEE)
