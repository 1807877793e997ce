"""What Slack tells of people, user groups and channels: forgotten at once, then what was shared with them is looked at.

An event is a reason to ask Slack and never the answer: events come late, twice and out of order, and lists in them are
cut. So one that comes twice, which Slack does when it hears no acknowledgement, is handled twice, and a wrong one changes
nothing. Who joins a channel, and a group that is new, take nothing from anybody: nothing is looked at for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.rechecking import Cause, What

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from slack_bolt.app.async_app import AsyncApp

    from bot.slack.listeners.desk import Desk
    from bot.slack.people import People

PERSON_EVENTS: Final = ("user_change", "team_join")
GROUP_EVENTS: Final = ("subteam_created", "subteam_updated", "subteam_members_changed")
CHANNEL_EVENTS: Final = (
    "member_joined_channel",
    "member_left_channel",
    "channel_left",
    "group_left",
    "channel_archive",
    "group_archive",
    "channel_deleted",
    "group_deleted",
    "channel_shared",
    "channel_unshared",
)
HARMLESS: Final = frozenset({"subteam_created", "member_joined_channel"})


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Events of people, user groups and channels."""
    listen(bolt, desk.people, desk.rechecker.recheck)


def listen(bolt: AsyncApp, people: People, recheck: Callable[[Cause], Awaitable[None]]) -> None:
    """Forget at every event, then have what was shared looked at."""

    async def on_event(event: Mapping[str, Any]) -> None:
        cause = noted(people, event)
        if cause is not None:
            await recheck(cause)

    for name in (*PERSON_EVENTS, *GROUP_EVENTS, *CHANNEL_EVENTS):
        bolt.event(name)(on_event)


def noted(people: People, event: Mapping[str, Any]) -> Cause | None:
    """Forget what an event is about; what may take from somebody is to be looked at."""
    name = event.get("type")
    if name in PERSON_EVENTS:
        record = event.get("user")
        is_news = isinstance(record, dict) and people.heard(record)
        return Cause(What.USER, str(record["id"])) if is_news and isinstance(record, dict) else None
    if name in GROUP_EVENTS:
        people.forget(group=True)
        cause = Cause(
            What.GROUP, str(event.get("subteam_id") or (event.get("subteam") or {}).get("id") or "")
        )
    else:
        cause = Cause(What.CHANNEL, str(event.get("channel") or ""))
        people.forget(channel=cause.id)
    return None if name in HARMLESS or not cause.id else cause
