"""The vault: seals what is secret and opens it again, in its own place only.

AES-256-GCM with random 96-bit nonces. Each mailbox has a data key, stored wrapped under a master key; destroying the
wrapped key destroys all that was sealed under it. Every blob is format, key id, nonce, ciphertext and tag; the
format, the key id and the place (workspace, table, row, column) are authenticated with it, so a blob that was copied
to another row, column or workspace does not open. Holds no state but the keys and never writes a key anywhere.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from sqlmodel import col, select

from storage.errors import KeyUnknown, SealBroken
from storage.tables import KeyCheckRow, MailboxRow

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database

_FORMAT: Final = 1
_NONCE_OCTETS: Final = 12
_TAG_OCTETS: Final = 16
_KEY_OCTETS: Final = 32
_DATA_KEY_ID_OCTETS: Final = 8
_DIGEST_OCTETS: Final = 16
_KEY_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_CHECK: Final = b"mailbox master key check"


def new_master_key() -> str:
    """A fresh master key as text: its id, a colon, base64url of 32 random octets."""
    return f"k{secrets.token_hex(4)}:{base64.urlsafe_b64encode(os.urandom(_KEY_OCTETS)).decode()}"


class MasterKeys:
    """The master keys of the installation: the first one seals, all of them open."""

    __slots__ = ("_ciphers", "_digest_key", "first")

    def __init__(self, keys: dict[str, bytes]) -> None:
        self.first: Final = next(iter(keys))
        self._ciphers: Final = {key_id: AESGCM(key) for key_id, key in keys.items()}
        expand = HKDFExpand(algorithm=SHA256(), length=_KEY_OCTETS, info=b"mailbox digests 1")
        self._digest_key: Final = expand.derive(keys[self.first])

    @classmethod
    def parse(cls, text: str) -> MasterKeys:
        """Read keys separated by commas or white space.

        Raises:
            ValueError: with a sentence that shows nothing of any key.
        """
        keys: dict[str, bytes] = {}
        for number, part in enumerate(re.split(r"[,\s]+", text.strip(" \t\r\n,")), start=1):
            key_id, key = _parse_key(number, part)
            if key_id in keys:
                raise ValueError(f"Master key {number} has the id of another one.")
            keys[key_id] = key
        return cls(keys)

    def __repr__(self) -> str:
        return "MasterKeys(…)"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, the sealing one first."""
        return tuple(self._ciphers)

    def cipher(self, key_id: str) -> AESGCM:
        """The cipher of one key; KeyUnknown when it was not given."""
        try:
            return self._ciphers[key_id]
        except KeyError:
            raise KeyUnknown(f"Master key {key_id!r} was not given.") from None

    def digest(self, octets: bytes) -> bytes:
        """A hash that is only made, and only checked, by who has the first key."""
        return hmac.digest(self._digest_key, octets, "sha256")


