"""Which segments a representation has at a moment (ISO/IEC 23009-1, 5.3.9.5 and 5.3.9.6)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from media.dash.presentation import Addressing, Period, Run
from media.hls.tags import MAX_INTEGER

MOST_SEGMENTS = 1_000  # the newest; half an hour of 2 s, more than anybody needs after an outage


class SegmentSpan(NamedTuple):
    """A segment's place in a representation, in units of its timescale."""

    number: int  # counts the period's segments from its `startNumber`
    start: int
    duration: int
    is_told: bool  # False where that it exists follows from the clock alone
    is_ahead: bool = False  # whether it should be in the making by now


@dataclass(frozen=True)
class Clock:
    """A period's present."""

    # seconds since the period's start; None for all of a presentation that is not live
    now_sec: Fraction | None
    window_sec: float | None  # how far back segments are available; None for ever


def spans(addressing: Addressing, period: Period, clock: Clock) -> list[SegmentSpan]:
    """Return the newest segments that are available, oldest first, at most `MOST_SEGMENTS`."""
    length_sec = None if period.end_sec is None else period.end_sec - period.start_sec
    extent = _Extent(
        length=None if length_sec is None else _units(length_sec, addressing),
        now=None if clock.now_sec is None else _units(clock.now_sec, addressing),
    )
    if addressing.timeline is not None:
        return _of_runs(addressing, extent)
    if addressing.duration is not None:
        return _of_equal_length(addressing, addressing.duration, extent, clock)
    return _single(addressing, extent)


class _Extent(NamedTuple):
    """How long a period is, and how much of it has passed, in units; None where that is open."""

    length: int | None
    now: int | None

    @property
    def is_over(self) -> bool:
        return self.length is not None and (self.now is None or self.now >= self.length)

    @property
    def passed(self) -> int | None:
        known = [units for units in self if units is not None]
        return min(known, default=None)


def _units(sec: Fraction, addressing: Addressing) -> int:
    return int(max(sec, Fraction(0)) * addressing.timescale)


def _single(addressing: Addressing, extent: _Extent) -> list[SegmentSpan]:
    """Return the one segment that is a whole period (5.3.9.5.3: neither duration nor timeline)."""
    if not extent.is_over or not extent.length:
        return []
    number, start = addressing.start_number, addressing.time_offset
    return [SegmentSpan(number, start, extent.length, is_told=extent.now is None)]


def _of_equal_length(
    addressing: Addressing, duration: int, extent: _Extent, clock: Clock
) -> list[SegmentSpan]:
    due = _due(duration, extent)
    # Of chunks even the one that is being made is there, and tells that those before it are whole.
    ahead = int(addressing.is_chunked and extent.now is not None and not extent.is_over)
    # What is listed is there, whatever the clock says: some lists start over with each load.
    count = min(due + ahead if addressing.media else MAX_INTEGER, _most(addressing))
    kept = MOST_SEGMENTS
    if clock.window_sec is not None and addressing.media:
        kept = min(kept, int(clock.window_sec * addressing.timescale) // duration + 1)
    length = extent.length or (count * duration)
    return [
        SegmentSpan(
            number=addressing.start_number + index,
            start=addressing.time_offset + index * duration,
            # The last one of a period may be shorter than the others.
            duration=min(duration, max(length - index * duration, 1)),
            is_told=clock.now_sec is None or (addressing.media is None and index < due),
            is_ahead=index >= due and addressing.media is not None,
        )
        for index in range(max(0, count - kept), count)
    ]


def _due(duration: int, extent: _Extent) -> int:
    if extent.is_over:
        return -(-(extent.length or 0) // duration)
    return (extent.passed or 0) // duration


def _most(addressing: Addressing) -> int:
    told = [MAX_INTEGER]
    if addressing.media is None:
        told.append(len(addressing.listed))
    if addressing.end_number is not None:
        told.append(max(0, addressing.end_number - addressing.start_number + 1))
    return min(told)


def _of_runs(addressing: Addressing, extent: _Extent) -> list[SegmentSpan]:
    end = None if extent.passed is None else addressing.time_offset + extent.passed
    counted = list(_counted_runs(addressing.timeline or (), end))
    total = min(sum(count for _, _, count, _ in counted), _most(addressing))
    found: list[SegmentSpan] = []
    passed = 0
    for start, duration, count, is_told in counted:
        newest = range(max(passed, total - MOST_SEGMENTS), min(passed + count, total))
        found += [
            SegmentSpan(
                number=addressing.start_number + index,
                start=start + (index - passed) * duration,
                duration=duration,
                is_told=is_told,
            )
            for index in newest
        ]
        passed += count
    return found


def _counted_runs(runs: Sequence[Run], end: int | None) -> Iterator[tuple[int, int, int, bool]]:
    """Yield start, duration, number of segments, and whether the manifest tells that number."""
    time = 0
    for run, following in pairwise([*runs, None]):
        assert run is not None  # noqa: S101
        start = time if run.start is None else run.start
        limit = following.start if following and following.start is not None else end
        if run.repeat >= 0:
            count = run.repeat + 1
        else:
            count = max(0, (limit - start) // run.duration) if limit is not None else 1
        yield start, run.duration, count, run.repeat >= 0 or limit != end
        time = start + run.duration * count
