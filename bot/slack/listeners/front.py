"""App Home: gathers what the front page shows, each part on its own, so that one which fails takes no other with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog
from slack_sdk.errors import SlackApiError

from bot.errors import BotError
from bot.slack import views
from bot.slack.client import NO_ANSWER, CallFailed, code_of
from bot.slack.views import admin
from bot.slack.views.home import HomePage, no_right
from bot.slack.views.opened import OpenedToMe
from bot.slack.views.words import context, plain
from storage.errors import StorageError
from storage.sharing import Level

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.front import Standing
    from bot.slack.listeners.desk import Desk
    from bot.slack.views import Block, View
    from storage.records import Mailbox, Person

log = structlog.get_logger(__name__)

Part = TypeVar("Part")

PART_SECONDS: Final = 2.0
"""How long the page waits for what Slack has to be asked about; a later one finds the answer in the cache."""

_SHARED_LATER: Final = (
    "Slack did not answer in time, so what others share with you is not shown. Open this page again."
)
_ADMIN_LATER: Final = (
    "Slack did not answer in time, so the administrators' part is not shown. Open this page again."
)


async def home_of(desk: Desk, person: Person, number: int) -> View:
    """App Home of somebody.

    Args:
        number: of the page of their own mailboxes.
    """
    (mailboxes, waiting), not_done, standing, shared = await asyncio.gather(
        desk.listed(person),
        desk.reading.count_open(person),
        _in_time(desk.reception.front.of(person)),
        _shared(desk, person),
    )
    page = HomePage(
        mailboxes,
        waiting,
        not_done,
        seen_by=None if standing is None else standing.seen_by,
        groups={} if standing is None else standing.groups,
        no_right="" if standing is None or standing.may_hold else no_right(standing.administrators),
        shared=shared,
        admin=await _admin(desk, standing),
        number=number,
        may_send=await _may_send(desk, person, mailboxes, shared),
    )
    return views.home(page, desk.clock())


async def _shared(desk: Desk, person: Person) -> OpenedToMe:
    return await _in_time(desk.reception.viewing.shared_with(person)) or OpenedToMe(why=_SHARED_LATER)


async def _may_send(desk: Desk, person: Person, own: Sequence[Mailbox], shared: OpenedToMe) -> bool:
    """Whether there is something to send from; where Slack does not say, the button does when it is pressed."""
    if any(mailbox.profile.outgoing is not None and mailbox.suspension is None for mailbox in own):
        return True
    if not any(opened.level >= Level.REPLY for opened in shared.mailboxes):
        return False
    senders = await _in_time(desk.sending.senders(person))
    return senders is None or bool(senders)


async def _admin(desk: Desk, standing: Standing | None) -> list[Block]:
    """The administrators' part; empty for everybody else, and where it is not known who somebody is."""
    if standing is None or not standing.is_administrator:
        return []
    found = await _in_time(desk.office.administration.summary())
    return [context(plain(_ADMIN_LATER))] if found is None else admin.admin_blocks(found)


async def _in_time(part: Awaitable[Part]) -> Part | None:
    """A part of the page; None where Slack does not answer, or not soon enough."""
    try:
        async with asyncio.timeout(PART_SECONDS):
            return await part
    except (TimeoutError, CallFailed, BotError) as error:
        log.info("home_without_a_part", error=type(error).__name__)
        return None


async def publish_home(desk: Desk, body: Mapping[str, Any], client: AsyncWebClient, number: int = 0) -> None:
    """App Home of the person who acts; `number` is that of the page of their mailboxes."""
    person = desk.actor(body)
    await client.views_publish(user_id=person.user, view=await home_of(desk, person, number))


async def refresh_home(desk: Desk, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    """Draw App Home anew after a change made elsewhere, if that can be done: the change itself is made and told."""
    try:
        await publish_home(desk, body, client)
    except SlackApiError as error:
        log.info("home_not_drawn", code=code_of(error))
    except (*NO_ANSWER, StorageError) as error:
        log.info("home_not_drawn", error=type(error).__name__)
