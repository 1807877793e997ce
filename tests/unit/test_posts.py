"""Messages as posts: within Slack's limits whatever they hold, safe, complete or honest about what is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail.content import Arrival
from bot.mail.message import parse, parse_header
from bot.slack import posts
from storage.records import Shape
from tests.fakes.block_rules import problems, text_problems, visible, width
from tests.fakes.hostile_mail import mail_octets

if TYPE_CHECKING:
    from bot.mail.content import Rendered

MAILS = Path(__file__).parents[1] / "data" / "mails"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LIVE = "<!channel> <@U123> <#C123> @here :tada: *b* <https://evil.example|x> &lt;!here&gt;"


def arrival(shape: Shape = Shape.WHOLE, octets: int = 2048, mailbox: str | None = None) -> Arrival:
    """What is known of a message that came now into Ada's mailbox."""
    return Arrival(shape, octets, NOW, mailbox, "ada@home.example")


def posted(octets: bytes, known: Arrival | None = None) -> Rendered:
    """The post of a mail, held against Slack's rules."""
    rendered = posts.post(parse(octets), known or arrival(), octets)
    assert problems(rendered.blocks) == []
    assert text_problems(rendered.text) == []
    assert width(rendered.text) <= 300
    assert all(file.octets and file.name for file in rendered.files)
    return rendered


def mail(body: str = "Hello", **fields: str) -> bytes:
    """A mail with some fields; underscores in their names stand for hyphens."""
    known = {"From": "Bob <bob@x.example>", "Subject": "Hi", "To": "ada@home.example"} | fields
    return (
        "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in known.items()).encode()
        + b"\n"
        + body.encode()
    )


def test_newsletter_post() -> None:
    """A newsletter shows what its sender meant to show, and where its links lead."""
    post = posted((MAILS / "newsletter.eml").read_bytes(), arrival(mailbox="Home"))

    seen = visible(post.blocks)

    assert seen.startswith(
        "Winter–karte: neue Süße\nCafé Nordlicht <news@nordlicht.example>\n<!date^1795331700^"
    )
    assert "Mailbox: Home" in seen
    assert "Replies go to: answers@replies.example" in seen
    assert "see the menu" in seen
    assert "www.nordlicht.example\n (→ click.tracker.example)." in seen
    assert not {"Preheader", "alert", "zero", "Not shown", "tracker.", "client does not"} & set(seen.split())
    assert post.text.startswith(
        "Café Nordlicht: Winter–karte: neue Süße: Café Nordlicht The winter menu is here"
    )
    assert post.files == ()


def test_files_post() -> None:
    """All files are there in order; an empty one is named only; recipients are named when they are others."""
    post = posted((MAILS / "files.eml").read_bytes())

    seen = visible(post.blocks)

    assert [file.name for file in post.files] == [
        "image-1.png",
        "€ rates.pdf",
        "_.._etc_notes.txt",
        "An older mail.eml",
    ]
    assert "empty.bin (0 bytes) – empty, so there is nothing to upload" in seen
    assert "To: ada@home.example, Grace H. <grace@work.example>\nCc: Project team" in seen
    assert "5 attachments" in seen


def test_date_shows_in_the_readers_zone() -> None:
    """The only mrkdwn in a post is our own date, with UTC for clients that cannot convert it."""
    post = posted(mail(Date="Mon, 23 Nov 2026 10:00:00 +0100"))

    [date] = [each for each in post.blocks[1]["elements"] if each["type"] == "mrkdwn"]

    assert date["text"] == "<!date^1795424400^{date_short_pretty} {time}|2026-11-23 09:00 UTC>"


@pytest.mark.parametrize(
    "date", ["", "Mon, 23 Nov 2099 10:00:00 +0000", "Thu, 1 Jan 1970 00:00:00 +0000", "soon"]
)
def test_absurd_dates_give_way(date: str) -> None:
    """Without a usable date the time of arrival is shown, and said to be that."""
    seen = visible(posted(mail(Date=date)).blocks)

    assert f"<!date^{int(NOW.timestamp())}^" in seen
    assert "no usable date" in seen


