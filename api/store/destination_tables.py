"""The tables of destinations, of what they are told, and of silences."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from activities.destination_declarations import Retry
from api.store.destination_records import NotificationStatus
from api.store.tables import Json, UtcTime, belongs_to_monitor, choice, metadata
from monitors.events import EventType
from monitors.status import Severity
from notifications.notification import DestinationType, Language, NotificationState


def _destination_id(*, primary_key: bool = False) -> Column[str]:
    return Column(
        "destination_id",
        String(64),
        ForeignKey("destinations.destination_id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


destinations = Table(
    "destinations",
    metadata,
    Column("destination_id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("type", choice(DestinationType, 16), nullable=False),
    Column("shown_url", Text, nullable=False),
    Column("secrets", Text, nullable=False),
    Column("public_key", Text),
    Column("events", Json, nullable=False),
    Column("min_severity", choice(Severity, 16)),
    Column("remind_every_sec", Integer),
    Column("group_window_sec", Integer, nullable=False),
    Column("retry", choice(Retry, 8), nullable=False),
    Column("language", choice(Language, 2), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("applied_by", String(63)),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "created_at", "destination_id"),
)
"""`secrets` (the URL and signing keys) are sealed by `api.secrets`; `shown_url` has none."""

monitor_destinations = Table(
    "monitor_destinations",
    metadata,
    belongs_to_monitor(primary_key=True),
    _destination_id(primary_key=True),
    Index(None, "destination_id"),
)
"""The destinations that a monitor names."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _destination_id(),
    Column("state", choice(NotificationState, 16), nullable=False),
    Column("monitor_id", String(64)),
    Column("event_id", String(200)),
    Column("event_type", choice(EventType, 64)),
    Column("sequence", Integer),
    Column("incident_id", String(64)),
    Column("origin_host", String(255)),
    Column("status", choice(NotificationStatus, 16), nullable=False),
    Column("told_with", BigInteger),
    Column("told_at", UtcTime),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    Column("happened_at", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    Index(None, "destination_id", "status", "delivery_id"),
    Index(None, "incident_id", "destination_id"),
    Index(None, "told_with"),
    Index(None, "created_at"),
    sqlite_autoincrement=True,
)
"""What each destination is told, in order: one row an event, a reminder, a test.

Pending rows of one monitor lie in the order of their events' `sequence`: see
`api.store.event_order`.

The rows that one notification tells have its first row in `told_with`. `told_at` of an opening is
when it was told last, by itself or by a reminder. A row outlives its monitor.
"""

silences = Table(
    "silences",
    metadata,
    Column("silence_id", String(64), primary_key=True),
    Column("monitor_ids", Json),
    Column("labels", Json),
    Column("kinds", Json),
    Column("starts_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("note", Text),
    Column("applied_by", String(63)),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "ends_at"),
)
"""Null in `monitor_ids` and `labels`: all monitors. Null in `kinds`: all kinds."""
