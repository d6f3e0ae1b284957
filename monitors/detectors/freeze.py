"""When a still picture is a frozen one."""

from collections.abc import Iterable
from dataclasses import replace

from pydantic import BaseModel, Field

from monitors.detectors.fault_detector import VIDEO_MISSING, FaultDetector, FaultRule
from monitors.detectors.stream_time import Condition, Finding, Stretch, reached, without
from monitors.frames import missing_from_sec, same_frame
from monitors.incidents import IncidentChange
from monitors.measurement import Interval, SegmentMeasurement, Thumbnail

STILL_NOTICEABLE_SEC = 5.0
"""Shorter stillness is part of normal pictures: a slide, a drawing that an animation holds."""


class FreezeDetector(BaseModel):
    """The fault logic for still pictures: two runs are one only if they show the same picture.

    A run goes on over a gap of at most `STILL_GAP_SEC` while the picture is that of the run's
    beginning. Compared with its beginning and not with the piece before, a slow pan adds up until
    it parts the run. A new picture is movement, even if it follows without any gap: it parts the
    run, and in an open incident it is the first good moment. So an animation that holds its
    drawings never freezes, and ends a freeze when it goes on.

    A black picture is neither frozen nor moving. While it is black, no freeze grows, opens or
    closes; when the picture comes back, the freeze goes on if it is the same picture, and recovers
    if it is another one or moves. That holds with the blackout detector switched off, too: who
    does not mind black does not want it called frozen.

    Where pictures are missing, a player goes on showing the last one, whatever it is. A remnant of
    pictures behind that (`FaultRule.remnant_sec`) does not part the run.

    Attributes:
        picture: what was seen when the latest run began.
    """

    faults: FaultDetector = Field(default_factory=FaultDetector)
    picture: Thumbnail | None = None

    def follow(self, media: Iterable[Stretch], rule: FaultRule) -> list[IncidentChange]:
        """Judge the stretches of a segment and return what changed, in order."""
        changes = [change for stretch in media for change in self._step(stretch, rule)]
        if self.faults.run is None:
            self.picture = None
        return changes

    def _step(self, stretch: Stretch, rule: FaultRule) -> list[IncidentChange]:
        parted = None
        if self._may_be_remnant(stretch, rule):
            stretch = self._as_remnant(stretch, rule)
        elif stretch.condition is Condition.FAULTY and not self._continues(stretch, rule):
            parted = self.faults.part(stretch.starts_at, rule)
            self.picture = stretch.picture
        changes = [parted, self.faults.step(stretch, rule)]
        return [change for change in changes if change]

    def _may_be_remnant(self, stretch: Stretch, rule: FaultRule) -> bool:
        """Return whether a still stretch may be part of the few pictures between missing ones."""
        run = self.faults.run
        if stretch.condition is not Condition.FAULTY or stretch.reason == VIDEO_MISSING:
            return False
        if run is None or run.reason != VIDEO_MISSING:
            return False
        return reached(rule.remnant_sec, run.gap_sec + stretch.duration_sec)

    def _as_remnant(self, stretch: Stretch, rule: FaultRule) -> Stretch:
        """Return a stretch behind missing pictures such that it does not part the run."""
        if self._continues(stretch, rule):
            return replace(stretch, reason=VIDEO_MISSING)
        return replace(stretch, condition=Condition.GOOD)

    def _continues(self, stretch: Stretch, rule: FaultRule) -> bool:
        run = self.faults.run
        if run is None or run.is_parted(rule):
            return False
        if stretch.reason == VIDEO_MISSING:  # a player goes on showing the last picture
            return True
        return bool(self.picture and stretch.picture and same_frame(self.picture, stretch.picture))


def still_findings(measurement: SegmentMeasurement) -> list[Finding]:
    """Return what the freeze detector sees in a segment with picture.

    That is stillness, black, and the end where pictures are missing.
    """
    missing = missing_frames(measurement)
    black = [Finding(interval, Condition.UNKNOWN) for interval in measurement.black]
    still = [
        Finding(piece, picture=run.picture)
        for run, piece in without(measurement.still, [*measurement.black, *missing])
    ]
    held = [
        Finding(piece, reason=VIDEO_MISSING) for _, piece in without(missing, measurement.black)
    ]
    return black + still + held


def missing_frames(measurement: SegmentMeasurement) -> list[Interval]:
    """Return the end of a segment where pictures are missing; nothing where none are."""
    start_sec = missing_from_sec(
        measurement.duration_sec, measurement.video_sec, measurement.frame_interval_sec
    )
    return [] if start_sec is None else [Interval(start=start_sec, end=measurement.duration_sec)]