@pytest.mark.parametrize("field", ["From", "Subject", "To", "Reply-To"])
def test_mail_text_is_never_alive(field: str) -> None:
    """Mentions, links and emoji in a header are letters."""
    post = posted(
        mail(LIVE, **{field: f"{LIVE} <x@y.example>", "Content-Type": f'text/plain; name="{LIVE}"'})
    )

    assert "<!channel>" in visible(post.blocks)
    assert "<!channel>" not in post.text


def test_name_that_holds_another_address_is_warned_of() -> None:
    """A sender who is named like an address is shown with the real one, and a warning."""
    seen = visible(posted(mail(From='"ceo@bank.example" <x@evil.example>')).blocks)

    assert "ceo@bank.example <x@evil.example>" in seen
    assert (
        "⚠ The sender's name shows another address than the one this mail comes from: x@evil.example" in seen
    )


def test_recipients_are_shown_in_part() -> None:
    """Five recipients are named and the others counted; none when the owner is the only one."""
    many = ", ".join(f"p{number}@x.example" for number in range(1200))

    assert "p4@x.example and 1195 more" in visible(posted(mail(To=many)).blocks)
    assert "To:" not in visible(posted(mail(To="ADA@home.example")).blocks)


@pytest.mark.parametrize(
    ("below", "note"),
    [
        (
            "On 1 May 2021 at 10:00 Bob <b@x.example> wrote:\n> Old words",
            "Quoted earlier messages are folded away.",
        ),
        ("-- \nOld Bob", "A signature is folded away."),
        (
            "-- \nOld Bob\n\n-----Original Message-----\nFrom: Ada\nSent: Monday\nTo: Bob\n\nOld words",
            "Quoted earlier messages and a signature are folded away.",
        ),
    ],
)
def test_quotes_and_signatures_are_folded(below: str, note: str) -> None:
    """A reply shows its own words; a grey line says what is folded; the notification never shows it either."""
    post = posted(mail("Yes, gladly.\n\n" + below, Subject="Re: Hi"))

    assert post.is_shortened
    assert visible(post.blocks).endswith("Yes, gladly.\n" + note)
    assert "Old" not in visible(post.blocks)
    assert post.text == "Bob: Re: Hi: Yes, gladly."
    assert post.files == ()


def test_whole_body_is_not_shortened() -> None:
    """A post that shows everything says nothing about folding; an empty answer shows what it answers."""
    for body in ("Hello", "On 1 May 2021 at 10:00 Bob <b@x.example> wrote:\n> Old words"):
        post = posted(mail(body, Subject="Re: Hi"))

        assert not post.is_shortened
        assert "folded" not in visible(post.blocks)


def test_answer_below_a_quote_comes_first_in_the_notification() -> None:
    """The words of a notification are the sender's own, also when they stand below a quote."""
    post = posted(mail("On 1 May 2021 at 10:00 Bob wrote:\n> Old words\n\nNo, sorry.", Subject="Re: Hi"))

    assert post.text == "Bob: Re: Hi: No, sorry."
    assert "Old words" in visible(post.blocks)


def test_very_long_quote_is_a_file_besides() -> None:
    """What is folded and too long to leaf through is complete in a file."""
    quote = "On 1 May 2021 at 10:00 Bob <b@x.example> wrote:\n" + "> Old words, and many of them\n" * 4500

    post = posted(mail("Yes.\n\n" + quote, Subject="Re: Hi"))

    assert visible(post.blocks).endswith("folded away. The complete text is attached as “full text.txt”.")
    assert [file.name for file in post.files] == ["full text.txt"]
    assert post.files[0].octets.startswith(b"Yes.")


def test_long_body_is_cut() -> None:
    """A long text is shown in part and says so; there is no file of what can be leafed through."""
    post = posted(mail("\n\n".join(f"Paragraph {number} " + "word " * 30 for number in range(200))))

    assert post.is_shortened
    assert visible(post.blocks).endswith("Shortened: this is the first 8 %.")
    assert post.files == ()


