"""Recipients as people type them: each address is found, each piece that is none is named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import recipients
from bot.mail.content import Address
from bot.mail.recipients import Typed
from bot.slack import checks

ROWS = {
    "": [],
    " \n ,; , \n": [],
    "a@x.example": [("", "a@x.example")],
    "a@x.example, b@x.example; c@x.example\nd@x.example": [("", f"{name}@x.example") for name in "abcd"],
    "a@x.example b@x.example": [("", "a@x.example"), ("", "b@x.example")],
    "Ana Lima <ana@x.example>, c@x.example": [("Ana Lima", "ana@x.example"), ("", "c@x.example")],
    '"Lima, Ana" <ana@x.example>; "Bo; Li" <bo@x.example>': [
        ("Lima, Ana", "ana@x.example"),
        ("Bo; Li", "bo@x.example"),
    ],
    "Ana <a@x.example> Bo <b@x.example>": [("Ana", "a@x.example"), ("Bo", "b@x.example")],
    "Ana Lima ana@x.example": [("Ana Lima", "ana@x.example")],
    "ana@x.example (Ana)": [("Ana", "ana@x.example")],
    "Ana <ana@x.example> (work)": [("Ana", "ana@x.example")],
    "ana@x.example <ana@x.example>": [("", "ana@x.example")],
    "<mailto:a@x.example|a@x.example>": [("", "a@x.example")],
    "Ana &lt;<mailto:a@x.example|a@x.example>&gt;, R&amp;D <rd@x.example>": [
        ("Ana", "a@x.example"),
        ("R&D", "rd@x.example"),
    ],
    "mailto:a@x.example?subject=Hi": [("", "a@x.example")],
    "To: a@x.example, b@x.example": [("", "a@x.example"), ("", "b@x.example")],
    'Team: "Lima: Ana" <ana@x.example>': [("Lima: Ana", "ana@x.example")],
    "Team: a@x.example, Bo <b@x.example>; c@x.example": [
        ("", "a@x.example"),
        ("Bo", "b@x.example"),
        ("", "c@x.example"),
    ],
    "undisclosed-recipients:;": [],
    "a＠x.example， b@x．example；c@x.example、d@x。example": [("", f"{name}@x.example") for name in "abcd"],
    "a@x.example.": [("", "a@x.example")],
    "“a@x.example”, 'b@x.example'": [("", "a@x.example"), ("", "b@x.example")],
    "\u200b\u202aa@x.example\u202c\u00a0": [("", "a@x.example")],
    "a@BÜCHER.example": [("", "a@xn--bcher-kva.example")],
    "A@X.Example, a@x.example": [("", "A@x.example")],
    "用户@例え.example": [("", "用户@xn--r8jz45g.example")],
    "a@[192.0.2.1]": [("", "a@[192.0.2.1]")],
    "o'neil+tag@x.example": [("", "o'neil+tag@x.example")],
    "root@localhost": [("", "root@localhost")],
    '"ada, k"@x.example; Ada <"ada k"@x.example>': [("", '"ada, k"@x.example'), ("Ada", '"ada k"@x.example')],
    '"ada.k"@x.example': [("", "ada.k@x.example")],
}
FAULTS = {
    "=?utf-8?b?DQpCY2M6IGE=?=@x.example": "“=?utf-8?b?DQpCY2M6IGE=?=@x.example”: check the part before the @",
    "bob": "“bob”: enter only",
    "Ana <>": "“Ana”: enter",
    "a@x..example": "“a@x..example”: check the part after the @",
    "a@-x.example": "“a@-x.example”: check the part after the @",
    "a@192.0.2.1": "“a@192.0.2.1”: check the part after the @",
    "a@[x.example]": "“a@[x.example]”: check the part after the @",
    "a@b@x.example": "“a@b@x.example”: enter only",
    '"a<b"@x.example': '“a<b"@x.example”: enter only',
    '"a@b"@x.example': '“a@b"@x.example”: enter only',
    "Ana a@x.example b@x.example": "“Ana a@x.example b@x.example”: enter only",
    f"{'x' * 65}@x.example": f"“{'x' * 59}…”: enter a shorter",
    f"a@{'x' * 64}.example": f"“a@{'x' * 57}…”: check the part after the @",
    f"{'x' * 64}@{'ü.' * 25}example": f"“{'x' * 59}…”: check the part after the @",
    "a\0b@x.example": "“ab@x.example”: enter this on one line",
    "a\u200bb@x.example": "“ab@x.example”: enter the address anew",
    "a\u202eb@x.example": "“ab@x.example”: enter the address anew",
    "\ud800@x.example": "“\ufffd@x.example”: enter this on one line",
    '"': '“"”: enter only',
    "@": "“@”: enter only",
}


@pytest.mark.parametrize(("text", "expected"), ROWS.items(), ids=map(repr, ROWS))
def test_addresses_are_found_as_people_write_them(text: str, expected: list[tuple[str, str]]) -> None:
    """With names, signs and marks of all kinds around them; each once, and nothing is complained about."""
    assert recipients.typed(text) == Typed(tuple(Address(*one) for one in expected))


@pytest.mark.parametrize(("text", "start"), FAULTS.items(), ids=map(repr, FAULTS))
def test_what_is_no_address_is_named(text: str, start: str) -> None:
    """In a sentence that quotes it, while the addresses around it are found."""
    found = recipients.typed(f"{text}, good@x.example")

    assert found.addresses == (Address("", "good@x.example"),)
    assert [fault.startswith(start) for fault in found.faults] == [True], found.faults


def test_too_much_is_said_in_a_few_sentences() -> None:
    """A field pasted full of anything gives one sentence, not one for each piece of it."""
    long = recipients.typed("a" * 10_001)
    many = recipients.typed(", ".join(f"a{number}@x.example" for number in range(101)))
    broken = recipients.typed(",".join(f"x{number}" for number in range(50)))

    assert (long.addresses, len(long.faults)) == ((), 1)
    assert (len(many.addresses), many.faults) == (
        100,
        ("These are too many: a mail goes to 100 recipients at most.",),
    )
    assert len(broken.faults) == recipients.FAULTS + 1


@pytest.mark.parametrize(
    ("own", "address", "is_ours"),
    [
        ("me@x.example", "ME+shop@X.example", True),
        ("me@x.example", "m.e@x.example", False),
        ("adak@gmail.com", "Ada.K@googlemail.com", True),
        ("ada.k@googlemail.com", "adak+list@gmail.com", True),
        ("ada.k@gmail.com", "adak@x.example", False),
        ("ada.k@x.example", "ada.k@gmail.com", False),
    ],
)
def test_spellings_of_ones_own_address_are_known(own: str, address: str, *, is_ours: bool) -> None:
    """Case and tags everywhere; at Google, where it is one mailbox, dots and both domains too."""
    assert recipients.is_among(address, recipients.keys([own])) is is_ours


def test_fields_hold_each_address_once() -> None:
    """To wins over Cc, Cc over Bcc, the first over the next."""
    one, again, other = Address("A", "a@x.example"), Address("", "A@X.EXAMPLE"), Address("", "b@x.example")

    assert recipients.merged((one, again), (other, again), (other, one)) == ((one,), (other,), ())


def test_a_domain_that_looks_like_another_is_not_spelled_out() -> None:
    """Its letters would pass for Latin ones."""
    assert recipients.shown(Address("", "a@xn--80ak6aa92e.com")) == "a@xn--80ak6aa92e.com"


SIGNS = ["&lt;", "&amp;", "mailto:", "x.example", "a@x.example", "Ana", "=?utf-8?q?x?="]
PIECES = st.sampled_from([*"\"<>,;:@ \n()\\|\u200b＠[]aé.'\0", *SIGNS])


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=200))
def test_what_is_shown_is_read_again(text: str) -> None:
    """Whatever was typed: the addresses found in it fill a form that holds the same ones."""
    found = recipients.typed(text)

    assert recipients.typed(", ".join(map(recipients.shown, found.addresses))) == Typed(found.addresses)
    assert all(
        not checks.has_controls(one.address) and one.address.count("@") == 1 for one in found.addresses
    )
    assert all(not checks.has_controls(fault) and len(fault) < 300 for fault in found.faults)
