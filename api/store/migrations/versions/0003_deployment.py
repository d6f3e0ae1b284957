"""Who this database is: its workflows carry the name, so that nobody stops those of another."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    deployment = op.create_table(
        "deployment",
        sa.Column("deployment_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("deployment_id", name="pk_deployment"),
    )
    op.bulk_insert(deployment, [{"deployment_id": str(uuid4())}])


def downgrade() -> None:
    op.drop_table("deployment")
