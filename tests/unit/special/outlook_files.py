"""winmail.dat files, made attribute by attribute."""

from __future__ import annotations

import struct

from bot.mail.tnef import SIGNATURE

START, TITLE, DATA, FILE, MESSAGE, BODY = 0x9002, 0x8010, 0x800F, 0x9005, 0x9003, 0x800C


def attribute(name: int, value: bytes) -> bytes:
    """One attribute, its checksum left out."""
    return struct.pack("<BHHI", 1, name, 0, len(value)) + value + b"\0\0"


def properties(*each: tuple[int, int, bytes]) -> bytes:
    """Properties of variable length: id, type, value."""
    rows = [
        struct.pack("<HHII", kind, name, 1, len(value)) + value + b"\0" * (-len(value) % 4)
        for name, kind, value in each
    ]
    return struct.pack("<I", len(rows)) + b"".join(rows)


def winmail(*attributes: bytes) -> bytes:
    """A whole file."""
    return SIGNATURE + b"\x01\0" + b"".join(attributes)


def rtf(text: bytes) -> bytes:
    """RTF as it stands in a property, not compressed."""
    return struct.pack("<II4sI", len(text) + 12, len(text), b"MELA", 0) + text


def mail(octets: bytes, text: str = "") -> bytes:
    """A mail with the file beside a text."""
    head = b"From: a@b.example\nSubject: x\nContent-Type: multipart/mixed; boundary=b\n\n"
    part = f"--b\nContent-Type: text/plain\n\n{text}\n".encode() if text else b""
    return (
        head
        + part
        + b'--b\nContent-Type: application/ms-tnef; name="winmail.dat"\n\n'
        + octets
        + b"\n--b--\n"
    )


WHOLE = winmail(
    attribute(
        MESSAGE,
        properties(
            (0x1009, 0x102, rtf(b"{\\rtf1\\ansi{\\fonttbl x;}Gr\\'fc\\'dfe\\par {\\b bold} \\u8364?}"))
        ),
    ),
    attribute(START, b"x"),
    attribute(TITLE, b"PLAN~1.DOC\0"),
    attribute(DATA, b"content"),
    attribute(FILE, properties((0x3707, 0x1F, "Plan für alle.doc\0".encode("utf-16-le")))),
    attribute(START, b"x"),
    attribute(TITLE, b"evil\0"),
    attribute(DATA, b"MZ"),
    attribute(FILE, properties((0x3707, 0x1F, "../gpj.\u202eexe\0".encode("utf-16-le")))),
)
