"""Whether the loudness leaves its target: over a long window, or by much for a short time."""

from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from pydantic import Field

from monitors.config import Thresholds
from monitors.detectors.fault_detector import FaultRule, segment_info
from monitors.detectors.loudness_history import LoudnessHistory
from monitors.detectors.sound_detector import SoundDetector
from monitors.detectors.stream_time import Condition, SegmentPosition, Stretch, reached
from monitors.incidents import Detail, IncidentChange
from monitors.loudness import GATING_SEC
from monitors.sound_figures import SoundFigures
from monitors.status import IncidentKind

MUCH_TOO_LOUD_LU = 8.0
MUCH_TOO_LOUD_SEC = 10.0
"""The short-term loudness may be that much above the target for less than this."""

LOOKS_A_WINDOW = 100
"""A long window is judged as often, while it passes, as a short one: it costs no more."""

TOO_LOUD, TOO_QUIET, SHORT_TERM = "too_loud", "too_quiet", "short_term_too_loud"


class _Excess(NamedTuple):
    """How the target is missed: since when, in seconds, and by which figure."""

    reason: str
    since_sec: float
    lufs: float


class LoudnessDetector(SoundDetector):
    """The fault logic for loudness.

    Attributes:
        looked_sec: since the window was judged last.
        integrated_lufs: of the window then; None where it was not full.
        much_too_loud_sec: how long the short-term loudness has been far above the target.
    """

    kind: ClassVar[IncidentKind] = IncidentKind.LOUDNESS
    history: LoudnessHistory = Field(default_factory=LoudnessHistory)
    looked_sec: float = 0.0
    integrated_lufs: float | None = None
    much_too_loud_sec: float = 0.0

    def follow(
        self, figures: SoundFigures, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        """Judge the sound of a segment and return what changed."""
        if thresholds.loudness_target_lufs is None or not figures.loudness_lufs:
            return self.end(position.starts_at)
        changes: list[IncidentChange | None] = []
        block_sec = figures.duration_sec / len(figures.loudness_lufs)
        begins_at = position.wall_clock(figures.begins_sec)
        for number, lufs in enumerate(figures.loudness_lufs, 1):
            window_sec = thresholds.loudness_window_sec
            for left_sec in self.history.add(lufs, block_sec, window_sec):
                at = begins_at + timedelta(seconds=number * block_sec - left_sec)
                changes.append(self._step(at, position, thresholds))
        return [each for each in changes if each]

    def end(self, at: datetime) -> list[IncidentChange]:
        """End what is open, and forget what was heard."""
        self.history, self.integrated_lufs = LoudnessHistory(), None
        self.much_too_loud_sec = self.looked_sec = 0.0
        return super().end(at)

    def _step(
        self, at: datetime, position: SegmentPosition, thresholds: Thresholds
    ) -> IncidentChange | None:
        """Judge one gating block that ends at wall clock `at`."""
        excess = self._excess(thresholds)
        step_sec = GATING_SEC
        if excess:
            self.details = _details(excess, thresholds)
            step_sec = GATING_SEC if self.faults.run else excess.since_sec
        stretch = Stretch(
            Condition.FAULTY if excess else Condition.GOOD,
            step_sec,
            at - timedelta(seconds=step_sec),
            reason=excess.reason if excess else None,
        )
        return self.faults.step(stretch, self._rule(step_sec, position, thresholds))

    def _rule(
        self, threshold_sec: float, position: SegmentPosition, thresholds: Thresholds
    ) -> FaultRule:
        return FaultRule(
            kind=self.kind,
            threshold_sec=threshold_sec,  # what is known to be in excess is an incident at once
            recovery_sec=thresholds.recovery_sec,
            segment=segment_info(position),
            details=self.details,
        )

    def _excess(self, thresholds: Thresholds) -> _Excess | None:
        target_lufs = thresholds.loudness_target_lufs or 0.0
        short_lufs = self.history.short_term_lufs
        is_much = short_lufs is not None and short_lufs > target_lufs + MUCH_TOO_LOUD_LU
        self.much_too_loud_sec = self.much_too_loud_sec + GATING_SEC if is_much else 0.0
        integrated_lufs = self._look(thresholds.loudness_window_sec)
        if integrated_lufs is not None:
            over_lu = round(integrated_lufs, 1) - target_lufs
            if abs(over_lu) > thresholds.loudness_tolerance_lu:
                reason = TOO_LOUD if over_lu > 0 else TOO_QUIET
                return _Excess(reason, thresholds.loudness_window_sec, integrated_lufs)
        if short_lufs is not None and reached(self.much_too_loud_sec, MUCH_TOO_LOUD_SEC):
            return _Excess(SHORT_TERM, self.much_too_loud_sec, short_lufs)
        return None

    def _look(self, window_sec: float) -> float | None:
        """Return the loudness of the window, as it was known shortly before."""
        self.looked_sec += GATING_SEC
        if self.integrated_lufs is None or reached(self.looked_sec, window_sec / LOOKS_A_WINDOW):
            self.looked_sec = 0.0
            self.integrated_lufs = self.history.integrated_lufs(window_sec)
        return self.integrated_lufs


def _details(excess: _Excess, thresholds: Thresholds) -> dict[str, Detail]:
    figure = "short_term_lufs" if excess.reason == SHORT_TERM else "loudness_lufs"
    return {
        figure: round(excess.lufs, 1),
        "target_lufs": thresholds.loudness_target_lufs or 0.0,
        "tolerance_lu": float(thresholds.loudness_tolerance_lu),
        "window_sec": float(thresholds.loudness_window_sec),
    }