def test_very_long_body_is_cut_and_complete_in_a_file() -> None:
    """A very long text is shown in part, says so, and is complete in a file."""
    post = posted(mail("\n\n".join(f"Paragraph {number} " + "word " * 30 for number in range(1000))))

    [file] = post.files

    assert post.is_shortened
    assert "Shortened: this is the first 1 %. The complete text is attached as “full text.txt”." in visible(
        post.blocks
    )
    assert file.name == "full text.txt"
    assert b"Paragraph 999" in file.octets


@pytest.mark.parametrize(
    "body",
    [
        '<img src="https://x.example/poster.png">',
        '<div style="display:none">Meet at noon.</div>',
        '<font color="#fff"><p style="background:#fff">Meet at noon.</p></font>',
        "<div>" * 200_000 + "Meet at noon.",
    ],
)
def test_page_that_shows_nothing_brings_the_original(body: str) -> None:
    """A mail of which nothing can be shown as text is attached as it came, never called empty alone."""
    post = posted(mail(body, Content_Type="text/html"))

    assert [file.name for file in post.files] == [posts.ORIGINAL]
    assert "attached as “original.eml”" in visible(post.blocks)


@pytest.mark.parametrize(
    "body", ["<p>&nbsp;</p>", '<img src="cid:1">', '<img src="http://x.example/t.gif" width=1>']
)
def test_page_without_content_stands_alone(body: str) -> None:
    """A page that holds nothing but space, an attached picture or a tracker brings no further file."""
    assert posted(mail(body, Content_Type="text/html")).files == ()


def test_long_subject_is_complete_below() -> None:
    """A subject that does not fit the header stands below it."""
    subject = "very " * 60 + "long"

    post = posted(mail(Subject=subject))

    assert post.blocks[0]["text"]["text"].endswith("…")
    assert subject in visible(post.blocks)


def test_damaged_attachment_brings_the_original() -> None:
    """A file that was damaged on the way is named so, and the mail is attached as it came."""
    post = posted(
        mail("aGV!bG8gd29ybGQh", Content_Type="image/x; name=a.bin", Content_Transfer_Encoding="base64")
    )

    assert [file.name for file in post.files] == ["a.bin", "original.eml"]
    assert "a.bin (12 bytes) – damaged on the way" in visible(post.blocks)


def test_a_great_many_attachments() -> None:
    """Past as many files as one share takes the others are named with the reason, and are in the original."""
    part = "--b\nContent-Type: a/b\n\nx\n"

    post = posted(mail(part * 150, Content_Type="multipart/mixed; boundary=b"))

    assert len(post.files) == 49
    assert post.files[-1].name == "original.eml"
    assert "attachment-49.bin (1 byte) – not uploaded: only 48 files are; see original.eml" in visible(
        post.blocks
    )


def test_the_longest_of_everything() -> None:
    """All fields at their longest together still make a post that Slack takes."""
    long = "😀&<" * 3000
    many = ", ".join(f'"{long[:300]}" <{number}@{"x" * 200}.example>' for number in range(50))
    links = "".join(
        f"<p><a href='https://h{number}.example/{'q' * 2900}'>{long[:250]}</a>" for number in range(200)
    )
    head = mail(
        "", From=f'"x@y {long}" <a@{"b" * 500}.example>', Subject=long, To=many, Cc=many, Reply_To=many
    )
    part = f"--b\nContent-Type: text/html\n\n{links}\n"
    file = f'--b\nContent-Type: a/b\nContent-Disposition: attachment; filename="{long[:300]}.exe"\n\nx\n'
    octets = head[:-1] + b"Content-Type: multipart/mixed; boundary=b\n\n" + (part + file * 200).encode()

    post = posts.post(parse(octets), arrival(mailbox=long), octets)

    assert problems(post.blocks) == []
    assert text_problems(post.text) == []


def test_too_large_message() -> None:
    """A message above the limit is announced with its first lines and stays where it is."""
    octets = mail("First lines\nof a large mail", Content_Type="multipart/mixed; boundary=none")

    post = posted(octets, arrival(Shape.TOP, 48 * 1024 * 1024))

    seen = visible(post.blocks)
    assert "This message has 48 MB. That is larger than the limit" in seen
    assert "stays on the mail server" in seen
    assert "First lines\nof a large mail" in seen
    assert post.files == ()


