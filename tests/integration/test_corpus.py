"""Real mails: each becomes a valid post, and can be answered.

The mails are read from the folder that MAILBOX_CORPUS names, one that holds a `manifest.jsonl`; without it, from
where a full checkout has them beside the repository.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.mail import answering, originals, recipients
from bot.mail.content import Arrival
from bot.mail.frames import Mode
from bot.mail.letters import LetterKind
from bot.mail.message import REFERENCES
from bot.mail.renderer import Renderer
from bot.slack.checks import has_controls
from storage.records import Shape
from tests.fakes.block_rules import problems, text_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.mail.letters import Original

OWN = "ada@home.example"
BESIDE = Path(__file__).parents[3] / "shared" / "data" / "mails"
HEADS = {
    "html": b"From: ada@home.example\nSubject: A page\nContent-Type: text/html\n\n",
    "text": b"From: ada@home.example\nSubject: A text\nContent-Type: text/plain; charset=utf-8\n\n",
}


@pytest.fixture
def mails() -> list[tuple[str, bytes]]:
    """The names and octets of all mails; a page or a text becomes the body of one."""
    folder = Path(os.environ.get("MAILBOX_CORPUS") or BESIDE)
    if not (folder / "manifest.jsonl").exists():
        pytest.skip(f"no mails in {folder}: set MAILBOX_CORPUS")
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    return [(row["file"], HEADS.get(row["kind"], b"") + (folder / row["file"]).read_bytes()) for row in rows]


async def test_every_real_mail_becomes_a_valid_post(mails: list[tuple[str, bytes]]) -> None:
    """No real mail is refused, none is shown by a card of last resort, and every post is one that Slack takes."""
    renderer = Renderer()
    wrong: dict[str, list[str]] = {}
    for name, octets in mails:
        post = await renderer.render(
            octets,
            shape=Shape.WHOLE,
            listed_octets=len(octets),
            received_at=datetime(2026, 11, 23, tzinfo=UTC),
            mailbox_name="Work",
            own_address=OWN,
        )
        found = problems(post.blocks) + text_problems(post.text)
        found += ["not shown"] if "could not be shown" in post.text and not name.endswith(".dat") else []
        wrong |= {name: found} if found else {}
    await renderer.close()

    assert wrong == {}


async def test_every_real_mail_can_be_answered(mails: list[tuple[str, bytes]]) -> None:
    """Each gives an original within its bounds, and answers whose recipients a form can hold."""
    renderer = Renderer()
    wrong: dict[str, list[str]] = {}
    seen: Counter[str] = Counter()
    for name, octets in mails:
        arrival = Arrival(Shape.WHOLE, len(octets), datetime(2026, 11, 23, tzinfo=UTC), None, OWN)
        read = await renderer.read(octets, arrival, Mode.ORIGINAL)
        original = read.original if read else None
        found = ["no original"] if original is None else [*_over(original), *_unfit(original, seen)]
        wrong |= {name: found} if found else {}
    await renderer.close()

    print(dict(seen))  # noqa: T201 - shown with -s
    assert wrong == {}


def _over(original: Original) -> Iterator[str]:
    """What is over its bound."""
    for field in (original.to, original.cc, original.reply_to, original.followup_to):
        if len(field) > originals.ADDRESSES:
            yield "too many addresses"
    if len(original.text) > originals.TEXT_UNITS or len(original.references) > REFERENCES:
        yield "too long"


def _unfit(original: Original, seen: Counter[str]) -> Iterator[str]:
    """What no form or header could hold of its answers."""
    for kind in LetterKind:
        found = answering.answered(kind, original, [OWN])
        everybody = (*found.to, *found.cc)
        again = recipients.typed(", ".join(map(recipients.shown, everybody)))
        seen.update(
            {kind: 1, f"{kind} to somebody": bool(everybody), f"{kind} with a quote": bool(found.quote)}
        )
        if [one.address for one in again.addresses] != [one.address for one in everybody] or again.faults:
            yield f"{kind}: recipients"
        if has_controls(found.subject) or any(has_controls(one) or " " in one for one in found.references):
            yield f"{kind}: subject or references"
        if len(found.quote) > answering.QUOTE_UNITS and kind is not LetterKind.FORWARD:
            yield f"{kind}: quote"
    seen["reply all offered"] += answering.may_reply_all(original, [OWN])
