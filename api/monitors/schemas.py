"""The bodies of the public API."""

import json
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from monitors.config import MonitorConfig
from monitors.events import EventType
from monitors.reports import HealthReport, Statistics
from monitors.status import DeliveryStatus, IncidentKind, MonitorStatus, StreamStatus
from monitors.stream_url import split_http_url

MAX_METADATA_BYTES: Final = 16 * 1024

EXAMPLE_ID: Final = "mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
EXAMPLE_ORDER: Final[dict[str, JsonValue]] = {
    "stream_url": "https://example.com/live/index.m3u8",
    "callback_url": "https://example.com/hooks/streams",
    "config": {"blackout_threshold_sec": 20, "silence_db_threshold": -55},
    "metadata": {"channel": "news"},
}


def _http_url(value: str) -> str:
    split_http_url(value)
    return value


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_METADATA_BYTES:
        raise ValueError(f"is {size} bytes of JSON, more than {MAX_METADATA_BYTES}")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Metadata = Annotated[dict[str, Any], AfterValidator(_bounded)]


class CreateMonitor(BaseModel):
    """What to watch, and where to tell."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_ORDER]})

    stream_url: HttpUrl = Field(description="The live stream: the URL of a manifest.")
    callback_url: HttpUrl = Field(description="Where the webhooks go.")
    config: MonitorConfig = Field(default_factory=MonitorConfig)
    metadata: Metadata = Field(
        default_factory=dict,
        description="Any JSON object up to 16 KiB; comes back in every event.",
    )


class CreatedMonitor(BaseModel):
    """A monitor that was just made."""

    monitor_id: str = Field(examples=[EXAMPLE_ID])
    status: MonitorStatus
    created_at: AwareDatetime


class Pagination(BaseModel):
    """Which part of how many."""

    total: int
    limit: int
    offset: int


class ListedMonitor(BaseModel):
    """A monitor in a list."""

    monitor_id: str = Field(examples=[EXAMPLE_ID])
    stream_url: str
    status: MonitorStatus
    created_at: AwareDatetime


class MonitorList(BaseModel):
    """Monitors, newest first."""

    monitors: list[ListedMonitor]
    pagination: Pagination


class OpenIncident(BaseModel):
    """A fault that goes on."""

    kind: IncidentKind
    started_at: AwareDatetime


class MonitorDetails(BaseModel):
    """A monitor's condition."""

    monitor_id: str = Field(examples=[EXAMPLE_ID])
    stream_url: str
    callback_url: str
    status: MonitorStatus
    stream_status: StreamStatus
    health: HealthReport
    statistics: Statistics
    config: MonitorConfig
    metadata: dict[str, Any]
    created_at: AwareDatetime
    finished_at: AwareDatetime | None = Field(description="When the status became final.")
    stop_reason: str | None = Field(description="Why a worker had it stopped.")
    error_reason: str | None
    error_message: str | None
    title: str | None = Field(description="The stream's; known while the workflow answers.")
    doing: str | None = Field(description="What is going on; known while the workflow answers.")
    open_incidents: list[OpenIncident]
    source: str = Field(
        description="workflow: asked just now; store: the last report.", examples=["workflow"]
    )
    as_of: AwareDatetime = Field(description="How fresh the newest of these values is.")


class StoppedMonitor(BaseModel):
    """A monitor that was stopped, now or before."""

    monitor_id: str = Field(examples=[EXAMPLE_ID])
    status: MonitorStatus
    stopped_at: AwareDatetime


class AuditedEvent(BaseModel):
    """An event and what became of its webhook. `payload` is the webhook's body."""

    event_id: str
    event_type: EventType
    payload: dict[str, Any]
    webhook_status: DeliveryStatus
    webhook_attempts: int
    webhook_last_error: str | None
    created_at: AwareDatetime
    sent_at: AwareDatetime | None


class EventList(BaseModel):
    """A monitor's events in the order of their sequence."""

    events: list[AuditedEvent]
    pagination: Pagination


class ErrorDetail(BaseModel):
    """What went wrong: `code` for programs, `message` for people."""

    code: str
    message: str
    monitor_id: str | None = Field(
        default=None, description="With DUPLICATE_MONITOR: the monitor that watches the stream."
    )


class ErrorBody(BaseModel):
    """The one form of all errors."""

    error: ErrorDetail
