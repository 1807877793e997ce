"""Delete settings, the brake for changed UIDs, pace, old mail in a thread, counted attempts."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _change_mailbox()
    _change_seen()
    _change_entry()
    op.create_index("ix_message_fingerprint", "message", ["mailbox_id", "fingerprint"])
    _create_old_mail()
    _create_attempt()


def _one_of(batch: object, table: str, column: str, *words: str) -> None:
    allowed = ", ".join(f"'{word}'" for word in words)
    batch.drop_constraint(op.f(f"ck_{table}_{column}"), type_="check")  # type: ignore[attr-defined]
    batch.create_check_constraint(op.f(f"ck_{table}_{column}"), f"{column} IN ({allowed})")  # type: ignore[attr-defined]


def _partial_index(name: str, table: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _change_mailbox() -> None:
    with op.batch_alter_table("mailbox") as batch:
        batch.add_column(sa.Column("delete_days", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("polled_at", UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("last_mail_at", UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("watched_seconds", sa.BigInteger(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("listed", sa.Integer(), nullable=False, server_default="0"))
        _one_of(batch, "mailbox", "retention", "leave", "delete_posted", "delete_later", "delete_asked")
        _one_of(
            batch, "mailbox", "health",
            "new", "ok", "login_doubted", "login_refused", "maildrop_busy", "unreachable", "certificate_invalid",
            "server_fault", "asked",
        )  # fmt: skip
    with op.batch_alter_table("mailbox") as batch:
        batch.alter_column("watched_seconds", server_default=None)
        batch.alter_column("listed", server_default=None)


def _change_seen() -> None:
    op.drop_index("ix_seen_deletable", "seen")
    with op.batch_alter_table("seen") as batch:
        batch.add_column(sa.Column("settled_watch", sa.BigInteger(), nullable=True))
        _one_of(
            batch, "seen", "state",
            "skipped", "old", "asked", "doubted", "failed", "kept", "deleting", "deleted",
        )  # fmt: skip
    _partial_index(
        "ix_seen_open", "seen", ["mailbox_id", "state"], where="state IN ('old', 'asked', 'doubted')"
    )
    op.execute("UPDATE seen SET settled_watch = 0 WHERE is_settled")
    _partial_index(
        "ix_seen_deletable",
        "seen",
        ["mailbox_id", "state", "settled_watch"],
        where="is_settled AND state IN ('kept', 'deleting')",
    )


def _change_entry() -> None:
    with op.batch_alter_table("entry") as batch:
        batch.add_column(sa.Column("parent", sa.String(), nullable=False, server_default=""))
        _one_of(
            batch, "entry", "notice",
            "login_refused", "maildrop_busy", "unreachable", "certificate_invalid", "server_fault", "asked",
            "all_clear", "old_mail",
        )  # fmt: skip
    with op.batch_alter_table("entry") as batch:
        batch.alter_column("parent", server_default=None)
    _partial_index("ix_entry_parent", "entry", ["parent", "number"], where="parent <> ''")
    op.drop_index("ix_entry_open", "entry")
    order = ["workspace", "owner", "parent", "number"]
    _partial_index("ix_entry_open", "entry", order, where="finished_at IS NULL")


def _create_old_mail() -> None:
    op.create_table(
        "old_mail",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("stopped_of", sa.Integer(), nullable=True),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_old_mail_mailbox_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_old_mail"),
    )
    op.create_index("ix_old_mail_mailbox_id", "old_mail", ["mailbox_id"])
    _partial_index("ix_old_mail_behind", "old_mail", ["id"], where="told < changes")


def _create_attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("who", sa.LargeBinary(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('test', 'test_login', 'test_workspace', 'refused_login')", name=op.f("ck_attempt_kind")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
    )
    op.create_index("ix_attempt_who", "attempt", ["kind", "who", "at"])
    op.create_index("ix_attempt_at", "attempt", ["at"])
