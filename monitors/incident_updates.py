"""What an event says of its incident, read back from the event's data."""

from datetime import UTC
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, ValidationError

from monitors.events import StreamEvent, is_opening, kind_of
from monitors.status import IncidentKind, Severity

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
    told |= _opening(event) if is_opening(event.event_type) else _closing(event)
    try:
        return IncidentUpdate.model_validate(told)
    except (ValidationError, OverflowError):  # of a newer worker: its event is kept all the same
        return None


def _opening(event: StreamEvent) -> dict[str, Any]:
    return {
        "detected_at": event.timestamp,
        "duration_sec": None,
        "reason": event.data.get("reason", event.data.get("error")),
    }


def _closing(event: StreamEvent) -> dict[str, Any]:
    data = event.data
    return {
        "ended_at": data.get("recovered_at", event.timestamp),
        "duration_sec": data.get("total_duration_sec", data.get("suspended_sec")),
    }


def incident_id_of(event: StreamEvent) -> str | None:
    """Return the id of the incident that `event` belongs to, if any."""
    update = incident_update(event)
    return update.incident_id if update else None
