"""What an answer needs of hostile mail costs in proportion to its size, too."""

from __future__ import annotations

import gc
import time
from datetime import UTC, datetime

import pytest

from bot.mail import answering, recipients, render_child
from bot.mail.content import Arrival
from bot.mail.frames import Mode, Request
from bot.mail.letters import LetterKind
from storage.records import Shape
from tests.fakes.hostile_mail import HEAD, Attack

ARRIVAL = Arrival(Shape.WHOLE, 0, datetime(2026, 11, 23, tzinfo=UTC), None, "a@b.c")
FLOOR = 0.05
ATTACKS = [
    Attack("recipients", lambda n: b"To: " + b"ab@c.example," * n + b"\n" + HEAD + b"\nx", 2_000),
    Attack("foreign recipients", lambda n: b"Cc: " + "é@é.é,".encode() * n + b"\n" + HEAD + b"\nx", 3_000),
    Attack("followers", lambda n: b"Mail-Followup-To: " + b"a@b.c," * n + b"\n" + HEAD + b"\nx", 1_200),
    Attack("lists", lambda n: HEAD + b"List-Post: <mailto:a@b.c>\n" * n + b"\nx", 4_000),
    Attack("prefixes", lambda n: HEAD + b"Subject: " + b"Re: " * n + b"\n\nx", 2_000),
    Attack("tags", lambda n: HEAD + b"Subject: " + b"[a] " * n + b"\n\nx", 2_000),
    Attack("quotes", lambda n: HEAD + b"\n" + b"> > >> x\n" * n, 10_000),
    Attack("quote marks", lambda n: HEAD + b"\n" + b">" * n, 90_000),
    Attack("spaces", lambda n: HEAD + b"\n" + b" " * n + b"x", 90_000),
    Attack("characters of four octets", lambda n: HEAD + b"\n" + "😀".encode() * n, 40_000),
]


def cost(octets: bytes) -> float:
    """Seconds of processor time that an original and its answers take, at best."""
    spent = []
    gc.disable()
    try:
        for _ in range(3):
            start = time.process_time()
            found = render_child.rendered(Request(octets, ARRIVAL, Mode.ORIGINAL)).original
            for kind in LetterKind:
                answering.answered(kind, found, ["a@b.c"])
            spent.append(time.process_time() - start)
    finally:
        gc.enable()
    return max(min(spent), FLOOR)


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_an_answer_takes_time_in_proportion(attack: Attack) -> None:
    """Twice the octets, at most two and a half times the work."""
    single, double = attack.make(attack.size), attack.make(2 * attack.size)

    # Other work on the machine may spoil some measurements, not all of them.
    assert any(cost(double) <= min(2.5 * cost(single), 1.5) for _ in range(4))


SIGNS = [
    '"',
    "<",
    ">",
    "(",
    "[",
    ":",
    "@",
    " ",
    "\u200b",
    "&amp;",
    "&",
    '"\n',
    "a:",
    "<mailto:",
    "a@b",
    "“",
    "é@é.é,",
]


@pytest.mark.parametrize("sign", SIGNS, ids=map(repr, SIGNS))
def test_typing_takes_time_in_proportion(sign: str) -> None:
    """A field full of any sign is read at once, and what is longer is not read."""
    start = time.process_time()
    for text in (
        sign * (recipients.CHARACTERS // len(sign)),
        f"{sign * 3000} a@x.example",
        sign * 10_000_000,
    ):
        recipients.typed(text)

    assert time.process_time() - start < 1.5
