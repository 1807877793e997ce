"""Mails of every kind a person gets, as posts: what a reader sees of them, and what they are spared."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.mail.content import Arrival
from bot.mail.message import parse
from bot.slack import posts
from storage.records import Shape
from tests.fakes.block_rules import problems, text_problems, visible

if TYPE_CHECKING:
    from bot.mail.content import Rendered

MAILS = Path(__file__).parents[1] / "data" / "telling"
ARRIVAL = Arrival(Shape.WHOLE, 0, datetime(2026, 11, 23, tzinfo=UTC), None, "marta@local.test", "localhost")


def post(name: str) -> Rendered:
    """The post of the mail whose file name ends so."""
    [file] = MAILS.glob(f"??-{name}.eml")
    octets = file.read_bytes()
    return posts.post(parse(octets), ARRIVAL, octets)


def seen(name: str) -> str:
    """All that a reader sees of a mail, without the marks that keep directions apart."""
    return visible(post(name).blocks).replace("\u2068", "").replace("\u2069", "")


def rich(rendered: Rendered) -> list[dict[str, Any]]:
    """The parts of all rich text."""
    return [part for block in rendered.blocks if block["type"] == "rich_text" for part in block["elements"]]


@pytest.mark.parametrize("name", sorted(file.stem[3:] for file in MAILS.glob("*.eml")))
def test_every_kind(name: str) -> None:
    """Each of them is a post within Slack's rules that mentions nobody."""
    rendered = post(name)

    assert problems(rendered.blocks) == []
    assert text_problems(rendered.text) == []


def test_repeated_title() -> None:
    """A heading that only repeats the subject is not read twice; any other is."""
    assert seen("two-columns").count("Your booking is confirmed") == 1
    assert "Minutes, 19 November" in seen("headings")


def test_answers_stand_apart() -> None:
    """An answer between two quotes stands by the one it answers, with a blank line before the next."""
    sections = [part["elements"] for part in rich(post("interleaved-answers")) if "section" in part["type"]]

    assert [part[-1]["text"].endswith("\n\n") for part in sections] == [False, True, True, False]


def test_look_alike() -> None:
    """A link whose text is spelled with look-alike letters says where it leads, though it leads just there."""
    assert "(→ xn--pypal-4ve.example)" in seen("homograph")


def test_addresses_in_pages() -> None:
    """An address that stands in a page as text can be clicked, and is unwrapped as in links."""
    links = [each for part in rich(post("safe-links")) for each in part["elements"] if each["type"] == "link"]

    assert [each["text"] for each in links] == [
        "https://harbour.example/plans/spring.pdf",
        "https://harbour.example/tides",
    ]


def test_logo_has_no_name() -> None:
    """A small logo is counted and not named in the text."""
    lines = seen("inline-picture").split("\n")

    assert "logo" not in lines
    assert lines[-3:] == ["1 small logo left out.", "1 attachment: ", "crates.png (790 bytes)"]


def test_outlook_text() -> None:
    """The text that Outlook packed is read where the mail beside it says next to nothing."""
    assert "do not" in seen("winmail")


def test_many_attachments() -> None:
    """Many attachments are all named, in a few lines."""
    shown = seen("many-attachments")

    assert all(f"page {number:02}.txt" in shown for number in range(1, 31))
    assert [part["type"] for part in rich(post("many-attachments"))][-1] == "rich_text_section"


def test_invitation() -> None:
    """An invitation says its name once, and what changes when it is changed or cancelled."""
    assert seen("invitation").count("Walk along the pier") == 1
    assert "Invitation, updates an earlier one" in seen("invitation-changed")
    assert "Cancelled: \nWalk along the pier" in seen("invitation-cancelled")


def test_report_is_said_once() -> None:
    """What a card says of a delivery, the server's own words do not say again; they can be asked for."""
    rendered = post("bounce-delayed")

    assert "The server keeps trying." in visible(rendered.blocks)
    assert "THIS IS A WARNING ONLY" not in visible(rendered.blocks)
    assert rendered.is_shortened


def test_list_is_named_once() -> None:
    """Mail of a list names the list once, and its folded end is called a footer."""
    shown = seen("mailing-list")

    assert shown.count("Makers of folders") == 1
    assert "A footer is folded away." in shown


def test_warnings_are_large() -> None:
    """What may deceive somebody is said as large as the text; what is only damaged is said small."""
    alarms = [part["elements"][0]["text"] for part in rich(post("dmarc-fail"))]

    assert alarms[0] == "⚠ The mail server could not confirm that this mail comes from papier.example."
    assert not any("⚠" in part["elements"][0].get("text", "") for part in rich(post("broken")))
