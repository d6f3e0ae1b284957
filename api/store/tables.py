"""The tables. Times are UTC with zone, JSON is JSONB on PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from monitors.coverage import MOST_REASON_CHARS
from monitors.events import EventType
from monitors.status import (
    ACTIVE_STATUSES,
    DeliveryStatus,
    Health,
    IncidentKind,
    MonitorStatus,
    Severity,
    StreamStatus,
)


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as UTC; SQLite, which knows no zones, gets it without."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def result_processor(
        self, dialect: Dialect, _coltype: object
    ) -> Callable[[Any], datetime | None] | None:
        """Read a value in one step: a report of coverage reads hundreds of thousands."""
        return _from_text if dialect.name == "sqlite" else None


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")


def _json(*, none_as_null: bool = False) -> TypeEngine[Any]:
    plain, binary = JSON(none_as_null=none_as_null), JSONB(none_as_null=none_as_null)
    return plain.with_variant(binary, "postgresql")


def choice(kind: type[StrEnum], length: int) -> Enum:
    """Return the type of a text that is one of the values of `kind`, and is read as such."""
    return Enum(kind, native_enum=False, length=length, values_callable=list)


Json = _json()
_ACTIVE = text(
    "status IN ({})".format(", ".join(f"'{status}'" for status in sorted(ACTIVE_STATUSES)))
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

monitors = Table(
    "monitors",
    metadata,
    Column("monitor_id", String(64), primary_key=True),
    Column("stream_url", Text, nullable=False),
    Column("stream_key", String(200), nullable=False),
    Column("callback_url", Text),
    Column("name", String(120)),
    Column("title", Text),
    Column("labels", Json, nullable=False),
    Column("applied_by", String(63)),
    Column("config", Json, nullable=False),
    Column("metadata", Json, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("recorded_through", Integer, nullable=False, server_default=text("0")),
    Column("request_headers", Text),
    Column("status", choice(MonitorStatus, 16), nullable=False),
    Column("stream_status", choice(StreamStatus, 16), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("workflow_started_at", UtcTime),
    Column("reported_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("live_since", UtcTime),
    Column("live_until", UtcTime),
    Column("stop_reason", Text),
    Column("error_reason", Text),
    Column("error_message", Text),
    Index(
        "uq_monitors_active_stream",
        "stream_key",
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    ),
    Index(None, "status", "created_at"),
    Index(None, "created_at", "monitor_id"),
    Index(None, "finished_at"),
)
"""One row a monitor.

`name` is the user's, `title` the stream's. A monitor without `callback_url` names destinations.
`workflow_started_at` is empty until Temporal confirmed
the start; `reported_at` is the `as_of` of the status; `finished_at` is when the status became a
final one. `live_since` and `live_until` are when the stream began and ended, by its events.
`request_headers` are sealed by `api.secrets`, and gone then. All events up to the sequence
`recorded_through` are recorded, or taken as lost.
"""


def belongs_to_monitor(*, primary_key: bool = False, nullable: bool = False) -> Column[str]:
    return Column(
        "monitor_id",
        String(64),
        ForeignKey("monitors.monitor_id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=nullable,
    )


monitor_labels = Table(
    "monitor_labels",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    belongs_to_monitor(primary_key=True),
    Index(None, "monitor_id"),
    sqlite_with_rowid=False,
)
"""The labels of each monitor, to find monitors by: triggers keep them as `monitors.labels` is."""

monitor_stats = Table(
    "monitor_stats",
    metadata,
    belongs_to_monitor(primary_key=True),
    Column("health", Json, nullable=False),
    Column("statistics", Json, nullable=False),
    Column("open_incidents", Json, nullable=False),
    Column("overall_health", choice(Health, 8), nullable=False),
    Column("media", _json(none_as_null=True)),
    Column("as_of", UtcTime, nullable=False),
)
"""The newest report of each monitor; `overall_health` is what lists are filtered by."""

monitor_events = Table(
    "monitor_events",
    metadata,
    belongs_to_monitor(primary_key=True),
    Column("event_id", String(200), primary_key=True),
    Column("event_type", choice(EventType, 64), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("webhook_status", choice(DeliveryStatus, 16), nullable=False),
    Column("webhook_attempts", Integer, nullable=False),
    Column("webhook_last_error", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    Column("incident_id", String(40)),
    Index(None, "monitor_id", "sequence"),
    Index(None, "created_at"),
    Index(None, "incident_id"),
)
"""Each event with what became of its webhook.

