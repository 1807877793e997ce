"""Special mail as posts: the card says what it is, within Slack's rules, whatever the mail holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail.content import Arrival
from bot.mail.message import parse
from bot.slack import names, posts
from storage.records import Shape
from tests.fakes.block_rules import problems, text_problems, visible
from tests.unit.special import calendars, outlook_files, reports
from tests.unit.special.calendars import own

if TYPE_CHECKING:
    from bot.mail.content import Rendered

ARRIVAL = Arrival(Shape.WHOLE, 0, datetime(2026, 11, 23, tzinfo=UTC), None, "bob@x.example", "pop.gmail.com")
LIVE = "<!channel> <@U1> *b* <https://evil.example|x> :tada: &lt;!here&gt;"


def posted(octets: bytes, arrival: Arrival = ARRIVAL) -> Rendered:
    """The post of a mail, held against Slack's rules."""
    rendered = posts.post(parse(octets), arrival, octets)
    assert problems(rendered.blocks) == []
    assert text_problems(rendered.text) == []
    return rendered


def seen(octets: bytes, arrival: Arrival = ARRIVAL) -> str:
    """All that a reader sees, without the marks that keep directions apart."""
    return visible(posted(octets, arrival).blocks).replace("\u2068", "").replace("\u2069", "")


def date(seconds: int, form: str, fallback: str) -> dict[str, Any]:
    """A time that Slack shows by the reader's clock."""
    return {"type": "date", "timestamp": seconds, "format": form, "fallback": fallback}


def dates(post: Rendered) -> list[dict[str, Any]]:
    """The times within the rich text of a post."""
    parts = [part for block in post.blocks if block["type"] == "rich_text" for part in block["elements"]]
    return [each for part in parts for each in part["elements"] if each["type"] == "date"]


def test_invitation() -> None:
    """What, when for the reader and for the sender, where, who, how often, and how to answer."""
    post = posted(calendars.mail(calendars.GOOGLE))
    shown = visible(post.blocks)

    assert "Invitation: \nPlans; and more" in shown
    assert date(1795698000, "{date_long_pretty}, {time}", "2026-11-26 13:00 UTC") in dates(post)
    assert date(1795700700, "{time}", "2026-11-26 13:45 UTC") in dates(post)
    assert "Sender's time: \nThursday 26 November 2026, 14:00 to 14:45 (Europe/Berlin, UTC+1)" in shown
    assert "Room 2, first floor" in shown
    assert "Ada Lovelace <ada@home.example>" in shown
    assert "every 2 weeks on Monday and Thursday" in shown
    assert "is not the sender" not in shown
    assert [file.name for file in post.files] == ["invitation.ics"]
    assert [block["block_id"] for block in post.blocks if block["type"] == "actions"] == [names.INVITATION]


@pytest.mark.parametrize(
    ("calendar", "words"),
    [
        (calendars.OUTLOOK, "Invitation, updates an earlier one: \nBesprechung"),
        (own("SUMMARY:x", "DTSTART:20261126T130000Z", method="CANCEL"), "Cancelled: \nx"),
        (own("SUMMARY:x", "DTSTART:20261126T130000Z", "STATUS:CANCELLED"), "Cancelled: \nx"),
        (
            own("SUMMARY:x", "DTSTART:20261126T130000Z", "RECURRENCE-ID:20261126T130000Z", method="CANCEL"),
            "This date is cancelled: \nx",
        ),
        (
            own("SUMMARY:x", "ATTENDEE;PARTSTAT=ACCEPTED;CN=Bob:mailto:b@x.example", method="REPLY"),
            "Bob accepts: \nx",
        ),
        (
            own("SUMMARY:x", "ATTENDEE;PARTSTAT=TENTATIVE:mailto:b@x.example", method="REPLY"),
            "b@x.example accepts tentatively: \nx",
        ),
        (own("SUMMARY:x", "DTSTART:20261126T130000Z", method="COUNTER"), "Another time is proposed: \nx"),
        (own("SUMMARY:x", "DTSTART:20261126T130000Z", method="PUBLISH"), "Event: \nx"),
        (own("SUMMARY:x", "DTSTART:20261126T130000Z", method="NONSENSE"), "Event: \nx"),
    ],
)
def test_method(calendar: bytes, words: str) -> None:
    """Each kind of calendar mail says what it is."""
    assert words in seen(calendars.mail(calendar))


