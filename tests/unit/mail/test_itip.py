"""An answer to an invitation is one that the organiser's calendar finds its event by, and names nobody but who answers."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from bot.errors import LocalProtocolError
from bot.mail.compose import compose
from bot.mail.invitations import invitation
from bot.mail.itip import answerable, reply
from bot.mail.letters import Invited
from bot.mail.message import parse
from bot.mail.special import Answer, Method
from tests.unit.mail.written import assert_sound, by_library, words, written
from tests.unit.special.calendars import APPLE, GOOGLE, OUTLOOK, own

NOW = datetime(2026, 11, 23, 15, 4, 5, tzinfo=timezone(timedelta(hours=2)))
BOB = ("bob@x.example",)
ORGANISER = "ORGANIZER;CN=Ada:mailto:ada@home.example"
ATTENDEE = "ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION:mailto:bob@x.example"
START = "DTSTART:20261126T140000Z"


def asked(octets: bytes, addresses: tuple[str, ...] = BOB) -> Invited:
    """What is answered; there must be something."""
    (found,) = answerable(octets, addresses)
    return found


def only_event(text: str) -> Any:
    """The event of an answer, as the library that calendars are made with reads it."""
    assert_sound(text.encode())
    assert max(len(line) for line in text.encode().split(b"\r\n")) <= 75
    calendar = Calendar.from_ical(text)
    assert (calendar["METHOD"], calendar["VERSION"]) == ("REPLY", "2.0")
    assert calendar["PRODID"]
    (event,) = calendar.walk("VEVENT")
    assert not event.errors
    return event


@pytest.mark.parametrize("part", [Answer.ACCEPTED, Answer.TENTATIVE, Answer.DECLINED])
@pytest.mark.parametrize("octets", [GOOGLE, OUTLOOK], ids=["google", "outlook"])
def test_answer(octets: bytes, part: Answer) -> None:
    """An answer to Google and Outlook: the event they know, its organiser, the one attendee and what he says."""
    event = only_event(reply(asked(octets), part, NOW))

    request: Any = Calendar.from_ical(octets).walk("VEVENT")[0]
    for name in ("UID", "SEQUENCE", "ORGANIZER", "SUMMARY"):
        assert event[name] == request[name]
    assert event["DTSTART"].dt == request["DTSTART"].dt
    assert event["DTEND"].dt == request["DTEND"].dt
    assert event["DTSTAMP"].dt == datetime(2026, 11, 23, 13, 4, 5, tzinfo=UTC)
    assert event["ATTENDEE"].lower() == "mailto:bob@x.example"
    assert event["ATTENDEE"].params["PARTSTAT"] == part.value
    assert set(event) == {
        "UID", "SEQUENCE", "DTSTAMP", "ORGANIZER", "SUMMARY", "DTSTART", "DTEND", "ATTENDEE",
    }  # fmt: skip


def test_zones_are_defined() -> None:
    """A zone that the answer's times name is defined in it, as the invitation defines it."""
    answer = Calendar.from_ical(reply(asked(OUTLOOK), Answer.ACCEPTED, NOW))

    assert [zone["TZID"] for zone in answer.walk("VTIMEZONE")] == ["W. Europe Standard Time"]
    assert len(answer.walk("DAYLIGHT")) == len(answer.walk("STANDARD")) == 1


def test_nothing_hides_in_a_zone() -> None:
    """A definition of a zone that holds anything else than a zone is left out."""
    hidden = "BEGIN:VTIMEZONE\nTZID:Q\nBEGIN:VEVENT\nATTENDEE;PARTSTAT=DECLINED:mailto:x@y\nEND:VEVENT\nEND:VTIMEZONE\n"
    text = reply(
        asked(own(ORGANISER, ATTENDEE, "DTSTART;TZID=Q:20261126T140000", around=hidden)), Answer.ACCEPTED, NOW
    )

    only_event(text)
    assert "VTIMEZONE" not in text
    assert "x@y" not in text


def test_our_own_reader() -> None:
    """Our own cards read the answer: who says what to which event."""
    found = invitation(reply(asked(GOOGLE), Answer.TENTATIVE, NOW).encode())

    assert found is not None
    (event,) = found.events
    assert (found.method, event.answer) == (Method.REPLY, Answer.TENTATIVE)
    assert event.answerer is not None
    assert event.answerer.address == "bob@x.example"
    assert event.uid == "4n0kqv3f8u@google.com"


