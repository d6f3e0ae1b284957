"""Which time a request asks for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, Query

from api.coverage.service import CoverageRange, CoverageService
from api.errors import ValidationFailed
from api.injection import injected
from api.parameters import Instant

MOST_DAYS: Final = 366


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
