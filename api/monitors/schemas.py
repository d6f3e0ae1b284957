"""The bodies of requests and answers about monitors."""

from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
)
from pydantic_core import to_json

from api.error_docs import EXAMPLE_DESTINATION_ID, EXAMPLE_ID
from api.parameters import APPLIED_BY, Pagination
from monitors.config import ChangeableConfig, MonitorConfig
from monitors.labels import AppliedBy, Labels
from monitors.reports import (
    AudioFacts,
    HealthReport,
    OpenIncident,
    SoundLevels,
    Statistics,
    VideoFacts,
)
from monitors.status import IncidentKind, MonitorStatus, StreamStatus
from monitors.stream_url import MAX_URL_BYTES, split_http_url

MAX_METADATA_BYTES: Final = 16 * 1024
MAX_NAME_LENGTH: Final = 120

EXAMPLE_CREATION: Final[dict[str, JsonValue]] = {
    "stream_url": "https://example.com/live/index.m3u8",
    "callback_url": "https://example.com/hooks/streams",
    "config": {"blackout_threshold_sec": 20, "silence_db_threshold": -55},
    "name": "News 24",
    "labels": {"team": "news"},
    "metadata": {"channel": "news"},
}
EXAMPLE_CHANGE: Final[dict[str, JsonValue]] = {
    "config": {"blackout_threshold_sec": 45},
    "metadata": {"channel": "news", "shift": "night"},
}


def _http_url(value: str) -> str:
    split_http_url(value)
    return value


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    size = len(to_json(value))  # by what writes the events: it writes some numbers longer
    if size > MAX_METADATA_BYTES:
        raise ValueError(f"is {size} bytes of JSON, more than {MAX_METADATA_BYTES}")
    return value


HttpUrl = Annotated[
    str,
    AfterValidator(_http_url),
    # Told, not checked here: our own words say better what is wrong with a URL.
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "pattern": r"^https?://[^\s@\\]+$",
            "maxLength": MAX_URL_BYTES,
        }
    ),
]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
Metadata = Annotated[dict[str, Any], AfterValidator(_bounded)]
MonitorId = Annotated[str, Field(examples=[EXAMPLE_ID])]


DestinationIds = Annotated[
    list[Annotated[str, Field(max_length=64)]],
    Field(max_length=10, examples=[[EXAMPLE_DESTINATION_ID]]),
]


class CreateMonitor(BaseModel):
    """What to watch, and where to send its events."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_CREATION]})

    stream_url: HttpUrl = Field(description="The live stream: the URL of a manifest.")
    callback_url: HttpUrl | None = Field(
        default=None,
        description="Where the webhooks go; needed unless `destinations` names somebody.",
    )
    destinations: DestinationIds = Field(
        default_factory=list,
        description="Ids of destinations that are told of its events, at most 10.",
    )
    name: Name | None = Field(
        default=None, description="What people call it; null: the stream's title, once it is known."
    )
    labels: Labels = Field(
        default_factory=dict, description="Up to 20 texts by which lists are filtered."
    )
    applied_by: AppliedBy | None = Field(default=None, description=APPLIED_BY)
    config: MonitorConfig = Field(default_factory=MonitorConfig)
    metadata: Metadata = Field(
        default_factory=dict,
        description="Any JSON object up to 16 KiB, as events carry it; comes back in every event.",
    )


class ChangeMonitor(BaseModel):
    """What to change of a running monitor; what is not named stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_CHANGE]})

    name: Name | None = Field(default=None, description="Null: the stream's title again.")
    labels: Labels = Field(default_factory=dict, description="Replaces all labels.")
    applied_by: AppliedBy | None = Field(default=None, description=APPLIED_BY)
    destinations: DestinationIds = Field(
        default_factory=list, description="Replaces all destinations."
    )
    config: ChangeableConfig = Field(
        default_factory=ChangeableConfig,
        description=(
            "Thresholds with their new values, and all request_headers; nothing else of the "
            "config may change."
        ),
    )
    metadata: Metadata = Field(
        default_factory=dict, description="Replaces the old metadata in all events from now on."
    )


class CreatedMonitor(BaseModel):
    """A monitor that was just made."""

    monitor_id: MonitorId
    status: MonitorStatus
    created_at: AwareDatetime


class MonitorSettings(BaseModel):
    """What the user of a monitor set, as it is now."""

    name: str | None = Field(description="Null where the title is shown instead.")
    labels: dict[str, str]
    applied_by: str | None = Field(description=APPLIED_BY)
    callback_url: str | None
    destinations: list[str]
    config: MonitorConfig
    metadata: dict[str, Any]


class NamedMonitor(BaseModel):
    """What every answer about a monitor begins with."""

    monitor_id: MonitorId
    name: str | None = Field(
        description="The user's, or else the stream's title.", examples=["News 24"]
    )
    title: str | None = Field(
        description="The stream's; null until it is known.", examples=["News, live"]
    )
    labels: dict[str, str] = Field(
        description="Up to 20 texts by which lists are filtered.", examples=[{"team": "news"}]
    )
    stream_url: str


class ListedMonitor(NamedMonitor):
    """A monitor in a list, as the last report has it."""

    status: MonitorStatus
    stream_status: StreamStatus
    health: HealthReport
    open_incidents: list[IncidentKind]
    picture_at: AwareDatetime | None = Field(
        default=None, description="When the latest picture was taken; null before the first."
    )
    levels: SoundLevels | None = Field(
        default=None, description="How loud the latest sound is; null where it is not measured."
    )
    as_of: AwareDatetime = Field(description="When that was so.")
    settings: MonitorSettings | None = Field(default=None, description="With settings=true.")
    created_at: AwareDatetime


class MonitorList(BaseModel):
    """Monitors, newest first."""

    monitors: list[ListedMonitor]
    pagination: Pagination


class MonitorDetails(NamedMonitor):
    """A monitor's condition."""

    callback_url: str | None
    destinations: list[str]
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
    doing: str | None = Field(description="What is going on; known while the workflow answers.")
    open_incidents: list[OpenIncident]
    video: VideoFacts | None = Field(description="What the picture is; null until it is known.")
    audio: AudioFacts | None = Field(description="What the sound is; null until it is known.")
    levels: SoundLevels | None = Field(
        description="How loud the latest sound is; null where it is not measured."
    )
    source: str = Field(
        description="workflow: asked just now; store: the last report.", examples=["workflow"]
    )
    as_of: AwareDatetime = Field(description="How fresh the newest of these values is.")


class StoppedMonitors(BaseModel):
    """The monitors that one request stopped."""

    stopped: list[MonitorId]


class StoppedMonitor(BaseModel):
    """A monitor that was stopped, now or before."""

    monitor_id: MonitorId
    status: MonitorStatus
    stopped_at: AwareDatetime
