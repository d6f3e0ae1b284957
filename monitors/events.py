"""The events that a monitor sends, as its receiver sees them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.status import IncidentKind, Severity


class EventType(StrEnum):
    """What can happen to a stream and its monitor."""

    STREAM_STARTED = "stream.started"
    STREAM_DELAYED = "stream.delayed"
    STREAM_SUSPENDED = "stream.suspended"
    STREAM_RESUMED = "stream.resumed"
    STREAM_ENDED = "stream.ended"
    STREAM_UNMEASURABLE = "stream.unmeasurable"
    BLACKOUT = "alert.blackout"
    BLACKOUT_RECOVERED = "alert.blackout_recovered"
    SILENCE = "alert.silence"
    SILENCE_RECOVERED = "alert.silence_recovered"
    FREEZE = "alert.freeze"
    FREEZE_RECOVERED = "alert.freeze_recovered"
    SEGMENT_ERROR = "alert.segment_error"
    SEGMENT_ERROR_RECOVERED = "alert.segment_error_recovered"
    RENDITION = "alert.rendition"
    RENDITION_RECOVERED = "alert.rendition_recovered"
    TEST_SIGNAL = "alert.test_signal"
    TEST_SIGNAL_RECOVERED = "alert.test_signal_recovered"
    SLATE = "alert.slate"
    SLATE_RECOVERED = "alert.slate_recovered"
    LOOP = "alert.loop"
    LOOP_RECOVERED = "alert.loop_recovered"
    MONITOR_ERROR = "monitor.error"


class EndReason(StrEnum):
    """Why a stream counts as ended."""

    ENDLIST_DETECTED = "endlist_detected"
    STREAM_NO_LONGER_LIVE = "stream_no_longer_live"
    MANIFEST_GONE = "manifest_gone"
    SCHEDULED_END = "scheduled_end"


class StreamEvent(BaseModel):
    """One event: the body of its webhook, the same on every attempt.

    Attributes:
        event_id: the same on every attempt and in the audit.
        timestamp: when it happened, not when it was sent.
        sequence: counts the events of one monitor from 1.
        data: what belongs to the event type.
        metadata: what the user gave at creation.
    """

    model_config = ConfigDict(frozen=True)

    event_id: str
    event_type: EventType
    monitor_id: str
    stream_url: str
    timestamp: AwareDatetime
    sequence: int
    data: dict[str, Any]
    metadata: dict[str, Any] = {}

    def body(self) -> bytes:
        """Return the webhook body: compact JSON in UTF-8, byte for byte the same each time."""
        return self.model_dump_json().encode()


class EventDraft(BaseModel):
    """An event that still lacks what only its monitor knows (ids, sequence, metadata)."""

    model_config = ConfigDict(frozen=True)

    event_type: EventType
    timestamp: AwareDatetime
    data: dict[str, Any]


_OPENED_AND_CLOSED = {
    IncidentKind.BLACKOUT: (EventType.BLACKOUT, EventType.BLACKOUT_RECOVERED),
    IncidentKind.SILENCE: (EventType.SILENCE, EventType.SILENCE_RECOVERED),
    IncidentKind.FREEZE: (EventType.FREEZE, EventType.FREEZE_RECOVERED),
    IncidentKind.SUSPENDED: (EventType.STREAM_SUSPENDED, EventType.STREAM_RESUMED),
    IncidentKind.SEGMENT_ERROR: (EventType.SEGMENT_ERROR, EventType.SEGMENT_ERROR_RECOVERED),
    IncidentKind.RENDITION: (EventType.RENDITION, EventType.RENDITION_RECOVERED),
    IncidentKind.TEST_SIGNAL: (EventType.TEST_SIGNAL, EventType.TEST_SIGNAL_RECOVERED),
    IncidentKind.SLATE: (EventType.SLATE, EventType.SLATE_RECOVERED),
    IncidentKind.LOOP: (EventType.LOOP, EventType.LOOP_RECOVERED),
}


def incident_event(change: IncidentChange, at: datetime) -> EventDraft:
    """Return what a change of an incident, noticed at `at`, says to the receiver."""
    opened, closed = _OPENED_AND_CLOSED[change.kind]
    if isinstance(change, IncidentOpened):
        return EventDraft(event_type=opened, timestamp=at, data=_opened_data(change))
    return EventDraft(event_type=closed, timestamp=at, data=_closed_data(change))


def _opened_data(opened: IncidentOpened) -> dict[str, Any]:
    if opened.kind is IncidentKind.SUSPENDED:
        return {
            "last_segment_at": timestamp_text(opened.started_at),
            "threshold_sec": opened.threshold_sec,
            **_without_none({"reason": opened.reason}),
        }
    data: dict[str, Any] = {
        "duration_sec": round(opened.duration_sec, 3),
        "started_at": timestamp_text(opened.started_at),
        "threshold_sec": opened.threshold_sec,
    }
    if opened.kind is IncidentKind.SEGMENT_ERROR:
        return {"error": opened.reason or "unknown", **data}
    if opened.segment:
        data["segment_info"] = {
            "sequence": opened.segment.sequence,
            "duration": round(opened.segment.duration, 3),
        }
    return data | _without_none({"reason": opened.reason}) | _further(opened)


def _closed_data(closed: IncidentClosed) -> dict[str, Any]:
    total = round(closed.total_duration_sec, 3)
    if closed.kind is IncidentKind.SUSPENDED:
        return {"suspended_sec": total}
    return {
        "total_duration_sec": total,
        "started_at": timestamp_text(closed.started_at),
        "recovered_at": timestamp_text(closed.recovered_at),
        **_further(closed),
    }


def _further(change: IncidentChange) -> dict[str, Any]:
    """Return what only some kinds tell."""
    if change.kind.severity is Severity.CRITICAL:
        return dict(change.details)
    return {"severity": change.kind.severity, **change.details}


def timestamp_text(moment: datetime) -> str:
    """Return `moment` as ISO 8601 with milliseconds and offset."""
    return moment.isoformat(timespec="milliseconds")


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
