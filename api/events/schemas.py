"""The bodies of requests and answers about events."""

from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, Field, JsonValue

from api.error_docs import EXAMPLE_EVENT_ID, EXAMPLE_ID
from api.parameters import Pagination
from monitors.events import EventType
from monitors.status import DeliveryStatus

EXAMPLE_PAYLOAD: Final[dict[str, JsonValue]] = {
    "event_id": EXAMPLE_EVENT_ID,
    "event_type": "alert.blackout",
    "monitor_id": EXAMPLE_ID,
    "stream_url": "https://example.com/live/index.m3u8",
    "timestamp": "2026-01-01T12:00:30.120Z",
    "sequence": 2,
    "data": {
        "duration_sec": 20.0,
        "started_at": "2026-01-01T12:00:08.000+00:00",
        "threshold_sec": 20.0,
        "segment_info": {"sequence": 4711, "duration": 2.0},
    },
    "metadata": {"channel": "news"},
}


class AuditedEvent(BaseModel):
    """An event and what became of its webhook."""

    event_id: str = Field(examples=[EXAMPLE_EVENT_ID])
    event_type: EventType
    payload: dict[str, Any] = Field(
        description="The body of the webhook.", examples=[EXAMPLE_PAYLOAD]
    )
    webhook_status: DeliveryStatus
    webhook_attempts: int = Field(description="Of all deliveries together.", examples=[1])
    webhook_last_error: str | None = Field(examples=["the receiver answered with HTTP status 500"])
    created_at: AwareDatetime = Field(description="When the gateway first heard of it.")
    sent_at: AwareDatetime | None = Field(description="When a receiver took it, the last time.")


class Redelivery(BaseModel):
    """An event that is being sent once more."""

    event_id: str = Field(examples=[EXAMPLE_EVENT_ID])
    webhook_status: DeliveryStatus = Field(examples=["pending"])


class EventList(BaseModel):
    """A monitor's events in the order of their sequence."""

    events: list[AuditedEvent]
    pagination: Pagination
