"""Calendars of the programs people use become invitations; whatever else comes, nothing is raised."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail.invitations import EVENTS, OCTETS, invitation
from bot.mail.special import Answer, Event, Frequency, Method
from bot.slack.cards import events
from tests.unit.special.calendars import APPLE, GOOGLE, OUTLOOK, own


def one(calendar: bytes) -> Event:
    """The only event of a calendar."""
    found = invitation(calendar)
    assert found is not None
    (event,) = found.events
    return event


def test_google() -> None:
    """An invitation of Google: its zone, its place with a comma, its recurrence with an exception."""
    event = one(GOOGLE)

    assert event.title == "Plans; and more"
    assert event.place == "Room 2, first floor"
    assert event.organiser is not None
    assert (event.organiser.name, event.organiser.address) == ("Ada Lovelace", "ada@home.example")
    assert event.attendees == 2
    assert event.starts is not None
    assert event.starts.astimezone(UTC) == datetime(2026, 11, 26, 13, 0, tzinfo=UTC)
    assert events.in_words(event) == "Thursday 26 November 2026, 14:00 to 14:45 (Europe/Berlin, UTC+1)"
    assert event.repeats is not None
    assert (
        events.repeats_in_words(event.repeats)
        == "every 2 weeks on Monday and Thursday, until 31 January 2027, except 1 date"
    )


def test_outlook() -> None:
    """An invitation of Outlook: Microsoft's name of the zone, in summer time; the version is kept."""
    event = one(OUTLOOK)

    assert (event.uid, event.sequence) == ("040000008200E00074C5B7101A82E00800000000B0C5", 3)
    assert event.organiser is not None
    assert (event.organiser.name, event.organiser.address) == ("Lovelace, Ada", "Ada@Home.Example")
    assert event.starts is not None
    assert event.starts.utcoffset() == timedelta(hours=2)
    assert events.in_words(event) == "Monday 6 July 2026, 09:00 to 10:00 (W. Europe Standard Time, UTC+2)"


def test_apple() -> None:
    """An invitation of Apple for whole days says the last day, not the one after it."""
    event = one(APPLE)

    assert event.is_all_day
    assert events.in_words(event) == "Thursday 26 November 2026 to Friday 27 November 2026, all day"
    assert event.repeats is not None
    assert events.repeats_in_words(event.repeats) == "every year, 5 times"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("DTSTART:20261126T130000Z", "Thursday 26 November 2026, 13:00 (UTC)"),
        ("DTSTART:20261126T130000", "Thursday 26 November 2026, 13:00 (no time zone is given)"),
        ("DTSTART;TZID=Moon/Base:20261126T130000", "Thursday 26 November 2026, 13:00 (in a time zone that is not known: Moon/Base)"),
        ("DTSTART;TZID=/vendor.example/Asia/Kolkata:20261126T130000", "Thursday 26 November 2026, 13:00 (/vendor.example/Asia/Kolkata, UTC+5:30)"),
        ('DTSTART;TZID="America/New_York":20260704T200000', "Saturday 4 July 2026, 20:00 (America/New_York, UTC-4)"),
        ("DTSTART:20261126T230000Z\nDTEND:20261127T010000Z", "Thursday 26 November 2026, 23:00 to Friday 27 November 2026, 01:00 (UTC)"),
        ("DTSTART:20261126T130000Z\nDURATION:PT1H30M", "Thursday 26 November 2026, 13:00 to 14:30 (UTC)"),
        ("DTSTART;VALUE=DATE:20261126\nDTEND;VALUE=DATE:20261127", "Thursday 26 November 2026, all day"),
        ("DTSTART;VALUE=DATE:20261126", "Thursday 26 November 2026, all day"),
        ("DTSTART:20261126T130000Z\nDTEND:20261126T120000Z", "Thursday 26 November 2026, 13:00 (UTC)"),
        ("DTSTART;TZID=UTC:20261126T000000\nDTEND;TZID=UTC:20261127T000000\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE", "Thursday 26 November 2026, all day"),
    ],
)  # fmt: skip
def test_times(row: str, words: str) -> None:
    """Every way to give a time reads as what it is, and a zone that is not known as that."""
    assert events.in_words(one(own("SUMMARY:x", row))) == words


def test_own_zone() -> None:
    """A zone that only the calendar itself defines is taken from there, summer time included."""
    zone = GOOGLE.decode().partition("BEGIN:VTIMEZONE")[2].partition("END:VTIMEZONE")[0]
    around = f"BEGIN:VTIMEZONE{zone}END:VTIMEZONE\n".replace("TZID:Europe/Berlin", "TZID:Ours")

    winter = one(own("DTSTART;TZID=Ours:20261126T140000", "SUMMARY:x", around=around))
    summer = one(own("DTSTART;TZID=Ours:20260726T140000", "SUMMARY:x", around=around))

    assert events.in_words(winter).endswith("(Ours, UTC+1)")
    assert events.in_words(summer).endswith("(Ours, UTC+2)")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every week from Monday to Friday"),
        ("FREQ=WEEKLY;INTERVAL=3;COUNT=10", "every 3 weeks, 10 times"),
        ("FREQ=MONTHLY;BYDAY=2TU", "every month on the second Tuesday"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "every month on the last Friday"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "every month on day 1 and day 15"),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=-1", "every year on the last day in March"),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", "every month on Monday and Tuesday, and by further rules in the calendar file"),
        ("FREQ=HOURLY", "by a rule of its own; see the calendar file"),
        ("FREQ=WEEKLY;UNTIL=20270131", "every week, until 31 January 2027"),
    ],
)  # fmt: skip
def test_recurrence(rule: str, words: str) -> None:
    """Rules read as people say them; what words cannot say is said to be in the file."""
    event = one(own("SUMMARY:x", "DTSTART:20261126T130000Z", f"RRULE:{rule}"))

    assert event.repeats is not None
    assert events.repeats_in_words(event.repeats) == words


