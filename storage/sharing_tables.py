"""The tables of sharing: grants, shares, audit; no logic. As `storage.tables`, of the same root.

No `from __future__ import annotations` here: SQLModel reads the annotations.
"""

from datetime import datetime
from enum import IntEnum
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, UniqueConstraint
from sqlmodel import Field

from storage.copied import TellingKind, WithdrawalState
from storage.sharing import Act, AudienceKind, ChannelReach, GrantKind, Level, Reach, SubjectKind
from storage.tables import Table, _one_of, _partial

IN_FORCE: Final = "ended_at IS NULL"
"""Shares that have not ended; those past `until` among them, until somebody ends them."""

ENDING: Final = "ended_at IS NULL AND until IS NOT NULL"
"""Shares that end by themselves; queries repeat it word for word, else SQLite ignores the index."""


UNDONE: Final = "done_at IS NULL"
"""Posts that are still to be called back."""

TOLD_ONCE: Final = "share_id <> ''"
"""Tellings about a share: of one kind and level, each person gets one."""


def _up_to(column: str, highest: IntEnum) -> CheckConstraint:
    return CheckConstraint(f"{column} BETWEEN 0 AND {highest.value}", name=column)


class GrantRow(Table, table=True):
    """One grant as it was last written; `subject_id` is empty for everyone, `excluded` a JSON list of domains."""

    __tablename__ = "share_grant"  # GRANT is a word of SQL
    __table_args__ = (
        _one_of("subject_kind", SubjectKind),
        _one_of("kind", GrantKind),
        _one_of("audience_kind", AudienceKind),
        _up_to("level", Level.MANAGE),
        _up_to("reach", Reach.ROLES),
        _up_to("channels", ChannelReach.ANY),
    )

    workspace: str = Field(primary_key=True)
    subject_kind: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    kind: str
    level: int
    audience_kind: str | None
    audience_id: str | None
    reach: int
    channels: int
    may_hold: bool
    mailboxes: int | None
    active: int | None
    may_view: bool
    excluded: str
    allows_plain: bool
    written_by: str | None
    since: datetime | None
    rank: int | None = None


class ShareRow(Table, table=True):
    """What an owner opened, of a mailbox or of one message of it; it goes with either."""

    __tablename__ = "share"
    __table_args__ = (
        _one_of("audience_kind", AudienceKind),
        _up_to("level", Level.MANAGE),
        Index("ix_share_mailbox_id", "mailbox_id"),
        _partial("ix_share_in_force", "mailbox_id", "id", where=IN_FORCE),
        _partial("ix_share_message_id", "message_id", where="message_id IS NOT NULL"),
        _partial("ix_share_until", "until", where=ENDING),
        Index("ix_share_audience", "audience_kind", "audience_id"),
    )

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", ondelete="CASCADE")
    message_id: str | None = Field(foreign_key="message.id", ondelete="CASCADE")
    audience_kind: str
    audience_id: str
    level: int
    created_at: datetime
    history: bool
    until: datetime | None
    was_private: bool
    ended_at: datetime | None


class AuditRow(Table, table=True):
    """Who did what to what, when. Outlives the mailbox it is about; later entries have higher numbers.

    `once`: of entries with the same one only the first is kept; None for those that are kept however often they come.
    """

    __tablename__ = "audit"
    __table_args__ = (
        _one_of("act", Act),
        UniqueConstraint("once"),
        Index("ix_audit_workspace", "workspace", "number"),
        Index("ix_audit_actor", "workspace", "actor", "number"),
        Index("ix_audit_owner", "workspace", "owner", "number"),
        Index("ix_audit_act", "workspace", "act", "number"),
        Index("ix_audit_at", "at"),
        {"sqlite_autoincrement": True},
    )

    number: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    at: datetime
    workspace: str
    actor: str | None
    act: str
    owner: str | None
    mailbox_id: str | None
    subject: str
    before: str
    after: str
    once: str | None


class CopyRow(Table, table=True):
    """A message that an entry brings to somebody else than its owner; `share_id` is empty where no share brought it.

    `withdrawn_at`: its right ended; it is called back, and the message may be brought there again.
    """

    __tablename__ = "copy"
    __table_args__ = (
        _up_to("level", Level.OPEN),
        UniqueConstraint("message_id", "workspace", "destination"),
        Index("ix_copy_mailbox_id", "mailbox_id"),
        Index("ix_copy_destination", "workspace", "destination"),
        _partial("ix_copy_share_id", "share_id", where="share_id <> ''"),
    )

    entry_id: str = Field(primary_key=True, foreign_key="entry.id", ondelete="CASCADE")
    mailbox_id: str = Field(foreign_key="mailbox.id", ondelete="CASCADE")
    message_id: str = Field(foreign_key="message.id", ondelete="CASCADE")
    share_id: str
    workspace: str
    destination: str
    level: int
    withdrawn_at: datetime | None


class TellingRow(Table, table=True):
    """What an entry tells somebody about sharing, as facts; the mailbox may be gone when it is posted."""

    __tablename__ = "telling"
    __table_args__ = (
        _one_of("kind", TellingKind),
        _one_of("audience_kind", AudienceKind),
        _up_to("level", Level.MANAGE),
        _partial(
            "ix_telling_once",
            "workspace",
            "person",
            "kind",
            "share_id",
            "level",
            where=TOLD_ONCE,
            unique=True,
        ),
    )

    entry_id: str = Field(primary_key=True, foreign_key="entry.id", ondelete="CASCADE")
    workspace: str
    person: str
    mailbox_id: str
    kind: str
    who: str
    level: int
    until: datetime | None
    share_id: str
    count: int
    audience_kind: str | None
    audience_id: str | None
    message_id: str
    why: str


class WithdrawalRow(Table, table=True):
    """A post that is called back. Nothing else hangs on it, and it on nothing: mailbox and entry may be long gone.

    `owner` is told what could not be called back; empty where nobody is.
    """

    __tablename__ = "withdrawal"
    __table_args__ = (
        _one_of("state", WithdrawalState),
        _partial("ix_withdrawal_undone", "entry_id", where=UNDONE),
        Index("ix_withdrawal_batch", "batch"),
    )

    entry_id: str = Field(primary_key=True)
    batch: str
    workspace: str
    owner: str
    mailbox_id: str
    channel: str
    ts: str | None
    file_ids: str
    look_from: str
    asked_at: datetime
    state: str
    attempts: int
    due_at: datetime
    lost_files: int
    done_at: datetime | None
