"""Mail that is sent from Slack: its sealed letters and octets, its posts, the domains it went to."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NOTICES = (
    "login_refused", "maildrop_busy", "unreachable", "certificate_invalid", "server_fault", "asked",
    "all_clear", "old_mail", "original", "digest", "copy", "told", "outgoing", "outgoing_refused",
    "outgoing_news",
)  # fmt: skip
_ACTS = (
    "grant_set", "grant_removed", "share_opened", "share_cut", "share_ended", "share_revoked", "copies_withdrawn",
    "copy_sent", "mailbox_suspended", "mailbox_lifted", "mailbox_deleted", "credentials_erased", "managed", "refused",
    "sent",
)  # fmt: skip
_ATTEMPTS = (
    "test", "test_login", "test_workspace", "refused_login", "sent", "sent_mailbox", "sent_to",
)  # fmt: skip
_STATES = ("waiting", "held", "sending", "sent", "unknown", "failed", "undone")
_TROUBLES = (
    "login_refused", "unreachable", "sender_refused", "recipients_refused", "message_refused", "too_large",
    "server_unfit", "not_allowed", "suspended", "no_server", "too_long", "no_answer",
)  # fmt: skip


def upgrade() -> None:
    _change_words()
    op.add_column("mailbox", sa.Column("outgoing_refused_at", UTCDateTime(), nullable=True))
    _create_outgoing()
    _create_outgoing_chunk()
    _create_outgoing_post()
    _create_written_domain()


def _words(column: str, *words: str) -> str:
    allowed = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({allowed})"


def _one_of(table: str, column: str, *words: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(_words(column, *words), name=op.f(f"ck_{table}_{column}"))


def _partial_index(name: str, table: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _change_words() -> None:
    # Built anew by SQLite, a table forgets what is not repeated.
    with op.batch_alter_table("entry", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f("ck_entry_notice"), type_="check")
        batch.create_check_constraint(op.f("ck_entry_notice"), _words("notice", *_NOTICES))
    with op.batch_alter_table("audit", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f("ck_audit_act"), type_="check")
        batch.create_check_constraint(op.f("ck_audit_act"), _words("act", *_ACTS))
    with op.batch_alter_table("attempt") as batch:
        batch.add_column(sa.Column("times", sa.Integer(), nullable=False, server_default="1"))
        batch.drop_constraint(op.f("ck_attempt_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_attempt_kind"), _words("kind", *_ATTEMPTS))
    with op.batch_alter_table("attempt") as batch:
        batch.alter_column("times", server_default=None)


def _create_outgoing() -> None:
    op.create_table(
        "outgoing",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("form_id", sa.String(), nullable=False),
        sa.Column("answers", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.Column("letter", sa.LargeBinary(), nullable=True),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("begun_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("is_left", sa.Boolean(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        _one_of("outgoing", "state", *_STATES),
        _one_of("outgoing", "trouble", *_TROUBLES),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_outgoing_mailbox_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing"),
        sa.UniqueConstraint(
            "mailbox_id",
            "workspace",
            "actor",
            "form_id",
            name="uq_outgoing_mailbox_id_workspace_actor_form_id",
        ),
    )
    op.create_index("ix_outgoing_actor", "outgoing", ["workspace", "actor"])
    _partial_index("ix_outgoing_due", "outgoing", ["due_at"], where="state = 'waiting'")
    _partial_index("ix_outgoing_leased", "outgoing", ["mailbox_id"], where="lease_until IS NOT NULL")
    _partial_index("ix_outgoing_under_way", "outgoing", ["state"], where="finished_at IS NULL")
    purgeable = "finished_at IS NOT NULL AND letter IS NOT NULL"
    _partial_index("ix_outgoing_purgeable", "outgoing", ["finished_at"], where=purgeable)


def _create_outgoing_chunk() -> None:
    op.create_table(
        "outgoing_chunk",
        sa.Column("outgoing_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["outgoing_id"], ["outgoing.id"], name="fk_outgoing_chunk_outgoing_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("outgoing_id", "number", name="pk_outgoing_chunk"),
    )


def _create_outgoing_post() -> None:
    op.create_table(
        "outgoing_post",
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("outgoing_id", sa.String(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name="fk_outgoing_post_entry_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["outgoing_id"], ["outgoing.id"], name="fk_outgoing_post_outgoing_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", name="pk_outgoing_post"),
    )
    op.create_index("ix_outgoing_post_outgoing_id", "outgoing_post", ["outgoing_id"])
    _partial_index("ix_outgoing_post_behind", "outgoing_post", ["entry_id"], where="told < changes")


def _create_written_domain() -> None:
    op.create_table(
        "written_domain",
        sa.Column("mailbox_id", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name="fk_written_domain_mailbox_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailbox_id", "digest", name="pk_written_domain"),
        sqlite_with_rowid=False,
    )
