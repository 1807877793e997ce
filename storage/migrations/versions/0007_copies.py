"""Copies for others than the owner, what people are told about sharing, and posts that are called back."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NOTICES = (
    "login_refused", "maildrop_busy", "unreachable", "certificate_invalid", "server_fault", "asked",
    "all_clear", "old_mail", "original", "digest", "copy", "told",
)  # fmt: skip
_TELLINGS = (
    "shared_with_you", "share_changed", "share_ended", "share_cut", "grant_changed", "mailbox_suspended",
    "mailbox_lifted", "mailbox_deleted", "mailbox_managed", "not_called_back",
)  # fmt: skip


def upgrade() -> None:
    # Built anew by SQLite, the table forgets what is not repeated.
    with op.batch_alter_table("entry", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f("ck_entry_notice"), type_="check")
        batch.create_check_constraint(op.f("ck_entry_notice"), _words("notice", *_NOTICES))
    op.create_index("ix_message_mailbox_id", "message", ["mailbox_id", "id"])
    _create_copy()
    _create_telling()
    _create_withdrawal()


def _words(column: str, *words: str) -> str:
    allowed = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({allowed})"


def _one_of(table: str, column: str, *words: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(_words(column, *words), name=op.f(f"ck_{table}_{column}"))


def _up_to(table: str, column: str, highest: int) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} BETWEEN 0 AND {highest}", name=op.f(f"ck_{table}_{column}"))


def _partial_index(name: str, table: str, columns: list[str], *, where: str, unique: bool = False) -> None:
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def _create_copy() -> None:
    op.create_table(
        "copy",
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("share_id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("withdrawn_at", UTCDateTime(), nullable=True),
        _up_to("copy", "level", 2),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name="fk_copy_entry_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_copy_mailbox_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_copy_message_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", name="pk_copy"),
        sa.UniqueConstraint(
            "message_id", "workspace", "destination", name="uq_copy_message_id_workspace_destination"
        ),
    )
    op.create_index("ix_copy_mailbox_id", "copy", ["mailbox_id"])
    op.create_index("ix_copy_destination", "copy", ["workspace", "destination"])
    _partial_index("ix_copy_share_id", "copy", ["share_id"], where="share_id <> ''")


def _create_telling() -> None:
    op.create_table(
        "telling",
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=True),
        sa.Column("share_id", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("audience_kind", sa.String(), nullable=True),
        sa.Column("audience_id", sa.String(), nullable=True),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        _one_of("telling", "kind", *_TELLINGS),
        _one_of("telling", "audience_kind", "person", "group", "role", "channel"),
        _up_to("telling", "level", 4),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name="fk_telling_entry_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entry_id", name="pk_telling"),
    )
    once = ["workspace", "person", "kind", "share_id", "level"]
    _partial_index("ix_telling_once", "telling", once, where="share_id <> ''", unique=True)


def _create_withdrawal() -> None:
    op.create_table(
        "withdrawal",
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("file_ids", sa.String(), nullable=False),
        sa.Column("look_from", sa.String(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("lost_files", sa.Integer(), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        _one_of("withdrawal", "state", "asked", "blanked", "stuck", "gone", "lost"),
        sa.PrimaryKeyConstraint("entry_id", name="pk_withdrawal"),
    )
    op.create_index("ix_withdrawal_batch", "withdrawal", ["batch"])
    _partial_index("ix_withdrawal_undone", "withdrawal", ["entry_id"], where="done_at IS NULL")
