"""Whether one channel of the sound is lost while another is heard.

Of surround sound, front left and right are judged: the others may be silent for long.
"""

from dataclasses import replace
from typing import ClassVar, NamedTuple

from monitors.config import Thresholds
from monitors.detectors.block_detectors import SoundDetector, runs, stretch_of
from monitors.detectors.fault_detector import FaultRule, usual_rule
from monitors.detectors.stream_time import Condition, SegmentPosition, Stretch, reached, split
from monitors.incidents import IncidentChange
from monitors.sound_figures import SoundFigures
from monitors.status import IncidentKind

LOST_DBFS = -60.0
HEARD_DBFS = -40.0

HEARD_SEC = 3.0  # a channel that was not heard for this long, all in all, is not missed

PAUSE_SEC = 3.0  # while the other channel pauses for no longer, the loss goes on

LEFT, RIGHT = "left", "right"


class _Sides(NamedTuple):
    """Which channels are heard, and which are silent, in a block."""

    left_heard: bool
    right_heard: bool
    left_silent: bool
    right_silent: bool

    @classmethod
    def of(cls, left_dbfs: float, right_dbfs: float) -> "_Sides":
        return cls(
            left_dbfs > HEARD_DBFS,
            right_dbfs > HEARD_DBFS,
            left_dbfs < LOST_DBFS,
            right_dbfs < LOST_DBFS,
        )

    @property
    def lost(self) -> str | None:
        if self.left_silent and self.right_heard:
            return LEFT
        return RIGHT if self.right_silent and self.left_heard else None

    @property
    def is_pause(self) -> bool:
        """Whether a silent channel may be lost or not: the other one is not heard either."""
        is_any_silent = self.left_silent or self.right_silent
        return is_any_silent and not self.left_heard and not self.right_heard


class ChannelLossDetector(SoundDetector):
    """The fault logic for channels; a loss that changes sides is another one."""

    kind: ClassVar[IncidentKind] = IncidentKind.CHANNEL_LOSS
    # how long each was heard, up to `HEARD_SEC`
    left_sec: float = 0.0
    right_sec: float = 0.0
    lost: str | None = None  # the channel that was lost last
    pause_sec: float = 0.0  # how long the other channel has paused since

    def follow(
        self, figures: SoundFigures, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        if not figures.left_dbfs:
            self.left_sec = self.right_sec = 0.0
            return self.end(position.starts_at)
        rule = usual_rule(self.kind, thresholds, position)
        changes: list[IncidentChange | None] = []
        levels = zip(figures.left_dbfs, figures.right_dbfs, strict=True)
        for sides, first, count in runs([_Sides.of(left, right) for left, right in levels]):
            stretch = stretch_of(Condition.GOOD, first, count, figures, position)
            changes += self._step(sides, stretch, rule)
        return [each for each in changes if each]

    def _step(
        self, sides: _Sides, stretch: Stretch, rule: FaultRule
    ) -> list[IncidentChange | None]:
        self._note_heard(sides, stretch.duration_sec)
        if sides.is_pause:
            return self._pause(stretch, rule)
        self.pause_sec = 0.0
        lost = sides.lost
        if not self._is_missed(lost):
            return [self.faults.step(stretch, self._named(rule))]
        ended = self.end(stretch.starts_at) if lost != self.lost else []
        self.lost, self.details = lost, {"channel": lost or ""}
        return [*ended, self._fault(stretch, rule)]

    def _pause(self, stretch: Stretch, rule: FaultRule) -> list[IncidentChange | None]:
        is_lost = self.faults.fault is not None and self.faults.fault.is_faulty
        left_sec = max(0.0, PAUSE_SEC - self.pause_sec) if is_lost else 0.0
        self.pause_sec += stretch.duration_sec
        short, long = split([stretch], left_sec)
        for each in long:
            self.faults.skip(each.duration_sec)
        return [self._fault(each, rule) for each in short if each.duration_sec > 0]

    def _fault(self, stretch: Stretch, rule: FaultRule) -> IncidentChange | None:
        return self.faults.step(replace(stretch, condition=Condition.FAULTY), self._named(rule))

    def _note_heard(self, sides: _Sides, duration_sec: float) -> None:
        if sides.left_heard:
            self.left_sec = min(HEARD_SEC, self.left_sec + duration_sec)
        if sides.right_heard:
            self.right_sec = min(HEARD_SEC, self.right_sec + duration_sec)

    def _is_missed(self, channel: str | None) -> bool:
        heard_sec = {LEFT: self.left_sec, RIGHT: self.right_sec}
        return channel is not None and reached(heard_sec[channel], HEARD_SEC)

    def _named(self, rule: FaultRule) -> FaultRule:
        return replace(rule, reason=self.lost, details=self.details)
