"""When a still picture is a frozen one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, Field

from monitors.detectors.fault_detector import VIDEO_MISSING, FaultDetector, FaultRule, closing_rule
from monitors.detectors.stream_time import (
    TIME_TOLERANCE_SEC,
    Condition,
    Finding,
    Stretch,
    reached,
    without,
)
from monitors.frames import STILL_GAP_SEC, STILL_MIN_SEC, is_drawn, missing_from_sec, same_frame
from monitors.incidents import IncidentChange
from monitors.measurement import Interval, SegmentMeasurement, StillRun, Thumbnail
from monitors.status import IncidentKind

STILL_NOTICEABLE_SEC = 5.0
"""Shorter stillness is part of normal pictures: a slide, a drawing that an animation holds."""

FLAWS_APART_SEC = 8.0
"""A picture that changes for a moment more often than this is no frozen one with flaws."""


class HeldStill(BaseModel):
    """A picture at a segment's end that was not shown for long enough to be called still."""

    picture: Thumbnail
    starts_at: AwareDatetime
    duration_sec: float

    def as_stretch(self, condition: Condition) -> Stretch:
        return Stretch(condition, self.duration_sec, self.starts_at, self.picture)


class FreezeDetector(BaseModel):
    """The fault logic for still pictures: two runs are one only if they show the same picture.

    A run goes on over another picture, or movement, of at most `STILL_GAP_SEC`: a flaw. There is
    one at most in `FLAWS_APART_SEC`. What is shown at a segment's border for less than
    `STILL_MIN_SEC` waits until the next segment tells whether it goes on: so a flaw is one wherever
    the border lies.

    The picture is compared with that of the run's beginning and not with the piece before: a slow
    pan adds up until it splits the run. A new picture is movement, even if it follows without any
    gap: it splits the run, and in an open incident it is the first good moment. So an animation
    that holds its drawings never freezes, and ends a freeze when it goes on.

    A black picture is neither frozen nor moving. While it is black, no freeze grows, opens or
    closes; when the picture comes back, the freeze goes on if it is the same picture, and recovers
    if it is another one or moves. That holds with the blackout detector switched off, too: who
    does not mind black does not want it called frozen.

    Where pictures are missing, a player goes on showing the last one, whatever it is. A remnant of
    pictures behind that (`FaultRule.remnant_sec`) does not split the run.
    """

    faults: FaultDetector = Field(default_factory=FaultDetector)
    picture: Thumbnail | None = None  # what was seen when the latest run began
    held: HeldStill | None = None  # what may be the beginning of another run
    since_flaw_sec: float = FLAWS_APART_SEC  # stillness since the run's last flaw

    def follow(self, media: Iterable[Stretch], rule: FaultRule) -> list[IncidentChange]:
        changes: list[IncidentChange] = []
        before: Stretch | None = None
        for stretch in media:
            if before and _is_other_picture(before, stretch):
                changes += self._begin_anew(stretch, rule)
            else:
                changes += self._settle(stretch, rule)
            before = stretch
        if self.faults.fault is None:
            self.picture = None
        return changes

    def skip(self, duration_sec: float) -> None:
        if self.held and duration_sec > TIME_TOLERANCE_SEC:
            duration_sec += self.held.duration_sec
            self.held = None
        self.faults.skip(duration_sec)

    def end(self, at: datetime) -> list[IncidentChange]:
        self.held = None
        ended = self.faults.end(at, closing_rule(IncidentKind.FREEZE))
        return [ended] if ended else []

    @property
    def grown_sec(self) -> float:
        fault, held_sec = self.faults.fault, self.held.duration_sec if self.held else 0.0
        return held_sec + (fault.run_sec + fault.gap_sec if fault else 0.0)

    def _begin_anew(self, stretch: Stretch, rule: FaultRule) -> list[IncidentChange]:
        """Judge a picture that follows one like it: between the two something moved."""
        ended = self.faults.split(stretch.starts_at, rule)
        self.held = self.picture = None
        return [*([ended] if ended else []), *self._settle(stretch, rule)]

    def _settle(self, stretch: Stretch, rule: FaultRule) -> list[IncidentChange]:
        """Judge what was held, now that `stretch` follows, and that, unless it is held itself."""
        held, self.held = self.held, None
        changes: list[IncidentChange] = []
        if held and _goes_on(held, stretch):
            if stretch.picture:
                whole_sec = held.duration_sec + stretch.duration_sec
                stretch = replace(held.as_stretch(stretch.condition), duration_sec=whole_sec)
            else:
                changes = self._step(held.as_stretch(Condition.FAULTY), rule)
        elif held:
            changes = self._step(held.as_stretch(Condition.GOOD), rule)
        if self._is_too_short(stretch, rule):
            self.held = HeldStill(
                picture=stretch.picture or b"",
                starts_at=stretch.starts_at,
                duration_sec=stretch.duration_sec,
            )
            return changes
        return changes + self._step(stretch, rule)

    def _is_too_short(self, stretch: Stretch, rule: FaultRule) -> bool:
        is_still = stretch.condition is Condition.FAULTY and stretch.picture is not None
        if not is_still or reached(stretch.duration_sec, STILL_MIN_SEC):
            return False
        return not self._continues(stretch, rule) and not self._may_be_remnant(stretch, rule)

    def _step(self, stretch: Stretch, rule: FaultRule) -> list[IncidentChange]:
        ended = None
        if self._may_be_remnant(stretch, rule):
            stretch = self._as_remnant(stretch, rule)
        elif stretch.condition is Condition.FAULTY:
            if not self._continues(stretch, rule):
                ended = self.faults.split(stretch.starts_at, rule)
                self.picture, self.since_flaw_sec = stretch.picture, FLAWS_APART_SEC
            elif self._has_flaw():
                self.since_flaw_sec = 0.0
            self.since_flaw_sec += stretch.duration_sec
        changes = [ended, self.faults.step(stretch, rule)]
        return [change for change in changes if change]

    def _has_flaw(self) -> bool:
        """Return whether the run has just been interrupted, and not for want of pictures."""
        fault = self.faults.fault
        return (
            fault is not None
            and fault.gap_sec > TIME_TOLERANCE_SEC
            and fault.reason != VIDEO_MISSING
        )

    def _may_be_remnant(self, stretch: Stretch, rule: FaultRule) -> bool:
        """Return whether a still stretch may be part of the few pictures between missing ones."""
        fault = self.faults.fault
        if stretch.condition is not Condition.FAULTY or stretch.reason == VIDEO_MISSING:
            return False
        if fault is None or fault.reason != VIDEO_MISSING:
            return False
        return reached(rule.remnant_sec, fault.gap_sec + stretch.duration_sec)

    def _as_remnant(self, stretch: Stretch, rule: FaultRule) -> Stretch:
        """Return a stretch behind missing pictures such that it does not split the run."""
        if self._continues(stretch, rule):
            return replace(stretch, reason=VIDEO_MISSING)
        return replace(stretch, condition=Condition.GOOD)

    def _continues(self, stretch: Stretch, rule: FaultRule) -> bool:
        fault = self.faults.fault
        if fault is None or fault.is_separated(rule):
            return False
        if self._has_flaw() and not reached(self.since_flaw_sec, FLAWS_APART_SEC):
            return False
        if stretch.reason == VIDEO_MISSING:  # a player goes on showing the last picture
            return True
        return bool(self.picture and stretch.picture and same_frame(self.picture, stretch.picture))


