"""How little of a stream's video is decoded while nothing is wrong with it.

Of most segments one keyframe is decoded. A keyframe that is not dark cannot lie in a blackout, and
no freeze has two keyframes in a row that both differ from the two before. So the judgement of a
segment's frames is *deferred*: the segment waits in the worker's memory until a later keyframe
shows that no fault that still grows can have begun in it, or until a fault could be due; then it is
measured in full. A segment that would bring a fault to its threshold is always measured in full,
with all that waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Self

from monitors.config import DAY_SEC, Thresholds
from monitors.detectors.stream_time import TIME_TOLERANCE_SEC, SegmentPosition, reached
from monitors.frames import BLOCKS, STILL_GAP_SEC, DecodeDepth, Motion, has_moved
from monitors.measurement import Interval, SegmentMeasurement

SEGMENTS_OF_A_FAULT = 2
"""A threshold shorter than this could be reached before a keyframe shows the fault, which begins
behind one: the next one shows it, or the one after that where a flash hides it."""

SKIMMED = (
    *("blackout_threshold_sec", "freeze_threshold_sec"),
    *("test_signal_threshold_sec", "slate_threshold_sec"),
)
"""Thresholds of detectors that judge deferred segments."""

LOOK_CLOSER_SHARE = 0.6
"""From this share of the freeze threshold on, segments are decoded until something moves."""

MOST_DEFERRED = 20  # the same from this many deferred segments on

MEASURED_PER_STILL_SEGMENT = 2
"""Deferred segments that are measured with each segment in which a look for movement found none."""

LEAST_DEFERRED = 2  # the latest segments, in which a blackout may have begun


@dataclass(frozen=True)
class Deferred:
    """A segment whose frames are not judged yet, and how much behind it was missed."""

    position: SegmentPosition
    measurement: SegmentMeasurement
    missed_after_sec: float = 0.0

    @classmethod
    def of(cls, measurement: SegmentMeasurement, position: SegmentPosition) -> Self:
        """Return it without sound and picture, which are already used and would fill memory."""
        names = ("silent", "audio_gaps", "additional_audio")
        heard: dict[str, object] = {name: [] for name in names}
        return cls(position, measurement.model_copy(update={**heard, "picture": None}))

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def missing_after(self, missed_sec: float) -> Self:
        return replace(self, missed_after_sec=self.missed_after_sec + missed_sec)


def may_defer(measurement: SegmentMeasurement) -> bool:
    if measurement.pauses:  # no keyframe shows that nothing is missing there
        return False
    is_known = measurement.is_skimmed or measurement.motion is Motion.STATIC
    return is_known and measurement.keyframe is not None


def shows_movement(measurement: SegmentMeasurement) -> bool:
    """Return whether no freeze that began before the segment goes on after it."""
    if measurement.is_skimmed or measurement.video_unseen_sec:
        return measurement.motion is Motion.MOVING
    end = Interval(start=measurement.duration_sec, end=measurement.duration_sec)
    faults = sorted([*measurement.black, *measurement.still, end], key=lambda it: it.start)
    good_from_sec = 0.0
    for fault in faults:
        if fault.start - good_from_sec > STILL_GAP_SEC + TIME_TOLERANCE_SEC:
            return True
        good_from_sec = max(good_from_sec, fault.end)
    return False


def depth_of_next(
    duration_sec: float, grown_sec: float, waiting: int, thresholds: Thresholds, *, has_room: bool
) -> DecodeDepth:
    """Return how much of the next segment is decoded, while no fault is known.

    `grown_sec` is that of the freeze that may be growing, this segment included, and `waiting` the
    number of segments that are deferred.
    """
    if thresholds.loop_threshold_sec > 0:
        return DecodeDepth.EVERYTHING
    wanted = (getattr(thresholds, name) for name in SKIMMED)
    if any(0 < each < SEGMENTS_OF_A_FAULT * duration_sec for each in wanted):
        return DecodeDepth.EVERYTHING
    freeze_sec = thresholds.freeze_threshold_sec
    if freeze_sec <= 0:
        return DecodeDepth.KEYFRAME
    if reached(grown_sec, freeze_sec):
        return DecodeDepth.EVERYTHING
    is_calm = grown_sec <= LOOK_CLOSER_SHARE * freeze_sec and waiting < MOST_DEFERRED
    return DecodeDepth.KEYFRAME if is_calm and has_room else DecodeDepth.MOVEMENT


def count_settled(measurements: Sequence[SegmentMeasurement]) -> int:
    """Return how many of the first deferred segments hold no freeze that may still grow.

    A single keyframe may be a flaw within a freeze. So two keyframes in a row must differ from the
    two latest ones; they may have one in common.
    """
    last = len(measurements) - 1
    if shows_movement(measurements[last]):
        return last
    frames = [each.keyframe or bytes(BLOCKS) for each in measurements]
    for first in range(last - 1, max(0, last - 3), -1):
        pairs = product((first, first - 1), (last, last - 1))
        if all(one == other or has_moved(frames[one], frames[other]) for one, other in pairs):
            return first
    return 0


def out_of_reach(thresholds: Thresholds) -> Thresholds:
    """Return thresholds that nothing reaches; a detector that is off stays off.

    Deferred segments are judged by them: they reached nothing when they came.
    """
    far = {name: 2.0 * DAY_SEC for name in SKIMMED if getattr(thresholds, name) > 0}
    return thresholds.model_copy(update=far)
