"""When a mailbox may post, decided from values alone: its mode, its quiet hours, the owner's time zone, now. Pure.

Local hours follow the clock on the wall. Where summer time leaves an hour out, what was due within it is due when it is
skipped; where an hour comes twice, a digest comes in the first, and quiet hours end in the first.

A notice needs no digest. In quiet hours it waits all the same, the alarm of a refused login too: Slack rings for every
post, nobody mends a password in their sleep, and the mail waits on its server.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zlib import crc32
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage.delivery import Calm, Chosen, Delivery, Held

if TYPE_CHECKING:
    from datetime import date, tzinfo

    from storage.records import Mailbox

HOUR: Final = 3600
DAILY_SPREAD: Final = 300
"""Daily digests come within so many seconds after their hour, each mailbox at a moment of its own."""


def zone_of(name: str | None) -> tzinfo:
    """The time zone of this name; UTC where nobody knows it."""
    return (_zone(name) if name else None) or UTC


def is_zone(name: str) -> bool:
    """Whether a time zone is known by this name."""
    return _zone(name) is not None


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def held(calm: Calm, zone: str | None, mailbox_id: str, now: datetime) -> Held:
    """Until when what comes now is held back.

    Args:
        mailbox_id: gives each mailbox a place of its own within the hour, so that thousands do not fire at once.
    """
    place = zone_of(zone)
    mail = quiet_until(calm, place, slot(calm, place, mailbox_id, now))
    notices = quiet_until(calm, place, now)
    return Held(mail if mail > now else None, notices if notices > now else None)


def still_held(mailbox: Mailbox, now: datetime) -> Held:
    """Until when what a mailbox holds back already is held by its settings as they are now.

    A paused one fetches nothing more, so its digest is complete and waits for quiet hours only.
    """
    calm = mailbox.calm
    if mailbox.is_paused:
        calm = replace(calm, delivery=Delivery.EACH)
    return held(calm, mailbox.zone, mailbox.id, now)


def chosen(mailbox: Mailbox, calm: Calm | None, zone: str | None, now: datetime) -> Chosen | None:
    """What new settings mean for a mailbox; None without such.

    Args:
        zone: what Slack has just said; None when it did not.
    """
    if calm is None:
        return None
    after = replace(mailbox, calm=calm, zone=zone or mailbox.zone)
    return Chosen(calm, zone, still_held(after, now))


def slot(calm: Calm, zone: tzinfo, mailbox_id: str, now: datetime) -> datetime:
    """When what comes now has its turn, quiet hours apart: later than now for a digest, else now."""
    offset = crc32(mailbox_id.encode())
    if calm.delivery is Delivery.HOURLY:
        seconds = int(now.timestamp())
        return datetime.fromtimestamp(seconds + HOUR - (seconds - offset) % HOUR, UTC)
    if calm.delivery is Delivery.DAILY:
        return _daily(calm.daily_hour or 0, timedelta(seconds=offset % DAILY_SPREAD), zone, now)
    return now


def _daily(hour: int, spread: timedelta, zone: tzinfo, now: datetime) -> datetime:
    today = now.astimezone(zone).date()
    days = [today + timedelta(days=number) for number in (-1, 0, 1, 2)]
    return min(moment for day in days if (moment := _moment(day, hour, zone) + spread) > now)


def quiet_until(calm: Calm, zone: tzinfo, at: datetime) -> datetime:
    """The first moment from `at` on that lies in no quiet hours."""
    if calm.quiet_from is None or calm.quiet_to is None:
        return at
    wall = at.astimezone(zone)
    if not _is_quiet(wall.time(), time(calm.quiet_from), time(calm.quiet_to)):
        return at
    is_over_midnight = wall.time() >= time(calm.quiet_to)
    day = wall.date() + timedelta(days=1 if is_over_midnight else 0)
    ends = [_moment(day, calm.quiet_to, zone, fold) for fold in (0, 1)]
    return next((end for end in ends if end > at), at)


def _is_quiet(wall: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= wall < end
    return wall >= start or wall < end


def _moment(day: date, hour: int, zone: tzinfo, fold: int = 0) -> datetime:
    """When the clock on the wall shows this hour; of one that is left out, the moment it is skipped."""
    return datetime.combine(day, time(hour, fold=fold), zone).astimezone(UTC)
