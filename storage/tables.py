"""The tables; no logic.

Sealed columns are octets that only the vault opens. Enumerations are text with a check constraint, so that both
databases hold the same thing. Times are aware UTC (`UTCDateTime`, which a plain `datetime` annotation gives).
Partial indexes keep what a tick asks for small, however much finished work lies beside it.

No `from __future__ import annotations` here: SQLModel reads the annotations.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, MetaData, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.counting import AttemptKind
from storage.delivery import Delivery
from storage.records import EntryState, Health, KeyKind, Notice, Retention, SeenState, Shape
from storage.sharing import Suspension
from storage.wishes import OriginalState, RuleKind

DELETABLE: Final = "is_settled AND state IN ('kept', 'deleting')"
"""Seen rows the delete setting may still act on; queries repeat it word for word, else SQLite ignores the index."""

OPEN: Final = "state IN ('old', 'asked', 'doubted')"
"""Seen rows that wait for their turn or for the owner; repeated word for word as well."""

NOT_DONE: Final = "message_id IS NOT NULL AND ts IS NOT NULL AND done_at IS NULL"
"""Posts of messages that nobody marked as done."""

LOOKED_FOR: Final = "state = 'asked'"
"""Originals that the next polls look for."""

BEHIND: Final = "told < changes"
"""Posts that no longer say how far their old mail is."""

OWED: Final = "finished_at IS NULL AND not_before IS NULL"
"""Entries that may be posted, now or in their turn."""

HELD: Final = "not_before IS NOT NULL"
"""Entries that wait for their time; none of them is finished."""

OPEN_DIGEST: Final = "notice = 'digest' AND not_before IS NOT NULL"
"""Digests to which messages are still added."""

_NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def _one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    allowed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class Table(SQLModel):
    """Root of all tables; its `repr` shows no column, sealed or not."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMES)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return []


class KeyCheckRow(Table, table=True):
    """One master key the database has met: a value only that key opens."""

    __tablename__ = "key_check"

    key_id: str = Field(primary_key=True)
    sealed: bytes


class MailboxRow(Table, table=True):
    """One mailbox, its lease and its fencing number. Without `wrapped_key` nothing sealed under it opens any more.

    `activated_at`: since when it is active. `suspension` is the strongest of the causes, which have their own times;
    `suspended_rank` is the rank of the administrators' one, None where that is not known.
    `zone` is the owner's time zone as Slack last told it, `zone_due` when Slack is asked again; None where the zone does
    not matter. `outgoing_refused_at`: since when the outgoing server refuses the login; None while it does not.
    """

    __tablename__ = "mailbox"
    __table_args__ = (
        UniqueConstraint("workspace", "owner", "form_id"),
        _one_of("retention", Retention),
        _one_of("health", Health),
        _one_of("suspension", Suspension),
        _one_of("delivery", Delivery),
        _partial("ix_mailbox_zone_due", "zone_due", where="zone_due IS NOT NULL"),
        _partial("ix_mailbox_due", "due_at", where="due_at IS NOT NULL"),
    )

    id: str = Field(primary_key=True)
    workspace: str
    owner: str
    form_id: str
    key_id: str | None
    wrapped_key: bytes | None
    profile: bytes
    password_incoming: bytes
    password_outgoing: bytes | None
    retention: str
    delete_days: int | None
    is_active: bool
    is_paused: bool
    health: str
    has_alarm: bool
    failures: int
    created_at: datetime
    due_at: datetime | None
    polled_at: datetime | None
    last_success_at: datetime | None
    last_mail_at: datetime | None
    watched_seconds: int = Field(sa_type=BigInteger)
    tail_number: int | None
    tail_uid: bytes | None
    listed_at: datetime | None
    listed: int
    capabilities: str | None
    one_by_one: bool
    delivery: str
    daily_hour: int | None
    quiet_from: int | None
    quiet_to: int | None
    zone: str | None
    zone_due: datetime | None
    activated_at: datetime | None
    suspension: str | None
    suspended_administrator: datetime | None
    suspended_rank: int | None
    suspended_role: datetime | None
    suspended_deactivated: datetime | None
    outgoing_refused_at: datetime | None
    lease_owner: str | None
    lease_until: datetime | None
    fence: int


