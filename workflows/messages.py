"""What goes into the workflows and what comes out of them.

The gateway uses these to start, query and stop monitors, and to start and wake destinations.
"""

from typing import Any

from pydantic import AwareDatetime, BaseModel

from activities.declarations import Placement
from activities.destination_declarations import NotificationOutcome
from monitors.config import MonitorConfig
from monitors.coverage import ObservedSpan, QuietSpan
from monitors.reports import EventReport, HealthReport, OpenIncident, Statistics
from monitors.status import DeliveryStatus, MonitorStatus, StreamStatus

WORKFLOW_TYPE = "MonitorWorkflow"
TASK_QUEUE = "stream-tracker"
STOP_SIGNAL = "stop"
POD_FAILED_SIGNAL = "pod_failed"
POD_READY_SIGNAL = "pod_ready"
SILENCE_ENDED_SIGNAL = "silence_ended"
SNAPSHOT_QUERY = "snapshot"
CHANGE_UPDATE = "change"

# Error types with which the update is refused.
NOT_ACTIVE = "NotActive"
INVALID_CHANGE = "InvalidChange"
REDELIVERY_TYPE = "RedeliveryWorkflow"

DESTINATION_TYPE = "DestinationWorkflow"
WAKE_SIGNAL = "wake"
INTERRUPT_SIGNAL = "interrupt"


class OutboxEntry(BaseModel):
    """An event until the receiver has it, or will never have it, and the store knows that."""

    report: EventReport
    size_bytes: int
    is_reported: bool = False  # whether the store knows the report as it is
    # until when a silence holds it back, by the gateway's last word; None where none did, or its
    # incident is over
    silenced_until: AwareDatetime | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether its webhook is to be delivered now."""
        return self.report.webhook_status is DeliveryStatus.PENDING

    @property
    def is_held(self) -> bool:
        """Whether its webhook is to be delivered when a silence has ended."""
        is_silenced = self.report.webhook_status is DeliveryStatus.SILENCED
        return is_silenced and self.silenced_until is not None

    @property
    def incident_id(self) -> str | None:
        """Whose event it is; None for what is no incident."""
        known: str | None = self.report.event.data.get("incident_id")
        return known


class MonitorProgress(BaseModel):
    """Everything a monitor has learned: carried from one run of its workflow to the next."""

    status: MonitorStatus = MonitorStatus.INITIALIZING
    stream_status: StreamStatus = StreamStatus.UNKNOWN
    doing: str = "Starting"  # what is going on, in plain words
    as_of: AwareDatetime  # when the workflow last learned something of its stream
    title: str | None = None
    is_live: bool = False
    changes: int = 0  # how many changes it took
    site_start_time: AwareDatetime | None = None  # when the stream's site says that it will start
    delay_reported: bool = False
    stop_requested: bool = False
    health: HealthReport = HealthReport()
    statistics: Statistics = Statistics()
    open_incidents: list[OpenIncident] = []
    # what the last watch had not told the store
    coverage: list[ObservedSpan] = []
    quiet_spans: list[QuietSpan] = []
    # where the last wait and the last watch stopped; opaque
    wait_state: dict[str, Any] | None = None
    watch_state: dict[str, Any] | None = None
    sequence: int = 0  # of the last event
    events_sent: int = 0
    events_failed: int = 0
    # events that are through and that the store never learns of, since it was away for too long
    events_unaudited: int = 0
    # events that the receiver or the store does not know yet, in order
    outbox: list[OutboxEntry] = []
    status_unreported: bool = False  # whether the store does not know the status yet
    placement: Placement = Placement()
    has_pod: bool = False  # whether there may be a Pod to delete at the end
    pod_number: int = 1  # of the present Pod, from 1
    pod_failures: int = 0  # how many Pods failed in a row
    pod_failing_since: AwareDatetime | None = None  # when the first of these failed
    shows_pod_failure: bool = False  # whether `doing` is about a Pod that is not ready
    error_reason: str | None = None
    error_message: str | None = None


class MonitorInput(BaseModel):
    """What a user asked to be watched. Workflow id = `monitor_id`."""

    monitor_id: str
    # what its user calls the monitor; None: the stream's title, once it is known
    name: str | None = None
    # whether Temporal's list may show the name: search attributes are not encrypted
    shows_name: bool = True
    stream_url: str
    stream_key: str  # see `monitors.stream_url.StreamSource.key`
    # None: the gateway tells destinations of its events, and nobody else is told
    callback_url: str | None = None
    callback_seal: str  # the gateway's word for `callback_url`; see `monitors.webhook_signing`
    config: MonitorConfig
    metadata: dict[str, Any] = {}
    created_at: AwareDatetime
    carried: MonitorProgress | None = None  # what earlier runs of the same workflow learned


class MonitorSnapshot(BaseModel):
    """A monitor's condition as its workflow knows it (query `snapshot`)."""

    monitor_id: str
    name: str | None = None
    stream_url: str
    status: MonitorStatus
    stream_status: StreamStatus
    health: HealthReport
    statistics: Statistics
    config: MonitorConfig
    metadata: dict[str, Any]
    changes: int  # how many changes it took: of two snapshots, which has the newer config
    open_incidents: list[OpenIncident]
    doing: str
    title: str | None = None
    # webhooks delivered and still to be delivered
    events_sent: int
    events_queued: int
    events_unaudited: int = 0  # see `MonitorProgress`
    error_reason: str | None = None
    error_message: str | None = None
    as_of: AwareDatetime  # when the workflow last learned something of its stream


class MonitorResult(BaseModel):
    """How a monitor ended: the result of its workflow."""

    status: MonitorStatus
    events_sent: int
    events_failed: int
    events_unaudited: int = 0
    error_reason: str | None = None
    error_message: str | None = None


class MonitorChange(BaseModel):
    """What a user changes of a running monitor (update `change`)."""

    name: str | None = None  # empty: the stream's title again; None leaves it
    thresholds: dict[str, Any] = {}  # fields of `monitors.config.Thresholds` with their new values
    metadata: dict[str, Any] | None = None  # replaces the old one; None leaves it
    # names of all of them, with masks for values; None leaves them
    request_headers: dict[str, str] | None = None


class ChangeResult(BaseModel):
    """What holds after a change; of two results the one with more `changes` is the newer."""

    name: str | None = None
    config: MonitorConfig
    metadata: dict[str, Any]
    changes: int


def redelivery_id(event_id: str) -> str:
    """Return the id of the workflow that sends an event once more: one at a time."""
    return f"redeliver-{event_id}"


class DestinationInput(BaseModel):
    """Workflow id = `destination_workflow_id(destination_id)`."""

    destination_id: str
    # see `ServeInput`; from the run before
    settled: NotificationOutcome | None = None
    given_up: str | None = None
    is_interrupted: bool = False  # whether what is being sent waits again


def destination_workflow_id(destination_id: str) -> str:
    return f"destination-{destination_id}"
