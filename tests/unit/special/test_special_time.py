"""Special mail costs in proportion to its size, too: twice the octets, at most two and a half times the work."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tests.fakes.hostile_mail import HEAD, Attack
from tests.unit.special import outlook_files as made
from tests.unit.test_linear_time import cost

if TYPE_CHECKING:
    from collections.abc import Callable

CALENDAR = HEAD + b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR\n"
EVENT = b"BEGIN:VEVENT\nDTSTART:20261126T130000Z\nSUMMARY:x\n"
END = b"END:VEVENT\n"
REPORT = b"From: MAILER-DAEMON@b.c\nSubject: failure notice\n"
ZONE = (
    b"BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=1SU\nEND:STANDARD\n"
)
TNEF = HEAD + b"Content-Type: application/ms-tnef\n\n"


def winmail(make: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Mails with a winmail.dat of such attributes."""
    return lambda n: TNEF + made.winmail(make(n))


def rich(text: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Mails whose text is such RTF."""
    return winmail(
        lambda n: made.attribute(
            made.MESSAGE, made.properties((0x1009, 0x102, made.rtf(b"{\\rtf1" + text(n))))
        )
    )


ATTACKS = [
    Attack("attendees", lambda n: CALENDAR + EVENT + b"ATTENDEE:mailto:a@b.c\n" * n + END, 5_500),
    Attack("attendees of 50 events", lambda n: CALENDAR + (EVENT + b"ATTENDEE:a@b.c\n" * (n // 50) + END) * 50, 4_000),
    Attack("events", lambda n: CALENDAR + (EVENT + END) * n, 2_000),
    Attack("open events", lambda n: CALENDAR + b"BEGIN:VEVENT\n" * n, 9_000),
    Attack("open components", lambda n: CALENDAR + EVENT + b"BEGIN:A\n" * n, 12_000),
    Attack("days of a rule", lambda n: CALENDAR + EVENT + b"RRULE:FREQ=WEEKLY;BYDAY=" + b"MO," * n + b"MO\n" + END, 20_000),
    Attack("dates left out", lambda n: CALENDAR + EVENT + b"EXDATE:" + b"20261126T130000Z," * n + b"\n" + END, 6_000),
    Attack("parameters", lambda n: CALENDAR + EVENT + b"ORGANIZER" + b";CN=x" * n + b":a@b.c\n" + END, 20_000),
    Attack("rules of a zone", lambda n: CALENDAR + b"BEGIN:VTIMEZONE\nTZID:x\n" + ZONE * n + EVENT + END, 1_000),
    Attack("folded title", lambda n: CALENDAR + EVENT + b"SUMMARY:x\n" + b" x\n" * n + END, 40_000),
    Attack("attributes", winmail(lambda n: made.attribute(1, b"x") * n), 200_000),
    Attack("nested winmail", winmail(lambda n: (made.attribute(made.START, b"x") + struct.pack("<BHHI", 2, made.DATA, 0, 1 << 30) + made.winmail()) * n), 3_000),
    Attack("braces", rich(lambda n: b"{" * n), 200_000),
    Attack("escaped letters", rich(lambda n: b"\\'e4{}" * n), 40_000),
    Attack("slashes", rich(lambda n: b"\\" * n), 200_000),
    Attack("ways to leave", lambda n: HEAD + b"List-Unsubscribe: <https://a.b/>\n" * n + b"\nx", 10_000),
    Attack("brackets to leave", lambda n: HEAD + b"List-Unsubscribe: " + b"<" * n + b"\n\nx", 16_000),
    Attack("verdicts", lambda n: HEAD + b"Authentication-Results: a; " + b"(" * n + b"\n\nx", 16_000),
    Attack("armours", lambda n: HEAD + b"\n" + b"-----BEGIN PGP SIGNED MESSAGE-----\n" * n, 10_000),
    Attack("statuses", lambda n: HEAD + b"Content-Type: message/delivery-status\n\n" + b"\nFinal-Recipient: rfc822; a@b.c\nAction: failed\n" * n, 4_000),
    Attack("addresses of a report", lambda n: REPORT + b"\n" + b"a@b.c " * n, 5_000),
    Attack("at signs", lambda n: REPORT + b"\n" + b"@" * n, 30_000),
    Attack("empty lines of a report", lambda n: REPORT + b"\n" + b"x\n\n" * n, 10_000),
    Attack("recipients of a report", lambda n: REPORT + b"\n" + b"<a@b.c>:\n" * n, 5_000),
    Attack("a digest", lambda n: HEAD + b"Content-Type: multipart/digest; boundary=b\n\n" + b"--b\n\nFrom: a@b.c\n\nx\n" * n, 900),
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_work_grows_with_size(attack: Attack) -> None:
    """No special mail takes time out of proportion, and none of these comes near the limit of two seconds."""
    single, double = attack.make(attack.size), attack.make(2 * attack.size)

    # Other work on the machine may spoil one measurement, not three in a row.
    assert any(cost(double) <= min(2.5 * cost(single), 1.5) for _ in range(3))
