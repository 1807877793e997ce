"""Composing: mails a second beside the standard library's `EmailMessage` making the same ones, and time by size.

    python bench/composing.py [--rounds 5]

The library is given the plain text and the page ready made; ours makes both from Slack's rich text first. Both make the
header, the alternatives, the attachment and the octets. Each figure is the best of the rounds, in turn within one run.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import formataddr
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.pop3 import machine
from bot.mail import slack_text
from bot.mail.compose import compose, seven_bit
from bot.mail.content import Address, Attachment
from bot.mail.letters import Written

if TYPE_CHECKING:
    from collections.abc import Callable

MEGABYTE: Final = 1024 * 1024
SECONDS: Final = 0.5
PARAGRAPH: Final = (
    "Thank you for the plans; the second page is what we meant, and Jürgen reads it till Friday. "
)


def block(octets: int) -> dict[str, Any]:
    """Rich text of about so many octets, with a list and some bold words."""
    text = PARAGRAPH * (octets // len(PARAGRAPH) // 2)
    rows = [text[at : at + 200] for at in range(0, len(text), 200)]
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": row}]} for row in rows]
    bold = {"type": "text", "text": "Hello Ana", "style": {"bold": True}}
    section = {"type": "rich_text_section", "elements": [bold, {"type": "text", "text": f"\n\n{text}\n"}]}
    return {"type": "rich_text", "elements": [section, {"type": "rich_text_list", "elements": items}]}


def mail(text: dict[str, Any], octets: int) -> Written:
    """An answer to three people, with an attachment of so many octets."""
    file = Attachment("Pläne.pdf", "application/pdf", bytes(range(256)) * (octets // 256))
    return Written(
        sender=Address("Müller, Bob", "bob@home.example"),
        to=(Address("Ana Doe", "ana@x.example"), Address("Doe, Carl", "carl@x.example")),
        cc=(Address("", "list@y.example"),),
        subject="Re: Pläne für Freitag",
        text=text,
        names={},
        signature="Bob\nHome Ltd",
        quote="",
        attachments=(file,) if octets else (),
        references=("<1@x.example>", "<2@x.example>"),
        message_id="<3@home.example>",
        date=datetime(2026, 11, 23, 13, 0, tzinfo=UTC),
    )


def by_library(written: Written, plain: str, page: str) -> bytes:
    """The same mail by the standard library."""
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = formataddr((written.sender.name, written.sender.address))
    made["To"] = ", ".join(formataddr((each.name, each.address)) for each in written.to)
    made["Cc"] = ", ".join(each.address for each in written.cc)
    made["Subject"] = written.subject
    made["Date"] = written.date
    made["Message-ID"] = written.message_id
    made["In-Reply-To"] = written.references[-1]
    made["References"] = " ".join(written.references)
    made.set_content(plain, cte="8bit")
    made.add_alternative(page, subtype="html", cte="8bit")
    for each in written.attachments:
        made.add_attachment(each.octets, maintype="application", subtype="pdf", filename=each.name)
    return made.as_bytes()


def cost(make: Callable[[], object]) -> float:
    """Seconds of processor time for one, over a good while."""
    count, start = 0, time.process_time()
    while time.process_time() - start < SECONDS:
        make()
        count += 1
    return (time.process_time() - start) / count


def compare(label: str, written: Written, rounds: int) -> None:
    """Ours, ours for servers of seven bits, and the library's."""
    words = slack_text.read(written.text, {})
    octets = compose(written)
    makers: dict[str, Callable[[], object]] = {
        "ours": lambda: compose(written),
        "7 bit": lambda: seven_bit(octets),
        "library": lambda: by_library(written, words.plain, words.html),
    }
    best = dict.fromkeys(makers, float("inf"))
    for _ in range(rounds):
        best = {name: min(best[name], cost(make)) for name, make in makers.items()}
    ratio = best["library"] / best["ours"]
    print(
        f"{label:26} {len(octets):>10} octets  ours {1 / best['ours']:9.1f}/s  library {1 / best['library']:9.1f}/s"
        f"  library/ours {ratio:5.2f}  7 bit {1 / best['7 bit']:9.1f}/s"
    )


def grow(label: str, make: Callable[[int], Written], sizes: tuple[int, ...]) -> None:
    """Time by size: milliseconds for each, and how much more a doubling costs."""
    spent = [min(cost(partial(compose, make(size))) for _ in range(3)) for size in sizes]
    growth = [after / before for before, after in pairwise(spent)]
    print(f"{label:26} " + "  ".join(f"{each * 1000:.2f} ms" for each in spent))
    print(f"{'  twice the size costs':26} " + "  ".join(f"{each:.2f}" for each in growth))


def main() -> None:
    """All parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{machine()}\n")
    compare("text of 2 KB", mail(block(2000), 0), rounds)
    compare("2 KB and a file of 10 MB", mail(block(2000), 10 * MEGABYTE), rounds)
    print()
    grow(
        "file of 2 to 16 MB",
        lambda size: mail(block(2000), size),
        tuple(2**n * MEGABYTE for n in (1, 2, 3, 4)),
    )
    grow("text of 8 to 64 KB", lambda size: mail(block(size), 0), tuple(2**n * 1024 for n in (3, 4, 5, 6)))


if __name__ == "__main__":
    main()
