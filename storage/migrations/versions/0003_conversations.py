"""Conversations of e-mails, and entries that give way to others."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _change_entry()
    _create_conversation()
    _create_conversation_key()


def _change_entry() -> None:
    with op.batch_alter_table("entry") as batch:
        batch.add_column(sa.Column("gives_way", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("conversation", sa.String(), nullable=True))
    with op.batch_alter_table("entry") as batch:
        batch.alter_column("gives_way", server_default=None)
    op.execute("UPDATE entry SET gives_way = TRUE WHERE parent <> ''")
    op.drop_index("ix_entry_open", "entry")
    where = sa.text("finished_at IS NULL")
    order = ["workspace", "owner", "gives_way", "number"]
    op.create_index("ix_entry_open", "entry", order, sqlite_where=where, postgresql_where=where)


def _create_conversation() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_conversation_mailbox_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_conversation"),
    )
    op.create_index("ix_conversation_mailbox_id", "conversation", ["mailbox_id"])
    op.create_index("ix_conversation_changed_at", "conversation", ["changed_at"])


def _create_conversation_key() -> None:
    op.create_table(
        "conversation_key",
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.CheckConstraint("kind IN ('own', 'referred', 'subject')", name=op.f("ck_conversation_key_kind")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_conversation_key_mailbox_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversation.id"], name="fk_conversation_key_conversation", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailbox_id", "digest", name="pk_conversation_key"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_conversation_key_conversation", "conversation_key", ["conversation"])