def test_days() -> None:
    """An invitation of Apple for whole days, whose organiser is named by a parameter: the days are days."""
    found = asked(APPLE.replace(b"SEQUENCE", f"{ATTENDEE}\nSEQUENCE".encode()))
    event = only_event(reply(found, Answer.DECLINED, NOW))

    assert (found.organiser, found.organiser_name) == ("ada@home.example", "Ada")
    assert (event["DTSTART"].dt.isoformat(), event["DTEND"].dt.isoformat()) == ("2026-11-26", "2026-11-28")
    assert event["ATTENDEE"] == "mailto:bob@x.example"


def test_nobody_answers() -> None:
    """An invitation that names none of our addresses is not answered."""
    found = asked(GOOGLE, ("other@x.example",))

    assert found.attendee == ""
    with pytest.raises(LocalProtocolError):
        reply(found, Answer.ACCEPTED, NOW)


@pytest.mark.parametrize("address", ["bob@x.example", "BOB@X.EXAMPLE", " Bob@x.Example "])
def test_own_address(address: str) -> None:
    """Our own address is found in whatever case either side spells it, and answers as the calendar spells it."""
    found = asked(OUTLOOK, ("other@x.example", address))

    assert found.attendee == "bob@x.example"
    assert "MAILTO:bob@x.example" in reply(found, Answer.ACCEPTED, NOW).replace("\r\n ", "")


@pytest.mark.parametrize(
    ("invited_as", "mailbox"),
    [("me+tea@own.example", "me@own.example"), ("me@xn--bcher-kva.example", "me@bücher.example")],
)
def test_an_own_address_in_another_spelling(invited_as: str, mailbox: str) -> None:
    """A tag within one's own address, or a domain as it goes over the wire; the answer names whom the calendar named."""
    octets = own(ORGANISER, f"ATTENDEE:mailto:{invited_as}", START)

    assert f"mailto:{invited_as}" in reply(asked(octets, (mailbox,)), Answer.ACCEPTED, NOW)
    assert not answerable(own(f"ORGANIZER:mailto:{invited_as}", ATTENDEE, START), (mailbox,))


def test_one_of_many() -> None:
    """Of many attendees the answer names one, and none of the others."""
    others = [f"ATTENDEE;CN=Other {at}:mailto:other{at}@x.example" for at in range(300)]
    text = reply(asked(own(ORGANISER, *others[:150], ATTENDEE, *others[150:], START)), Answer.ACCEPTED, NOW)

    assert "other" not in text.lower()
    assert only_event(text)["ATTENDEE"].params["CN"] == "Bob"


def test_occurrence() -> None:
    """One day of a series is answered by its RECURRENCE-ID as it came, with its zone."""
    day = "RECURRENCE-ID;TZID=Europe/Berlin:20261126T140000"
    found = asked(own("SEQUENCE:2", ORGANISER, ATTENDEE, "DTSTART;TZID=Europe/Berlin:20261126T160000", day))

    assert found.is_occurrence
    assert f"\r\n{day}\r\n" in reply(found, Answer.ACCEPTED, NOW)


@pytest.mark.parametrize("is_first", [True, False])
def test_series(is_first: bool) -> None:  # noqa: FBT001 - a row of the table
    """A series that comes with one of its days is answered as a whole, whichever stands first."""
    one_day = "RECURRENCE-ID:20261126T140000Z"
    first, second = (one_day, "SUMMARY:All") if is_first else ("SUMMARY:All", one_day)
    between = "END:VEVENT\nBEGIN:VEVENT\nUID:1@home.example"

    (found,) = answerable(
        own(ORGANISER, ATTENDEE, START, first, between, ORGANISER, ATTENDEE, START, second), BOB
    )

    assert (found.title, found.is_occurrence) == ("All", False)
    assert "RECURRENCE-ID" not in reply(found, Answer.ACCEPTED, NOW)


def test_several_events() -> None:
    """Of several events in one calendar, each asks for an answer of its own."""
    second = "END:VEVENT\nBEGIN:VEVENT\nUID:2@home.example"
    octets = own(ORGANISER, ATTENDEE, START, "SUMMARY:One", second, ORGANISER, ATTENDEE, START, "SUMMARY:Two")

    found = [(each.uid, each.title) for each in answerable(octets, BOB)]
    assert found == [("1@home.example", "One"), ("2@home.example", "Two")]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"no calendar",
        own(ORGANISER, ATTENDEE, START, method="CANCEL"),
        own(ORGANISER, ATTENDEE, START, method="REPLY"),
        own(ORGANISER, ATTENDEE, START, method="PUBLISH"),
        own(ORGANISER, ATTENDEE, START, "STATUS:CANCELLED"),
        own(ATTENDEE, START),
        own("ORGANIZER:/path/alone", ATTENDEE, START),
        own("ORGANIZER:mailto:bob@x.example", ATTENDEE, START),
        own("ORGANIZER:mailto:a@b.example,c@d.example", ATTENDEE, START),
        own(ORGANISER, ATTENDEE, START).replace(b"UID:1@home.example\n", b""),
        own(ORGANISER, ATTENDEE, START).replace(b"1@home.example", b"x" * 9000),
    ],
)
def test_nothing_is_asked(octets: bytes) -> None:
    """What is no request, is cancelled, has no organiser or is our own asks for no answer."""
    assert answerable(octets, BOB) == ()


