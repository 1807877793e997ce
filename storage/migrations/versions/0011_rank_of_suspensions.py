"""How high the administrator ranked who suspended a mailbox: those below them do not lift it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of those who suspended before, it is not known: any administrator lifts that.
    op.add_column("mailbox", sa.Column("suspended_rank", sa.Integer(), nullable=True))
