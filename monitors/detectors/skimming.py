"""When a glance at a segment is enough, and what was only glanced at.

Two landmarks in a row (`media.decoder.landmarks`) cannot lie in one freeze, and a keyframe that is
not dark cannot lie in a blackout. So in media each of whose segments has a landmark, begins with a
keyframe and has no dark one, a freeze holds one landmark at most and a blackout no keyframe: either
run is shorter than three segments.

The detectors stay where the last measurement in full left them, and so do not know the runs that
began since. Of these, one that may still grow began in the last `LOOKED_BACK` segments: one that
began before would hold the landmarks of both. As soon as a keyframe is dark, or a segment has no
landmark, these segments are measured in full, and then nothing is different from having measured
all of them.
"""

from pydantic import BaseModel, ConfigDict

from monitors.config import DAY_SEC, Thresholds
from monitors.detectors.timeline import SegmentPosition

LOOKED_BACK = 2

SEGMENTS_OF_A_FAULT = 4
"""A threshold shorter than so many segments could be reached before a glance sees the fault."""


class Skimmed(BaseModel):
    """A segment whose picture may have to be measured yet.

    Attributes:
        kept_as: see `SegmentMeasurement.kept_as`.
        then_missed_sec: media after it that nobody saw.
    """

    model_config = ConfigDict(frozen=True)

    position: SegmentPosition
    kept_as: str
    then_missed_sec: float = 0.0

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
