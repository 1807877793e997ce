"""What Outlook wraps in winmail.dat comes out as text and files; what only looks like one does no harm."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import rtf, tnef
from bot.mail.message import parse
from tests.unit.special import outlook_files as made

if TYPE_CHECKING:
    from collections.abc import Callable


def test_contents() -> None:
    """The letter and the files are the mail's own; names are safe, and one that hides its kind is marked."""
    message = parse(made.mail(made.WHOLE))

    (body,) = message.bodies
    assert body.plain == "Grüße\nbold €"
    assert [(each.name, each.octets, each.is_disguised) for each in message.attachments] == [
        ("Plan für alle.doc", b"content", False),
        ("_gpj.exe", b"MZ", True),
    ]
    assert message.special.is_unpacked


def test_own_text_wins() -> None:
    """A mail that has a text of its own shows that one."""
    message = parse(made.mail(made.WHOLE, "The same, plain"))

    assert [body.plain for body in message.bodies] == ["The same, plain"]


def test_html_in_rtf() -> None:
    """The page that Outlook wrapped in RTF is found again, without RTF's copy of it."""
    text = (
        rb"{\rtf1\ansi\ansicpg1252\fromhtml1 {\*\htmltag18 <html>}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 "
        rb"Gr\'fc\'dfe & <mehr>\htmlrtf\par}\htmlrtf0 {\*\htmltag72 </p>}{\*\htmltag27 </html>}}"
    )

    assert rtf.texts(text) == ("", "<html><p>Grüße &amp; &lt;mehr&gt;</p></html>")


def test_compressed() -> None:
    """The example of [MS-OXRTFCP] section 3.1."""
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )

    assert rtf.unpacked(packed) == rb"{\rtf1\ansi\ansicpg1252\pard hello world}" + b"\r\n"


def test_message_within() -> None:
    """A message that Outlook put into a message gives its text and its files."""
    inner = made.winmail(
        made.attribute(
            made.MESSAGE,
            made.properties((0x0037, 0x1F, "Inner\0".encode("utf-16-le")), (0x1000, 0x1E, b"Hello\0")),
        ),
        made.attribute(made.START, b"x"),
        made.attribute(made.TITLE, b"a.txt\0"),
        made.attribute(made.DATA, b"a"),
    )
    outer = made.winmail(
        made.attribute(made.START, b"x"),
        made.attribute(made.FILE, made.properties((0x3701, 0x0D, b"i" * 16 + inner))),
    )

    found = tnef.contents(outer)

    assert found is not None
    assert [(file.name, file.octets) for file in found.files] == [("Inner.txt", b"Hello"), ("a.txt", b"a")]


@pytest.mark.parametrize(
    "octets", [b"", b"x", tnef.SIGNATURE, tnef.SIGNATURE + b"\0" * 50, made.winmail(b"garbage" * 100)]
)
def test_nothing_within(octets: bytes) -> None:
    """A file that is none, or holds nothing, stays the attachment that it is."""
    assert tnef.contents(octets) is None
    message = parse(made.mail(octets, "x"))
    assert [each.name for each in message.attachments] == ["winmail.dat"]
    assert not message.special.is_unpacked


_COUNT = struct.pack("<I", 0xFFFFFFFF)
ATTACKS: list[tuple[str, Callable[[int], bytes]]] = [
    ("attributes", lambda n: made.attribute(1, b"x") * n),
    ("files", lambda n: made.attribute(made.START, b"x") * n),
    ("a count of properties", lambda n: made.attribute(made.MESSAGE, _COUNT + b"\0" * n)),
    ("a count of values", lambda n: made.attribute(made.MESSAGE, _COUNT + struct.pack("<HH", 0x101E, 1) + _COUNT + b"\0" * n)),
    ("braces", lambda n: made.attribute(made.MESSAGE, made.properties((0x1009, 0x102, made.rtf(b"{\\rtf1" + b"{" * n))))),
    ("a size of RTF", lambda n: made.attribute(made.MESSAGE, made.properties((0x1009, 0x102, struct.pack("<II4sI", 1, 0xFFFFFFFF, b"LZFu", 0) + b"\xff\x0c\xf0" * n)))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make"), ATTACKS, ids=[name for name, _ in ATTACKS])
def test_counts_are_not_believed(name: str, make: Callable[[int], bytes]) -> None:
    """A count in a file that is larger than the file costs no time."""
    start = time.process_time()
    tnef.contents(made.winmail(make(200_000)))

    assert time.process_time() - start < 2


@given(st.integers(0, len(made.WHOLE)), st.binary(max_size=40), st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_never_raises(at: int, put: bytes, after: bytes) -> None:
    """No damaged file and no RTF makes it fail."""
    tnef.contents(made.WHOLE[:at] + put + made.WHOLE[at:])
    tnef.contents(made.WHOLE[:at] + after)
    rtf.texts(b"{\\rtf1" + after)
    rtf.texts(b"{\\rtf1\\fromhtml" + after)
    rtf.unpacked(b"\0" * 8 + b"LZFu\0\0\0\0" + after)
