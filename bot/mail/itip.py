"""Answers to invitations: what an answer needs of an invitation, and the calendar object that it is. Pure.

Covers METHOD:REPLY (RFC 5546 section 3.2.3). The answer repeats the invitation's own lines, because calendars find
the event by UID, SEQUENCE and RECURRENCE-ID as they wrote them; values are repeated as they are, parameters only where
they are known, and no line can hold a line break. It names one attendee, never the others.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bot.errors import LocalProtocolError
from bot.mail import recipients
from bot.mail.invitations import LINE_CHARACTERS, UID_UNITS, Calendar, unfolded
from bot.mail.letters import Invited
from bot.mail.special import Answer, Method
from bot.mail.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

PRODUCT: Final = "-//Mailbox//Mailbox//EN"
FOLD_OCTETS: Final = 75
ZONE_LINES: Final = 100
"""Of one definition; zones with more history than that are left for the reader's own calendar to know."""

TITLE_UNITS: Final = 500
NAME_UNITS: Final = 200
ADDRESS_CHARACTERS: Final = 320

_CONTROLS: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_TIME: Final = re.compile(r"\d{8}(?:T\d{6}Z?)?\Z")
_DURATION: Final = re.compile(r"[+-]?P[0-9WDTHMS]{2,40}\Z")
_ESCAPE: Final = re.compile(r"\\(.)")
_KEPT_OF_TIMES: Final = frozenset({"TZID", "VALUE", "RANGE"})
_ZONE_ROW: Final = re.compile(
    r"(?:BEGIN:VTIMEZONE|(?:BEGIN|END):(?:STANDARD|DAYLIGHT)"
    r"|(?:TZID|TZOFFSETFROM|TZOFFSETTO|TZNAME|DTSTART|RRULE|RDATE|LAST-MODIFIED|X-[A-Z-]{1,60})[;:].*)\Z",
    re.IGNORECASE,
)
_BEGIN_ZONE: Final = "BEGIN:VTIMEZONE"
_END_ZONE: Final = "END:VTIMEZONE"


def answerable(octets: bytes, own: Collection[str]) -> tuple[Invited, ...]:
    """Every event of a calendar that asks for an answer: a series once, its exceptions are answered with it.

    Args:
        octets: the calendar, whatever it is.
        own: addresses that are ours; the first one that the event names answers.
    """
    text = unfolded(octets)
    calendar = Calendar(text)
    if calendar.method is not Method.REQUEST:
        return ()
    found: dict[str, Invited] = {}
    keys = recipients.keys(own)
    for rows in calendar.events:
        read = _invited([_clean(row) for row in rows], keys, text)
        if read is not None and (read.uid not in found or found[read.uid].is_occurrence > read.is_occurrence):
            found[read.uid] = read
    return tuple(found.values())


def reply(invited: Invited, part: Answer, now: datetime) -> str:
    """The calendar object of an answer, lines ending in CRLF and folded at 75 octets.

    Args:
        part: what is answered: accepted, tentative or declined.
        now: when it is answered.

    Raises:
        LocalProtocolError: the invitation names none of the own addresses.
    """
    if not invited.calendar_address:
        raise LocalProtocolError("an answer to an invitation names no attendee")
    shown = one_line(invited.attendee_name, NAME_UNITS).replace('"', "'")
    named = f';CN="{shown}"' if shown else ""
    lines = (
        "BEGIN:VCALENDAR",
        f"PRODID:{PRODUCT}",
        "VERSION:2.0",
        "METHOD:REPLY",
        *invited.zones,
        "BEGIN:VEVENT",
        *invited.lines,
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"ATTENDEE;PARTSTAT={part.value}{named}:{invited.calendar_address}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{_folded(_clean(line))}\r\n" for line in lines)


# Reading


def _invited(rows: Sequence[str], own: Collection[str], text: str) -> Invited | None:
    uid, organiser = _row(rows, "UID"), _row(rows, "ORGANIZER")
    to = _address(organiser)
    is_cancelled = _value(_row(rows, "STATUS")).upper() == "CANCELLED"
    if not _value(uid) or not to or is_cancelled or _is_ours(to, own):
        return None
    attendee = next((row for row in rows if _is(row, "ATTENDEE") and _is_ours(_address(row), own)), "")
    times = [_time(_row(rows, name)) for name in ("RECURRENCE-ID", "DTSTART", "DTEND")]
    length = _row(rows, "DURATION")
    title = _value(_row(rows, "SUMMARY"))
    kept = [
        f"UID:{_value(uid)}",
        f"SEQUENCE:{_sequence(_value(_row(rows, 'SEQUENCE')))}",
        times[0],
        _organiser(organiser, to),
        f"SUMMARY:{title}" if title else "",
        *times[1:],
        f"DURATION:{_value(length)}" if _DURATION.match(_value(length)) and not times[2] else "",
    ]
    return Invited(
        uid=one_line(_unescaped(_value(uid)), UID_UNITS),
        title=one_line(_unescaped(title), TITLE_UNITS),
        organiser=to,
        organiser_name=_name(organiser),
        attendee=_address(attendee),
        attendee_name=_name(attendee),
        calendar_address=_value(attendee),
        is_occurrence=bool(times[0]),
        lines=tuple(line for line in kept if line),
        zones=tuple(_zones(text, {zone for time in times if (zone := _parameters(time).get("TZID", ""))})),
    )


