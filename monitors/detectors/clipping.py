"""Whether sound is clipped: its true peaks are too high, or it stays at full scale."""

from typing import ClassVar

from monitors.config import Thresholds
from monitors.detectors.fault_detector import FaultRule, segment_info
from monitors.detectors.sound_detector import SoundDetector, stretches_of
from monitors.detectors.stream_time import Condition, SegmentPosition
from monitors.incidents import IncidentChange
from monitors.sound_figures import SoundFigures
from monitors.status import IncidentKind

CLIPPING_GAP_SEC = 1.0
"""Music that clips does so at each beat."""

TRUE_PEAK, FULL_SCALE_RUN = "true_peak", "full_scale_run"


class ClippingDetector(SoundDetector):
    """The fault logic for peaks.

    Attributes:
        peak_dbtp: the largest one since clipping began.
    """

    kind: ClassVar[IncidentKind] = IncidentKind.CLIPPING
    peak_dbtp: float | None = None

    def follow(
        self, figures: SoundFigures, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        """Judge the sound of a segment and return what changed."""
        most_dbtp = thresholds.true_peak_max_dbtp
        if most_dbtp is None or not figures.true_peaks_dbtp:
            return self.end(position.starts_at)
        known = self.peak_dbtp if self.faults.run else None
        self.peak_dbtp = max([*figures.true_peaks_dbtp, known or figures.true_peaks_dbtp[0]])
        self.details = {"true_peak_dbtp": self.peak_dbtp, "max_dbtp": most_dbtp}
        rule = FaultRule(
            kind=self.kind,
            threshold_sec=thresholds.clipping_threshold_sec,
            recovery_sec=thresholds.recovery_sec,
            joint_sec=CLIPPING_GAP_SEC,
            segment=segment_info(position),
            details=self.details,
        )
        blocks = zip(figures.true_peaks_dbtp, figures.clipped, strict=True)
        judged = [_judged(peak, is_clipped, most_dbtp) for peak, is_clipped in blocks]
        return self.faults.follow(stretches_of(judged, figures, position), rule)


def _judged(peak_dbtp: float, is_clipped: bool, most_dbtp: float) -> tuple[Condition, str | None]:
    if peak_dbtp > most_dbtp:
        return Condition.FAULTY, TRUE_PEAK
    return (Condition.FAULTY, FULL_SCALE_RUN) if is_clipped else (Condition.GOOD, None)