def _parse_key(number: int, text: str) -> tuple[str, bytes]:
    if not text:
        raise ValueError("No master key was given.")
    key_id, _, encoded = text.partition(":")
    try:
        key = base64.b64decode(encoded.rstrip("=") + "=", altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_OCTETS or not _KEY_ID.fullmatch(key_id):
        raise ValueError(f"Master key {number} is not of the form <id>:<base64url of 32 octets>.")
    return key_id, key


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value stands; it opens nowhere else."""

    workspace: str
    table: str
    row: str
    column: str

    def encoded(self) -> bytes:
        """Unambiguous octets: each part with its length before it."""
        return _joined(self.workspace, self.table, self.row, self.column)


def _joined(*texts: str) -> bytes:
    parts = (text.encode(errors="surrogatepass") for text in texts)
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def _seal(cipher: AESGCM, key_id: bytes, octets: bytes, place: Place) -> bytes:
    head = bytes((_FORMAT, len(key_id))) + key_id
    nonce = os.urandom(_NONCE_OCTETS)
    return b"".join((head, nonce, cipher.encrypt(nonce, octets, head + place.encoded())))


def _key_id(blob: bytes) -> bytes:
    """The key id a blob names, nothing proven yet."""
    if len(blob) < 2 or blob[0] != _FORMAT or len(blob) < 2 + blob[1] + _NONCE_OCTETS + _TAG_OCTETS:
        raise SealBroken("The sealed octets are too short or of an unknown format.")
    return bytes(blob[2 : 2 + blob[1]])


def _open(cipher: AESGCM, blob: bytes, place: Place) -> bytes:
    head = 2 + blob[1]
    body = head + _NONCE_OCTETS
    try:
        return cipher.decrypt(blob[head:body], memoryview(blob)[body:], blob[:head] + place.encoded())
    except InvalidTag:
        raise SealBroken("The sealed octets were changed or moved, or their key is another.") from None


class DataKey:
    """The key of one mailbox, unwrapped. Separate keys for sealing, fingerprints and digests are derived from it."""

    __slots__ = ("_cipher", "_digest_key", "_fingerprint_key", "_id")

    def __init__(self, key: bytes) -> None:
        ids = _KEY_OCTETS * 2 + _DATA_KEY_ID_OCTETS
        octets = ids + _KEY_OCTETS
        derived = HKDFExpand(algorithm=SHA256(), length=octets, info=b"mailbox data key 1").derive(key)
        self._cipher: Final = AESGCM(derived[:_KEY_OCTETS])
        self._fingerprint_key: Final = derived[_KEY_OCTETS : _KEY_OCTETS * 2]
        self._id: Final = derived[_KEY_OCTETS * 2 : ids]
        self._digest_key: Final = derived[ids:]

    def __repr__(self) -> str:
        return "DataKey(…)"

    def seal(self, octets: bytes, place: Place) -> bytes:
        """Octets that open only under this key and in this place."""
        return _seal(self._cipher, self._id, octets, place)

    def open(self, blob: bytes, place: Place) -> bytes:
        """What was sealed here; SealBroken when the blob was changed, moved or sealed under another key."""
        if _key_id(blob) != self._id:
            raise SealBroken("The octets were sealed under another data key.")
        return _open(self._cipher, blob, place)

    def fingerprint(self) -> hmac.HMAC:
        """A keyed hash to feed piece by piece; equal content of one mailbox has an equal digest, others say nothing."""
        return hmac.new(self._fingerprint_key, digestmod="sha256")

    def digest(self, *parts: str) -> bytes:
        """A keyed hash to find things of this mailbox by; without its key nobody can try names against it."""
        return hmac.digest(self._digest_key, _joined(*parts), "sha256")[:_DIGEST_OCTETS]


class Vault:
    """Wraps and unwraps data keys under the master keys."""

    __slots__ = ("_keys",)

    def __init__(self, keys: MasterKeys) -> None:
        self._keys: Final = keys

    def __repr__(self) -> str:
        return "Vault(…)"

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the master keys, the sealing one first."""
        return self._keys.ids

    def new_data_key(self, workspace: str, mailbox_id: str) -> bytes:
        """A fresh data key, wrapped under the first master key."""
        return self._wrap(self._keys.first, os.urandom(_KEY_OCTETS), _wrapping(workspace, mailbox_id))

    def data_key(self, wrapped: bytes, workspace: str, mailbox_id: str) -> DataKey:
        """Unwrap a mailbox's data key; KeyUnknown or SealBroken."""
        return DataKey(self._unwrap(wrapped, _wrapping(workspace, mailbox_id)))

    def digest(self, *parts: str) -> bytes:
        """A keyed hash to count by: it names nobody, and nobody without the key can try names against it."""
        return self._keys.digest(_joined(*parts))

    def check_value(self, key_id: str) -> bytes:
        """A value that proves later that the key of this id is still the same."""
        return self._wrap(key_id, _CHECK, _checking(key_id))

    def check(self, key_id: str, value: bytes) -> None:
        """KeyUnknown unless the key given under this id made the check value."""
        try:
            self._unwrap(value, _checking(key_id))
        except SealBroken:
            raise KeyUnknown(
                f"The master key given as {key_id!r} is not the one this database knows."
            ) from None

    def _wrap(self, key_id: str, octets: bytes, place: Place) -> bytes:
        return _seal(self._keys.cipher(key_id), key_id.encode(), octets, place)

    def _unwrap(self, wrapped: bytes, place: Place) -> bytes:
        key_id = _key_id(wrapped).decode(errors="replace")
        return _open(self._keys.cipher(key_id), wrapped, place)


def master_key_id(wrapped: bytes) -> str:
    """The id of the master key a data key is wrapped under."""
    return _key_id(wrapped).decode(errors="replace")


def _wrapping(workspace: str, mailbox_id: str) -> Place:
    return Place(workspace, "mailbox", mailbox_id, "wrapped_key")


def _checking(key_id: str) -> Place:
    return Place("", "key_check", key_id, "sealed")


async def unlock(database: Database, vault: Vault) -> None:
    """Prove at start that the given master keys are the database's own, before anything else is read or written.

    A database that knows no key yet learns the given ones. Once it knows some, at least one of them must be given,
    and each that is in use; only then is a key it has not met recorded.

    Raises:
        KeyUnknown: a key in use is missing, or a given key is not the one of that id; nothing was written.
    """
    async with database.read() as session:
        fresh = await _unmet(session, vault)
    if not fresh:
        return
    async with database.write() as session:
        # Two processes may start on an empty database with different keys: the second must see the first one's.
        await database.serialise(session, "unlock")
        fresh = await _unmet(session, vault)
        session.add_all(KeyCheckRow(key_id=key_id, sealed=vault.check_value(key_id)) for key_id in fresh)


async def _unmet(session: AsyncSession, vault: Vault) -> tuple[str, ...]:
    """Given keys the database has not met, after all others were proven."""
    known = {row.key_id: row.sealed for row in await session.exec(select(KeyCheckRow))}
    in_use = set(
        await session.exec(select(MailboxRow.key_id).where(col(MailboxRow.key_id).is_not(None)).distinct())
    )
    given = set(vault.key_ids)
    missing = in_use - given
    if missing:
        raise KeyUnknown(
            f"Mailboxes are sealed under master keys that were not given: {sorted(map(str, missing))}."
        )
    if in_use - known.keys() or (known and not given & known.keys()):
        raise KeyUnknown("None of the given master keys is one this database knows.")
    for key_id in given & known.keys():
        vault.check(key_id, known[key_id])
    return tuple(key_id for key_id in vault.key_ids if key_id not in known)
