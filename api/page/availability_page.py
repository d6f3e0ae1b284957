"""The page of availability: a row a monitor, the least available first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response

from api.coverage.service import Coverage, CoverageRange
from api.monitors.service import shown_name
from api.page.compression import as_accepted, compressed
from api.page.figures import (
    Bars,
    bars,
    beginnings,
    in_order_of_names,
    length,
    live,
    percent,
    unseen,
)
from api.page.rendering import HEADERS, Page, page_router
from api.page.texts import Words
from api.parameters import LabelText
from api.store.coverage import CoverageSubject
from monitors.availability import TimeResolution, Totals, periods
from monitors.coverage import CoverageCondition, CoverageInterval

MOST_ROWS: Final = 200


class ChosenPeriod(StrEnum):
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"
    YEAR = "year"


_DAYS: Final = {
    ChosenPeriod.DAY: 1,
    ChosenPeriod.WEEK: 7,
    ChosenPeriod.MONTH: 30,
    ChosenPeriod.QUARTER: 90,
    ChosenPeriod.YEAR: 365,
}
_RESOLUTIONS: Final = {
    ChosenPeriod.DAY: TimeResolution.HOUR,
    ChosenPeriod.YEAR: TimeResolution.MONTH,
}


@dataclass(frozen=True)
class AvailabilityRow:
    monitor_id: str
    name: str
    low: float
    percent: str
    bars: Bars
    faulty: str
    unseen: str
    live: str


router = page_router()


@router.get("/availability")
async def availability(
    request: Request,
    page: Page,
    coverage: Coverage,
    period: ChosenPeriod = ChosenPeriod.WEEK,
    label: str = "",
) -> Response:
    resolution = _RESOLUTIONS.get(period, TimeResolution.DAY)
    now = coverage.now()
    asked = CoverageRange(resolution.begin_of(now - timedelta(days=_DAYS[period])), now)
    wanted = LabelText(label)
    subjects = await coverage.subjects(wanted.labels, asked, limit=MOST_ROWS + 1)
    shown = subjects[:MOST_ROWS]
    timelines = await coverage.timelines(shown, asked)
    rows = await asyncio.to_thread(_rows, page.words, shown, timelines, asked, resolution)

    def drawn() -> bytes:
        document = page.render(
            "availability.html",
            title="availability.title",
            period=period,
            periods=list(ChosenPeriod),
            label=wanted,
            rows=rows,
            is_cut=len(subjects) > MOST_ROWS,
            most=MOST_ROWS,
            csv=_csv(asked, wanted),
        )
        return compressed(bytes(document.body))

    return as_accepted(request, await asyncio.to_thread(drawn), HEADERS)


def _rows(
    words: Words,
    subjects: Sequence[CoverageSubject],
    timelines: Sequence[Sequence[CoverageInterval]],
    asked: CoverageRange,
    resolution: TimeResolution,
) -> list[AvailabilityRow]:
    begins = beginnings(asked.since, asked.until, resolution)
    rows = [
        _row(words, subject, intervals, begins, resolution)
        for subject, intervals in zip(subjects, timelines, strict=True)
    ]
    return sorted(rows, key=lambda each: (each.low, in_order_of_names(each.name)))


def _row(
    words: Words,
    subject: CoverageSubject,
    intervals: Sequence[CoverageInterval],
    begins: Sequence[datetime],
    resolution: TimeResolution,
) -> AvailabilityRow:
    totals = Totals.of(intervals)
    name = shown_name(subject.name, subject.title) or subject.stream_url
    low = totals.availability_low
    return AvailabilityRow(
        monitor_id=subject.monitor_id,
        name=name,
        low=200 if low is None else low,  # never live: at the end
        percent=percent(words, totals),
        bars=bars(words, name, periods(intervals, resolution), totals, begins, resolution),
        faulty=_length(words, totals.sec(CoverageCondition.FAULTY)),
        unseen=_length(words, unseen(totals)),
        live=_length(words, live(totals)),
    )


def _length(words: Words, seconds: float) -> str:
    return length(words, seconds) if seconds else ""


def _csv(asked: CoverageRange, label: LabelText) -> str:
    query = {"from": asked.since.isoformat(), "to": asked.until.isoformat(), "format": "csv"}
    return "/api/v1/reports/availability?" + urlencode(
        query | ({"label": label.text} if label.labels else {})
    )
