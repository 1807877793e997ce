"""Real mails: each becomes a valid post.

The mails are read from the folder that MAILBOX_CORPUS names, one that holds a `manifest.jsonl`; without it, from
where a full checkout has them beside the repository.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.mail.renderer import Renderer
from storage.records import Shape
from tests.fakes.block_rules import problems, text_problems

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
            own_address="ada@home.example",
        )
        found = problems(post.blocks) + text_problems(post.text)
        found += ["not shown"] if "could not be shown" in post.text and not name.endswith(".dat") else []
        wrong |= {name: found} if found else {}
    await renderer.close()

    assert wrong == {}
