"""Whether left and right cancel each other for those who hear both as one."""

from typing import ClassVar

from monitors.config import Thresholds
from monitors.detectors.fault_detector import FaultRule, segment_info
from monitors.detectors.sound_detector import SoundDetector, stretches_of
from monitors.detectors.stream_time import Condition, SegmentPosition
from monitors.incidents import IncidentChange
from monitors.sound_figures import SoundFigures
from monitors.status import IncidentKind

CANCELLING = -0.5
"""The correlation below which it counts; wide stereo stays above 0 for most of the time."""


class PhaseDetector(SoundDetector):
    """The fault logic for phase; where it is quiet, nothing is known of it."""

    kind: ClassVar[IncidentKind] = IncidentKind.PHASE

    def follow(
        self, figures: SoundFigures, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        """Judge the sound of a segment and return what changed."""
        if not figures.correlations:
            return self.end(position.starts_at)
        heard = (each for each in figures.correlations if each is not None)
        if cancelling := [each for each in heard if each < CANCELLING]:
            self.details = {"correlation": round(sum(cancelling) / len(cancelling), 2)}
        rule = FaultRule(
            kind=self.kind,
            threshold_sec=thresholds.phase_threshold_sec,
            recovery_sec=thresholds.recovery_sec,
            segment=segment_info(position),
            details=self.details,
        )
        judged = [(_condition(each), None) for each in figures.correlations]
        return self.faults.follow(stretches_of(judged, figures, position), rule)


def _condition(correlation: float | None) -> Condition:
    if correlation is None:
        return Condition.UNKNOWN
    return Condition.FAULTY if correlation < CANCELLING else Condition.GOOD
