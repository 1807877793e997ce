"""First tables."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _partial_index(name: str, table: str, columns: list[str], *, where: str, unique: bool = False) -> None:
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def upgrade() -> None:
    _create_key_check()
    _create_mailbox()
    _create_seen()
    _create_message()
    _create_message_chunk()
    _create_dm()
    _create_entry()


def _create_key_check() -> None:
    op.create_table(
        "key_check",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_key_check"),
    )


def _create_mailbox() -> None:
    op.create_table(
        "mailbox",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("form_id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("profile", sa.LargeBinary(), nullable=False),
        sa.Column("password_incoming", sa.LargeBinary(), nullable=False),
        sa.Column("password_outgoing", sa.LargeBinary(), nullable=True),
        sa.Column("retention", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("health", sa.String(), nullable=False),
        sa.Column("has_alarm", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("last_success_at", UTCDateTime(), nullable=True),
        sa.Column("tail_number", sa.Integer(), nullable=True),
        sa.Column("tail_uid", sa.LargeBinary(), nullable=True),
        sa.Column("listed_at", UTCDateTime(), nullable=True),
        sa.Column("capabilities", sa.String(), nullable=True),
        sa.Column("one_by_one", sa.Boolean(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "health IN ('new', 'ok', 'login_doubted', 'login_refused', 'maildrop_busy', 'unreachable', 'certificate_invalid', 'server_fault')",
            name=op.f("ck_mailbox_health"),
        ),
        sa.CheckConstraint("retention IN ('leave', 'delete_posted')", name=op.f("ck_mailbox_retention")),
        sa.PrimaryKeyConstraint("id", name="pk_mailbox"),
        sa.UniqueConstraint("workspace", "owner", "form_id", name="uq_mailbox_workspace_owner_form_id"),
    )
    _partial_index("ix_mailbox_active", "mailbox", ["workspace", "owner"], where="is_active", unique=True)
    _partial_index("ix_mailbox_due", "mailbox", ["due_at"], where="due_at IS NOT NULL")


def _create_seen() -> None:
    op.create_table(
        "seen",
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("uid", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('skipped', 'failed', 'kept', 'deleting', 'deleted')", name=op.f("ck_seen_state")
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_seen_mailbox_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailbox_id", "uid", name="pk_seen"),
        sqlite_with_rowid=False,
    )
    _partial_index(
        "ix_seen_deletable",
        "seen",
        ["mailbox_id", "state"],
        where="is_settled AND state IN ('kept', 'deleting')",
    )


def _create_message() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("uid", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("shape", sa.String(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("listed_octets", sa.BigInteger(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("settled_at", UTCDateTime(), nullable=True),
        sa.Column("purged_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("shape IN ('whole', 'top', 'refused')", name=op.f("ck_message_shape")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_message_mailbox_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
    )
    _partial_index(
        "ix_message_purgeable",
        "message",
        ["settled_at"],
        where="settled_at IS NOT NULL AND purged_at IS NULL",
    )
    op.create_index("ix_message_uid", "message", ["mailbox_id", "uid"])


def _create_message_chunk() -> None:
    op.create_table(
        "message_chunk",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_message_chunk_message_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "number", name="pk_message_chunk"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Sealed octets do not shrink: spare the server the attempt.
        op.execute("ALTER TABLE message_chunk ALTER COLUMN octets SET STORAGE EXTERNAL")


def _create_dm() -> None:
    op.create_table(
        "dm",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("last_ts", sa.String(), nullable=True),
        sa.Column("held_until", UTCDateTime(), nullable=True),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "owner", name="pk_dm"),
    )
    _partial_index("ix_dm_due", "dm", ["due_at"], where="due_at IS NOT NULL")


def _create_entry() -> None:
    op.create_table(
        "entry",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=True),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("notice", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("intended_at", UTCDateTime(), nullable=True),
        sa.Column("lookup_after", UTCDateTime(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("file_ids", sa.String(), nullable=False),
        sa.Column("plain", sa.Boolean(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("notice IN ('login_refused', 'all_clear')", name=op.f("ck_entry_notice")),
        sa.CheckConstraint(
            "state IN ('waiting', 'posting', 'posted', 'filing', 'settled', 'given_up')",
            name=op.f("ck_entry_state"),
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_entry_mailbox_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_entry_message_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_entry"),
        sa.UniqueConstraint("id", name="uq_entry_id"),
        sa.UniqueConstraint("message_id", name="uq_entry_message_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entry_mailbox", "entry", ["mailbox_id"])
    _partial_index("ix_entry_open", "entry", ["workspace", "owner", "number"], where="finished_at IS NULL")
