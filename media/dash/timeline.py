"""Which segments a representation has at a moment (ISO/IEC 23009-1, 5.3.9.5 and 5.3.9.6)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from media.dash.presentation import Addressing, Period, Run

MOST_SEGMENTS = 1_000
"""The newest ones; half an hour of 2 s, more than anybody needs to go on after an outage."""


class Span(NamedTuple):
    """A segment's place in a representation, in units of its timescale.

    Attributes:
        number: counts the period's segments from its `startNumber`.
        is_told: False where that it exists follows from the clock alone.
    """

    number: int
    start: int
    duration: int
    is_told: bool


@dataclass(frozen=True)
class Clock:
    """A period's present.

    Attributes:
        now_sec: seconds since the period's start; None for all of a presentation that is not live.
        window_sec: how far back segments are available; None for ever.
    """

    now_sec: Fraction | None
    window_sec: float | None


def spans(addressing: Addressing, period: Period, clock: Clock) -> list[Span]:
    """Return the newest segments that are available, oldest first, at most `MOST_SEGMENTS`."""
    end = _end(addressing, period, clock)
    if addressing.timeline is not None:
        return _of_runs(addressing, end)
    if addressing.duration is not None:
        return _of_equal_length(addressing, end, clock)
    return []


def _end(addressing: Addressing, period: Period, clock: Clock) -> int | None:
    """Return the media time after which no segment ends; None where nothing tells."""
    length_sec = None if period.end_sec is None else period.end_sec - period.start_sec
    known = [sec for sec in (length_sec, clock.now_sec) if sec is not None]
    if not known:
        return None
    return addressing.time_offset + int(max(min(known), Fraction(0)) * addressing.timescale)


def _of_equal_length(addressing: Addressing, end: int | None, clock: Clock) -> list[Span]:
    duration = addressing.duration or 1
    count = len(addressing.listed)
    if end is not None:
        # The last one of a period may be shorter than the others.
        passed = end - addressing.time_offset
        done = -(-passed // duration) if clock.now_sec is None else passed // duration
        count = done if addressing.media else min(done, count)
    kept = MOST_SEGMENTS
    if clock.window_sec is not None:
        kept = min(kept, int(clock.window_sec * addressing.timescale) // duration + 1)
    return [
        Span(
            number=addressing.start_number + index,
            start=addressing.time_offset + index * duration,
            duration=duration,
            is_told=addressing.media is None or clock.now_sec is None,
        )
        for index in range(max(0, count - kept), count)
    ]


def _of_runs(addressing: Addressing, end: int | None) -> list[Span]:
    counted = list(_counted_runs(addressing.timeline or (), end))
    total = sum(count for _, _, count, _ in counted)
    found: list[Span] = []
    number = addressing.start_number
    to_skip = max(0, total - MOST_SEGMENTS)
    for start, duration, count, is_told in counted:
        skipped = min(count, to_skip)
        to_skip -= skipped
        found += [
            Span(number + index, start + index * duration, duration, is_told)
            for index in range(skipped, count)
        ]
        number += count
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
