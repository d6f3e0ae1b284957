"""The events that a monitor sends, as its receiver sees them, and what they say of an incident."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, ValidationError

from monitors.evidence import (
    URL_FIELD,
    EvidenceItem,
    EvidenceKind,
    EvidenceLevel,
    EvidenceMoment,
    evidence_path,
)
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened, IncidentRef
from monitors.status import IncidentKind, Severity

FIRST_FAULTY = EvidenceItem(EvidenceKind.PICTURE, EvidenceMoment.FIRST_FAULTY)
"""The evidence that events link."""


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
    CHANNEL_LOSS = "alert.channel_loss"
    CHANNEL_LOSS_RECOVERED = "alert.channel_loss_recovered"
    LOUDNESS = "alert.loudness"
    LOUDNESS_RECOVERED = "alert.loudness_recovered"
    CLIPPING = "alert.clipping"
    CLIPPING_RECOVERED = "alert.clipping_recovered"
    PHASE = "alert.phase"
    PHASE_RECOVERED = "alert.phase_recovered"
    MONITOR_ERROR = "monitor.error"


class EndReason(StrEnum):
    """Why a stream counts as ended."""

    ENDLIST_DETECTED = "endlist_detected"
    STREAM_NO_LONGER_LIVE = "stream_no_longer_live"
    MANIFEST_GONE = "manifest_gone"
    SCHEDULED_END = "scheduled_end"


class StreamEvent(BaseModel, frozen=True):
    """One event: the body of its webhook, the same on every attempt."""

    event_id: str  # the same on every attempt and in the audit
    event_type: EventType
    monitor_id: str
    stream_url: str
    timestamp: AwareDatetime  # when it happened, not when it was sent
    sequence: int  # counts the events of one monitor from 1
    data: dict[str, Any]
    metadata: dict[str, Any] = {}  # what the user gave at creation

    def body(self) -> bytes:
        """Return the webhook body: compact JSON in UTF-8, byte for byte the same each time."""
        return self.model_dump_json().encode()


class EventDraft(BaseModel, frozen=True):
    """An event that still lacks what only its monitor knows (ids, sequence, metadata)."""

    event_type: EventType
    timestamp: AwareDatetime
    data: dict[str, Any]
    incident: IncidentRef | None = None

    def identity_in(
        self, monitor_id: str, evidence: EvidenceLevel = EvidenceLevel.NONE
    ) -> dict[str, Any]:
        """Return what every event of an incident says in its data."""
        if self.incident is None:
            return {}
        incident_id = self.incident.id_in(monitor_id)
        shown = FIRST_FAULTY.id_of(incident_id, self.incident.started_at)
        is_kept = evidence is not EvidenceLevel.NONE
        return {
            "incident_id": incident_id,
            "severity": self.incident.kind.severity,
            **({URL_FIELD: evidence_path(shown)} if is_kept else {}),
        }


_OPENED_AND_CLOSED = {
    kind: (EventType(f"alert.{kind}"), EventType(f"alert.{kind}_recovered"))
    for kind in IncidentKind
    if kind is not IncidentKind.SUSPENDED
} | {IncidentKind.SUSPENDED: (EventType.STREAM_SUSPENDED, EventType.STREAM_RESUMED)}

_KINDS = {each: kind for kind, types in _OPENED_AND_CLOSED.items() for each in types}


def incident_event(change: IncidentChange, at: datetime) -> EventDraft:
    opened, closed = _OPENED_AND_CLOSED[change.kind]
    event_type, data = (
        (opened, _opened_data(change))
        if isinstance(change, IncidentOpened)
        else (closed, _closed_data(change))
    )
    if change.is_flapping:
        data["flapping"] = True
    return EventDraft(event_type=event_type, timestamp=at, data=data, incident=change.ref)


def kind_of(event_type: EventType) -> IncidentKind | None:
    return _KINDS.get(event_type)


def is_opening(event_type: EventType) -> bool:
    kind = kind_of(event_type)
    return kind is not None and opening_type(kind) is event_type


def opening_type(kind: IncidentKind) -> EventType:
    return _OPENED_AND_CLOSED[kind][0]


def _opened_data(opened: IncidentOpened) -> dict[str, Any]:
    if opened.kind is IncidentKind.SUSPENDED:
        return {
            "last_segment_at": timestamp_text(opened.started_at),
            "started_at": timestamp_text(opened.started_at),
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
    return data | _without_none({"reason": opened.reason}) | opened.details


def _closed_data(closed: IncidentClosed) -> dict[str, Any]:
    total = round(closed.total_duration_sec, 3)
    lasted = "suspended_sec" if closed.kind is IncidentKind.SUSPENDED else "total_duration_sec"
    return {
        lasted: total,
        "started_at": timestamp_text(closed.started_at),
        "recovered_at": timestamp_text(closed.recovered_at),
        **closed.details,
    }


def timestamp_text(moment: datetime) -> str:
    """Return `moment` as ISO 8601 with milliseconds and offset."""
    return moment.isoformat(timespec="milliseconds")


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


UtcMoment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class IncidentUpdate(BaseModel, frozen=True, allow_inf_nan=False):
    """An incident as one of its two events tells it."""

    incident_id: str = Field(pattern=r"^inc-[0-9a-f-]{36}$")
    kind: IncidentKind
    severity: Severity
    started_at: UtcMoment  # wall clock of the fault's first moment
    detected_at: UtcMoment | None = None  # when it reached its threshold; None in its last event
    # wall clock of the first good moment; None in its first event
    ended_at: UtcMoment | None = None
    duration_sec: float | None = None  # from the first to the last moment; None in its first event
    reason: str | None = None
    track: str = ""  # the audio track, where all of them are measured; else empty
    is_flapping: bool = False  # whether it stands for several faults in quick succession


def incident_update(event: StreamEvent) -> IncidentUpdate | None:
    """Return what `event` says of its incident; None where it has none."""
    kind = kind_of(event.event_type)
    if kind is None or "incident_id" not in event.data:
        return None
    told = {"severity": kind.severity, **event.data, "kind": kind}
    told["is_flapping"] = event.data.get("flapping", False)
    told |= _told_at_opening(event) if is_opening(event.event_type) else _told_at_closing(event)
    try:
        return IncidentUpdate.model_validate(told)
    except (ValidationError, OverflowError):  # of a newer worker: its event is kept all the same
        return None


def _told_at_opening(event: StreamEvent) -> dict[str, Any]:
    return {
        "detected_at": event.timestamp,
        "duration_sec": None,
        "reason": event.data.get("reason", event.data.get("error")),
    }


def _told_at_closing(event: StreamEvent) -> dict[str, Any]:
    data = event.data
    return {
        "ended_at": data.get("recovered_at", event.timestamp),
        "duration_sec": data.get("total_duration_sec", data.get("suspended_sec")),
    }


def incident_id_of(event: StreamEvent) -> str | None:
    """Return the id of the incident that `event` belongs to, if any."""
    update = incident_update(event)
    return update.incident_id if update else None
