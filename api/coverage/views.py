"""Coverage as answers show it: JSON and CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from api.coverage.schemas import (
    Availability,
    AvailabilityPeriod,
    ConditionTotals,
    ReportRow,
    TimelineInterval,
)
from api.monitors.service import shown_name
from api.store.coverage import CoverageSubject
from monitors.availability import PeriodTotals, Totals
from monitors.coverage import CoverageCondition, CoverageInterval

CSV_COLUMNS = ("monitor_id", "name", "stream_url", *ConditionTotals.model_fields)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def interval(known: CoverageInterval) -> TimelineInterval:
    return TimelineInterval(
        since=known.start,
        until=known.end,
        condition=known.condition,
        kinds=list(known.kinds),
        reason=known.reason,
    )


def availability(
    intervals: Sequence[CoverageInterval], parts: Iterable[PeriodTotals]
) -> Availability:
    periods = [
        AvailabilityPeriod(since=each.start, until=each.end, **_fields(each.totals))
        for each in parts
    ]
    return Availability(**_fields(Totals.of(intervals)), periods=periods)


def report_row(subject: CoverageSubject, totals: Totals) -> ReportRow:
    return ReportRow(
        monitor_id=subject.monitor_id,
        name=shown_name(subject.name, subject.title),
        labels=subject.labels,
        stream_url=subject.stream_url,
        **_fields(totals),
    )


def _fields(totals: Totals) -> dict[str, Any]:
    seconds = {f"{each}_sec": totals.sec(each) for each in CoverageCondition}
    return seconds | {
        "availability_low": totals.availability_low,
        "availability_high": totals.availability_high,
    }


def as_csv(rows: Iterable[ReportRow]) -> str:
    """Return rows as RFC 4180 has them."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    writer.writerows([_cell(getattr(row, name)) for name in CSV_COLUMNS] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
