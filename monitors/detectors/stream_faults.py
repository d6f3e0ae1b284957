"""Faults of the stream itself, which the clock shows.

New segments stop coming, segments cannot be fetched or decoded, or one track stops alone.
"""

from datetime import datetime
from typing import ClassVar, Self

from pydantic import AwareDatetime, BaseModel

from monitors.config import Thresholds
from monitors.detectors.stream_time import reached
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.status import IncidentKind

SUSPEND_MIN_SEC = 10.0
SUSPEND_TARGET_DURATIONS = 3
EARLY_SEC = 0.05
"""Looks keep the playlist's pace, give or take some milliseconds. One that is this early counts.

The next comes half a target duration later.
"""


class Elapsed(BaseModel):
    """Wall time since something began; a clock that is set back costs one step, not the whole."""

    started_at: AwareDatetime
    looked_at: AwareDatetime  # when the clock was last read
    duration_sec: float = 0.0  # time that passed until then, except for what was left out

    @classmethod
    def since(cls, at: datetime) -> Self:
        return cls(started_at=at, looked_at=at)

    def leave_out(self, at: datetime) -> None:
        """Pass over the time to `at`: it does not count."""
        self.looked_at = at

    def until(self, at: datetime) -> float:
        """Go on to `at` and return the seconds since the beginning."""
        self.duration_sec += max(0.0, (at - self.looked_at).total_seconds())
        self.looked_at = at
        return self.duration_sec


class _StreamFault(BaseModel):
    """A fault that becomes an incident when it has lasted."""

    kind: ClassVar[IncidentKind]
    # time since all was well last; None before the first look, or while all is well
    elapsed: Elapsed | None = None
    is_open: bool = False  # whether it is an incident

    def unobserved(self, at: datetime) -> None:
        """Nothing was observed until `at`: that time does not count."""
        if self.elapsed and not self.is_open:
            self.elapsed.leave_out(at)

    def _goes_on(
        self, at: datetime, threshold_sec: float, reason: str | None, *, early_sec: float = 0.0
    ) -> list[IncidentChange]:
        self.elapsed = self.elapsed or Elapsed.since(at)
        lasted_sec = self.elapsed.until(at)
        if self.is_open or not reached(lasted_sec + early_sec, threshold_sec):
            return []
        self.is_open = True
        return [
            IncidentOpened(
                kind=self.kind,
                started_at=self.elapsed.started_at,
                duration_sec=lasted_sec,
                threshold_sec=threshold_sec,
                reason=reason,
            )
        ]

    def _end(self, at: datetime) -> list[IncidentChange]:
        elapsed, was_open = self.elapsed, self.is_open
        self.elapsed, self.is_open = None, False
        if elapsed is None or not was_open:
            return []
        return [
            IncidentClosed(
                kind=self.kind,
                started_at=elapsed.started_at,
                recovered_at=max(at, elapsed.started_at),
                total_duration_sec=elapsed.until(at),
            )
        ]


def suspend_threshold_sec(target_duration_sec: float, thresholds: Thresholds) -> float:
    """Return how long a playlist may stand still: what the user set, or by its own pace.

    RFC 8216 section 6.2.2 has a server publish within 1.5 target durations; 3 leave room for one
    segment that came late.
    """
    if thresholds.suspend_threshold_sec is not None:
        return thresholds.suspend_threshold_sec
    return max(SUSPEND_MIN_SEC, SUSPEND_TARGET_DURATIONS * target_duration_sec)


class StallDetector(_StreamFault):
    """Whether new segments keep coming; `elapsed` begins with the last one."""

    kind: ClassVar[IncidentKind] = IncidentKind.SUSPENDED

    def observed(
        self,
        new_segments: bool,
        at: datetime,
        target_duration_sec: float,
        thresholds: Thresholds,
        reason: str | None = None,
    ) -> list[IncidentChange]:
        """Judge a playlist that was loaded successfully at `at`.

        `reason` says why there is nothing new, where that is known.
        A playlist that could not be loaded says nothing of the stream: do not call this then.
        """
        if new_segments:
            changes = self._end(at)
            self.elapsed = Elapsed.since(at)
            return changes
        threshold_sec = suspend_threshold_sec(target_duration_sec, thresholds)
        return self._goes_on(at, threshold_sec, reason, early_sec=EARLY_SEC)

    @property
    def open_since(self) -> datetime | None:
        """When the last segment before the open suspension came; None when none is open."""
        return self.elapsed.started_at if self.elapsed and self.is_open else None


class SegmentErrorDetector(_StreamFault):
    """Whether segments can be fetched and decoded at all."""

    kind: ClassVar[IncidentKind] = IncidentKind.SEGMENT_ERROR

    def failed(self, error: str, at: datetime, thresholds: Thresholds) -> list[IncidentChange]:
        """Judge a segment that could not be fetched or decoded; `error` says why."""
        threshold_sec = thresholds.segment_error_threshold_sec
        return self._goes_on(at, threshold_sec, error) if threshold_sec > 0 else self._end(at)

    def succeeded(self, at: datetime) -> list[IncidentChange]:
        """Judge a segment that was fetched and decoded: nothing is failing any more."""
        return self._end(at)


class AbsenceDetector(BaseModel):
    """How much media the other tracks have had since this one, of its own playlist, had any.

    It counts as missing once it has lasted as long as makes a stream suspended. While all tracks
    stand still, none is missing: the stream is suspended.
    """

    # time since its last new media, until the others' last; None before the first
    idle: Elapsed | None = None
    others_at: AwareDatetime | None = None  # when the others had that last media
    judged_sec: float = 0.0  # how much of that time was judged as missing

    def missing_sec(
        self,
        others_at: datetime,
        *,
        new_sec: float,
        target_duration_sec: float,
        thresholds: Thresholds,
    ) -> float:
        """Return how much more is missing, now that the track's playlist was loaded.

        Any track had new media last at `others_at`; the playlist brings `new_sec` that was not
        measured yet. A user's patience with a suspended stream may be shorter than usual.
        """
        if self.idle is None:
            self.idle = Elapsed.since(others_at)
        if others_at != self.others_at:
            self.idle.until(others_at)
            self.others_at = others_at
        idle_sec = self.idle.duration_sec
        limits = (
            suspend_threshold_sec(target_duration_sec, it) for it in (thresholds, Thresholds())
        )
        is_missing = self.judged_sec > 0 or (new_sec == 0 and reached(idle_sec, min(limits)))
        # Media that comes late was missing too, except for what is published just now.
        due_sec = min(new_sec, target_duration_sec)
        return max(0.0, idle_sec - due_sec - self.judged_sec) if is_missing else 0.0

    def moved(self, at: datetime) -> None:
        self.idle, self.judged_sec = Elapsed.since(at), 0.0

    def unobserved(self, at: datetime) -> None:
        """Nothing was observed until `at`: that time does not count."""
        if self.idle:
            self.idle.leave_out(at)