def test_cancelled_is_struck() -> None:
    """What does not take place is struck through."""
    blocks = posted(calendars.mail(own("SUMMARY:x", "DTSTART:20261126T130000Z", method="CANCEL"))).blocks
    titles = [
        element
        for block in blocks
        if block["type"] == "rich_text"
        for element in block["elements"][0]["elements"]
    ]

    assert {"type": "text", "text": "x", "style": {"bold": True, "strike": True}} in titles


def test_strange_organiser() -> None:
    """An invitation that somebody else than its organiser sent says so."""
    octets = calendars.mail(calendars.GOOGLE, sender="Eve <eve@evil.example>")

    assert "⚠ The organiser, ada@home.example, is not the sender of this mail." in seen(octets)


def test_report() -> None:
    """A report says who did not get what and why; the server's own words are in a file that is not listed."""
    post = posted(reports.POSTFIX)
    shown = visible(post.blocks)

    assert "Not delivered to bob@x.example: mailbox full (5.2.2)" in shown
    assert "About your message “Café at noon”" in shown
    assert "The server's own words are folded away. The report is attached as “delivery status.txt”." in shown
    assert "in reply to RCPT TO command" not in shown
    assert post.is_shortened
    assert "delivery status.txt" in [file.name for file in post.files]
    assert "Not delivered to bob@x.example: mailbox full (5.2.2)" in post.text


def test_report_is_folded() -> None:
    """Of a server's long explanation the beginning is shown; the rest can be asked for."""
    octets = reports.prose("<bob@x.example>:\n550 user unknown\n\n" + "blah blah\n\n" * 500)
    post = posted(octets)

    assert visible(post.blocks).count("blah") < 200
    assert post.is_shortened


@pytest.mark.parametrize("octets", [b"Auto-Submitted: auto-replied\n", b"X-Autoreply: yes\n"])
def test_automatic(octets: bytes) -> None:
    """An automatic reply is said to be one, in a line, and reads like any mail."""
    shown = seen(b"From: bob@x.example\nSubject: x\n" + octets + b"\nI am away.")

    assert "This is an automatic reply." in shown
    assert "I am away." in shown


def test_list() -> None:
    """A list is named beside the sender, and its way out stands below the text."""
    fields = b"List-Id: Cyclists <c.lists.example>\nList-Unsubscribe: <https://lists.example/leave>\n"
    post = posted(b"From: bob@x.example\nSubject: x\n" + fields + b"\nHello")
    shown = visible(post.blocks)

    assert "List: Cyclists" in shown
    assert shown.index("Hello") < shown.index("Unsubscribe at lists.example")


def test_doubt() -> None:
    """A doubt of the mailbox's own server is a quiet warning; of another server it is nothing; nor is praise."""
    octets = b"From: a@bank.example\nAuthentication-Results: mx.google.com; dmarc=%s\n\nx"

    assert "could not confirm that this mail comes from bank.example" in seen(octets % b"fail")
    assert "⚠" not in seen(octets % b"pass")
    assert "⚠" not in seen(octets % b"fail", replace(ARRIVAL, incoming_host="pop.other.example"))
    assert "⚠" in seen(octets % b"fail", replace(ARRIVAL, incoming_host="", authserv_ids=("mx.google.com",)))


def test_encrypted() -> None:
    """An encrypted mail is one sentence and its file."""
    octets = b"From: a@b.example\nContent-Type: application/pkcs7-mime; name=smime.p7m; smime-type=enveloped-data\n\nx"
    post = posted(octets)

    assert "This mail is encrypted with S/MIME." in visible(post.blocks)
    assert "no text" not in visible(post.blocks)
    assert [file.name for file in post.files] == ["smime.p7m"]


def test_unpacked() -> None:
    """What winmail.dat held is there, and the mail as it came as well."""
    post = posted(outlook_files.mail(outlook_files.WHOLE))

    assert [file.name for file in post.files] == ["Plan für alle.doc", "_gpj.exe", posts.ORIGINAL]
    assert "The name hides what kind of file it is: _gpj.exe" in visible(post.blocks)


