"""What the store hands out of destinations, deliveries and silences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from activities.destination_declarations import Retry
from monitors.events import EventType
from monitors.status import IncidentKind, Severity
from notifications.notification import DestinationType, Language, NotificationState

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

    SKIPPED = "skipped"
    """Its incident ended while the destination was disabled."""


@dataclass(frozen=True)
class DestinationRecord:
    """A destination as the store knows it.

    Attributes:
        shown_url: the URL with its secrets masked.
        secrets: the URL and signing keys, sealed by `api.secrets`.
        public_key: with which Ed25519 signatures are verified, base64; None without them.
        events: patterns of event types, as of `fnmatch`.
        remind_every_sec: None: no reminders.
        group_window_sec: 0: no groups.
    """

    destination_id: str
    name: str
    type: DestinationType
    shown_url: str
    secrets: str = field(repr=False)
    public_key: str | None
    events: list[str]
    min_severity: Severity | None
    remind_every_sec: int | None
    group_window_sec: int
    retry: Retry
    language: Language
    enabled: bool
    created_at: datetime
    applied_by: str | None = None


@dataclass(frozen=True)
class SilenceRecord:
    """A time in which incidents notify nobody.

    Attributes:
        monitor_ids, labels: which monitors; both None: all.
        kinds: None: all.
    """

    silence_id: str
    monitor_ids: list[str] | None
    labels: dict[str, str] | None
    kinds: list[IncidentKind] | None
    starts_at: datetime
    ends_at: datetime
    note: str | None
    created_at: datetime
    applied_by: str | None = None

    def covers(self, moment: datetime) -> bool:
        return self.starts_at <= moment < self.ends_at

    def matches(self, monitor_id: str, labels: dict[str, str], kind: IncidentKind) -> bool:
        """Return whether it is about incidents of this kind of this monitor."""
        if self.kinds is not None and kind not in self.kinds:
            return False
        if self.monitor_ids is not None:
            return monitor_id in self.monitor_ids
        return all(labels.get(key) == value for key, value in (self.labels or {}).items())


def last_end(
    silences: Iterable[SilenceRecord],
    monitor_id: str | None,
    labels: dict[str, str],
    kind: IncidentKind | None,
    moment: datetime,
) -> datetime | None:
    """Return when the last silence ends that holds back such an incident at a moment."""
    if monitor_id is None or kind is None:
        return None
    holding = (one for one in silences if one.covers(moment))
    ends = (one.ends_at for one in holding if one.matches(monitor_id, labels, kind))
    return max(ends, default=None)


@dataclass(frozen=True)
class DeliveryRecord:
    """One row of what a destination is told.

    Attributes:
        told_with: the first row of the notification that told it; None before.
        told_at: of an opening, when it was told last, by itself or by a reminder.
        sequence: of its event; None where it tells none.
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
        told_at: when an opening was told last.
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
