"""The bodies of answers about coverage, as JSON and CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.monitors.schemas import MonitorId
from api.monitors.service import shown_name
from api.store.coverage import CoverageSubject
from monitors.availability import PeriodTotals, Totals
from monitors.coverage import CoverageCondition, CoverageInterval
from monitors.status import IncidentKind

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TimelineInterval(BaseModel):
    """A stretch of time in one condition; `to` is exclusive."""

    model_config = ConfigDict(populate_by_name=True)

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")
    condition: CoverageCondition
    kinds: list[IncidentKind] = Field(description="Of the incidents that were open.")
    reason: str | None = Field(description="Why the stream was unknown.", examples=["http_404"])


class Timeline(BaseModel):
    """Intervals that border each other, from the first to the last moment that is known."""

    intervals: list[TimelineInterval]


class ConditionTotals(BaseModel):
    """Seconds of each condition, and the availability in percent of the live time."""

    ok_sec: float
    faulty_sec: float
    unknown_sec: float
    unwatched_sec: float
    not_live_sec: float
    availability_low: float | None = Field(
        description="Unknown and unwatched time counts as down; null: it was never live."
    )
    availability_high: float | None = Field(description="It counts as up.")


class AvailabilityPeriod(ConditionTotals):
    """An hour, a day or a month; the first and the last may be parts."""

    model_config = ConfigDict(populate_by_name=True)

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")


class Availability(ConditionTotals):
    """How available a stream was."""

    periods: list[AvailabilityPeriod] = Field(description="With `resolution`.")


class ReportRow(ConditionTotals):
    """How available one monitor's stream was."""

    monitor_id: MonitorId
    name: str | None
    labels: dict[str, str]
    stream_url: str


class AvailabilityReport(BaseModel):
    """One row a monitor, oldest first."""

    model_config = ConfigDict(populate_by_name=True)

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")
    monitors: list[ReportRow]


CSV_COLUMNS = ("monitor_id", "name", "stream_url", *ConditionTotals.model_fields)


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