def nested(levels: int) -> bytes:
    """A mail within mails."""
    octets = b"From: deep@x.example\nSubject: level 0\n\nthe innermost words\n"
    for level in range(1, levels + 1):
        octets = (
            b"From: l%d@x.example\nSubject: level %d\nContent-Type: multipart/mixed; boundary=b%d\n\n--b%d\n\nwords of %d\n"
            b"--b%d\nContent-Type: message/rfc822\n\n%s\n--b%d--\n"
            % (level, level, level, level, level, level, octets, level)
        )
    return octets


def test_forwarded() -> None:
    """A forwarded mail is a card: from whom, what about, how it begins; its file stays."""
    post = posted(nested(1))
    shown = visible(post.blocks).replace("\u2068", "").replace("\u2069", "")

    assert "Forwarded message from deep@x.example" in shown
    assert "level 0" in shown
    assert "the innermost words" in shown
    assert [file.name for file in post.files] == ["level 0.eml"]


def test_forwarded_deeply() -> None:
    """Cards go three levels deep; what lies deeper is in the file."""
    shown = seen(nested(6))

    assert "words of 3" in shown
    assert "words of 2" not in shown


def test_many_forwarded() -> None:
    """Of a digest the first are cards, and the others are counted."""
    parts = b"".join(
        b"--b\n\nFrom: a%d@x.example\nSubject: s%d\n\nx\n" % (number, number) for number in range(30)
    )
    shown = seen(b"From: a@b.example\nContent-Type: multipart/digest; boundary=b\n\n" + parts + b"--b--\n")

    assert shown.count("Forwarded message from") == 5
    assert "and 25 more forwarded messages, attached as files" in shown


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("invoice.pdf.exe", "The name hides what kind of file it is"),
        ("photo.jpg.html", "The name hides what kind of file it is"),
        ("setup.exe", "May run a program"),
        ("macro.xlsm", "May hold macros"),
        ("login.html", "A page that may ask for passwords"),
        ("picture.svg", "A page"),
        ("disk.iso", "A disk"),
        ("notes.txt", ""),
        ("archive.tar.gz", ""),
        ("v1.2.pdf", ""),
    ],
)
def test_files(name: str, words: str) -> None:
    """A file that can do harm is named with the reason; others are not."""
    octets = f"From: a@b.example\nContent-Type: application/octet-stream; name={name}\n\nx".encode()
    shown = seen(octets)

    assert (words in shown) if words else ("⚠" not in shown)


def test_program_under_another_name() -> None:
    """A Windows program is one whatever it is called."""
    program = b"MZ" + b"\0" * 58 + (64).to_bytes(4, "little") + b"PE\0\0"
    octets = b"From: a@b.example\nContent-Type: application/pdf; name=invoice.pdf\n\n" + program

    assert "The name hides what kind of file it is: invoice.pdf" in seen(octets)


@given(st.text(max_size=60), st.sampled_from([LIVE, "\u202e\u202e", "x" * 5000, "", "😀" * 300]))
@settings(max_examples=60, deadline=None)
def test_any_words(text: str, more: str) -> None:
    """Whatever stands in names, titles, places and subjects, the post is one that Slack takes and nothing in it is live."""
    words = " ".join(f"{text} {more}".split()).encode("utf-8", "replace").decode()
    calendar = own(
        f"SUMMARY:{words}",
        f"LOCATION:{words}",
        f'ORGANIZER;CN="{words}":mailto:a@b.c',
        f"DTSTART;TZID={words}:20261126T130000",
    )
    head = f"List-Id: {words} <a.b.example>\nList-Unsubscribe: <mailto:a@b.example?subject={words}>\n"
    posted((head + "Subject: x\n").encode() + calendars.mail(calendar, sender=words, subject=words))
    posted(
        reports.dsn(
            words,
            f"\nFinal-Recipient: rfc822; {words}\nAction: failed\nStatus: 5.1.1\n",
            f"Subject: {words}\n",
        )
    )
    posted(
        f"From: x@b.c\nContent-Type: message/rfc822\n\nFrom: {words}\nSubject: {words}\n\n{words}".encode()
    )