def test_travels_as_json() -> None:
    """What an answer needs goes through a pipe and comes back the same."""
    found = asked(GOOGLE)
    head = json.loads(json.dumps(asdict(found)))

    assert Invited(**head | {"lines": tuple(head["lines"]), "zones": tuple(head["zones"])}) == found


@pytest.mark.parametrize(
    "name", ['Bob "the boss"', "Bob\r\nDTSTART:1", "Bob; x, y: z", "ボブ" * 40, "\u2028\x85\0Bob\ud800"]
)
def test_names(name: str) -> None:
    """Whatever somebody is called stays within the attendee's line."""
    text = reply(replace(asked(GOOGLE), attendee_name=name), Answer.ACCEPTED, NOW)

    assert only_event(text)["ATTENDEE"].params["CN"]
    assert text.count("ATTENDEE") == 1
    assert len(text.splitlines()) == text.count("\r\n")


@pytest.mark.parametrize(
    "row",
    [
        "SUMMARY:a\rATTENDEE:mailto:x@y",
        "SUMMARY:a\x85ATTENDEE:mailto:x@y",
        "SUMMARY:a\u2028b",
        'DTSTART;TZID="x":y":20261126T140000',
        "DTSTART:20261126T140000Z ATTENDEE",
        "DURATION:P1D\tX",
        "RECURRENCE-ID;RANGE=THISANDFUTURE;X=1:20261126T140000Z",
        "SEQUENCE:1;2",
        'SUMMARY;LANGUAGE="en:no end',
        "DTSTART;TZID=Open:20261126T140000\nEND:VEVENT\nBEGIN:VTIMEZONE\nTZID:Open\nBEGIN:VEVENT\nUID:2",
    ],
)
def test_hostile_rows(row: str) -> None:
    """A line that hides another one, or is of no known shape, brings nothing into the answer."""
    text = reply(asked(own(row, ORGANISER, ATTENDEE)), Answer.ACCEPTED, NOW)

    only_event(text)
    assert len(text.splitlines()) == text.count("\r\n")
    assert sum(line.startswith("ATTENDEE") for line in text.splitlines()) == 1


def test_as_a_mail() -> None:
    """The answer goes as text and as a calendar with its method; both readers find it."""
    calendar = reply(replace(asked(GOOGLE), attendee_name="Böb"), Answer.ACCEPTED, NOW)

    octets = compose(written(text=words("Accepted"), calendar=calendar))

    assert_sound(octets)
    (event,) = parse(octets).special.invitations[0].events
    assert event.answer is Answer.ACCEPTED
    plain, part = by_library(octets).iter_parts()
    assert plain.get_content().strip() == "Accepted"
    assert (part.get_content_type(), part.get_param("method")) == ("text/calendar", "REPLY")
    assert part.get_content().splitlines() == calendar.splitlines()
    assert by_library(octets).get_content_type() == "multipart/alternative"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from([ORGANISER, ATTENDEE, START, "BEGIN:VTIMEZONE", "TZID:X", "END:VTIMEZONE", "BEGIN:VEVENT"])
        | st.builds(
            lambda name, mark, rest: f"{name}{mark}{rest}",
            st.sampled_from(["DTSTART", "DTEND", "SUMMARY", "UID", "ORGANIZER", "ATTENDEE", "RECURRENCE-ID", "SEQUENCE"]),
            st.sampled_from([":", ";TZID=X:", ";CN=", ';CN="', ";"]),
            st.text(st.characters(codec="utf-8"), max_size=40),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_anything(rows: list[str]) -> None:
    """Whatever an invitation holds, there is an answer of sound lines with one attendee, or none."""
    for each in answerable(own(*rows, ORGANISER, ATTENDEE), BOB):
        if not each.attendee:
            continue
        text = reply(each, Answer.ACCEPTED, NOW)

        assert_sound(text.encode())
        assert max(len(line) for line in text.encode().split(b"\r\n")) <= 75
        assert len(text.splitlines()) == text.count("\r\n")
        unfolded = text.replace("\r\n ", "").split("\r\n")
        assert sum(line.upper().startswith("ATTENDEE") for line in unfolded) == 1
        assert unfolded.count("BEGIN:VEVENT") == unfolded.count("END:VEVENT") == 1
