"""How high the writer of a grant ranked: what opens mail without asking binds nobody above them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("share_grant", sa.Column("rank", sa.Integer(), nullable=True))
    # That of admins, the lowest that writes grants: of those who wrote before, more is not known.
    op.execute("UPDATE share_grant SET rank = 4")
    # Whether the channel of a fixed one was private when it was chosen is not known: it goes on as it did.
    op.execute("UPDATE share_grant SET channels = 2 WHERE kind = 'fixed' AND audience_kind = 'channel'")