def test_reply() -> None:
    """A reply tells who answered what."""
    row = "ATTENDEE;PARTSTAT=DECLINED;CN=Bob:mailto:bob@x.example"
    found = invitation(own("SUMMARY:x", "DTSTART:20261126T130000Z", row, method="REPLY"))

    assert found is not None
    assert found.method is Method.REPLY
    assert found.events[0].answer is Answer.DECLINED
    assert found.events[0].answerer is not None
    assert found.events[0].answerer.name == "Bob"


@pytest.mark.parametrize(
    "calendar",
    [
        b"",
        b"BEGIN:VCALENDAR\nEND:VCALENDAR\n",
        own("SUMMARY:x").replace(b"VEVENT", b"VTODO"),
        own("SUMMARY:x") + b" " * OCTETS,
        b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n" * (EVENTS + 1),
        b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n" * 10_000,
        own("SUMMARY:" + "x" * 1_000_000),
        own("DTSTART:99999999T999999Z"),
        own("nonsense", "DTSTART;;;::"),
    ],
)
def test_no_invitation(calendar: bytes) -> None:
    """What holds no event, or more than is read, is no invitation."""
    assert invitation(calendar) is None


def test_broken_event_costs_itself() -> None:
    """One event that cannot be read does not take the others with it."""
    broken = b"BEGIN:VEVENT\nUID:2\nEND:VEVENT\n"
    found = invitation(GOOGLE.replace(b"BEGIN:VEVENT", broken + b"BEGIN:VEVENT", 1))

    assert found is not None
    assert len(found.events) == 1


@pytest.mark.parametrize("name", ["America", "z" * 300, "../../etc/passwd"])
def test_zone_names_are_no_paths(name: str) -> None:
    """However a zone is called, by a folder's name or longer than any, the event is shown with its dates."""
    rows = (
        f"{kind};TZID={name}:20261126T130000"
        for kind in ("DTSTART", "RDATE", "EXDATE", "UID;VALUE=DATE-TIME")
    )
    event = one(own("SUMMARY:x", "RRULE:FREQ=DAILY", *rows))

    assert event.repeats is not None
    assert (event.title, event.repeats.exceptions) == ("x", 1)


@pytest.mark.parametrize("frequency", ["SECONDLY", "HOURLY", "DAILY"])
def test_zone_of_seconds(frequency: str) -> None:
    """A zone that claims to change each second takes no time, and is not used."""
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Often\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n"
        f"RRULE:FREQ={frequency}\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    start = time.process_time()
    event = one(own("SUMMARY:x", "DTSTART;TZID=Often:20261126T130000", around=zone))

    assert event.starts is not None
    assert event.starts.tzinfo is None
    assert time.process_time() - start < 0.5


def test_zones_are_not_kept() -> None:
    """A zone that one calendar defines is not used for another that only names it."""
    zone = "BEGIN:VTIMEZONE\nTZID:Kept\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:+0500\nEND:STANDARD\nEND:VTIMEZONE\n"
    row = "DTSTART;TZID=Kept:20261126T130000"

    assert one(own("SUMMARY:x", row, around=zone)).starts != one(own("SUMMARY:x", row)).starts


def test_frequency_is_known() -> None:
    """A frequency by the minute is no rule that is put in words."""
    event = one(own("SUMMARY:x", "DTSTART:20261126T130000Z", "RRULE:FREQ=MINUTELY;COUNT=3"))

    assert event.repeats is not None
    assert event.repeats.frequency is Frequency.OTHER


_ROWS = st.sampled_from(
    [
        "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:STANDARD", "END:STANDARD", "TZID:Z",
        "DTSTART;TZID=Z:20261126T130000", "DTSTART:20261126T130000Z", "DTSTART;VALUE=DATE:20261126", "DTEND:1", "SUMMARY:x",
        "DTSTART:00010101T000000Z", "DTEND:99991231T235959Z", "DTEND;VALUE=DATE:00010101", "DURATION:P9999999W", "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY;BYDAY=MO", "RRULE:FREQ=DAILY;UNTIL=00010101", "RRULE:;;", "RRULE:COUNT=x", "EXDATE:1", "RDATE:2",
        'ORGANIZER;CN="x:mailto:a@b.c', "ATTENDEE;PARTSTAT=MAYBE:x", "SEQUENCE:-9999999999999", "STATUS:CANCELLED",
        "TZOFFSETTO:+9999", "TZOFFSETTO:-2359", "RRULE:FREQ=YEARLY;BYMONTH=13;BYDAY=9SU", "RRULE:FREQ=YEARLY;BYMONTH=2;BYDAY=-5MO",
        "RECURRENCE-ID:20261126T130000", "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(_ROWS, st.text(max_size=30)), max_size=40))
@settings(max_examples=100, deadline=None)
def test_never_raises(rows: list[str]) -> None:
    """No lines in any order make the reader or the words fail."""
    found = invitation(("BEGIN:VEVENT\n" + "\n".join(rows)).encode("utf-8", "replace"))

    if found is not None:
        assert list(events.cards((found,), None))
        assert isinstance(events.summary((found,), ""), str)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_never_raises_on_octets(octets: bytes) -> None:
    """No octets make it fail either."""
    invitation(b"BEGIN:VEVENT\nDTSTART:" + octets)
