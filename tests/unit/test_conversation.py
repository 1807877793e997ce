"""A mail tells which others it belongs with: by ids, by its subject, by who takes part."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.mail import frames, message
from bot.mail.content import Arrival, Rendered
from bot.mail.conversation import IDS, PEOPLE, base_subject, clues, clues_of_sent
from storage.clues import Clues
from storage.records import Shape

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
OWN = "you@example.org"


def told(*lines: str, body: str = "Hello.", shape: Shape = Shape.WHOLE) -> Clues:
    """What a mail of these header lines tells."""
    octets = "\r\n".join(["From: Ada <Ada@Example.org>", "To: You@example.org", *lines, "", body])
    found = clues(message.parse(octets.encode()), Arrival(shape, 0, NOW, None, OWN))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("subject", "base", "is_answer"),
    [
        ("Lunch", "lunch", False),
        ("Re: Lunch", "lunch", True),
        ("RE : re:Lunch", "lunch", True),
        ("Re[2]: Re(3): Re^4: Lunch", "lunch", True),
        ("AW: WG: Lunch", "lunch", True),
        ("WG: Lunch", "lunch", False),
        ("SV: VS: Lunch", "lunch", True),
        ("RV: TR: Lunch", "lunch", False),
        ("Antw: Odp: YNT: Lunch", "lunch", True),
        ("İlt: Lunch", "lunch", False),
        ("回复：转发：Lunch", "lunch", True),
        ("答复: Lunch", "lunch", True),
        ("Ответ: Lunch", "lunch", True),
        ("Trả lời: Lunch", "lunch", True),
        ("[list] Re: [list] Lunch (fwd)", "lunch", True),
        ("[Fwd: Re: Lunch]", "lunch", True),
        ("[list]", "[list]", False),
        ("Report: Lunch", "report: lunch", False),
        ("Re:", "", True),
        ("", "", False),
    ],
)
def test_the_base_subject_is_without_prefixes(subject: str, base: str, *, is_answer: bool) -> None:
    """Whatever the language, width or case; only an answer is marked as one."""
    assert base_subject(subject) == (base, is_answer)


@pytest.mark.parametrize(
    "subject", ["re:" * 700, "[" * 2_000, "[a]" * 600 + "x", "Re[1]:" * 300, "(fwd)" * 400]
)
def test_a_hostile_subject_is_read_in_bounded_steps(subject: str) -> None:
    """Nothing is raised, and what is left is no longer than what came."""
    assert len(base_subject(subject)[0]) <= len(subject)


@pytest.mark.parametrize(
    ("lines", "refers_to"),
    [
        ([], ()),
        (["References: <a@x> <b@x>", "In-Reply-To: <c@x>"], ("b@x", "a@x", "c@x")),
        (["References: <a@x> <b@x>", "In-Reply-To: <b@x>"], ("b@x", "a@x")),
        (["In-Reply-To: <c@x> from Bob"], ("c@x",)),
        (["In-Reply-To: Your message of Monday"], ()),
        (["Message-ID: <own@x>", "References: <own@x> <a@x>"], ("a@x",)),
    ],
)
def test_ids_are_tried_from_the_last_reference_on(lines: list[str], refers_to: tuple[str, ...]) -> None:
    """Then In-Reply-To; sentences in place of ids and the mail's own id are none."""
    assert told(*lines).refers_to == refers_to


def test_at_most_a_hundred_ids_are_looked_at() -> None:
    """The last of them, and the mail's own."""
    found = told(
        "Message-ID: <own@x>", "References: " + "\r\n ".join(f"<{number}@x>" for number in range(400))
    )

    assert found.own_id == "own@x"
    assert len(found.refers_to) == IDS - 1
    assert found.refers_to[0] == "399@x"


def test_a_mail_without_an_id_is_known_by_what_it_says() -> None:
    """The same mail has the same id, another one another."""
    first, again = told("Subject: a"), told("Subject: a", "X-Way: other")

    assert first.own_id == again.own_id
    assert len({first.own_id, told("Subject: b").own_id, told("Subject: a", body="Bye.").own_id}) == 3


def test_who_takes_part_is_everybody_but_the_owner() -> None:
    """Everything is sent to the owner, so that says nothing; a note to oneself has nobody else."""
    assert told("Cc: bob@example.org, ADA@example.org").people == ("ada@example.org", "bob@example.org")
    assert len(told("Cc: " + ", ".join(f"p{number}@x.example" for number in range(50))).people) == PEOPLE
    alone = clues(message.parse(b"From: you@example.org\n\nx"), Arrival(Shape.WHOLE, 0, NOW, None, OWN))
    assert alone is not None
    assert alone.people == (OWN,)


def test_a_bounce_belongs_to_what_was_sent() -> None:
    """The id of the mail that came back stands in the report."""
    report = (
        b"From: MAILER-DAEMON@x.example\nSubject: failure\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nNo.\n--b\n"
        b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x.example\n\n"
        b"Final-Recipient: rfc822; bob@x.example\nAction: failed\nStatus: 5.1.1\n--b\n"
        b"Content-Type: message/rfc822\n\nMessage-ID: <sent@x>\nSubject: Lunch\n\nHi.\n--b--\n"
    )

    found = clues(message.parse(report), Arrival(Shape.WHOLE, 0, NOW, None, OWN))

    assert found is not None
    assert found.refers_to == ("sent@x",)


def test_what_is_no_mail_tells_nothing() -> None:
    """Neither octets without a header nor a message the server refused."""
    assert clues(message.parse(b"\x00\x01"), Arrival(Shape.WHOLE, 0, NOW, None, OWN)) is None
    assert clues(message.parse(b"From: a@b.example\n\nx"), Arrival(Shape.REFUSED, 0, NOW, None, OWN)) is None


@pytest.mark.parametrize("found", [None, told("References: <a@x> <b@x>", "Cc: bob@example.org")])
def test_clues_cross_the_pipe_whole(found: Clues | None) -> None:
    """What the child tells, the bot reads."""
    head, octets = frames.answer_frame(
        frames.Answer(Rendered("t", [], clues=found), None, is_last=False), b""
    )
    line, _ = frames.packed(head, octets)
    sent = json.loads(line[frames.LENGTHS.size :])

    assert frames.answer(sent, octets, b"").rendered.clues == found


def test_a_mail_that_is_sent_is_found_by_its_answers() -> None:
    """Its own id, what it refers to with the answered mail first, its subject and whom it goes to; brackets count not."""
    found = clues_of_sent(
        "<own@a.example>",
        ("<first@b.example>", "second@b.example", "<own@a.example>", "no id at all"),
        "Re: Offer",
        ("Ada@b.example", "anna@a.example", "bob@c.example"),
        "Anna@a.example",
    )

    assert found == Clues(
        own_id="own@a.example",
        refers_to=("second@b.example", "first@b.example"),
        subject="offer",
        people=("ada@b.example", "bob@c.example"),
        is_answer=True,
        is_sent=True,
    )
