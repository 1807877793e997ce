"""Rules that keep mail out of Slack, posts marked as done, originals in a post's thread."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _change_entry()
    _create_rule()
    _create_original()


def _one_of(batch: object, column: str, *words: str) -> None:
    allowed = ", ".join(f"'{word}'" for word in words)
    batch.drop_constraint(op.f(f"ck_entry_{column}"), type_="check")  # type: ignore[attr-defined]
    batch.create_check_constraint(op.f(f"ck_entry_{column}"), f"{column} IN ({allowed})")  # type: ignore[attr-defined]


def _partial_index(name: str, table: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _change_entry() -> None:
    with op.batch_alter_table("entry") as batch:
        batch.add_column(sa.Column("muted_by", sa.String(), nullable=True))
        batch.add_column(sa.Column("done_at", UTCDateTime(), nullable=True))
        _one_of(batch, "state", "waiting", "posting", "posted", "filing", "settled", "given_up", "muted")
        _one_of(
            batch, "notice",
            "login_refused", "maildrop_busy", "unreachable", "certificate_invalid", "server_fault", "asked",
            "all_clear", "old_mail", "original",
        )  # fmt: skip
    _partial_index("ix_entry_muted_by", "entry", ["muted_by"], where="muted_by IS NOT NULL")
    _partial_index(
        "ix_entry_not_done",
        "entry",
        ["workspace", "owner", "mailbox_id", "number"],
        where="message_id IS NOT NULL AND ts IS NOT NULL AND done_at IS NULL",
    )


def _create_rule() -> None:
    op.create_table(
        "rule",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('sender', 'conversation')", name=op.f("ck_rule_kind")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_rule_mailbox_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rule"),
        sa.UniqueConstraint("mailbox_id", "kind", "digest", name="uq_rule_mailbox_id_kind_digest"),
    )


def _create_original() -> None:
    op.create_table(
        "original",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'here', 'gone', 'refused', 'too_large')", name=op.f("ck_original_state")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_original_message_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_original_mailbox_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", name="pk_original"),
    )
    op.create_index("ix_original_entry_id", "original", ["entry_id"])
    op.create_index("ix_original_mailbox_id", "original", ["mailbox_id"])
    _partial_index("ix_original_asked", "original", ["mailbox_id", "asked_at"], where="state = 'asked'")
