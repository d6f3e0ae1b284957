"""Faults that come and go: when an incident stands for several of them, and when it is over.

A receiver gets at most 20 events an hour of one kind, at any rhythm of the faults. In an hour, up
to 5 incidents are ordinary, less if they come quickly, and each flapping one but the first asks for
10 quiet minutes before it closes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from monitors.config import Thresholds

QUICKLY: Final = timedelta(minutes=10)
MANY_QUICKLY: Final = 3
"""So many incidents of a kind in that time make the next one a flapping one."""

REMEMBERED: Final = timedelta(hours=1)
MANY_SLOWLY: Final = 5
"""The same within an hour."""

LONG_QUIET_SEC: Final = 600.0


def quiet_asked_sec(
    started_at: datetime, before: Sequence[datetime], thresholds: Thresholds
) -> float | None:
    """Return how long an incident stays open after its fault; None if it is not flapping.

    Args:
        started_at: when it begins.
        before: the beginnings of those of its kind before.
        thresholds: that hold now.
    """
    if thresholds.flapping_recovery_factor == 0:
        return None
    lately = recent(before, started_at)
    quickly = [each for each in lately if each > started_at - QUICKLY]
    if len(quickly) < MANY_QUICKLY and len(lately) < MANY_SLOWLY:
        return None
    short_sec = thresholds.recovery_sec * thresholds.flapping_recovery_factor
    return short_sec if len(lately) == MANY_QUICKLY else max(short_sec, LONG_QUIET_SEC)


def recent(beginnings: Sequence[datetime], at: datetime) -> list[datetime]:
    """Return what counts for an incident that begins `at`."""
    return [each for each in beginnings if each > at - REMEMBERED]
