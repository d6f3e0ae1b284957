"""How available a stream was: the seconds of each condition, and what follows from them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from monitors.coverage import MILLISECOND, CoverageCondition, CoverageInterval, Stretch

_HUNDREDTH_OF_PERCENT = 10_000
_NOTHING = timedelta()
_UNWATCHED = CoverageCondition.UNWATCHED
_LIVE = frozenset(CoverageCondition) - {CoverageCondition.NOT_LIVE}


class TimeResolution(StrEnum):
    """The length of a period; all begin and end by UTC."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"

    def begin_of(self, moment: datetime) -> datetime:
        hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        if self is TimeResolution.HOUR:
            return hour
        return hour.replace(hour=0) if self is TimeResolution.DAY else hour.replace(hour=0, day=1)

    def end_of(self, begin: datetime) -> datetime:
        longest = {
            TimeResolution.HOUR: timedelta(hours=1),
            TimeResolution.DAY: timedelta(days=1),
            TimeResolution.MONTH: timedelta(days=31),
        }
        return self.begin_of(begin + longest[self])


@dataclass(frozen=True)
class Totals:
    """The milliseconds of each condition, and those of all in which nobody saw the stream."""

    milliseconds: Counter[CoverageCondition]
    unseen_ms: int = 0

    @classmethod
    def of(cls, parts: Iterable[Stretch]) -> Self:
        found: dict[CoverageCondition, timedelta] = {}
        unseen = timedelta()
        for start, end, condition, _, reason in parts:
            length = end - start
            found[condition] = found.get(condition, _NOTHING) + length
            if reason or condition is _UNWATCHED:
                unseen += length
        milliseconds = {condition: length // MILLISECOND for condition, length in found.items()}
        return cls(Counter(milliseconds), unseen // MILLISECOND)

    def sec(self, condition: CoverageCondition) -> float:
        return self.milliseconds[condition] / 1000

    @property
    def availability_low(self) -> float | None:
        """Percent of the live time; what nobody saw counts as down. None: it was never live."""
        return self._percent(self.milliseconds[CoverageCondition.OK])

    @property
    def availability_high(self) -> float | None:
        """Percent of the live time; what nobody saw counts as up, also while an incident is open:
        it may be over by then.
        """
        return self._percent(self.milliseconds[CoverageCondition.OK] + self.unseen_ms)

    def _percent(self, good_ms: int) -> float | None:
        live_ms = sum(self.milliseconds[each] for each in _LIVE)
        # Rounded down: 100 says that nothing was wrong at all.
        scaled = good_ms * 100 * _HUNDREDTH_OF_PERCENT
        return scaled // live_ms / _HUNDREDTH_OF_PERCENT if live_ms else None


@dataclass(frozen=True)
class PeriodTotals:
    """A part of the timeline, from one border of a resolution to the next."""

    start: datetime
    end: datetime
    totals: Totals


def count_periods(since: datetime, until: datetime, resolution: TimeResolution) -> int:
    """Return at least how many periods there are between two moments."""
    longest = resolution.end_of(resolution.begin_of(since)) - resolution.begin_of(since)
    return (until - since) // longest


def periods(
    intervals: Sequence[CoverageInterval], resolution: TimeResolution
) -> list[PeriodTotals]:
    cut: dict[datetime, list[CoverageInterval]] = {}
    for each in intervals:
        rest = each
        while rest.start < rest.end:
            begin = resolution.begin_of(rest.start)
            end = min(resolution.end_of(begin), rest.end)
            cut.setdefault(begin, []).append(rest._replace(end=end))
            rest = rest._replace(start=end)
    return [PeriodTotals(parts[0].start, parts[-1].end, Totals.of(parts)) for parts in cut.values()]
