"""Buttons that answer an invitation stand where its reader is asked, and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import message, originals, render_child
from bot.mail.content import Arrival
from bot.mail.frames import Mode, Request
from bot.slack import names, posts
from storage.records import Shape
from tests.fakes.block_rules import problems
from tests.unit.special import calendars
from tests.unit.special.calendars import own

WHEN = "DTSTART:20261126T130000Z"
ORGANISER = "ORGANIZER;CN=Ada:mailto:ada@home.example"
BOB = "ATTENDEE;CN=Bob:MAILTO:Bob@X.example"
ASKED = (WHEN, ORGANISER, BOB, "SUMMARY:Tea")


def rows(calendar: bytes, own_address: str = "bob@x.example", mode: Mode = Mode.FULL) -> list[dict[str, Any]]:
    """The rows of buttons in the post of an invitation that came on 23 November 2026."""
    octets = calendars.mail(calendar)
    arrival = Arrival(Shape.WHOLE, 0, datetime(2026, 11, 23, tzinfo=UTC), None, own_address)
    found = render_child.rendered(Request(octets, arrival, mode))
    assert mode is not Mode.FULL or problems(found.blocks) == []
    return [block for block in found.blocks if block["type"] == "actions"]


def event(uid: str, *lines: str) -> str:
    """One event more."""
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT", ""])


def test_an_invitation_can_be_answered_in_three_ways() -> None:
    """Each button knows which event it answers."""
    (row,) = rows(own(*ASKED))

    assert row["block_id"] == names.INVITATION
    assert [(each["text"]["text"], each["action_id"], each["value"]) for each in row["elements"]] == [
        ("Accept", names.INVITATION_ACCEPT, "1@home.example"),
        ("Maybe", names.INVITATION_TENTATIVE, "1@home.example"),
        ("Decline", names.INVITATION_DECLINE, "1@home.example"),
    ]


@pytest.mark.parametrize(
    "calendar",
    [
        own(*ASKED, method="CANCEL"),
        own(*ASKED, method="PUBLISH"),
        own(*ASKED, method="REPLY"),
        own(*ASKED, "STATUS:CANCELLED"),
        own(WHEN, ORGANISER, "ATTENDEE:mailto:carol@x.example", "SUMMARY:Tea"),
        own(WHEN, BOB, "SUMMARY:Tea"),
        own(WHEN, "ORGANIZER:mailto:bob@x.example", BOB, "SUMMARY:Tea"),
        own("DTSTART:20261122T130000Z", "DTEND:20261122T140000Z", *ASKED[1:]),
        own("DTSTART;VALUE=DATE:20261119", *ASKED[1:]),
        own("DTSTART:20250101T130000Z", "RRULE:FREQ=DAILY;UNTIL=20261101T000000Z", *ASKED[1:]),
    ],
    ids=[
        "cancelled", "published", "a reply", "status cancelled", "not asked", "no organiser", "one's own", "past",
        "past day", "past series",
    ],
)  # fmt: skip
def test_nobody_is_asked_for_nothing(calendar: bytes) -> None:
    """What is off, over, or asks somebody else has no buttons."""
    assert rows(calendar) == []


@pytest.mark.parametrize(
    "when",
    [
        ("DTSTART:20261122T230000Z", "DTEND:20261123T010000Z"),
        ("DTSTART;VALUE=DATE:20261122",),
        ("DTSTART:20261122T230000",),
        ("DTSTART:20250101T130000Z", "RRULE:FREQ=WEEKLY"),
        ("DTSTART:20250101T130000Z", "RRULE:FREQ=DAILY;UNTIL=20261231T000000Z"),
        ("X-NO-TIME:1",),
    ],
)
def test_what_may_still_come_can_be_answered(when: tuple[str, ...]) -> None:
    """An event that goes on, a day that is not over everywhere, a series with dates to come."""
    assert len(rows(own(*when, *ASKED[1:]))) == 1


def test_each_event_is_answered_by_its_own_row() -> None:
    """A series and its exception are one; rows have different ids, as Slack wants."""
    around = event("a", *ASKED) + event("b", *ASKED) + event("b", *ASKED, "RECURRENCE-ID:20261126T130000Z")

    found = rows(own(*ASKED, around=around))

    assert [(row["block_id"], row["elements"][0]["value"]) for row in found] == [
        (names.INVITATION, "a"),
        (f"{names.INVITATION}:1", "b"),
    ]


@pytest.mark.parametrize("mode", [Mode.PLAIN, Mode.HEADERS, Mode.LINE])
def test_no_other_post_has_buttons(mode: Mode) -> None:
    """What is read from the header alone, or shown as a line, asks nothing."""
    assert rows(own(*ASKED), mode=mode) == []


def test_an_original_brings_its_invitations() -> None:
    """Also those that ask by a list, for whoever answers from there."""
    octets = calendars.mail(own(*ASKED))
    arrival = Arrival(Shape.WHOLE, 0, datetime(2026, 11, 23, tzinfo=UTC), None, "team@x.example")

    (found,) = render_child.rendered(Request(octets, arrival, Mode.ORIGINAL)).invited

    assert (found.uid, found.organiser, found.attendee) == ("1@home.example", "ada@home.example", "")


def test_many_invitations_are_bounded() -> None:
    """Of a calendar with more events than people answer, the first ones are told."""
    around = "".join(event(str(number), f"SUMMARY:{'x' * 7000}", *ASKED) for number in range(30))
    mail = message.parse(calendars.mail(own(*ASKED, around=around)))

    found = originals.invited(mail, ["bob@x.example"])

    assert 0 < len(found) <= originals.INVITED
    assert sum(len(line) for each in found for line in each.lines) <= originals.INVITED_UNITS


def test_posts_without_an_own_address_have_no_buttons() -> None:
    """Nobody is asked by name."""
    octets = calendars.mail(own(*ASKED))
    arrival = Arrival(Shape.WHOLE, 0, datetime(2026, 11, 23, tzinfo=UTC), None, "")

    assert all(
        block["type"] != "actions" for block in posts.post(message.parse(octets), arrival, octets).blocks
    )


LINES = st.sampled_from(
    [
        "BEGIN:VEVENT", "END:VEVENT", "UID:2", "TZID:Z", "DTSTART;TZID=Z:20261126T130000", "DTSTART;VALUE=DATE:00010101",
        "DTSTART:00010101T000000Z", "DTEND:99991231T235959Z", "DTEND;VALUE=DATE:99991231", "DURATION:P9999999W",
        "BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:STANDARD", "END:STANDARD", "TZOFFSETTO:+2359", "TZOFFSETTO:-2359",
        "RRULE:FREQ=DAILY;UNTIL=00010101", "RRULE:FREQ=DAILY;UNTIL=99991231T235959Z", "RRULE:FREQ=WEEKLY;COUNT=3", "RRULE:;;",
        "RECURRENCE-ID:20261126T130000", 'ATTENDEE;CN="x:mailto:bob@x.example', "SEQUENCE:-9", "STATUS:CONFIRMED",
    ]
)  # fmt: skip


@given(st.lists(LINES | st.text(max_size=20), max_size=20))
@settings(max_examples=100, deadline=None)
def test_no_lines_make_the_row_fail(lines: list[str]) -> None:
    """Nor the original that the press of a button asks for."""
    calendar = own(*lines, *ASKED[1:], WHEN)

    for row in rows(calendar):
        assert all(0 < len(each["value"]) < 1900 for each in row["elements"])
    rows(calendar, mode=Mode.ORIGINAL)
