"""Detectors of sound that judge it block by block: line-up tone, clipping, phase.

All detectors of figures of sound share `SoundDetector`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field

from monitors.config import Thresholds
from monitors.detectors.explanations import TONE, Cause
from monitors.detectors.fault_detector import FaultDetector, FaultRule, closing_rule, usual_rule
from monitors.detectors.stream_time import Condition, SegmentPosition, Stretch
from monitors.incidents import Detail, IncidentChange
from monitors.sound_figures import SoundFigures
from monitors.status import IncidentKind

T = TypeVar("T")

TONE_GAP_SEC = 0.5  # stereo tones are interrupted to tell left from right (EBU R 49: for 0.25 s)

SAME_LEVEL_DB = 0.5  # a whistle, or a note that somebody plays, is never that steady

CLIPPING_GAP_SEC = 1.0  # music that clips does so at each beat

TRUE_PEAK, FULL_SCALE_RUN = "true_peak", "full_scale_run"

CANCELLING = -0.5
"""The correlation below which it counts; wide stereo stays above 0 for most of the time."""


class SoundDetector(BaseModel):
    """The fault logic for one kind of incident; `details` are what was judged last, for events."""

    kind: ClassVar[IncidentKind]
    faults: FaultDetector = Field(default_factory=FaultDetector)
    details: dict[str, Detail] = {}

    def end(self, at: datetime) -> list[IncidentChange]:
        """End what is open, whatever is measured."""
        ended = self.faults.end(at, closing_rule(self.kind, self.details))
        return [ended] if ended else []

    def _rule(
        self, position: SegmentPosition, thresholds: Thresholds, **differing: Any
    ) -> FaultRule:
        return usual_rule(self.kind, thresholds, position, details=self.details, **differing)


class ToneDetector(SoundDetector):
    """Whether a line-up tone is on air: 1 kHz, nothing else, at one level, that of `level_dbfs`."""

    kind: ClassVar[IncidentKind] = IncidentKind.TEST_SIGNAL
    level_dbfs: float | None = None

    def follow(
        self, figures: SoundFigures, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        changes: list[IncidentChange | None] = []
        rule = self._tone_rule(position, thresholds)
        for level_dbfs, first, count in runs(self._levels(figures)):
            condition = Condition.GOOD if level_dbfs is None else Condition.FAULTY
            stretch = stretch_of(condition, first, count, figures, position)
            if level_dbfs not in (None, self.level_dbfs):
                changes.append(self.faults.split(stretch.starts_at, rule))
                self.level_dbfs, self.details = level_dbfs, {"tone_dbfs": level_dbfs or 0.0}
                rule = replace(rule, details=self.details)
            changes.append(self.faults.step(stretch, rule))
        return [each for each in changes if each]

    def miss(self, position: SegmentPosition, thresholds: Thresholds) -> list[IncidentChange]:
        """Judge a segment without sound: there is no tone in it."""
        nothing = Stretch(Condition.GOOD, position.duration_sec, position.starts_at)
        return self.faults.follow([nothing], self._tone_rule(position, thresholds))

    def causes(self) -> list[Cause]:
        fault = self.faults.fault
        return [Cause(self.kind, fault.started_at, TONE)] if fault else []

    def _tone_rule(self, position: SegmentPosition, thresholds: Thresholds) -> FaultRule:
        return self._rule(position, thresholds, joint_sec=TONE_GAP_SEC, reason=TONE)

    def _levels(self, figures: SoundFigures) -> list[float | None]:
        """Return the level of the tone in each block; blocks of about one level have the same."""
        level, levels = self.level_dbfs, list[float | None]()
        for block in figures.tone_dbfs or [None] * figures.blocks:
            if block is not None and (level is None or abs(block - level) > SAME_LEVEL_DB):
                level = block
            levels.append(None if block is None else level)
        return levels


class ClippingDetector(SoundDetector):
    """Whether sound is clipped: its true peaks are too high, or it stays at full scale."""

    kind: ClassVar[IncidentKind] = IncidentKind.CLIPPING
    peak_dbtp: float | None = None

    def follow(
        self, figures: SoundFigures, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        most_dbtp = thresholds.true_peak_max_dbtp
        if most_dbtp is None or not figures.true_peaks_dbtp:
            return self.end(position.starts_at)
        known = self.peak_dbtp if self.faults.fault else None
        self.peak_dbtp = max([*figures.true_peaks_dbtp, known or figures.true_peaks_dbtp[0]])
        self.details = {"true_peak_dbtp": self.peak_dbtp, "max_dbtp": most_dbtp}
        rule = self._rule(position, thresholds, joint_sec=CLIPPING_GAP_SEC)
        blocks = zip(figures.true_peaks_dbtp, figures.clipped, strict=True)
        judged = [_judged_peak(peak, is_clipped, most_dbtp) for peak, is_clipped in blocks]
        return self.faults.follow(_stretches_of(judged, figures, position), rule)


def _judged_peak(
    peak_dbtp: float, is_clipped: bool, most_dbtp: float
) -> tuple[Condition, str | None]:
    if peak_dbtp > most_dbtp:
        return Condition.FAULTY, TRUE_PEAK
    return (Condition.FAULTY, FULL_SCALE_RUN) if is_clipped else (Condition.GOOD, None)


class PhaseDetector(SoundDetector):
    """Whether left and right cancel each other for those who hear both as one.

    Where it is quiet, nothing is known of it.
    """

    kind: ClassVar[IncidentKind] = IncidentKind.PHASE

    def follow(
        self, figures: SoundFigures, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        if not figures.correlations:
            return self.end(position.starts_at)
        heard = (each for each in figures.correlations if each is not None)
        if cancelling := [each for each in heard if each < CANCELLING]:
            self.details = {"correlation": round(sum(cancelling) / len(cancelling), 2)}
        judged = [(_judged_phase(each), None) for each in figures.correlations]
        stretches = _stretches_of(judged, figures, position)
        return self.faults.follow(stretches, self._rule(position, thresholds))


def _judged_phase(correlation: float | None) -> Condition:
    if correlation is None:
        return Condition.UNKNOWN
    return Condition.FAULTY if correlation < CANCELLING else Condition.GOOD


def stretch_of(
    condition: Condition,
    first: int,
    count: int,
    figures: SoundFigures,
    position: SegmentPosition,
    reason: str | None = None,
) -> Stretch:
    """Return the stretch of `count` blocks from the `first` one on the stream's timeline.

    It follows the sound, not the segments: what is heard of one begins where that of the one before
    ended, however much earlier or later than the pictures. So nothing is left out where a segment's
    border cuts the sound elsewhere than the pictures.
    """
    block_sec = figures.duration_sec / max(1, figures.blocks)
    starts_at = position.wall_clock(figures.begins_sec + first * block_sec)
    return Stretch(condition, count * block_sec, starts_at, reason=reason)


def _stretches_of(
    conditions: Sequence[tuple[Condition, str | None]],
    figures: SoundFigures,
    position: SegmentPosition,
) -> Iterator[Stretch]:
    for (condition, reason), first, count in runs(conditions):
        yield stretch_of(condition, first, count, figures, position, reason)


def runs(values: Sequence[T]) -> Iterator[tuple[T, int, int]]:
    """Yield each run of equal values: the value, its first place and its length."""
    for value, run in groupby(enumerate(values), key=itemgetter(1)):
        places = [place for place, _ in run]
        yield value, places[0], len(places)