def _is_other_picture(before: Stretch, stretch: Stretch) -> bool:
    """Return whether a decoder saw one still picture end and one that looks like it begin."""
    if not (before.condition is stretch.condition is Condition.FAULTY):
        return False
    if not before.picture or not stretch.picture or before.picture == stretch.picture:
        return False
    return same_frame(before.picture, stretch.picture)


def _goes_on(held: HeldStill, stretch: Stretch) -> bool:
    if stretch.condition is not Condition.FAULTY:
        return False
    if stretch.reason == VIDEO_MISSING:  # a player goes on showing the last picture
        return True
    return bool(stretch.picture and same_frame(held.picture, stretch.picture))


def still_findings(
    measurement: SegmentMeasurement, cards: Sequence[Interval] = (), *, is_fluent: bool = False
) -> list[Finding]:
    """Return what the freeze detector sees in a segment with picture.

    That is stillness, black, and where pictures are missing. A card is no frozen programme. Where
    the stream `is_fluent`, pictures are missing in each pause, unless it shows a slide: what is
    drawn needs few.
    """
    pauses = measurement.pauses if is_fluent else []
    unexpected = [each for each in pauses if not _is_drawn_in(each, measurement.still)]
    missing = unexpected or missing_frames(measurement)
    black = [Finding(piece, Condition.UNKNOWN) for _, piece in without(measurement.black, cards)]
    still = [
        Finding(piece, picture=run.picture)
        for run, piece in without(measurement.still, [*measurement.black, *missing, *cards])
    ]
    held = [
        Finding(piece, reason=VIDEO_MISSING) for _, piece in without(missing, measurement.black)
    ]
    return black + still + held


def _is_drawn_in(pause: Interval, still: Iterable[StillRun]) -> bool:
    return any(
        run.start <= pause.start + STILL_GAP_SEC
        and pause.end - STILL_GAP_SEC <= run.end
        and is_drawn(run.picture)
        for run in still
    )


def missing_frames(measurement: SegmentMeasurement) -> list[Interval]:
    """Return the end of a segment where pictures are missing; nothing where none are."""
    start_sec = missing_from_sec(
        measurement.duration_sec, measurement.video_sec, measurement.frame_interval_sec
    )
    return [] if start_sec is None else [Interval(start=start_sec, end=measurement.duration_sec)]
