"""What goes into a monitor's workflow and what comes out of it.

The gateway uses these to start, query and stop monitors.
"""

from typing import Any

from pydantic import AwareDatetime, BaseModel

from monitors.config import MonitorConfig
from monitors.reports import HealthReport, Statistics
from monitors.status import IncidentKind, MonitorStatus, StreamStatus

WORKFLOW_TYPE = "MonitorWorkflow"
TASK_QUEUE = "stream-tracker"
STOP_SIGNAL = "stop"
SNAPSHOT_QUERY = "snapshot"


class MonitorOrder(BaseModel):
    """What a user asked to be watched. Workflow id = `monitor_id`.

    Attributes:
        stream_key: see `monitors.stream_url.StreamSource.key`.
    """

    monitor_id: str
    stream_url: str
    stream_key: str
    callback_url: str
    config: MonitorConfig
    metadata: dict[str, Any] = {}
    created_at: AwareDatetime


class OpenIncident(BaseModel):
    """A fault that goes on."""

    kind: IncidentKind
    started_at: AwareDatetime


class MonitorSnapshot(BaseModel):
    """A monitor's condition as its workflow knows it (query `snapshot`).

    Attributes:
        as_of: when the workflow last learned something of its stream.
        doing: what is going on, in plain words.
        events_sent, events_queued: webhooks delivered and still to be delivered.
    """

    monitor_id: str
    stream_url: str
    status: MonitorStatus
    stream_status: StreamStatus
    health: HealthReport
    statistics: Statistics
    config: MonitorConfig
    metadata: dict[str, Any]
    open_incidents: list[OpenIncident]
    doing: str
    title: str | None = None
    events_sent: int
    events_queued: int
    error_reason: str | None = None
    error_message: str | None = None
    as_of: AwareDatetime
