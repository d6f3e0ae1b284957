"""Whether segments can be fetched and decoded at all."""

from datetime import datetime

from pydantic import BaseModel

from monitors.config import Thresholds
from monitors.detectors.stopwatch import Elapsed
from monitors.detectors.stream_time import reached
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.status import IncidentKind


class SegmentErrorDetector(BaseModel):
    """The detector of segment errors.

    Attributes:
        failing: time since the first failure that no success followed; None when all is well.
        is_open: whether it is an incident.
    """

    failing: Elapsed | None = None
    is_open: bool = False

    def failed(self, error: str, at: datetime, thresholds: Thresholds) -> list[IncidentChange]:
        """Judge a segment that could not be fetched or decoded; `error` says why."""
        threshold_sec = thresholds.segment_error_threshold_sec
        if threshold_sec <= 0:
            return self._end(at)
        if self.failing is None:
            self.failing = Elapsed.since(at)
        failing_sec = self.failing.until(at)
        if self.is_open or not reached(failing_sec, threshold_sec):
            return []
        self.is_open = True
        return [
            IncidentOpened(
                kind=IncidentKind.SEGMENT_ERROR,
                started_at=self.failing.started_at,
                duration_sec=failing_sec,
                threshold_sec=threshold_sec,
                reason=error,
            )
        ]

    def succeeded(self, at: datetime, thresholds: Thresholds) -> list[IncidentChange]:
        """Judge a segment that was fetched and decoded: nothing is failing any more."""
        return self._end(at)

    def unobserved(self, at: datetime) -> None:
        """Nothing was observed until `at`: that time does not count."""
        if self.failing and not self.is_open:
            self.failing.leave_out(at)

    def _end(self, at: datetime) -> list[IncidentChange]:
        failing, was_open = self.failing, self.is_open
        self.failing, self.is_open = None, False
        if failing is None or not was_open:
            return []
        return [
            IncidentClosed(
                kind=IncidentKind.SEGMENT_ERROR,
                started_at=failing.started_at,
                recovered_at=max(at, failing.started_at),
                total_duration_sec=failing.until(at),
            )
        ]