def _is(row: str, name: str) -> bool:
    return row[: len(name)].upper() == name and row[len(name) : len(name) + 1] in {";", ":"}


def _row(rows: Sequence[str], name: str) -> str:
    """The first line of a property, "" without one; what was cut off is not repeated."""
    return next((row for row in rows if _is(row, name) and len(row) < LINE_CHARACTERS), "")


def _clean(row: str) -> str:
    """A line that is one line for every reader."""
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", row))


def _colon(row: str) -> int:
    """Where the value's colon stands, outside of quotes; -1 when there is none."""
    at = 0
    while (colon := row.find(":", at)) >= 0:
        quote = row.find('"', at, colon)
        if quote < 0:
            return colon
        at = row.find('"', quote + 1) + 1
        if not at:
            return -1
    return -1


def _value(row: str) -> str:
    colon = _colon(row)
    return row[colon + 1 :].strip() if colon >= 0 else ""


def _parameters(row: str) -> dict[str, str]:
    """The parameters of a line, by name in upper case, without quotes."""
    head = row[: max(_colon(row), 0)]
    quoted = head.split('"')
    marked = '"'.join(piece.replace(";", "\n") if at % 2 == 0 else piece for at, piece in enumerate(quoted))
    pairs = (piece.partition("=") for piece in marked.split("\n")[1:])
    return {name.strip().upper(): value.replace('"', "").strip() for name, _, value in pairs}


def _address(row: str) -> str:
    """Whom a line names, "" when it is no mail address; Apple writes a path and the address as a parameter."""
    value = _value(row)
    address = value[7:] if value[:7].lower() == "mailto:" else value
    if "@" not in address:
        address = _parameters(row).get("EMAIL", "")
    is_address = (
        "@" in address and not any(mark in address for mark in ' \t<>"(),:;') and address.isprintable()
    )
    return address if is_address and len(address) <= ADDRESS_CHARACTERS else ""


def _name(row: str) -> str:
    return one_line(_parameters(row).get("CN", "").strip("'"), NAME_UNITS)


def _organiser(row: str, address: str) -> str:
    """The organizer's line, of its parameters those that name somebody."""
    name = f';CN="{_name(row)}"' if _name(row) else ""
    value = _value(row)
    told = "" if "@" in value else f';EMAIL="{address}"'
    return f"ORGANIZER{name}{told}:{value}"


def _is_ours(address: str, own: Collection[str]) -> bool:
    return bool(address) and recipients.is_among(address, own)


def _sequence(value: str) -> int:
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else 0


def _unescaped(value: str) -> str:
    """A text value as its reader sees it (RFC 5545 section 3.3.11)."""
    return _ESCAPE.sub(lambda found: " " if found[1] in "nN" else found[1], value)


def _time(row: str) -> str:
    """A line with a time, its zone kept; "" when it holds none."""
    if not _TIME.match(_value(row)):
        return ""
    kept = [
        f';{name}="{value}"' if re.search("[:;,]", value) else f";{name}={value}"
        for name, value in _parameters(row).items()
        if name in _KEPT_OF_TIMES and value
    ]
    return f"{row.partition(':')[0].partition(';')[0].upper()}{''.join(kept)}:{_value(row)}"


def _zones(text: str, names: Collection[str]) -> Iterator[str]:
    """The lines that define zones of these names, each zone once."""
    wanted = set(names)
    at = text.find(_BEGIN_ZONE) if wanted else -1
    while at >= 0 and wanted:
        end = text.find(_END_ZONE, at)
        if end < 0:
            return
        again = text.rfind(_BEGIN_ZONE, at, end)  # one that was never closed is none
        rows = [_clean(row.strip()) for row in text[again:end].split("\n")]
        name = _value(_row(rows, "TZID"))
        if name in wanted and len(rows) <= ZONE_LINES and all(_ZONE_ROW.match(row) for row in rows if row):
            wanted.discard(name)
            yield from (row for row in rows if row)
            yield _END_ZONE
        at = text.find(_BEGIN_ZONE, end)


# Writing


def _folded(line: str) -> str:
    """The line in pieces of at most 75 octets, no character torn."""
    octets = line.encode()
    pieces: list[bytes] = []
    at, room = 0, FOLD_OCTETS
    while len(octets) - at > room:
        end = at + room
        while octets[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(octets[at:end])
        at, room = end, FOLD_OCTETS - 1
    return b"\r\n ".join([*pieces, octets[at:]]).decode()
