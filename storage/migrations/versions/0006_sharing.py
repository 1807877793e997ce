"""Grants of administrators, shares of owners, and who did what about either."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_AUDIENCES = ("person", "group", "role", "channel")
_ACTS = (
    "grant_set", "grant_removed", "share_opened", "share_cut", "share_ended", "share_revoked", "copies_withdrawn",
    "copy_sent", "mailbox_suspended", "mailbox_lifted", "mailbox_deleted", "credentials_erased", "managed", "refused",
)  # fmt: skip


def upgrade() -> None:
    _create_grant()
    _create_share()
    _create_audit()


def _one_of(table: str, column: str, *words: str) -> sa.CheckConstraint:
    allowed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({allowed})", name=op.f(f"ck_{table}_{column}"))


def _up_to(table: str, column: str, highest: int) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} BETWEEN 0 AND {highest}", name=op.f(f"ck_{table}_{column}"))


def _partial_index(name: str, table: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _create_grant() -> None:
    op.create_table(
        "share_grant",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("audience_kind", sa.String(), nullable=True),
        sa.Column("audience_id", sa.String(), nullable=True),
        sa.Column("reach", sa.Integer(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("may_hold", sa.Boolean(), nullable=False),
        sa.Column("mailboxes", sa.Integer(), nullable=True),
        sa.Column("active", sa.Integer(), nullable=True),
        sa.Column("may_view", sa.Boolean(), nullable=False),
        sa.Column("excluded", sa.String(), nullable=False),
        sa.Column("allows_plain", sa.Boolean(), nullable=False),
        sa.Column("written_by", sa.String(), nullable=True),
        sa.Column("since", UTCDateTime(), nullable=True),
        _one_of("share_grant", "subject_kind", "everyone", "role", "group", "person"),
        _one_of("share_grant", "kind", "private", "fixed", "choice"),
        _one_of("share_grant", "audience_kind", *_AUDIENCES),
        _up_to("share_grant", "level", 4),
        _up_to("share_grant", "reach", 2),
        _up_to("share_grant", "channels", 2),
        sa.PrimaryKeyConstraint("workspace", "subject_kind", "subject_id", name="pk_share_grant"),
    )


def _create_share() -> None:
    op.create_table(
        "share",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("audience_kind", sa.String(), nullable=False),
        sa.Column("audience_id", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("history", sa.Boolean(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=True),
        sa.Column("was_private", sa.Boolean(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        _one_of("share", "audience_kind", *_AUDIENCES),
        _up_to("share", "level", 4),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_share_mailbox_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_share_message_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_share"),
    )
    op.create_index("ix_share_mailbox_id", "share", ["mailbox_id"])
    op.create_index("ix_share_audience", "share", ["audience_kind", "audience_id"])
    _partial_index("ix_share_in_force", "share", ["mailbox_id", "id"], where="ended_at IS NULL")
    _partial_index("ix_share_message_id", "share", ["message_id"], where="message_id IS NOT NULL")
    _partial_index("ix_share_until", "share", ["until"], where="ended_at IS NULL AND until IS NOT NULL")


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=True),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("mailbox_id", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("once", sa.String(), nullable=True),
        _one_of("audit", "act", *_ACTS),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
        sa.UniqueConstraint("once", name="uq_audit_once"),
        sqlite_autoincrement=True,  # a number that was purged does not come again
    )
    op.create_index("ix_audit_workspace", "audit", ["workspace", "number"])
    op.create_index("ix_audit_actor", "audit", ["workspace", "actor", "number"])
    op.create_index("ix_audit_owner", "audit", ["workspace", "owner", "number"])
    op.create_index("ix_audit_act", "audit", ["workspace", "act", "number"])
    op.create_index("ix_audit_at", "audit", ["at"])
