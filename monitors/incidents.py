"""What detectors report: an incident opened, an incident closed."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from monitors.status import IncidentKind


class SegmentInfo(BaseModel):
    """The segment in which a threshold was reached: media sequence and seconds."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    duration: float


Detail = str | float | list[str]
"""What further fields of an event's data hold."""


class IncidentOpened(BaseModel):
    """A fault reached its threshold.

    Attributes:
        started_at: wall clock of the fault's first moment.
        duration_sec: how long it lasted, as far as it is known now.
        reason: why, where a kind has more than one reason (`no_audio_track`, ...).
        segment: where the threshold was reached; None for faults that are not of the media.
        details: further fields of the event's data.
    """

    model_config = ConfigDict(frozen=True)

    change: Literal["opened"] = "opened"
    kind: IncidentKind
    started_at: AwareDatetime
    duration_sec: float
    threshold_sec: float
    reason: str | None = None
    segment: SegmentInfo | None = None
    details: dict[str, Detail] = {}


class IncidentClosed(BaseModel):
    """An open fault is over.

    Attributes:
        recovered_at: wall clock of the first good moment.
        total_duration_sec: from the fault's first moment to the first good one, in stream time.
        details: as of `IncidentOpened`.
    """

    model_config = ConfigDict(frozen=True)

    change: Literal["closed"] = "closed"
    kind: IncidentKind
    started_at: AwareDatetime
    recovered_at: AwareDatetime
    total_duration_sec: float
    details: dict[str, Detail] = {}


IncidentChange = IncidentOpened | IncidentClosed
