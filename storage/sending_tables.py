"""The tables of mail that is sent; no logic. As `storage.tables`, of the same root.

No `from __future__ import annotations` here: SQLModel reads the annotations.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from storage.sending import OutgoingState, Trouble
from storage.tables import Table, _one_of, _partial

DUE: Final = "state = 'waiting'"
"""Mails that a tick looks through; queries repeat it word for word, else SQLite ignores the index."""

LEASED: Final = "lease_until IS NOT NULL"
"""Mails that somebody has in hand, or had when they died."""

UNDER_WAY: Final = "finished_at IS NULL"
"""Mails that are not at their end."""

PURGEABLE: Final = "finished_at IS NOT NULL AND letter IS NOT NULL"
"""Mails whose octets and letter are still to go."""

POST_BEHIND: Final = "told < changes"
"""Posts that no longer say how far their mail is."""


class OutgoingRow(Table, table=True):
    """One mail that somebody sends; its octets are in `outgoing_chunk` until it is purged, with its letter.

    `workspace` and `actor` are who sends. `due_at` is kept while it is held: it is not tried before that afterwards either.
    `is_left`: its sender lets it be unknown whether it was taken.
    """

    __tablename__ = "outgoing"
    __table_args__ = (
        _one_of("state", OutgoingState),
        _one_of("trouble", Trouble),
        UniqueConstraint("mailbox_id", "workspace", "actor", "form_id"),
        Index("ix_outgoing_actor", "workspace", "actor"),
        _partial("ix_outgoing_due", "due_at", where=DUE),
        _partial("ix_outgoing_leased", "mailbox_id", where=LEASED),
        _partial("ix_outgoing_under_way", "state", where=UNDER_WAY),
        _partial("ix_outgoing_purgeable", "finished_at", where=PURGEABLE),
    )

    id: str = Field(primary_key=True)
    mailbox_id: str = Field(foreign_key="mailbox.id", ondelete="CASCADE")
    workspace: str
    actor: str
    form_id: str
    answers: str | None
    state: str
    trouble: str | None
    letter: bytes | None
    octets: int = Field(sa_type=BigInteger)
    attempts: int
    created_at: datetime
    begun_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    is_left: bool
    lease_owner: str | None
    lease_until: datetime | None
    fence: int


class OutgoingChunkRow(Table, table=True):
    """A piece of a mail's octets, sealed by itself; its place names mail, number and whether it is the last."""

    __tablename__ = "outgoing_chunk"

    outgoing_id: str = Field(primary_key=True, foreign_key="outgoing.id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    octets: bytes


class OutgoingPostRow(Table, table=True):
    """An entry that says how far a mail is.

    `changes` counts what happened to the mail, `told` is what that was when the post last said it.
    """

    __tablename__ = "outgoing_post"
    __table_args__ = (
        Index("ix_outgoing_post_outgoing_id", "outgoing_id"),
        _partial("ix_outgoing_post_behind", "entry_id", where=POST_BEHIND),
    )

    entry_id: str = Field(primary_key=True, foreign_key="entry.id", ondelete="CASCADE")
    outgoing_id: str = Field(foreign_key="outgoing.id", ondelete="CASCADE")
    changes: int
    told: int


class WrittenDomainRow(Table, table=True):
    """A domain that mail of a mailbox went to: a digest under the mailbox's own key, of no use without it."""

    __tablename__ = "written_domain"
    __table_args__ = (
        # The key is the row: half the pages of a table with a separate index.
        {"sqlite_with_rowid": False},
    )

    mailbox_id: str = Field(primary_key=True, foreign_key="mailbox.id", ondelete="CASCADE")
    digest: bytes = Field(primary_key=True)
