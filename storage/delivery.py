"""How a person wants the mail of a mailbox posted, as values that every layer shares. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime


FLOOD_WAIT: Final = timedelta(minutes=2)
"""A flood is posted when the session that brings it ends; should that take long, or never come, after so long."""


class Delivery(StrEnum):
    """How the messages of a mailbox come."""

    EACH = "each"  # each by itself, at once
    HOURLY = "hourly"  # as a digest, once an hour
    DAILY = "daily"  # as a digest, once a day


@dataclass(frozen=True, slots=True)
class Calm:
    """When a mailbox may post; the hours are the owner's own, 0 to 23.

    Attributes:
        daily_hour: when the daily digest comes; set for DAILY only.
        quiet_from, quiet_to: nothing is posted from the one until the other; None without quiet hours.
    """

    delivery: Delivery = Delivery.EACH
    daily_hour: int | None = None
    quiet_from: int | None = None
    quiet_to: int | None = None

    @property
    def needs_zone(self) -> bool:
        """Whether it takes the owner's time zone to say when to post."""
        return self.delivery is Delivery.DAILY or self.has_quiet

    @property
    def has_quiet(self) -> bool:
        """Whether there are quiet hours; from a time until the same time means none."""
        return self.quiet_from is not None and self.quiet_to is not None and self.quiet_from != self.quiet_to


AT_ONCE: Final = Calm()
"""As nobody has chosen anything."""


@dataclass(frozen=True, slots=True)
class Held:
    """Until when what comes now is held back; None where it may be posted at once.

    Attributes:
        mail: for messages.
        notices: for what the bot says on its own account.
    """

    mail: datetime | None = None
    notices: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an owner has chosen in a form, the zone that Slack has just told, and what that means for what is held now."""

    calm: Calm
    zone: str | None
    held: Held
