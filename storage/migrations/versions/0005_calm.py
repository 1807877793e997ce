"""Digests and quiet hours: how a mailbox posts, and entries that are held back."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NOTICES = (
    "login_refused", "maildrop_busy", "unreachable", "certificate_invalid", "server_fault", "asked",
    "all_clear", "old_mail", "original", "digest",
)  # fmt: skip


def upgrade() -> None:
    _change_mailbox()
    _change_entry()
    op.add_column("dm", sa.Column("wake_at", UTCDateTime(), nullable=True))
    _partial_index("ix_dm_wake", "dm", ["wake_at"], where="wake_at IS NOT NULL")


def _words(column: str, *words: str) -> str:
    allowed = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({allowed})"


def _partial_index(name: str, table: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _change_mailbox() -> None:
    with op.batch_alter_table("mailbox") as batch:
        batch.add_column(sa.Column("delivery", sa.String(), nullable=False, server_default="each"))
        batch.add_column(sa.Column("daily_hour", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("quiet_from", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("quiet_to", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("zone", sa.String(), nullable=True))
        batch.add_column(sa.Column("zone_due", UTCDateTime(), nullable=True))
        batch.create_check_constraint(
            op.f("ck_mailbox_delivery"), _words("delivery", "each", "hourly", "daily")
        )
    with op.batch_alter_table("mailbox") as batch:
        batch.alter_column("delivery", server_default=None)
    _partial_index("ix_mailbox_zone_due", "mailbox", ["zone_due"], where="zone_due IS NOT NULL")


def _change_entry() -> None:
    op.drop_index("ix_entry_open", "entry")
    # Built anew by SQLite, the table forgets what is not repeated: 0002 and 0003 lost that no number comes again.
    with op.batch_alter_table("entry", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("not_before", UTCDateTime(), nullable=True))
        batch.drop_constraint(op.f("ck_entry_notice"), type_="check")
        batch.create_check_constraint(op.f("ck_entry_notice"), _words("notice", *_NOTICES))
    order = ["workspace", "owner", "gives_way", "number"]
    _partial_index("ix_entry_open", "entry", order, where="finished_at IS NULL AND not_before IS NULL")
    held = ["workspace", "owner", "not_before"]
    _partial_index("ix_entry_held", "entry", held, where="not_before IS NOT NULL")
    open_digest = "notice = 'digest' AND not_before IS NOT NULL"
    _partial_index("ix_entry_digest", "entry", ["mailbox_id"], where=open_digest)
