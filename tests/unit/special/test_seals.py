"""Encrypted and signed mail is said to be so; what is signed in the clear reads like any mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import cms
from bot.mail.message import parse
from bot.mail.special import Sealing

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNED_TEXT = (
    "Before\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello,\n- -- \nAda\n"
    "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEB\n=abcd\n-----END PGP SIGNATURE-----\nAfter\n"
)
SECRET = "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n=abcd\n-----END PGP MESSAGE-----\n"


def multipart(kind: str, *parts: str) -> bytes:
    """A mail of parts."""
    body = "".join(f"--b\n{part}\n" for part in parts)
    return (
        f"From: a@b.example\nSubject: x\nContent-Type: multipart/{kind}; boundary=b\n\n{body}--b--\n".encode()
    )


def test_smime_signed() -> None:
    """The content stands as it is; the signature is a quiet file."""
    octets = multipart(
        'signed; protocol="application/pkcs7-signature"',
        "Content-Type: text/plain\n\nHello",
        "Content-Type: application/pkcs7-signature; name=smime.p7s\nContent-Transfer-Encoding: base64\n\nMIIB",
    )
    message = parse(octets)

    assert [body.plain for body in message.bodies] == ["Hello"]
    assert [(seal.sealing, seal.files) for seal in message.special.seals] == [
        (Sealing.SMIME_SIGNED, ("smime.p7s",))
    ]
    assert [each.is_quiet for each in message.attachments] == [True]


def test_pgp_encrypted() -> None:
    """An encrypted mail is its file; the part that says only a version is left out."""
    octets = multipart(
        'encrypted; protocol="application/pgp-encrypted"',
        "Content-Type: application/pgp-encrypted\n\nVersion: 1",
        f"Content-Type: application/octet-stream; name=encrypted.asc\n\n{SECRET}",
    )
    message = parse(octets)

    assert [seal.sealing for seal in message.special.seals] == [Sealing.PGP_ENCRYPTED]
    assert [each.name for each in message.attachments] == ["encrypted.asc"]


@pytest.mark.parametrize(
    ("parameters", "octets", "sealing"),
    [
        ("; smime-type=enveloped-data", "MIIB", Sealing.SMIME_ENCRYPTED),
        ("; smime-type=signed-data", "MIIB", Sealing.SMIME_OPAQUE),
        ("", "MIIB", Sealing.SMIME_ENCRYPTED),
        ("", "MIAGCSqGSIb3DQEHAqCA", Sealing.SMIME_OPAQUE),
    ],
)
def test_smime(parameters: str, octets: str, sealing: Sealing) -> None:
    """Encrypted and wrapped in a signature are told apart, by the label or else by the octets."""
    kind = f"Content-Type: application/pkcs7-mime{parameters}; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n"
    message = parse(f"From: a@b.example\n{kind}{octets}".encode())

    assert [seal.sealing for seal in message.special.seals] == [sealing]


def der(tag: int, *inner: bytes) -> bytes:
    """An element with its length."""
    content = b"".join(inner)
    return bytes([tag, 0x83]) + len(content).to_bytes(3, "big") + content


def ber(tag: int, *inner: bytes) -> bytes:
    """An element that ends with two zero octets."""
    return bytes([tag, 0x80]) + b"".join(inner) + b"\0\0"


@pytest.mark.parametrize("element", [der, ber], ids=["with lengths", "without lengths"])
def test_opaque(element: Callable[..., bytes]) -> None:
    """What a signature wraps is shown as the mail that it is, files included."""
    wrapped = multipart("mixed", "Content-Type: text/plain\n\nHello", "Content-Type: a/b; name=a.txt\n\nx")
    pieces = [der(4, wrapped[at : at + 50]) for at in range(0, len(wrapped), 50)]
    string = der(4, wrapped) if element is der else ber(0x24, *pieces)
    signed_data, data = (bytes.fromhex(f"06092a864886f70d01070{kind}") for kind in (2, 1))
    signed = element(
        0x30, der(2, b"\1"), element(0x31, element(0x30, data)), element(0x30, data, element(0xA0, string))
    )
    octets = element(0x30, signed_data, element(0xA0, signed))
    head = (
        b"From: a@b.example\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n\n"
    )

    message = parse(head + octets)

    assert [body.plain for body in message.bodies] == ["Hello"]
    assert [(each.name, each.is_quiet) for each in message.attachments] == [
        ("smime.p7m", True),
        ("a.txt", False),
    ]
    assert [seal.sealing for seal in message.special.seals] == [Sealing.SMIME_SIGNED]


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_wrapped_never_raises(octets: bytes) -> None:
    """No octets make the way to the content fail."""
    cms.content(octets)
    cms.content(b"\x30\x80\x06\x01x\xa0\x80\x30\x80" + octets)


def test_clear_signed() -> None:
    """The armour is gone from the text, the dashes it put in as well; the whole is kept in a quiet file."""
    message = parse(f"From: a@b.example\n\n{SIGNED_TEXT}".encode())

    assert [body.plain for body in message.bodies] == ["Before\nHello,\n-- \nAda\nAfter\n"]
    (file,) = message.attachments
    assert file.is_quiet
    assert file.octets.startswith(b"-----BEGIN PGP SIGNED")
    assert [seal.sealing for seal in message.special.seals] == [Sealing.PGP_SIGNED]


def test_encrypted_text() -> None:
    """An encrypted text becomes a file that is listed; what stands around it stays."""
    message = parse(f"From: a@b.example\n\n{SECRET}\nBye".encode())

    assert [(body.plain or "").strip() for body in message.bodies] == ["Bye"]
    assert [(each.name, each.is_quiet) for each in message.attachments] == [("encrypted text.asc", False)]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: x\n\nnever closed",
        "> -----BEGIN PGP MESSAGE-----\n> x\n> -----END PGP MESSAGE-----",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\nx\n-----END PGP PUBLIC KEY BLOCK-----",
    ],
)
def test_no_armour(text: str) -> None:
    """What is quoted, open or a key stays as it stands."""
    message = parse(f"From: a@b.example\n\n{text}".encode())

    assert [body.plain for body in message.bodies] == [text]
    assert message.special.seals == ()


@given(st.lists(st.sampled_from([*SIGNED_TEXT.splitlines(), *SECRET.splitlines(), "", "x"]), max_size=30))
@settings(max_examples=100, deadline=None)
def test_never_raises(rows: list[str]) -> None:
    """No order of armour lines makes it fail."""
    parse(("From: a@b.example\n\n" + "\n".join(rows)).encode())
