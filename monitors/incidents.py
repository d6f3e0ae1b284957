"""Incidents: their identity, and what detectors report of them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel

from monitors.status import IncidentKind

NAMESPACE: Final = UUID("6f7d9c52-8f0e-4a5e-9d0b-5c1f2f0a6d3e")
"""Of incident ids. It never changes: ids are computed again, not looked up."""

_INCIDENT_ID = re.compile(r"inc-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class IncidentRef(BaseModel, frozen=True):
    """What makes two incidents of one monitor the same."""

    kind: IncidentKind
    started_at: AwareDatetime  # wall clock of the fault's first moment
    track: str = ""  # the audio track, where all of them are measured; else empty

    def id_in(self, monitor_id: str) -> str:
        """Return the incident's id: the same on every worker, in every attempt and replay."""
        moment_ms = (self.started_at.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
        return f"inc-{uuid5(NAMESPACE, f'{monitor_id}|{self.kind}|{moment_ms}|{self.track}')}"


def is_incident_id(text: str) -> bool:
    return _INCIDENT_ID.fullmatch(text) is not None


class SegmentInfo(BaseModel, frozen=True):
    """The segment in which a threshold was reached: media sequence and seconds."""

    sequence: int
    duration: float


Detail = str | float | list[str]  # what further fields of an event's data hold


class _Change(BaseModel, frozen=True):
    """What a detector reports of an incident."""

    kind: IncidentKind
    started_at: AwareDatetime  # wall clock of the fault's first moment
    details: dict[str, Detail] = {}
    is_flapping: bool = False  # whether it stands for several faults in quick succession

    @property
    def ref(self) -> IncidentRef:
        track = str(self.details.get("track", ""))
        return IncidentRef(kind=self.kind, started_at=self.started_at, track=track)


class IncidentOpened(_Change):
    """A fault reached its threshold."""

    change: Literal["opened"] = "opened"
    duration_sec: float  # how long it lasted, as far as it is known now
    threshold_sec: float
    reason: str | None = None  # why, where a kind has more than one reason (`no_audio_track`, ...)
    # where the threshold was reached; None for faults that are not of the media
    segment: SegmentInfo | None = None


class IncidentClosed(_Change):
    """An open fault is over."""

    change: Literal["closed"] = "closed"
    recovered_at: AwareDatetime  # wall clock of the first good moment
    total_duration_sec: float  # from the fault's first moment to the first good one, in stream time


IncidentChange = IncidentOpened | IncidentClosed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
