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
    LiveStream,
    UnavailableDetails,
    WaitOrder,
)
from activities.sources import SourceFinder
from media.sources import Observation, SourceState
from monitors.polling import next_look_sec

logger = structlog.get_logger(__name__)


class LiveWait:
    """Asks whether a stream is live."""

    def __init__(self, sources: SourceFinder) -> None:
        self._sources = sources

    @activity.defn(name=WAIT_FOR_LIVE)
    async def wait_for_live(self, order: WaitOrder) -> LiveStream:
        """Look once.

        Raises:
            ApplicationError: `NotLiveYet`, retryable at its own time; `StreamUnavailable`, final.
        """
        seen = await self._sources.find(order.stream_url).observe()
        if seen.state is SourceState.LIVE:
            logger.info("stream is live", monitor_id=order.monitor_id)
            return LiveStream(title=seen.title)
        if seen.state is SourceState.UNAVAILABLE and seen.is_permanent:
            raise unavailable(seen.reason, seen.message)
        raise _not_live_yet(seen, order)


def unavailable(reason: str, message: str) -> ApplicationError:
    """Return the error that ends a monitor for good."""
    details = UnavailableDetails(reason=reason, message=message)
    return ApplicationError(message, details, type=STREAM_UNAVAILABLE, non_retryable=True)


def _not_live_yet(seen: Observation, order: WaitOrder) -> ApplicationError:
    look_sec = next_look_sec(
        datetime.now(UTC),
        waiting_since=activity.info().scheduled_time,
        scheduled_start=order.scheduled_start_time or seen.starts_at,
        chance=random.random(),  # noqa: S311
    )
    look_sec = max(look_sec, seen.look_again_sec or 0.0)
    message = seen.message or seen.state.value
    return ApplicationError(
        f"not live: {message}",
        type=NOT_LIVE_YET,
        next_retry_delay=timedelta(seconds=look_sec),
    )
