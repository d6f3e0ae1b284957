"""What is shown instead of a programme: colour bars, or a slate that the user uploaded."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, Field

from monitors.config import Expect, Thresholds
from monitors.detectors.explanations import BARS, Cause
from monitors.detectors.fault_detector import FaultDetector, closing_rule, usual_rule
from monitors.detectors.stream_time import Finding, SegmentPosition, Stretch, stretches, without
from monitors.incidents import Detail, IncidentChange
from monitors.measurement import Interval, SegmentMeasurement
from monitors.status import Health, IncidentKind

CARD_GAP_SEC = 0.5
"""A card is recognised again after this long at most: something may move in front of it."""

STILL_SHARE = 0.9  # a card that stands still for this share of a segment explains a freeze


class CardDetectors(BaseModel):
    """The fault logic for cards. A card is neither a freeze nor a blackout: it explains them."""

    bars: FaultDetector = Field(default_factory=FaultDetector)
    slate: FaultDetector = Field(default_factory=FaultDetector)
    slate_name: str | None = None

    def follow(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        names = measurement.slate_names or ()
        for shown in measurement.slates:
            self.slate_name = names[shown.number]
        bars = usual_rule(
            IncidentKind.TEST_SIGNAL,
            thresholds,
            position,
            threshold_sec=bars_threshold_sec(thresholds),
            joint_sec=CARD_GAP_SEC,
            reason=BARS,
            details=_explained(measurement.bars, measurement),
        )
        slate = usual_rule(
            IncidentKind.SLATE,
            thresholds,
            position,
            joint_sec=CARD_GAP_SEC,
            details=self._name() | _explained(measurement.slates, measurement),
        )
        changes = self.bars.follow(_cut(measurement.bars, measurement, position), bars)
        if measurement.slate_names is None and slate.threshold_sec > 0:
            self.slate.skip(position.duration_sec)
            return changes
        return changes + self.slate.follow(_cut(measurement.slates, measurement, position), slate)

    def _name(self) -> dict[str, Detail]:
        return {"slate": self.slate_name} if self.slate_name else {}

    def skip(self, duration_sec: float) -> None:
        self.bars.skip(duration_sec)
        self.slate.skip(duration_sec)

    def end(self, at: datetime) -> list[IncidentChange]:
        bars = self.bars.end(at, closing_rule(IncidentKind.TEST_SIGNAL))
        slate = self.slate.end(at, closing_rule(IncidentKind.SLATE, self._name()))
        return [each for each in (bars, slate) if each]

    def conditions(self) -> list[tuple[IncidentKind, Health]]:
        return [(kind, each.health()) for kind, each in self._detectors()]

    def causes(self) -> list[Cause]:
        reasons = {IncidentKind.TEST_SIGNAL: BARS}
        return [
            Cause(kind, each.fault.started_at, reasons.get(kind))
            for kind, each in self._detectors()
            if each.fault
        ]

    def _detectors(self) -> Iterable[tuple[IncidentKind, FaultDetector]]:
        return ((IncidentKind.TEST_SIGNAL, self.bars), (IncidentKind.SLATE, self.slate))


def bars_threshold_sec(thresholds: Thresholds) -> float:
    """Return that of bars: tones are heard where nobody expects a picture."""
    is_off = thresholds.expect is Expect.AUDIO
    return 0.0 if is_off else thresholds.test_signal_threshold_sec


def cards_in(measurement: SegmentMeasurement, thresholds: Thresholds) -> list[Interval]:
    """Return where a segment shows cards that are looked for."""
    bars = measurement.bars if bars_threshold_sec(thresholds) > 0 else []
    return [*bars, *slates_in(measurement, thresholds)]


def slates_in(measurement: SegmentMeasurement, thresholds: Thresholds) -> list[Interval]:
    return [*measurement.slates] if thresholds.slate_threshold_sec > 0 else []


def _cut(
    shown: Iterable[Interval], measurement: SegmentMeasurement, position: SegmentPosition
) -> list[Stretch]:
    return stretches(map(Finding, shown), position, measurement.duration_sec)


def _explained(cards: Iterable[Interval], measurement: SegmentMeasurement) -> dict[str, Detail]:
    shown = [*cards]
    if not shown:
        return {}
    total_sec = _total_sec(shown)
    moving_sec = _total_sec(piece for _, piece in without(shown, measurement.still))
    is_still = moving_sec <= (1 - STILL_SHARE) * total_sec
    return {"explains": [IncidentKind.FREEZE.value]} if is_still else {}


def _total_sec(intervals: Iterable[Interval]) -> float:
    return sum(each.end - each.start for each in intervals)
