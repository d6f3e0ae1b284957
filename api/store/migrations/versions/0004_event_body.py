"""The body of each webhook as it is sent: JSONB keeps what it means, not how it is written."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("monitor_events", sa.Column("body", sa.Text))


def downgrade() -> None:
    op.drop_column("monitor_events", "body")
