"""Passwords typed into a form whose test failed: kept in memory, sealed, for ten minutes.

They let a person correct a port or a server's name without typing the password again. They are bound to the person
who typed them and die with the process; a stored password never comes here.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from storage.records import Passwords, Person, Secret
from storage.vault import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.vault import Vault

LIFETIME = timedelta(minutes=10)
MOST_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class _Kept:
    owner: Person
    until: datetime
    incoming: bytes
    outgoing: bytes | None


class TypedPasswords:
    """A bounded memory of passwords by draft id."""

    def __init__(self, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._key = vault.data_key(vault.new_data_key("memory", "typed"), "memory", "typed")
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def keep(self, owner: Person, passwords: Passwords) -> str:
        """Keep passwords and return the draft id they are found under."""
        now = self._clock()
        self._kept = {draft: kept for draft, kept in self._kept.items() if kept.until > now}
        while len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        draft_id = secrets.token_urlsafe(12)
        outgoing = passwords.outgoing
        self._kept[draft_id] = _Kept(
            owner,
            now + LIFETIME,
            self._seal(passwords.incoming, draft_id, "incoming"),
            None if outgoing is None else self._seal(outgoing, draft_id, "outgoing"),
        )
        return draft_id

    def find(self, owner: Person, draft_id: str) -> Passwords | None:
        """What this person typed under this draft id, unless its time is over."""
        kept = self._kept.get(draft_id)
        if kept is None or kept.owner != owner or kept.until <= self._clock():
            return None
        outgoing = None if kept.outgoing is None else self._open(kept.outgoing, draft_id, "outgoing")
        return Passwords(self._open(kept.incoming, draft_id, "incoming"), outgoing)

    def forget(self, draft_id: str) -> None:
        """Drop what is kept under a draft id, if anything."""
        self._kept.pop(draft_id, None)

    def forget_all(self, owner: Person) -> None:
        """Drop everything this person typed."""
        self._kept = {draft: kept for draft, kept in self._kept.items() if kept.owner != owner}

    def _seal(self, secret: Secret, draft_id: str, column: str) -> bytes:
        return self._key.seal(secret.reveal().encode(), Place("memory", "typed", draft_id, column))

    def _open(self, sealed: bytes, draft_id: str, column: str) -> Secret:
        return Secret(self._key.open(sealed, Place("memory", "typed", draft_id, column)).decode())
