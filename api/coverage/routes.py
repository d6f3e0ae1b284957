"""The routes of timelines, availability and reports."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Response

from api.coverage.schemas import (
    Availability,
    AvailabilityReport,
    Timeline,
    as_csv,
    availability,
    interval,
)
from api.coverage.service import Coverage, CoverageRange
from api.errors import MonitorNotFound, ValidationFailed
from api.parameters import Instant, LabelFilter, PathId, client_route
from api.request_limits import Counted
from monitors.availability import TimeResolution, count_periods, periods

MAX_INTERVALS: Final = 10_000
MAX_PERIODS: Final = 1000
MOST_DAYS: Final = 366


def time_range(days: int) -> Any:
    """Return the parameters `from` and `to`; by default, the last `days`."""
    told = f"Default: {days} days before `to`."

    def asked(
        coverage: Coverage,
        since: Annotated[Instant | None, Query(alias="from", description=told)] = None,
        until: Annotated[Instant | None, Query(alias="to", description="Default: now.")] = None,
    ) -> CoverageRange:
        end = until or coverage.now()
        try:
            start = since or end - timedelta(days=days)
        except OverflowError:
            raise ValidationFailed("to: is outside of the calendar") from None
        if start >= end:
            raise ValidationFailed("from: must be before `to`")
        if end - start > timedelta(days=MOST_DAYS):
            raise ValidationFailed(f"from: must be at most {MOST_DAYS} days before `to`")
        return CoverageRange(start, end)

    return Depends(asked)


class ReportFormat(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"


router = APIRouter(prefix="/api/v1", tags=["coverage"])


@router.get(
    "/monitors/{monitor_id}/timeline",
    **client_route(Counted.READS, MonitorNotFound, query=("from", "to")),
)
async def show_timeline(
    coverage: Coverage, monitor_id: PathId, asked: Annotated[CoverageRange, time_range(1)]
) -> Timeline:
    """Return what is known of each moment of a stream, without gap or overlap.

    It goes from the monitor's creation to its end, or to the newest moment that is known.
    """
    intervals = await coverage.timeline(monitor_id, asked)
    if len(intervals) > MAX_INTERVALS:
        raise ValidationFailed(f"from: there are more than {MAX_INTERVALS} intervals since then")
    return Timeline(intervals=[interval(each) for each in intervals])


@router.get(
    "/monitors/{monitor_id}/availability",
    **client_route(Counted.READS, MonitorNotFound, query=("from", "to", "resolution")),
)
async def show_availability(
    coverage: Coverage,
    monitor_id: PathId,
    asked: Annotated[CoverageRange, time_range(30)],
    resolution: Annotated[
        TimeResolution | None, Query(description="Also by hours, days or months of UTC.")
    ] = None,
) -> Availability:
    """Return how long a stream was in each condition, and how available it was."""
    if resolution and count_periods(asked.since, asked.until, resolution) > MAX_PERIODS:
        raise ValidationFailed(f"resolution: makes more than {MAX_PERIODS} periods")
    intervals = await coverage.timeline(monitor_id, asked)
    return availability(intervals, periods(intervals, resolution) if resolution else ())


@router.get(
    "/reports/availability",
    response_model=AvailabilityReport,
    **client_route(
        Counted.READS,
        query=("from", "to", "format"),
        repeatable=("label",),
        answers={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    ),
)
async def report_availability(
    coverage: Coverage,
    labels: LabelFilter,
    asked: Annotated[CoverageRange, time_range(30)],
    report_format: Annotated[ReportFormat, Query(alias="format")] = ReportFormat.JSON,
) -> AvailabilityReport | Response:
    """Return how available the streams of all monitors were, one row a monitor."""
    rows = await coverage.report(labels, asked)
    if report_format is ReportFormat.CSV:
        name = f"availability-{asked.since:%Y-%m-%d}-{asked.until:%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(as_csv(rows), media_type="text/csv", headers=headers)
    return AvailabilityReport(since=asked.since, until=asked.until, monitors=rows)
