"""What Slack knows of a person: nothing but the time zone is asked for, and that seldom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from bot.slack.client import CallFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.slack.client import SlackClient

log = structlog.get_logger(__name__)

LONGEST_NAME = 64


async def zone_of(slack: SlackClient, user: str) -> str | None:
    """The name of a person's time zone; None when Slack does not tell, for whatever reason."""
    try:
        return _zone(await slack.person(user))
    except CallFailed as failed:
        log.info("zone_not_told", outcome=repr(failed.outcome))
        return None


def _zone(person: Mapping[str, Any]) -> str | None:
    name = person.get("tz")
    return name if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME else None
