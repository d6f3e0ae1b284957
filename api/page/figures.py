"""Percentages and lengths of time in words, and bars that show them."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.page.texts import Words
from monitors.availability import PeriodTotals, TimeResolution, Totals
from monitors.coverage import CoverageCondition

HEIGHT: Final = 40
WIDTH: Final = 10
LEAST_FAULT: Final = 12  # a minute of a day is seen, too
LEAST_UNSEEN: Final = 8
UNSEEN_SHARE: Final = 0.01
_DIGITS: Final = re.compile(r"([0-9]{1,18})")
_DATE: Final = {
    TimeResolution.HOUR: "%m-%d %H:00",
    TimeResolution.DAY: "%Y-%m-%d",
    TimeResolution.MONTH: "%Y-%m",
}


@dataclass(frozen=True)
class Bar:
    """One period, drawn from the bottom: what was faulty, what nobody saw, what was fine."""

    x: int
    faulty: int
    unseen: int
    ok: int
    text: str

    @property
    def is_live(self) -> bool:
        return bool(self.faulty or self.unseen or self.ok)


@dataclass(frozen=True)
class Bars:
    """A row of bars, the newest at the right; `text` says all of it in words."""

    bars: Sequence[Bar]
    text: str


def percent(words: Words, totals: Totals) -> str:
    """Return the availability; both ends of it where they differ, empty if it was never live."""
    low, high = totals.availability_low, totals.availability_high
    if low is None or high is None:
        return ""
    shown = [_figure(low), _figure(high)]
    if shown[0] == shown[1]:
        return words("unit.percent", value=shown[0])
    return words("unit.percents", low=shown[0], high=shown[1])


def in_order_of_names(name: str) -> list[str | int]:
    """Return what names are sorted by: Channel 2 comes before Channel 10."""
    parts = _DIGITS.split(name.casefold())
    return [int(each) if place % 2 else each for place, each in enumerate(parts)]


def length(words: Words, seconds: float) -> str:
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return words("unit.days", d=hours // 24, h=hours % 24)
    if hours:
        return words("unit.hours", h=hours, m=minutes)
    return words("unit.minutes", m=minutes, s=rest) if minutes else words("unit.seconds", s=rest)


def bars(
    words: Words,
    name: str,
    periods: Iterable[PeriodTotals],
    totals: Totals,
    beginnings: Sequence[datetime],
    resolution: TimeResolution,
) -> Bars:
    """Return a bar for each of the periods that begin then, and the sentence on all of them."""
    known = {resolution.begin_of(each.start): each.totals for each in periods}
    drawn = [
        _bar(words, WIDTH * place, each, known.get(each), resolution)
        for place, each in enumerate(beginnings)
    ]
    available = percent(words, totals)
    if not available:
        return Bars(drawn, words("bars.never_live", name=name))
    text = words("bars.of", name=name, percent=available)
    faulty = sum(each.faulty > 0 for each in drawn)
    if faulty:
        text += ". " + words("bars.faults", count=faulty, total=len(drawn))
    return Bars(drawn, text)


def beginnings(since: datetime, until: datetime, resolution: TimeResolution) -> list[datetime]:
    found = [resolution.begin_of(since)]
    while (following := resolution.end_of(found[-1])) < until:
        found.append(following)
    return found


def _bar(
    words: Words, x: int, begin: datetime, totals: Totals | None, resolution: TimeResolution
) -> Bar:
    when = begin.strftime(_DATE[resolution])
    available = percent(words, totals) if totals else ""
    if totals is None or not available:
        return Bar(x, 0, 0, 0, f"{when}: {words('bars.none')}")
    faulty_sec, unseen_sec = totals.sec(CoverageCondition.FAULTY), unseen(totals)
    live_sec = live(totals)
    faulty = _least(HEIGHT * faulty_sec / live_sec, LEAST_FAULT) if faulty_sec else 0
    is_noted = unseen_sec / live_sec >= UNSEEN_SHARE
    hidden = _least(HEIGHT * unseen_sec / live_sec, LEAST_UNSEEN) if is_noted else 0
    hidden = min(hidden, HEIGHT - faulty)
    text = f"{when}: {available}"
    if faulty_sec:
        text += f", {words('bars.faulty')} {length(words, faulty_sec)}"
    if is_noted:
        text += f", {words('bars.unseen')} {length(words, unseen_sec)}"
    return Bar(x, faulty, hidden, HEIGHT - faulty - hidden, text)


def unseen(totals: Totals) -> float:
    """Return the seconds of a live stream that nobody saw."""
    return totals.sec(CoverageCondition.UNKNOWN) + totals.sec(CoverageCondition.UNWATCHED)


def live(totals: Totals) -> float:
    return totals.sec(CoverageCondition.OK) + totals.sec(CoverageCondition.FAULTY) + unseen(totals)


def _least(height: float, least: int) -> int:
    return min(HEIGHT, max(least, round(height)))


def _figure(percentage: float) -> str:
    """Return two digits, rounded down: 100 says that nothing was wrong at all."""
    return f"{math.floor(percentage * 100) / 100:.2f}".rstrip("0").rstrip(".")
