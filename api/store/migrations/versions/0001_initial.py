"""The beginning: a new database gets its tables as `api.store.tables` has them by then."""

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is older."""