class SeenRow(Table, table=True):
    """One UID a maildrop listed. Stays when its message's octets go.

    `settled_watch` is what the mailbox's `watched_seconds` was when its message was settled.
    """

    __tablename__ = "seen"
    __table_args__ = (
        _one_of("state", SeenState),
        _partial("ix_seen_deletable", "mailbox_id", "state", "settled_watch", where=DELETABLE),
        _partial("ix_seen_open", "mailbox_id", "state", where=OPEN),
        # The key is the row: half the pages of a table with a separate index.
        {"sqlite_with_rowid": False},
    )

    mailbox_id: str = Field(primary_key=True, foreign_key="mailbox.id", ondelete="CASCADE")
    uid: bytes = Field(primary_key=True)
    state: str
    attempts: int
    is_settled: bool
    settled_watch: int | None = Field(sa_type=BigInteger)
    changed_at: datetime


class MessageRow(Table, table=True):
    """One stored message; its octets are in `message_chunk` until it is purged.

    A server that gives a deleted message's UID to another one makes two rows of that UID.
    """

    __tablename__ = "message"
    __table_args__ = (
        _one_of("shape", Shape),
        Index("ix_message_uid", "mailbox_id", "uid"),
        Index("ix_message_mailbox_id", "mailbox_id", "id"),
        Index("ix_message_fingerprint", "mailbox_id", "fingerprint"),
        _partial("ix_message_purgeable", "settled_at", where="settled_at IS NOT NULL AND purged_at IS NULL"),
    )

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", ondelete="CASCADE")
    uid: bytes
    fingerprint: bytes
    shape: str
    octets: int = Field(sa_type=BigInteger)
    listed_octets: int = Field(sa_type=BigInteger)
    received_at: datetime
    settled_at: datetime | None
    purged_at: datetime | None


