"""More than one active mailbox, suspended mailboxes, erased passwords."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_HEALTHS = (
    "new", "ok", "login_doubted", "login_refused", "password_erased", "maildrop_busy", "unreachable",
    "certificate_invalid", "server_fault", "asked",
)  # fmt: skip


def upgrade() -> None:
    op.drop_index("ix_mailbox_active", "mailbox")
    with op.batch_alter_table("mailbox") as batch:
        batch.add_column(sa.Column("activated_at", UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("suspension", sa.String(), nullable=True))
        batch.add_column(sa.Column("suspended_administrator", UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("suspended_role", UTCDateTime(), nullable=True))
        batch.add_column(sa.Column("suspended_deactivated", UTCDateTime(), nullable=True))
        batch.drop_constraint(op.f("ck_mailbox_health"), type_="check")
        batch.create_check_constraint(op.f("ck_mailbox_health"), _words("health", *_HEALTHS))
        batch.create_check_constraint(
            op.f("ck_mailbox_suspension"), _words("suspension", "administrator", "role", "deactivated")
        )
    op.execute("UPDATE mailbox SET activated_at = created_at WHERE is_active")


def _words(column: str, *words: str) -> str:
    allowed = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({allowed})"