def test_refused_message() -> None:
    """A message that the server keeps for itself is announced."""
    post = posted(b"", arrival(Shape.REFUSED))

    assert "The mail server would not hand over this message. Its size is 2.0 KB." in visible(post.blocks)
    assert post.files == ()


@pytest.mark.parametrize("octets", [b"\x00\x01\x02" * 100, b"no header at all", b"\x89PNG\r\n\x1a\n"])
def test_unreadable_message(octets: bytes) -> None:
    """What is no mail is announced and attached as it came."""
    post = posted(octets)

    assert "A message that cannot be read as mail" in visible(post.blocks)
    assert [(file.name, file.octets) for file in post.files] == [("original.eml", octets)]


def test_empty_message() -> None:
    """A message of no octets is said to be empty; Slack takes no empty file."""
    post = posted(b"")

    assert "This message is empty." in visible(post.blocks)
    assert post.files == ()


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("octets", [b"", b"\xff", mail(LIVE, Subject=LIVE)])
def test_small_cards(shape: Shape, octets: bytes) -> None:
    """The cards of last resort are valid for every shape, and hold the original where there is one."""
    header = parse_header(octets)
    known = arrival(shape)

    for card in (posts.minimal(header, known, octets), posts.unread(known, octets, plain=False)):
        assert problems(card.blocks) == []
        assert text_problems(card.text) == []
    for card in (posts.plain(header, known, octets), posts.unread(known, octets, plain=True)):
        assert card.blocks == []
        assert text_problems(card.text) == []
        assert [file.octets for file in card.files] == (
            [octets] if octets and shape is not Shape.REFUSED else []
        )


def test_minimal_card() -> None:
    """A message whose body broke us is named, and attached as it came."""
    octets = mail(Subject="Broken")

    card = posts.minimal(parse_header(octets), arrival(), octets)

    assert "Broken\nBob <bob@x.example>" in visible(card.blocks)
    assert "This message could not be shown. It is attached as it came. Its size is 2.0 KB." in visible(
        card.blocks
    )
    assert [file.name for file in card.files] == ["original.eml"]


texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from([LIVE, "é" * 400, "😀" * 200, "\u202e\u0000\ud800", "=?utf-8?q?=3C!here=3E?="]),
)


fields = st.fixed_dictionaries(dict.fromkeys(("name", "subject", "to", "file", "body"), texts))


@given(fields, st.sampled_from(list(Shape)), st.timedeltas(timedelta(-99999), timedelta(99999)))
@settings(max_examples=200, deadline=None)
def test_any_mail_makes_a_valid_post(found: dict[str, str], shape: Shape, away: timedelta) -> None:
    """Whatever stands in its fields, a mail makes a post that is valid, short enough and dead."""
    date = (datetime(2026, 1, 1, tzinfo=UTC) + away).strftime("%d %b %Y %H:%M:%S +0000")
    octets = (
        f"From: {found['name']} <a@b.example>\nSubject: {found['subject']}\nTo: {found['to']}\nDate: {date}\n"
        f"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n{found['body']}\n--b\n"
        f'Content-Disposition: attachment; filename="{found["file"]}"\n\n{found["body"]}'
    )

    posted(octets.encode("utf-8", "surrogatepass"), arrival(shape, mailbox=found["name"] or None))


@given(mail_octets, st.sampled_from(list(Shape)))
@settings(max_examples=200, deadline=None)
def test_any_octets_make_valid_cards(octets: bytes, shape: Shape) -> None:
    """No octets make a post, or a card of last resort, that Slack refuses or that mentions anybody."""
    header = parse_header(octets)

    posted(octets, arrival(shape))
    minimal = posts.minimal(header, arrival(shape), octets)
    plain = posts.plain(header, arrival(shape), octets)

    assert problems(minimal.blocks) == text_problems(minimal.text) == text_problems(plain.text) == []