`body` is the webhook's body as it is sent: JSONB keeps neither the order of names nor how a number
is written, and a webhook that is sent again must not differ by a byte.
"""

coverage = Table(
    "coverage",
    metadata,
    belongs_to_monitor(primary_key=True),
    Column("start_at", UtcTime, primary_key=True),
    Column("end_at", UtcTime, nullable=False),
    Column("reason", String(MOST_REASON_CHARS)),
    Index(None, "end_at"),
)
"""What was observed of each stream, see `monitors.coverage.ObservedSpan`: a row grows at its end
while nothing changes."""

quiet_spans = Table(
    "quiet_spans",
    metadata,
    belongs_to_monitor(primary_key=True),
    Column("incident_id", String(40), primary_key=True),
    Column("start_at", UtcTime, primary_key=True),
    Column("end_at", UtcTime, nullable=False),
    Index(None, "end_at"),
)
"""Good time between the faults of an incident. It may be told before the incident is recorded."""

incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", String(40), primary_key=True),
    belongs_to_monitor(),
    Column("kind", choice(IncidentKind, 32), nullable=False),
    Column("severity", choice(Severity, 16), nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("detected_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("duration_sec", Double),
    Column("reason", Text),
    Column("track", Text, nullable=False),
    Column("is_flapping", Boolean, nullable=False),
    Column("silenced", Boolean, nullable=False),
    Column("acknowledged_at", UtcTime),
    Column("note", Text),
    Column("opened_name", Text, nullable=False),
    Column("opened_labels", Json, nullable=False),
    Index(None, "started_at", "incident_id"),
    Index(None, "monitor_id", "started_at", "severity", "kind", "ended_at"),
    Index(None, "monitor_id", "kind", "started_at"),
    Index(None, "kind", "started_at", "monitor_id"),
    Index(None, "severity", "started_at"),
    Index(
        "ix_incidents_open",
        "started_at",
        "incident_id",
        sqlite_where=text("is_open"),
        postgresql_where=text("is_open"),
    ),
)
"""One row an incident, made by its first event and closed by its second, or by its monitor's end.

The event that a stream cannot bring is no loss: either of the two alone makes the row.
The index of `monitor_id` has all that counts and reports of availability read.
`opened_name` and `opened_labels` are the monitor's then: Alertmanager knows an alert by them.
"""

IS_OPEN: Final = text("incidents.is_open")
"""Literally as the partial index has it: SQLite would not see that `is_open = 1` fits."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key_hash", String(64), primary_key=True),
    Column("body_hash", String(64), nullable=False),
    belongs_to_monitor(),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "created_at"),
    Index(None, "monitor_id"),
)
"""Creations by their `Idempotency-Key`; gone with their monitor."""

changes = Table(
    "changes",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("subject", String(16), nullable=False),
    Column("subject_id", String(64), nullable=False),
    UniqueConstraint("subject", "subject_id", name="uq_changes_subject"),
    sqlite_autoincrement=True,
)
"""The latest change of each monitor and incident, numbered in the order of changes.

Triggers write it; see `api.store.changes`.
"""

deployment = Table(
    "deployment",
    metadata,
    Column("deployment_id", String(36), primary_key=True),
)
"""One row: the name of this database, made with it. The workflows of its monitors carry it."""
