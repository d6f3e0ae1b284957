"""What the detectors of figures of sound share."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import ClassVar, TypeVar

from pydantic import BaseModel, Field

from monitors.detectors.fault_detector import FaultDetector, closing_rule
from monitors.detectors.stream_time import Condition, SegmentPosition, Stretch
from monitors.incidents import Detail, IncidentChange
from monitors.sound_figures import SoundFigures
from monitors.status import IncidentKind

T = TypeVar("T")


class SoundDetector(BaseModel):
    """The fault logic for one kind of incident.

    Attributes:
        details: figures that were judged last; they go into events.
    """

    kind: ClassVar[IncidentKind]
    faults: FaultDetector = Field(default_factory=FaultDetector)
    details: dict[str, Detail] = {}

    def end(self, at: datetime) -> list[IncidentChange]:
        """End what is open, whatever is measured."""
        ended = self.faults.end(at, closing_rule(self.kind, self.details))
        return [ended] if ended else []

    def skip(self, duration_sec: float) -> None:
        """Let stream time pass over sound that is not known."""
        self.faults.skip(duration_sec)


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


def stretches_of(
    conditions: Sequence[tuple[Condition, str | None]],
    figures: SoundFigures,
    position: SegmentPosition,
) -> Iterator[Stretch]:
    """Yield the stretches of blocks, given by their conditions and reasons."""
    for (condition, reason), first, count in runs(conditions):
        yield stretch_of(condition, first, count, figures, position, reason)


def runs(values: Sequence[T]) -> Iterator[tuple[T, int, int]]:
    """Yield each run of equal values: the value, its first place and its length."""
    for value, run in groupby(enumerate(values), key=itemgetter(1)):
        places = [place for place, _ in run]
        yield value, places[0], len(places)