class ChunkRow(Table, table=True):
    """A piece of a message, sealed by itself; its place names message, number and whether it is the last."""

    __tablename__ = "message_chunk"

    message_id: str = Field(primary_key=True, foreign_key="message.id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    octets: bytes


class EntryRow(Table, table=True):
    """One thing owed to a DM; `finished_at` is set when nothing more is to be done about it.

    `parent` is empty for a post of its own. `gives_way`: not before anything that does not. `conversation` is that of an
    e-mail, None when none was looked for or could be. `not_before`: held back until then; let go, it is None.
    """

    __tablename__ = "entry"
    __table_args__ = (
        _one_of("state", EntryState),
        _one_of("notice", Notice),
        UniqueConstraint("id"),
        UniqueConstraint("message_id"),
        Index("ix_entry_mailbox", "mailbox_id"),
        _partial("ix_entry_open", "workspace", "owner", "gives_way", "number", where=OWED),
        _partial("ix_entry_held", "workspace", "owner", "not_before", where=HELD),
        _partial("ix_entry_digest", "mailbox_id", where=OPEN_DIGEST),
        _partial("ix_entry_parent", "parent", "number", where="parent <> ''"),
        _partial("ix_entry_muted_by", "muted_by", where="muted_by IS NOT NULL"),
        _partial("ix_entry_not_done", "workspace", "owner", "mailbox_id", "number", where=NOT_DONE),
        {"sqlite_autoincrement": True},
    )

    number: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    id: str
    mailbox_id: str | None = Field(foreign_key="mailbox.id", ondelete="CASCADE")
    workspace: str
    owner: str
    message_id: str | None = Field(foreign_key="message.id", ondelete="CASCADE")
    notice: str | None
    parent: str
    state: str
    attempts: int
    intended_at: datetime | None
    lookup_after: datetime | None
    channel: str | None
    ts: str | None
    file_ids: str
    plain: bool
    error: str | None
    finished_at: datetime | None
    gives_way: bool
    conversation: str | None
    muted_by: str | None
    done_at: datetime | None
    not_before: datetime | None


class RuleRow(Table, table=True):
    """Mail that does not come to Slack: a digest to find it by, a sealed label to show."""

    __tablename__ = "rule"
    __table_args__ = (_one_of("kind", RuleKind), UniqueConstraint("mailbox_id", "kind", "digest"))

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", ondelete="CASCADE")
    kind: str
    digest: bytes
    label: bytes
    created_at: datetime


class OriginalRow(Table, table=True):
    """A message that its owner wants as it came; `entry_id` is what brings it, or says why it cannot be had."""

    __tablename__ = "original"
    __table_args__ = (
        _one_of("state", OriginalState),
        Index("ix_original_entry_id", "entry_id"),
        Index("ix_original_mailbox_id", "mailbox_id"),
        _partial("ix_original_asked", "mailbox_id", "asked_at", where=LOOKED_FOR),
    )

    message_id: str = Field(primary_key=True, foreign_key="message.id", ondelete="CASCADE")
    mailbox_id: str = Field(foreign_key="mailbox.id", ondelete="CASCADE")
    state: str
    entry_id: str | None
    attempts: int
    asked_at: datetime


class ConversationRow(Table, table=True):
    """Mails that answer each other; named by the delivery id of the first.

    `root` is the delivery id of the one in whose thread the others go, empty while none of them can be that.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        Index("ix_conversation_mailbox_id", "mailbox_id"),
        Index("ix_conversation_changed_at", "changed_at"),
    )

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", ondelete="CASCADE")
    root: str
    changed_at: datetime


class ConversationKeyRow(Table, table=True):
    """By what a later mail finds its conversation: a digest under the mailbox's own key, of no use without it."""

    __tablename__ = "conversation_key"
    __table_args__ = (
        _one_of("kind", KeyKind),
        Index("ix_conversation_key_conversation", "conversation"),
        # The key is the row: half the pages of a table with a separate index.
        {"sqlite_with_rowid": False},
    )

    mailbox_id: str = Field(primary_key=True, foreign_key="mailbox.id", ondelete="CASCADE")
    digest: bytes = Field(primary_key=True)
    kind: str
    conversation: str = Field(foreign_key="conversation.id", ondelete="CASCADE")


class OldMailRow(Table, table=True):
    """Old mail that is brought in the thread of a notice; how much of it, the other tables tell.

    `missing`: how many of the UIDs still wanted the server listed no more. `stopped_of`: how many it was when its owner
    stopped it. `changes` counts what happened to it, `told` is what that was when the notice last said it.
    """

    __tablename__ = "old_mail"
    __table_args__ = (
        Index("ix_old_mail_mailbox_id", "mailbox_id"),
        _partial("ix_old_mail_behind", "id", where=BEHIND),
    )

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", ondelete="CASCADE")
    missing: int
    stopped_of: int | None
    changes: int
    told: int


class DmRow(Table, table=True):
    """One person's DM, its lease and its fencing number.

    `due_at` is when its oldest unfinished entry may be attended to, None when nothing is unfinished. `wake_at` is when the
    first of the entries that are held back is let go; those do not count before. Whoever adds or changes an entry keeps
    both right in the same transaction, so that a tick reads two small indexes.
    """

    __tablename__ = "dm"
    __table_args__ = (
        _partial("ix_dm_due", "due_at", where="due_at IS NOT NULL"),
        _partial("ix_dm_wake", "wake_at", where="wake_at IS NOT NULL"),
    )

    workspace: str = Field(primary_key=True)
    owner: str = Field(primary_key=True)
    channel: str | None
    last_ts: str | None
    held_until: datetime | None
    due_at: datetime | None
    wake_at: datetime | None
    error: str | None
    lease_owner: str | None
    lease_until: datetime | None
    fence: int


class AttemptRow(Table, table=True):
    """One act that is counted so that nobody does it too often; `who` is a keyed digest, no name or address.

    `times`: as so many acts.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        _one_of("kind", AttemptKind),
        Index("ix_attempt_who", "kind", "who", "at"),
        Index("ix_attempt_at", "at"),
    )

    id: str = Field(primary_key=True)
    kind: str
    who: bytes
    at: datetime
    times: int
