"""What destinations are told, as rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from api.store.destinations import belongs_to_destination
from api.store.silences import SilenceRecord, last_end
from api.store.tables import UtcTime, choice, metadata
from monitors.events import EventType
from monitors.status import IncidentKind
from notifications.notification import NotificationState

LOST_AFTER: Final = timedelta(seconds=10)
"""An event that is not recorded so long after a later one of its monitor is taken as lost."""


class NotificationStatus(StrEnum):
    """What became of a notification."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SILENCED = "silenced"
    """A silence held it back: told at its end where the incident is still open, else never."""

    SKIPPED = "skipped"  # its incident ended while the destination was disabled


deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    belongs_to_destination(),
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
`api.store.queueing`.

The rows that one notification tells have its first row in `told_with`. `told_at` of an opening is
when it was told last, by itself or by a reminder. A row outlives its monitor.
"""


@dataclass(frozen=True)
class DeliveryRecord:
    """One row of what a destination is told.

    Attributes:
        told_with: the first row of the notification that told it; None before.
        told_at: of an opening, when it was told last, by itself or by a reminder.
        happened_at: when its event happened; of reminders and tests, when they were due.
        sent_at: when the destination took it.
    """

    delivery_id: int
    destination_id: str
    state: NotificationState
    monitor_id: str | None
    event_id: str | None
    event_type: EventType | None
    incident_id: str | None
    origin_host: str | None
    status: NotificationStatus
    told_with: int | None
    told_at: datetime | None
    sequence: int | None
    attempts: int
    last_error: str | None
    happened_at: datetime
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True)
class QueuedRow:
    """A row of deliveries, with what is known of its incident.

    Attributes:
        told_with: names the group that an opening was told in.
        ended_at: of the incident; None while it is open.
        opening: the row of the beginning, of all other rows of an incident; None where the
            destination did not want it.
        is_early: whether an earlier event of its monitor is not recorded yet.
    """

    delivery_id: int
    state: NotificationState
    status: NotificationStatus
    happened_at: datetime
    created_at: datetime
    monitor_id: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    kind: IncidentKind | None = None
    incident_id: str | None = None
    origin_host: str | None = None
    told_with: int | None = None
    told_at: datetime | None = None
    ended_at: datetime | None = None
    opening: "QueuedRow | None" = None
    is_early: bool = False

    def silenced_until(
        self, silences: Iterable[SilenceRecord], moment: datetime
    ) -> datetime | None:
        """Return the end of the last silence that holds it back at a moment; None: none does."""
        return last_end(silences, self.monitor_id, self.labels, self.kind, moment)


@dataclass(frozen=True)
class Board:
    """What waits for a destination and what it was told, to be judged.

    Attributes:
        waiting: pending rows and silenced openings of open incidents, in their order.
        told: openings that were told, of open incidents that nobody acknowledged; none where nobody
            is reminded.
        open_in_group: how many incidents are still open, for each group of several that rows of
            `waiting` belong to.
        silences: those that cover a moment since the oldest row happened.
        is_all_waiting, is_all_told: whether all of these were read.
    """

    waiting: Sequence[QueuedRow]
    told: Sequence[QueuedRow]
    open_in_group: dict[int, int]
    silences: Sequence[SilenceRecord]
    is_all_waiting: bool = True
    is_all_told: bool = True
