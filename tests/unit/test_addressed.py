"""What a form of a mail may hold, and what is said at which field."""

from __future__ import annotations

import pytest

from bot import addressed
from bot.filled import Filled
from bot.mail.letters import LetterKind
from bot.sending_errors import NotSendable
from storage.sending import RecipientField


def form(to: str = "", cc: str = "", bcc: str = "", subject: str = "x") -> Filled:
    """A form with these fields."""
    return Filled("m1", LetterKind.NEW, None, to, cc, bcc, subject, None)


def test_an_address_counts_once_where_it_stands_first() -> None:
    """Whatever its spelling and the field."""
    found = addressed.addresses_of(
        form("ada@A.example", "Ada <ADA@a.example>, bob@b.example", "bob@b.example")
    )

    assert [(each.address, each.field) for each in addressed.envelope(found)] == [
        ("ada@a.example", RecipientField.TO),
        ("bob@b.example", RecipientField.CC),
    ]


@pytest.mark.parametrize(
    ("filled", "fields"),
    [
        (form(), {"to"}),
        (form("a@b.example, nobody"), {"to"}),
        (form("a@b.example", "nobody", "x y z"), {"cc", "bcc"}),
        (form("a@b.example", subject="a\r\nBcc: b@c.example"), {"subject"}),
        (form("a@b.example", subject="x" * 901), {"subject"}),
        (form(", ".join(f"a{n}@b.example" for n in range(101))), {"to"}),
        (form("c@b.example", "", ", ".join(f"a{n}@b.example" for n in range(100))), {"to"}),
    ],
)
def test_what_is_wrong_is_said_at_its_field(filled: Filled, fields: set[str]) -> None:
    """All of it at once."""
    with pytest.raises(NotSendable) as wrong:
        addressed.addresses_of(filled)

    assert set(wrong.value.by_field) == fields
    assert all(wrong.value.by_field.values())


def test_bcc_alone_is_enough() -> None:
    """As is one's own address, typed on purpose."""
    found = addressed.addresses_of(form(bcc="anna@example.org"))

    assert [each.address for each in found[RecipientField.BCC]] == ["anna@example.org"]


@pytest.mark.parametrize(
    ("name", "signature", "undo", "fields"),
    [
        ("Sales", "Best\nAnna", 10, None),
        ("", "", 0, None),
        ("a\r\nb", "", 10, {"sender_name"}),
        ("x" * 101, "y" * 1001, 10, {"sender_name", "signature"}),
        ("", "\0", 10, {"signature"}),
        ("", "", 7, set()),
    ],
)
def test_settings_are_what_a_mail_can_have(
    name: str, signature: str, undo: int, fields: set[str] | None
) -> None:
    """A name on one line, a signature of a few, and one of the offered times."""
    if fields is None:
        addressed.check_settings(name, signature, undo)
        return
    with pytest.raises(NotSendable) as wrong:
        addressed.check_settings(name, signature, undo)
    assert set(wrong.value.by_field) == fields
