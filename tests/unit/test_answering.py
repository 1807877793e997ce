"""Answers: to whom they go, which thread they join, what they quote."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import answering, message, originals, recipients
from bot.mail.content import Address
from bot.mail.letters import LetterKind, Original

OWN = ("me@own.example", "Ada.K@Own.example")
DATE = datetime(2026, 8, 3, 10, 12, tzinfo=timezone(timedelta(hours=1)))
END = "Subject: x\nMessage-ID: <1@x>\n\nHello\n"
AUTO = "Return-Path: <>\n"
POST = "List-Post: <mailto:list@l.example>\n"

EMPTY = Original("", "", (), "", None, None, (), (), (), (), "", "", is_cut=False, attachments=())


def read(header: str, body: str = "Hello") -> Original:
    """What an answer needs of a mail with such a header."""
    octets = f"{header}Subject: x\nMessage-ID: <1@x>\n\n{body}\n".encode()
    return originals.original(message.parse(octets), octets)


def names(addresses: tuple[Address, ...]) -> str:
    """The addresses in a line."""
    return " ".join(one.address for one in addresses)


def sent(header: str, kind: LetterKind) -> tuple[str, str]:
    """Where an answer to a mail with such a header goes."""
    found = answering.answered(kind, read(header), OWN)
    return names(found.to), names(found.cc)


ROWS = {
    "from alone": ("From: a@x.example\nTo: me@own.example\n", "a@x.example", "a@x.example", ""),
    "others": (
        "From: a@x.example\nTo: me@own.example, b@x.example\nCc: c@x.example\n",
        "a@x.example",
        "a@x.example b@x.example",
        "c@x.example",
    ),
    "reply-to": (
        "From: a@x.example\nReply-To: r@x.example, s@x.example\nTo: b@x.example\n",
        "r@x.example s@x.example",
        "r@x.example s@x.example b@x.example",
        "",
    ),
    "reply-to of oneself": (
        "From: a@x.example\nReply-To: me@own.example\n",
        "a@x.example",
        "a@x.example",
        "",
    ),
    "reply-to that names nobody": ("From: a@x.example\nReply-To: root\n", "a@x.example", "a@x.example", ""),
    "no from": ("Reply-To: r@x.example\nTo: me@own.example\n", "r@x.example", "r@x.example", ""),
    "nobody": ("To: me@own.example\n", "", "", ""),
    "nobody to others": (
        "To: me@own.example, b@x.example\nCc: c@x.example\n",
        "",
        "b@x.example",
        "c@x.example",
    ),
    "author without a usable address": (
        "From: John Doe\nTo: me@own.example, b@x.example\n",
        "",
        "b@x.example",
        "",
    ),
    "author whose name has a bare comma": (
        "From: Doe, John <a@x.example>\nTo: me@own.example, b@x.example\n",
        "a@x.example",
        "a@x.example b@x.example",
        "",
    ),
    "two authors": (
        "From: a@x.example, d@x.example\nTo: me@own.example\n",
        "a@x.example d@x.example",
        "a@x.example d@x.example",
        "",
    ),
    "oneself and another author": (
        "From: me@own.example, d@x.example\nTo: b@x.example\n",
        "d@x.example",
        "d@x.example b@x.example",
        "",
    ),
    "case and tags": (
        "From: a@x.example\nTo: ME@OWN.EXAMPLE, me+shop@own.example, ada.k@own.example\nCc: A@X.example\n",
        "a@x.example",
        "a@x.example",
        "",
    ),
    "a tag of somebody else": (
        "From: a@x.example\nTo: other+me@own.example\n",
        "a@x.example",
        "a@x.example other+me@own.example",
        "",
    ),
    "undisclosed": ("From: a@x.example\nTo: undisclosed-recipients:;\n", "a@x.example", "a@x.example", ""),
    "group": (
        "From: a@x.example\nTo: Team: b@x.example, me@own.example;\nCc: Empty:;\n",
        "a@x.example",
        "a@x.example b@x.example",
        "",
    ),
    "own mail": (
        "From: me@own.example\nTo: b@x.example\nCc: c@x.example\n",
        "b@x.example",
        "b@x.example",
        "c@x.example",
    ),
    "own mail to Cc alone": ("From: me@own.example\nCc: c@x.example\n", "c@x.example", "c@x.example", ""),
    "note to oneself": ("From: me@own.example\nTo: me@own.example\n", "me@own.example", "me@own.example", ""),
    "form on one's own site": (
        "From: me@own.example\nReply-To: guest@x.example\nTo: me@own.example\n",
        "guest@x.example",
        "guest@x.example",
        "",
    ),
    "followup-to": (
        "From: a@x.example\nTo: list@l.example\nCc: c@x.example\nMail-Followup-To: list@l.example\n" + POST,
        "a@x.example",
        "list@l.example",
        "",
    ),
    "followup-to without oneself": (
        "From: a@x.example\nTo: list@l.example\nMail-Followup-To: list@l.example, me@own.example, d@x.example\n",
        "a@x.example",
        "list@l.example d@x.example",
        "",
    ),
    "followup-to of strangers": (
        "From: a@x.example\nTo: b@x.example\nMail-Followup-To: me@own.example, all@victim.example\n",
        "a@x.example",
        "a@x.example b@x.example",
        "",
    ),
    "two followup-tos": (
        "From: a@x.example\nTo: b@x.example\nMail-Followup-To: a@x.example\nMail-Followup-To: b@x.example\n",
        "a@x.example",
        "a@x.example b@x.example",
        "",
    ),
    "list": (
        "From: a@x.example\nTo: list@l.example\n" + POST,
        "a@x.example",
        "a@x.example list@l.example",
        "",
    ),
    "list that is Reply-To": (
        "From: a@x.example\nReply-To: list@l.example\nTo: List@L.example\n" + POST,
        "a@x.example",
        "list@l.example",
        "",
    ),
    "list and author in Reply-To": (
        "From: a via list <list@l.example>\nReply-To: list@l.example, a@x.example\nTo: list@l.example\n"
        + POST,
        "a@x.example",
        "list@l.example a@x.example",
        "",
    ),
    "list in the author's name": (
        "From: a via list <list@l.example>\nReply-To: a@x.example\nTo: list@l.example\n" + POST,
        "a@x.example",
        "a@x.example list@l.example",
        "",
    ),
    "list in the place of the author": (
        "From: a via list <list@l.example>\nReply-To: list@l.example\nTo: list@l.example\nCc: a@x.example\n"
        + POST,
        "list@l.example",
        "list@l.example",
        "a@x.example",
    ),
    "own mail by a list": (
        "From: me@own.example\nReply-To: list@l.example\nTo: list@l.example\n" + POST,
        "list@l.example",
        "list@l.example",
        "",
    ),
    "list to each member by name": (
        "From: a@x.example\nTo: me@own.example\n" + POST,
        "a@x.example",
        "a@x.example",
        "list@l.example",
    ),
    "service that answers are sent to": (
        "From: n@hub.example\nReply-To: re+7@hub.example\nTo: repo@hub.example\nList-Post: <mailto:re+7@hub.example>\n",
        "re+7@hub.example",
        "re+7@hub.example repo@hub.example",
        "",
    ),
    "list that takes no mail": (
        "From: a@x.example\nTo: me@own.example\nList-Post: NO (news alone)\n",
        "a@x.example",
        "a@x.example",
        "",
    ),
    "bounce": (AUTO + "From: mailer-daemon@x.example\nTo: me@own.example, b@x.example\n", "", "", ""),
    "addresses in quotes": (
        'From: Ada <"ada k"@x.example>\nTo: "b, c"@x.example, <"d.e"@x.example>, "me"@own.example\n',
        '"ada k"@x.example',
        '"ada k"@x.example "b, c"@x.example d.e@x.example',
        "",
    ),
    "broken addresses": (
        'From: a@x.example\nTo: root, b@@x.example, "a<b"@x.example, c@x..example, d@x.example\n',
        "a@x.example",
        "a@x.example d@x.example",
        "",
    ),
    "foreign letters": (
        "From: a@bücher.example\nCc: a@xn--bcher-kva.example\n",
        "a@xn--bcher-kva.example",
        "a@xn--bcher-kva.example",
        "",
    ),
}


@pytest.mark.parametrize(("header", "one", "to", "cc"), ROWS.values(), ids=ROWS)
def test_an_answer_goes_to_whom_it_is_for(header: str, one: str, to: str, cc: str) -> None:
    """Whatever lists and programs write, an answer goes to who wrote, and one to all to everybody else once."""
    assert sent(header, LetterKind.REPLY) == (one, "")
    assert sent(header, LetterKind.REPLY_ALL) == (to, cc)


@pytest.mark.parametrize(("header", "one", "to", "cc"), ROWS.values(), ids=ROWS)
def test_reply_all_is_offered_where_it_says_something_else(header: str, one: str, to: str, cc: str) -> None:
    """The button shows where an answer to all goes to others than an answer, and only there."""
    assert answering.may_reply_all(read(header), OWN) is (set(f"{to} {cc}".split()) != set(one.split()))


def test_an_answer_to_a_program_goes_to_nobody_and_says_so() -> None:
    """A bounce is quoted and threaded all the same: its reader may want to write to somebody."""
    found = answering.answered(LetterKind.REPLY, read(AUTO + "From: daemon@x.example\n"), OWN)

    assert (found.to, found.is_automatic, found.references) == ((), True, ("<1@x>",))


def test_a_new_mail_begins_empty() -> None:
    """Nothing of any other mail is in it."""
    assert answering.answered(LetterKind.NEW, None) == answering.answered(
        LetterKind.NEW, read("From: a@x.example\n")
    )


@pytest.mark.parametrize(
    ("subject", "answer", "forward"),
    [
        ("Tea", "Re: Tea", "Fwd: Tea"),
        ("", "Re:", "Fwd:"),
        ("Re: Tea", "Re: Tea", "Fwd: Re: Tea"),
        ("RE: AW: Sv: Tea", "Re: Tea", "Fwd: RE: AW: Sv: Tea"),
        ("Re[2]: 回复：Ответ: Tea", "Re: Tea", "Fwd: Re[2]: 回复：Ответ: Tea"),
        ("[list] Re: [list] Tea", "Re: [list] Tea", "Fwd: [list] Re: [list] Tea"),
        ("Fwd: Re: Tea", "Re: Fwd: Re: Tea", "Fwd: Re: Tea"),
        ("WG: Fwd: Tea", "Re: WG: Fwd: Tea", "Fwd: Tea"),
        ("Reminder: Tea", "Re: Reminder: Tea", "Fwd: Reminder: Tea"),
        ("[a] [b]", "Re: [a] [b]", "Fwd: [a] [b]"),
        ("[a][7]: Tea", "Re: [a][7]: Tea", "Fwd: [a][7]: Tea"),
        ("[a][7] Re: Tea", "Re: [a][7] Tea", "Fwd: [a][7] Re: Tea"),
    ],
)
def test_a_subject_has_one_prefix(subject: str, answer: str, forward: str) -> None:
    """Whatever stands there already, in whatever language."""
    original = replace(EMPTY, subject=subject)

    assert answering.answered(LetterKind.REPLY, original).subject == answer
    assert answering.answered(LetterKind.FORWARD, original).subject == forward


@pytest.mark.parametrize(
    ("own", "answers", "above", "references"),
    [
        ("1@x", "", (), ("<1@x>",)),
        ("1@x", "0@x", (), ("<0@x>", "<1@x>")),
        ("3@x", "2@x", ("1@x", "2@x"), ("<1@x>", "<2@x>", "<3@x>")),
        ("1@x", "", ("1@x", "2@x"), ("<2@x>", "<1@x>")),
        ("", "2@x", ("1@x", "2@x"), ("<1@x>", "<2@x>")),
        ("no id at all", "", ("ä@x", "a b", "<x"), ()),
        (
            "z@x",
            "",
            tuple(f"{n}@x" for n in range(99)),
            ("<0@x>", *(f"<{n}@x>" for n in range(51, 99)), "<z@x>"),
        ),
    ],
)
def test_an_answer_joins_the_thread(
    own: str, answers: str, above: tuple[str, ...], references: tuple[str, ...]
) -> None:
    """References hold the way to the mail, its own id last; of a long way its beginning and its end."""
    original = replace(EMPTY, message_id=own, in_reply_to=answers, references=above)

    assert answering.answered(LetterKind.REPLY, original).references == references
    assert answering.answered(LetterKind.FORWARD, original).references == ()


ADDRESSES = st.builds(
    Address, st.text(max_size=12), st.text(alphabet='ab@.+ "<>\n\0é', max_size=16) | st.just("a@x.example")
)
MANY = st.lists(ADDRESSES, max_size=5).map(tuple)
ORIGINALS = st.builds(
    replace,
    st.just(EMPTY),
    subject=st.text(max_size=60),
    text=st.text(max_size=300),
    reply_to=MANY,
    to=MANY,
    cc=MANY,
    followup_to=MANY,
    list_post=ADDRESSES.map(lambda one: one.address),
)


@settings(max_examples=100, deadline=None)
@given(ORIGINALS, st.sampled_from(LetterKind))
def test_whatever_a_mail_holds_its_answer_can_be_typed(original: Original, kind: LetterKind) -> None:
    """Its recipients are ones a person could have typed, each once, and its subject is one line."""
    found = answering.answered(kind, original, OWN)

    everybody = (*found.to, *found.cc)
    again = recipients.typed(", ".join(map(recipients.shown, everybody)))
    assert (names(again.addresses), again.faults) == (names(everybody), ())
    assert len({recipients.key(one.address) for one in everybody}) == len(everybody)
    assert len(found.subject.splitlines()) <= 1
