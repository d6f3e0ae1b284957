"""When a glance at a segment is enough, and what was only glanced at.

Two landmarks in a row (`media.decoding.decoder.reference_frames`) cannot lie in one freeze, and a
keyframe that is not dark cannot lie in a blackout. So a freeze that may still grow began after the
last landmark but one, or, where the last landmark differs as much from the keyframe before it,
after that. A blackout began after the last keyframe. What is known to have gone on for less than a
threshold is no incident yet, whether or not it is a fault: it need not be measured before that.

The detectors stay where the last measurement in full left them. The segments since are *skimmed*:
kept, to be measured in full in case of need. Those whose faults cannot grow any more are let go.
The others are measured

- at once, as soon as a keyframe is dark or missing, or the threshold may be reached with the next
segment; - some with each new segment from half the threshold on, so that they are all measured by
then; - when another worker could not have them any more: what this one keeps is lost with it, but
for what a playlist still names by the time the watch is taken over.

Then nothing is different from having measured all of them. Before all that comes to pass, new
segments are looked at more closely: a movement between two keyframes is a landmark, too.
"""

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from monitors.config import DAY_SEC, Thresholds
from monitors.detectors.stream_time import SegmentPosition, reached
from monitors.motion import Depth

LOOKED_BACK = 2
"""So many segments may be kept, whether or not another worker could have them: in media that moves
all the time the two latest hold all that may grow."""

MOST_SKIMMED = 16
"""They ride in heartbeats. One that moves may be one more, until the next."""

SEGMENTS_OF_A_FAULT = 4
"""A threshold shorter than so many segments could be reached before a glance sees the fault."""

LOOK_CLOSER_SHARE = 0.4
"""Of the freeze threshold: from then on movement is looked for, until half of it nothing is due."""

LOOK_CLOSER_WITHIN = 0.75
"""Of the media that may wait: from then on likewise."""


class Skimmed(BaseModel):
    """A segment whose picture may have to be measured yet.

    Attributes:
        digest: see `SegmentMeasurement.digest`.
        moves: whether it has landmarks.
        cuts: whether one differs from the last keyframe before it, too.
        then_missed_sec: media after it that nobody saw.
    """

    model_config = ConfigDict(frozen=True)

    position: SegmentPosition
    digest: str
    moves: bool = True
    cuts: bool = False
    then_missed_sec: float = 0.0

    @property
    def duration_sec(self) -> float:
        """How far it moves stream time on."""
        return self.position.duration_sec

    @property
    def passed_sec(self) -> float:
        """How much time passed until the next one."""
        return self.duration_sec + self.then_missed_sec

    def before(self, missed_sec: float) -> "Skimmed":
        """Return this segment with more missing after it."""
        return self.model_copy(update={"then_missed_sec": self.then_missed_sec + missed_sec})


def may_be_skimmed(duration_sec: float, thresholds: Thresholds) -> bool:
    """Tell whether a segment of `duration_sec` is short enough beside the thresholds."""
    least_sec = SEGMENTS_OF_A_FAULT * duration_sec
    picture = (thresholds.blackout_threshold_sec, thresholds.freeze_threshold_sec)
    return all(each <= 0 or each >= least_sec for each in picture)


def out_of_reach(thresholds: Thresholds) -> Thresholds:
    """Return thresholds that nothing reaches, for media that was seen to reach none when it came.

    A detector that is off stays so.
    """
    names = ("blackout_threshold_sec", "freeze_threshold_sec")
    far = {name: 2.0 * DAY_SEC for name in names if getattr(thresholds, name) > 0}
    return thresholds.model_copy(update=far)


class Outlook:
    """How far a freeze may have come with the next segment.

    Args:
        skimmed: the segments before it that are not measured yet.
        run_sec: of the fault that was growing before these.
        duration_sec: of the next segment.
        threshold_sec: of the freeze detector; 0 is off.
        kept_sec: of media that ends with the next segment, what another worker could have.
    """

    def __init__(
        self,
        skimmed: Sequence[Skimmed],
        *,
        run_sec: float,
        duration_sec: float,
        threshold_sec: float,
        kept_sec: float,
    ) -> None:
        self._skimmed = skimmed
        self._next_sec = duration_sec
        self._threshold_sec = threshold_sec or math.inf
        self._grown_sec = run_sec + sum(each.duration_sec for each in skimmed) + duration_sec
        self._passed_sec = sum(each.passed_sec for each in skimmed) + duration_sec
        mean_sec = self._passed_sec / (len(skimmed) + 1)
        self._kept_sec = min(kept_sec, MOST_SKIMMED * mean_sec)

    @property
    def is_due(self) -> bool:
        """Whether it may reach the threshold."""
        return reached(self._grown_sec, self._threshold_sec)

    @property
    def may_wait(self) -> bool:
        """Whether the next segment may be kept if it is not known to move."""
        if self._threshold_sec == math.inf:
            return True
        return not self.is_due and self._kept_sec > LOOKED_BACK * self._next_sec

    def depth(self) -> Depth:
        """Return how closely to look at the next segment."""
        if self.is_due:
            return Depth.EVERYTHING
        if self._threshold_sec == math.inf:
            return Depth.KEYFRAMES
        is_calm = (
            self.may_wait
            and self._grown_sec <= LOOK_CLOSER_SHARE * self._threshold_sec
            and self._passed_sec <= LOOK_CLOSER_WITHIN * self._kept_sec
        )
        return Depth.KEYFRAMES if is_calm else Depth.MOVEMENT

    def overdue(self) -> int:
        """Return how many segments must be measured when the next is kept, without a landmark."""
        if self.is_due:
            return len(self._skimmed)
        return max(self._due_by_the_threshold(), self._out_of_keeping())

    def _due_by_the_threshold(self) -> int:
        if self._threshold_sec == math.inf:
            return 0
        # So many more may come before one that may reach it.
        left = math.ceil((self._threshold_sec - self._grown_sec) / self._next_sec) - 1
        count = len(self._skimmed)
        return math.ceil(count / (left + 1)) if count > left else 0

    def _out_of_keeping(self) -> int:
        if self._threshold_sec == math.inf:
            return 0
        count, passed_sec = 0, self._passed_sec
        for each in self._skimmed:
            are_few = len(self._skimmed) - count < MOST_SKIMMED
            if are_few and passed_sec <= self._kept_sec:
                break
            count, passed_sec = count + 1, passed_sec - each.passed_sec
        return count


def let_go(skimmed: Sequence[Skimmed], thresholds: Thresholds) -> int:
    """Return how many of the first skimmed segments hold no fault that may still grow."""
    if thresholds.freeze_threshold_sec <= 0 or (skimmed and skimmed[-1].cuts):
        return max(0, len(skimmed) - LOOKED_BACK)
    moving = [number for number, each in enumerate(skimmed) if each.moves]
    return moving[-2] if len(moving) > 1 else 0
