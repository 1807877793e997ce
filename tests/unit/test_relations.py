"""What a mail is to others: an answer, something passed on, or neither."""

from __future__ import annotations

import pytest

from bot.mail import quotes
from bot.mail.message import parse
from bot.mail.quotes import Relation


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("Subject: Re: Hi", Relation.REPLY),
        ("Subject: AW: Hi", Relation.REPLY),
        ("Subject: [list] RE[4]: Hi", Relation.REPLY),
        ("Subject: =?utf-8?q?R=C3=89F_=3A_Hi?=", Relation.REPLY),
        ("Subject: =?utf-8?b?5Zue5aSN77yaSGk=?=", Relation.REPLY),
        ("Subject: Fwd: Re: Hi", Relation.FORWARD),
        ("Subject: Re: Fwd: Hi", Relation.REPLY),
        ("Subject: [Fwd: Hi]", Relation.FORWARD),
        ("Subject: =?utf-8?q?=C4=B0LT=3A?= Hi\nIn-Reply-To: <1@x>", Relation.FORWARD),
        ("Subject: WG: Hi", Relation.FORWARD),
        ("Subject: TR : Hi", Relation.FORWARD),
        ("Subject: VS: Hi", Relation.FORWARD),
        ("Subject: Hi\nIn-Reply-To: <1@x>", Relation.REPLY),
        ("Subject: Hi\nReferences: <1@x> <2@x>", Relation.REPLY),
        ("Subject: Hi: there", Relation.UNKNOWN),
        ("Subject: " + "[" * 500, Relation.UNKNOWN),
        ("Subject: ", Relation.UNKNOWN),
    ],
)
def test_relation_is_read_from_the_header(header: str, known: Relation) -> None:
    """Prefixes of all languages tell an answer from a forwarded message; without one, the ids do."""
    assert quotes.relation(parse(f"From: a@b.example\n{header}\n\nx".encode())) is known


def test_report_of_a_mail_server_is_no_reply() -> None:
    """Reports of failed delivery refer to a message and hold its header; nothing in them is history."""
    header = b"From: MAILER-DAEMON@x.example\nSubject: Re: Hi\nIn-Reply-To: <1@x>\n\nx"

    assert quotes.relation(parse(header)) is Relation.UNKNOWN


def test_finnish_answers_are_told_from_danish_forwards() -> None:
    """“VS:” answers in Finland and forwards in Denmark: the words of the fields tell."""
    text = "From: a@b.example\nSubject: VS: Hei\n\nKyllä.\n\nLähettäjä: x\nLähetetty: y\nAihe: z\n\nVanha"

    assert quotes.relation(parse(text.encode())) is Relation.REPLY
