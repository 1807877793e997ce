"""Time zones of calendars: by their names, by Microsoft's names, or as the calendar itself defines them.

Covers RFC 5545 section 3.6.5 for yearly rules by month and weekday, which is what calendars hold; a definition of
another kind is not used. Reads the zones of the system or of the `tzdata` package, never raises, and computes at most
two years of a definition whatever its rule says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

RULES: Final = 40
NAME_CHARACTERS: Final = 200
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,40}(?:/[A-Za-z0-9_+-]{1,40}){0,2}\Z")
_OFFSET: Final = re.compile(r"([+-])(\d\d)(\d\d)(?:\d\d)?\Z")
_STAMP: Final = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)")
_BY_DAY: Final = re.compile(r"([+-]?\d)(MO|TU|WE|TH|FR|SA|SU)\Z")
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

Line = tuple[str, str]
"""A property's name without parameters, upper case, and its value."""


@dataclass(frozen=True, slots=True)
class Rule:
    """From when on which offset holds: once, or each year on the n-th weekday of a month."""

    offset: timedelta
    onset: datetime
    month: int = 0
    which: int = 0
    weekday: int = 0

    def last_onset(self, local: datetime) -> datetime | None:
        """The latest time at or before a naive local one at which this begins to hold."""
        if local < self.onset:
            return None
        if not self.month:
            return self.onset
        onsets = [self._in(year) for year in (local.year - 1, local.year) if year >= self.onset.year]
        return max((onset for onset in onsets if onset <= local), default=None)

    def _in(self, year: int) -> datetime:
        first = self.onset.replace(year=year, month=self.month, day=1)
        if self.which > 0:
            ahead = (self.weekday - first.weekday()) % 7
            return first + timedelta(days=ahead + 7 * (self.which - 1))
        following = first.replace(year=year + self.month // 12, month=self.month % 12 + 1)
        last = following - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - self.weekday) % 7 + 7 * (-self.which - 1))


def named(name: str) -> tzinfo | None:
    """The zone of a name; None when nobody knows it.

    Args:
        name: such as Europe/Berlin, "W. Europe Standard Time" or /vendor.example/Europe/Berlin.
    """
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # noqa: PLC0415 - as in `invitations`

    bare = name.strip().strip('"').strip("/")[:NAME_CHARACTERS]
    parts = bare.split("/")
    for key in (bare, WINDOWS_TO_OLSON.get(bare, ""), "/".join(parts[-3:]), "/".join(parts[-2:])):
        if _KEY.match(key):
            try:
                return ZoneInfo(key)
            except (LookupError, ValueError, OSError):  # unknown; a folder's name
                continue
    return UTC if bare.upper() in {"UTC", "GMT", "Z"} else None


def defined(rules: Sequence[Rule], local: datetime) -> tzinfo | None:
    """The fixed offset that holds at a naive local time; None when the rules do not tell."""
    onsets = [(onset, at) for at, rule in enumerate(rules) if (onset := rule.last_onset(local)) is not None]
    if onsets:
        return timezone(rules[max(onsets)[1]].offset)
    return timezone(min(rules, key=lambda rule: rule.onset).offset) if rules else None


def rule(lines: Sequence[Line]) -> Rule | None:
    """The rule of one STANDARD or DAYLIGHT component; None when it is of a kind that is not used."""
    fields: Mapping[str, str] = dict(reversed(lines))
    offset = _offset(fields.get("TZOFFSETTO", ""))
    stamp = _STAMP.match(fields.get("DTSTART", ""))
    if offset is None or stamp is None:
        return None
    try:
        onset = datetime(*(int(part) for part in stamp.groups()))  # type: ignore[arg-type] # noqa: DTZ001 - local time
        return _recurring(offset, onset, fields.get("RRULE", ""))
    except (ValueError, OverflowError):
        return None


def _recurring(offset: timedelta, onset: datetime, text: str) -> Rule | None:
    if not text:
        return Rule(offset, onset)
    parts = dict(pair.upper().split("=", 1) for pair in text[:500].split(";") if "=" in pair)
    if "UNTIL" in parts or parts.get("FREQ") != "YEARLY":
        return Rule(offset, onset) if "UNTIL" in parts else None
    day = _BY_DAY.match(parts.get("BYDAY", ""))
    month = int(parts.get("BYMONTH", onset.month))
    if day is None or not 1 <= month <= 12 or not 1 <= abs(int(day[1])) <= 5 or onset.year > 9000:
        return None
    return Rule(offset, onset, month, int(day[1]), _WEEKDAYS.index(day[2]))


def _offset(text: str) -> timedelta | None:
    found = _OFFSET.match(text.strip())
    if found is None or int(found[2]) > 23:
        return None
    size = timedelta(hours=int(found[2]), minutes=int(found[3]) % 60)
    return -size if found[1] == "-" else size
