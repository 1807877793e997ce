"""What a person writes to the bot: answered, since it looks like a conversation and is none.

Nothing that is typed there becomes an e-mail or a command, and none of it is kept. A person who goes on writing is
told once a minute in each place, not after every line.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.slack import forms, names, views
from bot.slack.listeners.commands import words_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.listeners.desk import Desk

TOLD_FOR: Final = timedelta(minutes=1)
MOST_REMEMBERED: Final = 1000


class Told:
    """Who was told where lately, so that nobody is told after every line."""

    def __init__(self) -> None:
        self._times: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    def is_news(self, place: tuple[str, str], now: datetime) -> bool:
        """Whether to say it again in this place; it counts as said then."""
        last = self._times.get(place)
        if last is not None and now - last < TOLD_FOR:
            return False
        self._times[place] = now
        self._times.move_to_end(place)
        while len(self._times) > MOST_REMEMBERED:
            self._times.popitem(last=False)
        return True


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Messages in the DM; what the bot posts itself comes as well and is passed over."""
    told = Told()

    @bolt.event("message")
    async def message(event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient) -> None:
        if is_from_a_person(event):
            await _answer(desk, told, event, body, client)


def is_from_a_person(event: Mapping[str, Any]) -> bool:
    """Somebody wrote this in a DM: no app, no change to an older message, no notice of Slack's."""
    return (
        event.get("channel_type") == "im"
        and event.get("subtype") in {None, "file_share", "thread_broadcast"}
        and bool(event.get("user"))
        and not event.get("bot_id")
    )


async def _answer(
    desk: Desk, told: Told, event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient
) -> None:
    person = desk.actor(body)
    thread_ts = event.get("thread_ts")
    word, _ = forms.parse_command(str(event.get("text") or "").removeprefix(names.COMMAND).lstrip("/"))
    is_asking = word == names.HELP and thread_ts is None
    if not is_asking and not told.is_news((person.user, str(thread_ts)), desk.clock()):
        return
    if is_asking:
        answer = views.help_answer(await words_for(desk, person))
    else:
        answer = views.typed_answer(word, in_thread=thread_ts is not None)
    await client.chat_postMessage(
        channel=event["channel"],
        text=answer["text"],
        blocks=answer["blocks"],
        thread_ts=thread_ts,
        unfurl_links=False,
        unfurl_media=False,
    )
