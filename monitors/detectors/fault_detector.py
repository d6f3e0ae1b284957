"""The logic that all detectors of media share: runs of faulty media become incidents.

A *run* is faulty media without a real gap; a run that reaches its threshold opens an incident;
`recovery_sec` of good media closes it. Everything is counted in stream seconds, and the state
holds durations only, no positions: a segment's border leaves no trace, wherever it lies, and a
programme that restarts its stream time disturbs nothing.

Media of unknown condition (a segment that nobody could fetch) counts toward no threshold and no
recovery and interrupts neither; it only makes the incident longer, as stream time moves on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel

from monitors.config import Thresholds
from monitors.detectors.stream_time import (
    TIME_TOLERANCE_SEC,
    Condition,
    SegmentPosition,
    Stretch,
    reached,
)
from monitors.incidents import Detail, IncidentChange, IncidentClosed, IncidentOpened, SegmentInfo
from monitors.status import Health, IncidentKind

JOINT_TOLERANCE_SEC = 0.05
"""Good media up to this long between two faults is an artefact of cutting, not good media."""

NOTICEABLE_SEC = 1.0
"""A shorter fault is part of normal media: a fade, a cut, a pause between two words.

It gives no warning, and within a recovery it is no relapse. Without this, speech in a quiet
studio would never end an incident of silence.
"""

AUDIO_MISSING = "audio_missing"
VIDEO_MISSING = "video_missing"
MISSING = frozenset({AUDIO_MISSING, VIDEO_MISSING})
"""Reasons of faults in a track that is there and carries nothing."""

REMNANT_SEC = 0.3  # sound or pictures this short, after time without any, do not end the fault


@dataclass(frozen=True, kw_only=True)
class FaultRule:
    """How one detector judges the stretches of one segment."""

    kind: IncidentKind
    threshold_sec: float  # length of a run that opens an incident; 0 is off
    recovery_sec: float  # good media that closes it; 0 closes at the first good moment
    joint_sec: float = JOINT_TOLERANCE_SEC  # the longest gap that does not separate two faults
    remnant_sec: float = 0.0  # the same after media that is missing (`MISSING`)
    noticeable_sec: float = NOTICEABLE_SEC  # the shortest fault that is a relapse during recovery
    # goes into an incident that these stretches open, unless they have their own
    reason: str | None = None
    position: SegmentPosition | None = None  # of the segment; None for what opens no incident
    details: Mapping[str, Detail] = field(default_factory=dict)  # go into the incident

    def separates(self, gap_sec: float, reason: str | None = None) -> bool:
        """Return whether good media of `gap_sec` separates a fault from one before, of `reason`."""
        joint_sec = max(self.joint_sec, self.remnant_sec if reason in MISSING else 0.0)
        return gap_sec > joint_sec + TIME_TOLERANCE_SEC

    def is_relapse(self, run_sec: float) -> bool:
        return reached(run_sec, min(self.noticeable_sec, self.threshold_sec))


class Recovery(BaseModel):
    """Good media after a fault, perhaps the end of an incident."""

    since: AwareDatetime  # wall clock of the first good moment
    after_sec: float  # stream seconds from the fault's first moment to the first good one
    good_sec: float = 0.0  # known media since, faults too short to notice included


class Fault(BaseModel):
    """A fault that is growing, or an incident that is open."""

    started_at: AwareDatetime  # wall clock of its first moment
    elapsed_sec: float = 0.0  # stream seconds since then, unknown media included
    run_sec: float = 0.0  # known length of the latest run of faulty media
    gap_sec: float = 0.0  # good media since the last faulty moment
    is_open: bool = False  # whether the threshold was reached
    reason: str | None = None  # of its latest faulty media
    recovery: Recovery | None = None  # the good media at its end; None while it is faulty

    @property
    def is_faulty(self) -> bool:
        return self.gap_sec == 0 and self.run_sec > 0

    def is_separated(self, rule: FaultRule) -> bool:
        """Return whether the good media at its end separates it from a fault that follows."""
        return rule.separates(self.gap_sec, self.reason)

    def add_fault(self, duration_sec: float, rule: FaultRule, reason: str | None) -> None:
        """Add faulty media, joined to the latest run unless the gap between them is a real one."""
        joined_sec = 0.0 if self.is_separated(rule) else self.run_sec + self.gap_sec
        self.reason = reason
        self.run_sec = joined_sec + duration_sec
        self.gap_sec = 0.0
        self.elapsed_sec += duration_sec
        if self.recovery:
            self.recovery.good_sec += duration_sec
            if not self.is_open or rule.is_relapse(self.run_sec):
                self.recovery = None

    def add_good(self, duration_sec: float, at: datetime) -> None:
        recovery = self.begin_recovery(at)
        recovery.good_sec += duration_sec
        self.gap_sec += duration_sec
        self.elapsed_sec += duration_sec

    def begin_recovery(self, at: datetime) -> Recovery:
        """Remember `at` as the first good moment, unless there was one before."""
        if self.recovery is None:
            self.recovery = Recovery(since=at, after_sec=self.elapsed_sec)
        return self.recovery

    def has_recovered(self, rule: FaultRule) -> bool:
        return self.recovery is not None and reached(self.recovery.good_sec, rule.recovery_sec)


class FaultDetector(BaseModel):
    """What one detector remembers between two segments; `fault` is None while all is good."""

    fault: Fault | None = None

    def follow(self, media: Iterable[Stretch], rule: FaultRule) -> list[IncidentChange]:
        changes = [self.step(stretch, rule) for stretch in media]
        return [change for change in changes if change]

    def step(self, stretch: Stretch, rule: FaultRule) -> IncidentChange | None:
        if rule.threshold_sec <= 0:
            return self.end(stretch.starts_at, rule)
        match stretch.condition:
            case Condition.FAULTY:
                return self._faulty(stretch, rule)
            case Condition.GOOD:
                return self._good(stretch, rule)
            case Condition.UNKNOWN:
                self.skip(stretch.duration_sec)
        return None

    def skip(self, duration_sec: float) -> None:
        if self.fault:
            self.fault.elapsed_sec += duration_sec

    def rewind(self, before: "FaultDetector") -> None:
        """Undo what was judged since `before`; incidents opened meanwhile stay open.

        Silence judges a segment's tail early, and again with the next segment.
        """
        was_open = before.fault is not None and before.fault.is_open
        if was_open and self.fault is None:
            return
        opened, self.fault = self.fault, before.fault
        if opened and opened.is_open and not was_open:
            self.fault = before.fault or Fault(started_at=opened.started_at)
            self.fault.is_open = True

    def split(self, at: datetime, rule: FaultRule) -> IncidentChange | None:
        """End the latest run at wall clock `at`, though the next fault may begin at once."""
        if self.fault is None:
            return None
        self.fault.begin_recovery(at)
        if not self.fault.is_open or self.fault.has_recovered(rule):
            return self.end(at, rule)
        self.fault.run_sec = self.fault.gap_sec = 0.0
        return None

    def end(self, at: datetime, rule: FaultRule) -> IncidentClosed | None:
        """Forget the fault; an incident closes at its first good moment, or else at `at`."""
        fault, self.fault = self.fault, None
        if fault is None or not fault.is_open:
            return None
        recovery = fault.begin_recovery(at)
        return IncidentClosed(
            kind=rule.kind,
            started_at=fault.started_at,
            recovered_at=recovery.since,
            total_duration_sec=recovery.after_sec,
            details=dict(rule.details),
        )

    @property
    def is_open(self) -> bool:
        return self.fault is not None and self.fault.is_open

    def health(self, noticeable_sec: float = NOTICEABLE_SEC) -> Health:
        if self.fault is None:
            return Health.OK
        if self.fault.is_open:
            return Health.ERROR
        return Health.WARNING if reached(self.fault.run_sec, noticeable_sec) else Health.OK

    def _faulty(self, stretch: Stretch, rule: FaultRule) -> IncidentOpened | None:
        if self.fault is None:
            self.fault = Fault(started_at=stretch.starts_at)
        reason = stretch.reason or rule.reason
        self.fault.add_fault(stretch.duration_sec, rule, reason)
        if self.fault.is_open or not reached(self.fault.run_sec, rule.threshold_sec):
            return None
        self.fault.is_open = True
        return IncidentOpened(
            kind=rule.kind,
            started_at=self.fault.started_at,
            duration_sec=self.fault.elapsed_sec,
            threshold_sec=rule.threshold_sec,
            reason=reason,
            segment=rule.position and _segment_info(rule.position),
            details=dict(rule.details),
        )

    def _good(self, stretch: Stretch, rule: FaultRule) -> IncidentClosed | None:
        if self.fault is None:
            return None
        self.fault.add_good(stretch.duration_sec, stretch.starts_at)
        if not self.fault.is_separated(rule):
            return None
        if not self.fault.is_open or self.fault.has_recovered(rule):
            return self.end(stretch.starts_at, rule)
        return None


def usual_rule(
    kind: IncidentKind, thresholds: Thresholds, position: SegmentPosition, **overrides: Any
) -> FaultRule:
    """Return the rule for `kind` from the user's thresholds; `overrides` replace its fields."""
    usual = {
        "threshold_sec": getattr(thresholds, f"{kind}_threshold_sec"),
        "recovery_sec": thresholds.recovery_sec,
    }
    return FaultRule(kind=kind, position=position, **{**usual, **overrides})


def closing_rule(kind: IncidentKind, details: Mapping[str, Detail] | None = None) -> FaultRule:
    """Return the rule that ends an incident, whatever was measured."""
    return FaultRule(kind=kind, threshold_sec=0.0, recovery_sec=0.0, details=details or {})


def _segment_info(position: SegmentPosition) -> SegmentInfo:
    return SegmentInfo(sequence=position.sequence, duration=position.duration_sec)
