"""Waiting until a stream is live.

The activity looks once. Not live yet is a failure that carries when to look again, so its own
retries are the poll: history does not grow, and the web UI shows the attempt and the last reason.
"""

import random
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.declarations import (
    NOT_LIVE_YET,
    STREAM_UNAVAILABLE,
    WAIT_FOR_LIVE,
    UnavailableDetails,
    WaitOrder,
    WaitReturn,
)
from activities.sources import SourceFinder
from media.sources import Observation, Source, SourceState
from media.youtube.confirmation import Confirmation

logger = structlog.get_logger(__name__)

RESCHEDULED_SEC = 60
"""A start that moves by less is the same start."""


class LiveWait:
    """Asks whether a stream is live."""

    def __init__(self, sources: SourceFinder) -> None:
        self._sources = sources

    @activity.defn(name=WAIT_FOR_LIVE)
    async def wait_for_live(self, order: WaitOrder) -> WaitReturn:
        """Look once.

        Raises:
            ApplicationError: `NotLiveYet`, retryable at its own time; `StreamUnavailable`, final.
        """
        source = self._sources.find(order.stream_url)
        seen = await source.observe_status()
        if seen.state is SourceState.LIVE:
            logger.info("stream is live", monitor_id=order.monitor_id)
            return WaitReturn(title=seen.title)
        if _is_confirmed(seen):
            raise unavailable(seen.reason, seen.message)
        if seen.starts_at and _differ(seen.starts_at, order.site_start_time):
            return WaitReturn(is_live=False, title=seen.title, site_start_time=seen.starts_at)
        raise _not_live_yet(source, seen, order)


def unavailable(reason: str, message: str) -> ApplicationError:
    """Return the error that ends a monitor for good."""
    details = UnavailableDetails(reason=reason, message=message)
    return ApplicationError(message, details, type=STREAM_UNAVAILABLE, non_retryable=True)


def _is_confirmed(seen: Observation) -> bool:
    """Tell whether bad news was heard often enough; the heartbeat keeps count between attempts."""
    known = Confirmation()
    for details in activity.info().heartbeat_details:
        known = Confirmation.model_validate(details)
    heard = known.after(seen, datetime.now(UTC))
    activity.heartbeat(heard.model_dump(mode="json"))
    return heard.is_confirmed()


def _differ(start: datetime, known: datetime | None) -> bool:
    return known is None or abs((start - known).total_seconds()) >= RESCHEDULED_SEC


def _not_live_yet(source: Source, seen: Observation, order: WaitOrder) -> ApplicationError:
    look_sec = source.next_look_sec(
        seen,
        now=datetime.now(UTC),
        waiting_since=activity.info().scheduled_time,
        scheduled_start=order.scheduled_start_time,
        chance=random.random(),  # noqa: S311
    )
    return ApplicationError(
        f"not live: {seen.message or seen.state.value}",
        type=NOT_LIVE_YET,
        next_retry_delay=timedelta(seconds=look_sec),
    )
