"""What the render child answers reaches the bot as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import frames
from bot.mail.content import Address, Arrival, File, Rendered
from bot.mail.frames import Mode, Request
from bot.mail.letters import Invited, Original
from storage.records import Shape

PEOPLE = (Address("Ana \ud800", "ana@x.example"), Address("", "", "Team"))
ORIGINAL = Original(
    message_id="2@x",
    in_reply_to="1@x",
    references=("0@x", "1@x"),
    subject="Café",
    date=datetime(2026, 8, 3, 10, 12, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
    sender=PEOPLE[0],
    reply_to=PEOPLE,
    to=PEOPLE[:1],
    cc=(),
    followup_to=PEOPLE[1:],
    list_post="list@x.example",
    text="Hello\n😀",
    is_cut=True,
    attachments=(("a.pdf", 7), ("b", 0)),
    is_automatic=True,
    other_senders=PEOPLE[:1],
)
INVITED = Invited(
    uid="1",
    title="Tea",
    organiser="ana@x.example",
    organiser_name="Ana",
    attendee="bo@x.example",
    attendee_name="Bo",
    calendar_address="mailto:bo@x.example",
    is_occurrence=True,
    lines=("UID:1", "SEQUENCE:0"),
    zones=("BEGIN:VTIMEZONE",),
)


@settings(max_examples=50)
@given(st.text(max_size=40), st.booleans(), st.lists(st.binary(min_size=1, max_size=20), max_size=3))
def test_post_crosses_the_pipe_whole(text: str, is_shortened: bool, octets: list[bytes]) -> None:  # noqa: FBT001 - drawn
    """Words, blocks, files and whether the post is shortened arrive; the original is not sent back."""
    original = b"original"
    files = (*(File("a", each, "b", "text/plain") for each in octets), File("c", original, "d"))
    post = Rendered(
        text,
        [{"type": "divider"}],
        files,
        is_shortened=is_shortened,
        sender=text,
        pages=len(octets),
        domains=(text, "b.example") if is_shortened else None,
        attached=((text, 7), ("b", 0)) if is_shortened else (),
        original=ORIGINAL if is_shortened else None,
        left_out=((text, 9),) if is_shortened else (),
        may_reply_all=is_shortened,
        invited=(INVITED, INVITED) if is_shortened else (),
    )

    head, content = frames.answer_frame(frames.Answer(post, None, is_last=False), original)
    line, sent = frames.packed(head, content)

    answer = frames.answer(json.loads(line[frames.LENGTHS.size :]), sent, original)
    assert answer.rendered == post
    assert original not in sent or any(original in each for each in octets)


def test_an_original_without_date_and_sender_crosses_too() -> None:
    """A mail may lack both."""
    bare = Rendered("", [], original=replace(ORIGINAL, date=None, sender=None))

    head, content = frames.answer_frame(frames.Answer(bare, None, is_last=False), b"")

    assert frames.answer(json.loads(json.dumps(head)), content, b"").rendered == bare


def test_the_zone_of_a_date_crosses_too() -> None:
    """An answer says when a mail was written by its writer's clock."""
    head, content = frames.answer_frame(
        frames.Answer(Rendered("", [], original=ORIGINAL), None, is_last=False), b""
    )

    found = frames.answer(json.loads(json.dumps(head)), content, b"").rendered.original

    assert found is not None
    assert found.date is not None
    assert found.date.utcoffset() == timedelta(hours=-3, minutes=-30)


def test_what_the_header_alone_can_answer() -> None:
    """A post becomes its minimal card; an original is read as that of a mail of which the beginning is there."""
    arrival = Arrival(Shape.WHOLE, 1, datetime(2026, 8, 3, tzinfo=UTC), None, "")

    assert frames.of_header(Request(b"x", arrival, Mode.FULL)) == Request(b"x", arrival, Mode.HEADERS)
    assert frames.of_header(Request(b"x", arrival, Mode.ORIGINAL)) == Request(
        b"x", replace(arrival, shape=Shape.TOP), Mode.ORIGINAL
    )
