"""Where segments lie in stream time, and the stretches they fall into."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel

from monitors.measurement import Interval

IntervalT = TypeVar("IntervalT", bound=Interval)

TIME_TOLERANCE_SEC = 0.001
"""Differences below this are no differences.

Far above the noise of float sums and of ffmpeg's six digits, far below one frame of anything.
"""


def reached(duration_sec: float, limit_sec: float) -> bool:
    """Return whether `duration_sec` is at least `limit_sec`, apart from float noise."""
    return duration_sec >= limit_sec - TIME_TOLERANCE_SEC


class SegmentPosition(BaseModel, frozen=True):
    """Where a segment lies."""

    sequence: int
    start_sec: float  # stream time of its first moment
    duration_sec: float  # how far it moves stream time on
    starts_at: AwareDatetime  # wall clock of its first moment

    def wall_clock(self, offset_sec: float) -> datetime:
        return self.starts_at + timedelta(seconds=offset_sec)


class Condition(Enum):
    """What one detector thinks of a stretch of media."""

    GOOD = auto()
    FAULTY = auto()
    UNKNOWN = auto()
    """Neither good nor faulty: nobody could look, or the question makes no sense there."""


@dataclass(frozen=True)
class Stretch:
    """A piece of a segment that is all of one condition."""

    condition: Condition
    duration_sec: float
    starts_at: datetime  # wall clock of its first moment
    picture: bytes | None = None  # what was seen in it, where that matters
    # why it is faulty, where that is another reason than the detector's usual one
    reason: str | None = None


@dataclass(frozen=True)
class Finding:
    """An interval of a segment that is not good."""

    interval: Interval
    condition: Condition = Condition.FAULTY
    picture: bytes | None = None
    reason: str | None = None


def stretches(
    findings: Iterable[Finding], position: SegmentPosition, measured_sec: float
) -> list[Stretch]:
    """Cut a segment into stretches, in order, that cover it without gap or overlap.

    Everything outside of `findings` is good, up to `measured_sec`; what the playlist promised
    beyond that was not seen and is unknown. Of two findings that overlap the earlier one counts.
    """
    known_sec = min(measured_sec, position.duration_sec)
    unseen = Finding(Interval(start=known_sec, end=position.duration_sec), Condition.UNKNOWN)
    clipped = [*_clip(findings, known_sec), unseen]
    return [
        Stretch(
            piece.condition,
            piece.interval.end - piece.interval.start,
            position.wall_clock(piece.interval.start),
            piece.picture,
            piece.reason,
        )
        for piece in _cover(clipped)
        if piece.interval.end > piece.interval.start
    ]


def split(media: Iterable[Stretch], at_sec: float) -> tuple[list[Stretch], list[Stretch]]:
    """Return the stretches before and after `at_sec`, seconds from the first one's beginning."""
    before, after, end_sec = list[Stretch](), list[Stretch](), 0.0
    for stretch in media:
        start_sec, end_sec = end_sec, end_sec + stretch.duration_sec
        if reached(at_sec, end_sec):
            before.append(stretch)
        elif reached(start_sec, at_sec):
            after.append(stretch)
        else:
            early_sec = at_sec - start_sec
            later = stretch.starts_at + timedelta(seconds=early_sec)
            before.append(replace(stretch, duration_sec=early_sec))
            after.append(replace(stretch, duration_sec=end_sec - at_sec, starts_at=later))
    return before, after


def _clip(findings: Iterable[Finding], end_sec: float) -> Iterator[Finding]:
    for finding in sorted(findings, key=lambda finding: finding.interval.start):
        start, end = max(finding.interval.start, 0.0), min(finding.interval.end, end_sec)
        if start < end:
            yield replace(finding, interval=Interval(start=start, end=end))


def _cover(findings: Iterable[Finding]) -> Iterator[Finding]:
    covered_sec = 0.0
    for finding in findings:
        start, end = max(finding.interval.start, covered_sec), finding.interval.end
        if start > covered_sec:
            yield Finding(Interval(start=covered_sec, end=start), Condition.GOOD)
        if end > start:
            yield replace(finding, interval=Interval(start=start, end=end))
            covered_sec = end


def without(
    wholes: Iterable[IntervalT], removed: Iterable[Interval]
) -> Iterator[tuple[IntervalT, Interval]]:
    """Yield what is left of each of `wholes` when `removed` is taken out of it, in order.

    One sweep over both: a segment that strangers crafted may have thousands of each.
    """
    holes, first = _ordered(removed), 0
    for whole in _ordered(wholes):
        while first < len(holes) and holes[first].end <= whole.start:
            first += 1
        start, place = whole.start, first
        while start < whole.end and place < len(holes) and holes[place].start < whole.end:
            if holes[place].start > start:
                yield whole, Interval(start=start, end=holes[place].start)
            start, place = max(start, holes[place].end), place + 1
        if start < whole.end:
            yield whole, Interval(start=start, end=whole.end)


def _ordered(intervals: Iterable[IntervalT]) -> list[IntervalT]:
    return sorted(intervals, key=lambda each: each.start)
