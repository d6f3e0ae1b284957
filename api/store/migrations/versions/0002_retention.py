"""Indexes by which old monitors and events are found."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_monitors_finished_at", "monitors", ["finished_at"])
    op.create_index("ix_monitor_events_created_at", "monitor_events", ["created_at"])


def downgrade() -> None:
    op.drop_index("ix_monitor_events_created_at", "monitor_events")
    op.drop_index("ix_monitors_finished_at", "monitors")
