"""Names in place of Slack's ids: of whoever sends a mail, and of people, groups and channels that its text mentions.

Asked afresh each time and kept nowhere. Whom Slack does not name goes without a name, never by an id.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from bot.mail.text import one_line
from bot.slack.client import CallFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.slack.client import SlackClient
    from bot.slack.people import People

MOST: Final = 50
"""Of one text; who mentions more people than that writes to a list."""

NAME_UNITS: Final = 80
SECONDS: Final = 5.0

_KINDS: Final = {"user": "user_id", "usergroup": "usergroup_id", "channel": "channel_id"}
_AT_ONCE: Final = 5
_DEEPEST: Final = 8


def mentioned(block: Mapping[str, Any] | None) -> dict[str, str]:
    """The kind of everything that a `rich_text` block mentions, by its id; a bounded number."""
    found = dict[str, str]()
    for kind, each in _within(block, 0):
        if len(found) >= MOST:
            break
        found.setdefault(each, kind)
    return found


def _within(element: Any, depth: int) -> Iterator[tuple[str, str]]:
    if not isinstance(element, dict) or depth > _DEEPEST:
        return
    kind = element.get("type")
    key = _KINDS.get(kind) if isinstance(kind, str) else None
    found = element.get(key) if key is not None else None
    if key is not None and isinstance(found, str) and found:
        yield str(kind), found
    elements = element.get("elements")
    for each in elements if isinstance(elements, list) else ():
        yield from _within(each, depth + 1)


class Names:
    """Who is called what."""

    def __init__(self, slack: SlackClient, people: People) -> None:
        self._slack = slack
        self._people = people

    async def of(self, block: Mapping[str, Any] | None) -> dict[str, str]:
        """Names by id of what a text mentions; what Slack does not name in time is missing."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def name(kind: str, found: str) -> str:
            async with turns:
                return await self._name(kind, found)

        wanted = mentioned(block)
        names = await asyncio.gather(*(name(kind, found) for found, kind in wanted.items()))
        return {found: each for found, each in zip(wanted, names, strict=True) if each}

    async def real_name(self, user: str) -> str:
        """What somebody calls themselves in full; "" where Slack does not say."""
        return await self._name("user", user)

    async def _name(self, kind: str, found: str) -> str:
        try:
            async with asyncio.timeout(SECONDS):
                if kind == "user":
                    return _person(await self._slack.person(found))
                if kind == "channel":
                    return channel_name(await self._slack.channel_info(found))
                group = (await self._people.groups() or {}).get(found)
                return "" if group is None else _bounded(group.name)
        except (CallFailed, TimeoutError):
            return ""


def _person(record: Mapping[str, Any]) -> str:
    profile = record.get("profile")
    profile = profile if isinstance(profile, dict) else {}
    found = (profile.get("real_name"), record.get("real_name"), profile.get("display_name"))
    return next((name for each in found if (name := _bounded(each))), "")


def channel_name(record: Mapping[str, Any]) -> str:
    """Public ones alone: whoever writes may name any id, also of a channel that they are not in."""
    return _bounded(record.get("name")) if record.get("is_private") is False else ""


def _bounded(name: Any) -> str:
    return one_line(name, NAME_UNITS) if isinstance(name, str) else ""
