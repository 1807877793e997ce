"""Use case: know in which time zone people are, for quiet hours and daily digests.

Slack is asked when such a mailbox is set up and once a day from then on. Where it does not answer, the last zone known
counts, or UTC, and it is asked again in an hour: no message waits for that.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot import calm
from bot.slack.people import zone_of
from storage.calm import ZONE_KEPT
from storage.errors import KeyUnknown, SealBroken

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.slack.client import SlackClient
    from storage.delivery import Held
    from storage.mailboxes import Mailboxes
    from storage.records import Person
    from storage.zones import Zones

log = structlog.get_logger(__name__)

ASK_AGAIN = timedelta(hours=1)
"""After an answer that told nothing."""

MOST_AT_ONCE = 10
"""People whom one look asks for: Slack takes a hundred such questions a minute."""


class ZoneKeeper:
    """Asks Slack for time zones and keeps them."""

    def __init__(
        self, zones: Zones, mailboxes: Mailboxes, slack: SlackClient, *, clock: Callable[[], datetime]
    ) -> None:
        self._zones = zones
        self._mailboxes = mailboxes
        self._slack = slack
        self._clock = clock

    async def ask(self, person: Person) -> str | None:
        """A person's zone as Slack says it now; None when it does not, or none is known by that name."""
        zone = await zone_of(self._slack, person.user)
        if zone is not None and not calm.is_zone(zone):
            log.warning("zone_unknown", zone=zone)
            return None
        return zone

    async def refresh(self) -> None:
        """Ask for the zones that were not asked for in a day; what is held where one changed waits by the new one."""
        for person in await self._zones.due(self._clock(), MOST_AT_ONCE):
            zone = await self.ask(person)
            now = self._clock()
            held: dict[str, Held] = {}
            try:
                for mailbox in await self._mailboxes.of(person) if zone is not None else ():
                    if mailbox.zone != zone and mailbox.calm.needs_zone:
                        held[mailbox.id] = calm.still_held(replace(mailbox, zone=zone), now)
            except (KeyUnknown, SealBroken) as error:  # one that does not open holds up nobody else's
                log.error("mailbox_does_not_open", error=type(error).__name__)  # noqa: TRY400 - no traceback
                zone, held = None, {}
            await self._zones.learn(person, zone, now + (ASK_AGAIN if zone is None else ZONE_KEPT), held, now)
