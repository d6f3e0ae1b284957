"""Whether a line-up tone is on air: 1 kHz, nothing else, at one level."""

from typing import ClassVar

from monitors.config import Thresholds
from monitors.detectors.explanations import TONE, Cause
from monitors.detectors.fault_detector import FaultRule, segment_info
from monitors.detectors.sound_detector import SoundDetector, runs, stretch_of
from monitors.detectors.stream_time import Condition, SegmentPosition, Stretch
from monitors.incidents import IncidentChange
from monitors.sound_figures import SoundFigures
from monitors.status import IncidentKind

TONE_GAP_SEC = 0.5
"""Stereo tones are interrupted to tell left from right (EBU R 49: for 0.25 s)."""

SAME_LEVEL_DB = 0.5
"""A whistle, or a note that somebody plays, is never that steady."""


class ToneDetector(SoundDetector):
    """The fault logic for tones; one of another level is another one.

    Attributes:
        level_dbfs: of the tone that was heard last.
    """

    kind: ClassVar[IncidentKind] = IncidentKind.TEST_SIGNAL
    level_dbfs: float | None = None

    def follow(
        self, figures: SoundFigures, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        """Judge the sound of a segment and return what changed."""
        changes: list[IncidentChange | None] = []
        for level_dbfs, first, count in runs(self._levels(figures)):
            condition = Condition.GOOD if level_dbfs is None else Condition.FAULTY
            stretch = stretch_of(condition, first, count, figures, position)
            if level_dbfs not in (None, self.level_dbfs):
                changes.append(
                    self.faults.part(stretch.starts_at, self._rule(position, thresholds))
                )
                self.level_dbfs = level_dbfs
                self.details = {"tone_dbfs": level_dbfs or 0.0}
            changes.append(self.faults.step(stretch, self._rule(position, thresholds)))
        return [each for each in changes if each]

    def miss(self, position: SegmentPosition, thresholds: Thresholds) -> list[IncidentChange]:
        """Judge a segment without sound: there is no tone in it."""
        nothing = Stretch(Condition.GOOD, position.duration_sec, position.starts_at)
        return self.faults.follow([nothing], self._rule(position, thresholds))

    def causes(self) -> list[Cause]:
        run = self.faults.run
        return [Cause(self.kind, run.started_at, TONE)] if run else []

    def _rule(self, position: SegmentPosition, thresholds: Thresholds) -> FaultRule:
        return FaultRule(
            kind=self.kind,
            threshold_sec=thresholds.test_signal_threshold_sec,
            recovery_sec=thresholds.recovery_sec,
            joint_sec=TONE_GAP_SEC,
            reason=TONE,
            segment=segment_info(position),
            details=self.details,
        )

    def _levels(self, figures: SoundFigures) -> list[float | None]:
        """Return the level of the tone in each block; blocks of about one level have the same."""
        level, levels = self.level_dbfs, list[float | None]()
        for block in figures.tone_dbfs or [None] * figures.blocks:
            if block is not None and (level is None or abs(block - level) > SAME_LEVEL_DB):
                level = block
            levels.append(None if block is None else level)
        return levels
