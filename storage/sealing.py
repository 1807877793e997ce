"""Between a mailbox's row and its record: what is sealed, in which place, and how it reads when opened."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from storage.calm import calm_of
from storage.records import (
    Health,
    Mailbox,
    Passwords,
    Person,
    Profile,
    Retention,
    Secret,
    Security,
    ServerAddress,
    Tail,
)
from storage.sharing import Suspension
from storage.vault import Place

if TYPE_CHECKING:
    from storage.tables import MailboxRow
    from storage.vault import DataKey


ERASED: Final = b""
"""What stands where a password was erased."""


class Seals:
    """Seals and opens the columns of one mailbox."""

    def __init__(self, key: DataKey, workspace: str, mailbox_id: str) -> None:
        self._key: Final = key
        self._workspace: Final = workspace
        self._mailbox_id: Final = mailbox_id

    def profile(self, profile: Profile) -> bytes:
        """The sealed profile."""
        return self._seal(json.dumps(asdict(profile)), "profile")

    def changed_profile(self, row: MailboxRow, **changes: Any) -> bytes:
        """The profile of a row with some of its fields changed, sealed anew."""
        return self.profile(replace(self.opened_profile(row), **changes))

    def passwords(self, passwords: Passwords) -> dict[str, Any]:
        """The sealed passwords by column."""
        outgoing = passwords.outgoing
        return {
            "password_incoming": self._seal(passwords.incoming.reveal(), "password_incoming")
            if passwords.incoming
            else ERASED,
            "password_outgoing": None
            if outgoing is None
            else self._seal(outgoing.reveal(), "password_outgoing"),
        }

    def opened_profile(self, row: MailboxRow) -> Profile:
        """What `profile` sealed."""
        fields = json.loads(self._open(row.profile, "profile"))
        outgoing = fields["outgoing"]
        servers = {"incoming": _server(fields["incoming"]), "outgoing": outgoing and _server(outgoing)}
        return Profile(**{**fields, **servers})

    def opened_passwords(self, row: MailboxRow) -> Passwords:
        """What `passwords` sealed; an empty one where it was erased."""
        incoming, outgoing = row.password_incoming, row.password_outgoing
        return Passwords(
            incoming=Secret("" if incoming == ERASED else self._open(incoming, "password_incoming")),
            outgoing=None if outgoing is None else Secret(self._open(outgoing, "password_outgoing")),
        )

    def _seal(self, value: str, column: str) -> bytes:
        # What a form holds may be no valid Unicode; whether it can be sent to a server is not for us to say.
        return self._key.seal(value.encode(errors="surrogatepass"), self._place(column))

    def _open(self, blob: bytes, column: str) -> str:
        return self._key.open(blob, self._place(column)).decode(errors="surrogatepass")

    def _place(self, column: str) -> Place:
        return Place(self._workspace, "mailbox", self._mailbox_id, column)


def mailbox_record(row: MailboxRow, seals: Seals) -> Mailbox:
    """The record a row stands for."""
    return Mailbox(
        id=row.id,
        owner=Person(row.workspace, row.owner),
        profile=seals.opened_profile(row),
        retention=Retention(row.retention),
        delete_days=row.delete_days,
        is_active=row.is_active,
        is_paused=row.is_paused,
        health=Health(row.health),
        has_alarm=row.has_alarm,
        failures=row.failures,
        created_at=row.created_at,
        due_at=row.due_at,
        polled_at=row.polled_at,
        last_success_at=row.last_success_at,
        last_mail_at=row.last_mail_at,
        watched=timedelta(seconds=row.watched_seconds),
        tail=None if row.tail_number is None or row.tail_uid is None else Tail(row.tail_number, row.tail_uid),
        listed_at=row.listed_at,
        listed=row.listed,
        capabilities=None if row.capabilities is None else frozenset(json.loads(row.capabilities)),
        one_by_one=row.one_by_one,
        calm=calm_of(row),
        zone=row.zone,
        suspension=None if row.suspension is None else Suspension(row.suspension),
        suspended_at=None if row.suspension is None else getattr(row, f"suspended_{row.suspension}"),
        outgoing_refused_at=row.outgoing_refused_at,
    )


def sending_as(before: Profile, profile: Profile) -> Profile:
    """A profile that says of sending what the one before said."""
    return replace(
        profile,
        sender_name=before.sender_name,
        signature=before.signature,
        undo_seconds=before.undo_seconds,
    )


def packed_capabilities(capabilities: frozenset[str] | None) -> str | None:
    """Capabilities as the column holds them."""
    return None if capabilities is None else json.dumps(sorted(capabilities))


def _server(fields: dict[str, Any] | None) -> ServerAddress | None:
    return (
        None
        if fields is None
        else ServerAddress(fields["host"], fields["port"], Security(fields["security"]))
    )
