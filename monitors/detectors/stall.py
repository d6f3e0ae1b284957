"""Whether new segments keep coming."""

from datetime import datetime

from pydantic import BaseModel

from monitors.config import Thresholds
from monitors.detectors.stopwatch import Elapsed
from monitors.detectors.stream_time import reached
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.status import IncidentKind

SUSPEND_MIN_SEC = 10.0
SUSPEND_TARGET_DURATIONS = 3
EARLY_SEC = 0.05
"""Looks keep the playlist's pace, give or take some milliseconds. One that is this early counts.

The next comes half a target duration later.
"""


def suspend_threshold_sec(target_duration_sec: float, thresholds: Thresholds) -> float:
    """Return how long a playlist may stand still: what the user set, or by its own pace.

    RFC 8216 section 6.2.2 has a server publish within 1.5 target durations; 3 leave room for one
    segment that came late.
    """
    if thresholds.suspend_threshold_sec is not None:
        return thresholds.suspend_threshold_sec
    return max(SUSPEND_MIN_SEC, SUSPEND_TARGET_DURATIONS * target_duration_sec)


class StallDetector(BaseModel):
    """The detector of suspended streams.

    Attributes:
        stalled: time since the last new segment; before the first one, since the first look.
        is_open: whether the stream is suspended.
    """

    stalled: Elapsed | None = None
    is_open: bool = False

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
            return self._moved(at)
        if self.stalled is None:
            self.stalled = Elapsed.since(at)
        return self._stood(at, suspend_threshold_sec(target_duration_sec, thresholds), reason)

    def unobserved(self, at: datetime) -> None:
        """Nothing was observed until `at`: that time does not count."""
        if self.stalled and not self.is_open:
            self.stalled.leave_out(at)

    @property
    def open_since(self) -> datetime | None:
        """When the last segment before the open suspension came; None when none is open."""
        return self.stalled.started_at if self.stalled and self.is_open else None

    def _moved(self, at: datetime) -> list[IncidentChange]:
        stalled, was_open = self.stalled, self.is_open
        self.stalled, self.is_open = Elapsed.since(at), False
        if stalled is None or not was_open:
            return []
        return [
            IncidentClosed(
                kind=IncidentKind.SUSPENDED,
                started_at=stalled.started_at,
                recovered_at=max(at, stalled.started_at),
                total_duration_sec=stalled.until(at),
            )
        ]

    def _stood(
        self, at: datetime, threshold_sec: float, reason: str | None
    ) -> list[IncidentChange]:
        if self.stalled is None:
            return []
        stalled_sec = self.stalled.until(at)
        if self.is_open or not reached(stalled_sec + EARLY_SEC, threshold_sec):
            return []
        self.is_open = True
        return [
            IncidentOpened(
                kind=IncidentKind.SUSPENDED,
                started_at=self.stalled.started_at,
                duration_sec=stalled_sec,
                threshold_sec=threshold_sec,
                reason=reason,
            )
        ]
