"""Calendars in mail: octets to invitations. Pure but for the zones it looks up; bounded; never raises.

Covers RFC 5545 sections 3.6.1 and 3.8, RFC 5546 section 3.2 and RFC 6047 section 2. Each event is cut out of the calendar
before the library sees it, so that one that is broken costs itself alone; zones are resolved in `zones`, because the
library keeps every zone it ever saw for all later calendars and follows hourly rules from 1970 on.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.mail import charsets, zones
from bot.mail.content import Address
from bot.mail.special import Answer, Event, Frequency, Invitation, Method, Repeats
from bot.mail.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.mail.zones import Line, Rule

OCTETS: Final = 256 * 1024
EVENTS: Final = 50
LINES: Final = 2000
"""Of one event; the rest of it is not read. Each attendee takes one."""

LINE_CHARACTERS: Final = 8000
TEXT_UNITS: Final = 500
UID_UNITS: Final = 255
NESTED: Final = 3

BROKEN: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What the library raises for calendars that are none; it takes the names of zones for those of files."""

_FOLD: Final = re.compile(r"\r{0,2}\n[ \t]")
_TZID: Final = re.compile(r"TZID=", re.IGNORECASE)
_TIMES: Final = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
_READ: Final = frozenset(
    {*_TIMES, "UID", "SEQUENCE", "SUMMARY", "LOCATION", "ORGANIZER", "ATTENDEE", "RRULE"}
    | {"STATUS", "DURATION", "X-MICROSOFT-CDO-ALLDAYEVENT"}
)
_DAY_NAMES: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_SAID: Final = frozenset({"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "COUNT", "UNTIL", "WKST"})


def invitation(octets: bytes) -> Invitation | None:
    """What a calendar invites to; None when it is none, is over a bound, or holds no event."""
    calendar = Calendar(unfolded(octets))
    if not 1 <= len(calendar.events) <= EVENTS:
        return None
    events = tuple(event for rows in calendar.events if (event := _event(rows, calendar.zones)) is not None)
    return Invitation(calendar.method, events) if events else None


def unfolded(octets: bytes) -> str:
    """A calendar as text, each property on one line; "" when it is over the bound or holds no event."""
    if len(octets) > OCTETS or b"BEGIN:VEVENT" not in octets.upper():
        return ""
    return _FOLD.sub("", charsets.decoded(octets, "")[0])


class Calendar:
    """One pass over the lines: the method, each event's lines, each zone's rules."""

    def __init__(self, text: str) -> None:
        self.method = Method.PUBLISH
        self.events: list[list[str]] = []
        self.zones: dict[str, list[Rule]] = {}
        self._open: list[str] = []
        self._zone = ""
        self._rule: list[Line] = []
        for row in text.split("\n"):
            self._take(row[:LINE_CHARACTERS].strip())

    def _take(self, row: str) -> None:
        name, _, value = row.partition(":")
        word = name.partition(";")[0].upper()
        if word == "BEGIN":
            self._begin(value.strip().upper())
        elif word == "END":
            self._end(value.strip().upper())
        elif not self._open or self._open[-1] == "VCALENDAR":
            if word == "METHOD" and value.strip().upper() in set(Method):
                self.method = Method(value.strip().upper())
        elif self._open[-1] == "VEVENT" and word in _READ and len(self.events[-1]) < LINES:
            self.events[-1].append(row)
        elif self._open[-1] == "VTIMEZONE" and word == "TZID":
            self._zone = value.strip()
        elif self._open[-1] in {"STANDARD", "DAYLIGHT"}:
            self._rule.append((word, value.strip()))

    def _begin(self, kind: str) -> None:
        self._open = [*self._open[-NESTED:], kind]
        self._rule = []
        if kind == "VEVENT" and len(self.events) <= EVENTS:
            self.events.append([])

    def _end(self, kind: str) -> None:
        if kind in {"STANDARD", "DAYLIGHT"}:
            rules = self.zones.setdefault(self._zone, [])
            rule = zones.rule(self._rule) if len(rules) < zones.RULES else None
            rules += [rule] if rule else []
        if kind in self._open:
            while self._open.pop() != kind:
                pass


def _event(rows: Sequence[str], defined: Mapping[str, Sequence[Rule]]) -> Event | None:
    # A fifth of a second that a child spends with the first calendar it meets rather than at every start.
    from icalendar import Event as Component  # noqa: PLC0415 - said above

    # The library would look the zone up by itself, among those of other calendars too.
    plain = [_TZID.sub("X-ZONE=", row) if row[:13].upper().startswith(_TIMES) else row for row in rows]
    try:
        found = Component.from_ical("\r\n".join(["BEGIN:VEVENT", *plain, "END:VEVENT"]))
        return _read(found, defined)
    except BROKEN:
        return None


def _read(found: Any, defined: Mapping[str, Sequence[Rule]]) -> Event | None:
    starts, zone = _time(_first(found, "DTSTART"), defined)
    if starts is None and not found.get("SUMMARY"):
        return None
    if starts is not None and str(_first(found, "X-MICROSOFT-CDO-ALLDAYEVENT")).upper() == "TRUE":
        starts, zone = starts.replace(tzinfo=None), ""
        is_all_day = True
    else:
        is_all_day = not isinstance(_plain(_first(found, "DTSTART")), datetime) and starts is not None
    attendees = _list(found.get("ATTENDEE"))
    answering = attendees[0] if attendees else None
    return Event(
        uid=one_line(str(_first(found, "UID") or ""), UID_UNITS),
        sequence=_number(_first(found, "SEQUENCE")),
        title=one_line(str(_first(found, "SUMMARY") or ""), TEXT_UNITS),
        starts=starts,
        ends=_end(found, starts, defined, is_all_day=is_all_day),
        is_all_day=is_all_day,
        zone=zone,
        place=one_line(str(_first(found, "LOCATION") or ""), TEXT_UNITS),
        organiser=_person(_first(found, "ORGANIZER")),
        attendees=len(attendees),
        repeats=_repeats(found),
        is_cancelled=str(_first(found, "STATUS") or "").upper() == "CANCELLED",
        recurrence_id=_time(_first(found, "RECURRENCE-ID"), defined)[0],
        answerer=_person(answering),
        answer=_answer(answering),
    )


# Times


def _time(value: Any, defined: Mapping[str, Sequence[Rule]]) -> tuple[datetime | None, str]:
    """The time of a property and its zone's name; naive without a zone or for a day."""
    plain = _plain(value)
    if isinstance(plain, datetime):
        if plain.tzinfo is not None:
            return plain.astimezone(UTC), "UTC"
        name = one_line(str(value.params.get("X-ZONE", "")), zones.NAME_CHARACTERS)
        rules = defined.get(name, ())
        zone = zones.named(name) or zones.defined(rules, plain) if name else None
        return (plain.replace(tzinfo=zone) if zone else plain), name
    if isinstance(plain, date):
        return datetime(plain.year, plain.month, plain.day), ""  # noqa: DTZ001 - a day has no zone
    return None, ""


def _end(
    found: Any, starts: datetime | None, defined: Mapping[str, Sequence[Rule]], *, is_all_day: bool
) -> datetime | None:
    """The end, of an all-day event the last day; None when it is not told or lies before the start."""
    ends, _ = _time(_first(found, "DTEND"), defined)
    length = _plain(_first(found, "DURATION"))
    if ends is None and starts is not None and isinstance(length, timedelta):
        ends = starts + length
    if starts is None or ends is None:
        return None
    ends = ends.replace(tzinfo=None) - timedelta(days=1) if is_all_day else ends
    if (ends.tzinfo is None) != (starts.tzinfo is None):
        return None
    return ends if ends > starts else None


# Recurrence


def _repeats(found: Any) -> Repeats | None:
    rules = _list(found.get("RRULE"))
    dates = sum(len(getattr(each, "dts", ())) for each in _list(found.get("RDATE")))
    left_out = sum(len(getattr(each, "dts", ())) for each in _list(found.get("EXDATE")))
    if not rules:
        return Repeats(Frequency.OTHER, is_partial=True) if dates else None
    rule = {str(key).upper(): _list(value) for key, value in rules[0].items()}
    frequency = str(rule.get("FREQ", [""])[0]).upper()
    known = Frequency(frequency) if frequency in set(Frequency) else Frequency.OTHER
    until = _until(rule.get("UNTIL", [None])[0])
    return Repeats(
        frequency=known,
        interval=max(1, min(_number(rule.get("INTERVAL", [1])[0]), 1000)),
        weekdays=tuple(_weekdays(rule.get("BYDAY", []))),
        month_days=tuple(_number(day) for day in rule.get("BYMONTHDAY", [])[:31]),
        months=tuple(month for each in rule.get("BYMONTH", [])[:12] if 1 <= (month := _number(each)) <= 12),
        count=_number(rule["COUNT"][0]) if "COUNT" in rule else None,
        until=until,
        is_partial=bool(set(rule) - _SAID) or len(rules) > 1 or dates > 0 or known is Frequency.OTHER,
        exceptions=left_out,
    )


def _until(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else None


def _weekdays(values: Sequence[Any]) -> Iterator[tuple[int, int]]:
    for value in values[:14]:
        text = str(value).upper()
        name, which = text[-2:], text[:-2].lstrip("+")
        if name in _DAY_NAMES:
            yield int(which) if which.lstrip("-").isdigit() else 0, _DAY_NAMES.index(name)


# People


def _person(value: Any) -> Address | None:
    """Whom a property names."""
    if value is None:
        return None
    address = str(value)
    address = address[7:] if address[:7].lower() == "mailto:" else address
    name = one_line(str(value.params.get("CN", "")).strip("\"'"), 200)
    shown = one_line(address, 320) if "@" in address else ""
    return Address(name, "".join(shown.split())) if name or shown else None


def _answer(value: Any) -> Answer:
    said = str(value.params.get("PARTSTAT", "")).upper() if value is not None else ""
    return Answer(said) if said in set(Answer) else Answer.NONE


# What the library gives


def _first(found: Any, name: str) -> Any:
    """The first value of a property; what the library could not read is none."""
    values = _list(found.get(name))
    return values[0] if values else None


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _plain(value: Any) -> Any:
    """A property's value as Python's own type."""
    return getattr(value, "dt", None)


def _number(value: Any) -> int:
    """A whole number within reason."""
    try:
        return max(-999_999, min(int(value), 999_999))
    except BROKEN:
        return 0
