"""Encrypted and signed mail: what it is, and clear-signed text without its armour. Pure; linear; never raises.

Covers RFC 8551 and RFC 3156 by their labels, and PGP's own armour within a text. Nothing is decrypted and no signature is
checked: that needs keys and trust that a bot has not.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bot.mail import headers
from bot.mail.content import Attachment, Body
from bot.mail.special import Seal, Sealing

if TYPE_CHECKING:
    from bot.mail.content import Message
    from bot.mail.headers import Header

ARMOURS: Final = 20
SIGNED_TEXT: Final = "signed text.asc"
ENCRYPTED_TEXT: Final = "encrypted text.asc"

_SIGNATURES: Final = {
    "application/pkcs7-signature": Sealing.SMIME_SIGNED,
    "application/x-pkcs7-signature": Sealing.SMIME_SIGNED,
    "application/pgp-signature": Sealing.PGP_SIGNED,
}
_SMIME: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_OPAQUE: Final = frozenset({"signed-data", "compressed-data"})
_BEGIN: Final = re.compile(r"^-----BEGIN PGP (SIGNED MESSAGE|MESSAGE)-----[ \t\r]*$", re.MULTILINE)
_SIGNATURE: Final = "\n-----BEGIN PGP SIGNATURE-----"
_SIGNATURE_END: Final = "\n-----END PGP SIGNATURE-----"
_MESSAGE_END: Final = "\n-----END PGP MESSAGE-----"
_HEADERS_END: Final = re.compile(r"\n[ \t\r]*\n")
_HEADERS_WITHIN: Final = 1000


def sealed(message: Message, header: Header) -> Message:
    """The message with its seals named, its signature files quiet, and its clear-signed text readable."""
    kind, parameters = headers.labelled(header.raw("content-type"))
    is_pgp = kind == "multipart/encrypted" and "pgp" in parameters.get("protocol", "pgp").lower()
    seals: dict[Sealing, list[str]] = {}
    kept: list[Attachment] = []
    for each in message.attachments:
        if is_pgp and each.type == "application/pgp-encrypted" and len(each.octets) < 200:
            continue  # "Version: 1", the same in all such mails
        sealing = _sealing(each, header, is_pgp=is_pgp)
        if sealing:
            seals.setdefault(sealing, []).append(each.name)
        is_signature = each.type in _SIGNATURES
        kept.append(replace(each, is_quiet=True) if is_signature else each)
    bodies = []
    for body in message.bodies:
        found, files = _bared(body, seals)
        bodies += [found] if found else []
        kept += files
    if not seals:
        return message
    special = replace(message.special, seals=tuple(Seal(each, tuple(names)) for each, names in seals.items()))
    return replace(message, bodies=tuple(bodies), attachments=tuple(kept), special=special)


def _sealing(part: Attachment, header: Header, *, is_pgp: bool) -> Sealing | None:
    if part.type in _SIGNATURES:
        return _SIGNATURES[part.type]
    if part.type in _SMIME:
        return _smime(part, header)
    return Sealing.PGP_ENCRYPTED if is_pgp and part.type == "application/octet-stream" else None


def _smime(part: Attachment, header: Header) -> Sealing | None:
    """What an S/MIME part is: by its label where the mail is nothing else, else by its octets."""
    kind, parameters = headers.labelled(header.raw("content-type"))
    label = parameters.get("smime-type", "").lower() if kind in _SMIME else ""
    if label == "certs-only" or part.name.lower().endswith(".p7c"):
        return None
    if not label:
        # The object identifier that the structure begins with: 1.2.840.113549.1.7.2 is signed-data.
        label = (
            "signed-data" if b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" in part.octets[:40] else "enveloped-data"
        )
    return Sealing.SMIME_OPAQUE if label in _OPAQUE else Sealing.SMIME_ENCRYPTED


def _bared(body: Body, seals: dict[Sealing, list[str]]) -> tuple[Body | None, list[Attachment]]:
    """A text without armour and the files that keep what was taken out; None when nothing is left."""
    text = body.plain
    if text is None or "-----BEGIN PGP " not in text:
        return body, []
    pieces: list[str] = []
    files: list[Attachment] = []
    at = 0
    for _ in range(ARMOURS):
        found = _BEGIN.search(text, at)
        if found is None:
            break
        is_signed = found[1] == "SIGNED MESSAGE"
        content, end = _clear(text, found.end()) if is_signed else _closed(text, found.end())
        if end < 0:
            break
        name = SIGNED_TEXT if is_signed else ENCRYPTED_TEXT
        seals.setdefault(Sealing.PGP_SIGNED if is_signed else Sealing.PGP_ENCRYPTED, []).append(name)
        octets = text[found.start() : end].encode("utf-8", "replace")
        files.append(Attachment(name, "application/pgp", octets, is_quiet=is_signed))
        pieces += [text[at : found.start()], content]
        at = end
    if not files:
        return body, []
    plain = "".join([*pieces, text[at:]])
    return (Body(plain, None) if plain.strip() else None), files


def _clear(text: str, start: int) -> tuple[str, int]:
    """What a clear-signed text says (RFC 9580 section 7), and where its signature ends; -1 when it never does."""
    signature = text.find(_SIGNATURE, start)
    end = text.find(_SIGNATURE_END, signature) if signature >= 0 else -1
    if end < 0:
        return "", -1
    head = _HEADERS_END.search(text, start, min(signature + 1, start + _HEADERS_WITHIN))
    content = text[head.end() if head else start : signature]
    return re.sub(r"^- ", "", content, flags=re.MULTILINE), end + len(_SIGNATURE_END)


def _closed(text: str, start: int) -> tuple[str, int]:
    end = text.find(_MESSAGE_END, start)
    return "", end + len(_MESSAGE_END) if end >= 0 else -1
