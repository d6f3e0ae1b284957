"""Which time a request asks for."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, WithJsonSchema

from api.coverage.service import CoverageRange, CoverageService
from api.errors import ValidationFailed
from api.injection import injected

MOST_DAYS: Final = 366
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")


def _iso(value: Any) -> Any:
    """Refuse what only pydantic reads as a time: 1767225600."""
    if isinstance(value, str) and not _ISO.fullmatch(value):
        raise ValueError("must be an ISO 8601 time with offset, as in 2026-01-31T12:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside of the calendar in UTC") from None


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_iso),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def time_range(days: int) -> Any:
    """Return the parameters `from` and `to`; by default, the last `days`."""
    return Depends(_range_of(timedelta(days=days), f"Default: {days} days before `to`."))


def _range_of(default: timedelta, told: str) -> Callable[..., CoverageRange]:
    def asked(
        coverage: Annotated[CoverageService, injected(CoverageService)],
        since: Annotated[Instant | None, Query(alias="from", description=told)] = None,
        until: Annotated[Instant | None, Query(alias="to", description="Default: now.")] = None,
    ) -> CoverageRange:
        end = until or coverage.now()
        try:
            start = since or end - default
        except OverflowError:
            raise ValidationFailed("to: is outside of the calendar") from None
        if start >= end:
            raise ValidationFailed("from: must be before `to`")
        if end - start > timedelta(days=MOST_DAYS):
            raise ValidationFailed(f"from: must be at most {MOST_DAYS} days before `to`")
        return CoverageRange(start, end)

    return asked
