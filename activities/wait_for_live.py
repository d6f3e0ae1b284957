"""Waiting until a stream is live.

The activity polls once. While the stream is not live it fails, and the failure carries the delay to
the next poll: polling is Temporal's retry. History does not grow, and the web UI shows the attempt
and the last reason. The activity ends with what the workflow must know: another start, or that the
stream cannot be seen for a while.
"""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx
import structlog
from pydantic import AwareDatetime, BaseModel, Field
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.declarations import (
    NOT_LIVE_YET,
    STREAM_UNAVAILABLE,
    Placement,
    UnavailableDetails,
    WaitActivities,
    WaitInput,
    WaitResult,
)
from activities.gateway_client import GatewayClient, ReportRefused
from activities.keepalive import heartbeats
from media.sources.source import Observation, Source, SourceState
from media.sources.source_resolver import SourceResolver
from media.sources.youtube import site_messages
from media.sources.youtube.confirmation import Confirmation

logger = structlog.get_logger(__name__)

RESCHEDULED_SEC = 60  # a start that moves by less is the same start

NO_HEADERS_MESSAGE = "the gateway, which keeps the request headers of the stream, does not answer"
HEADERS_AGAIN_SEC = 10.0

LASTING_SEC = 60  # a source that pauses for this long leaves its stream unseen: the user must know


class WaitState(BaseModel):
    """What a wait remembers from one activity to the next."""

    # bad news, and how often it was confirmed
    confirmation: Confirmation = Field(default_factory=Confirmation)
    unknown: str | None = None  # why nothing is seen, as the workflow knows it
    reason: str = ""  # the message of the last poll
    poll_again_at: AwareDatetime | None = None  # when the next poll is due
    # from the last poll to that one; a bound on the wait if the clock is changed
    delay_sec: float | None = None

    def remaining_sec(self, now: datetime) -> float:
        """Return the time to the next poll; 0 or less when it is due."""
        if self.poll_again_at is None:
            return 0.0
        left_sec = (self.poll_again_at - now).total_seconds()
        return left_sec if self.delay_sec is None else min(left_sec, self.delay_sec)


@dataclass(frozen=True)
class LiveWait(WaitActivities):
    sources: SourceResolver
    placement: Placement
    gateway: GatewayClient

    @activity.defn
    async def wait_for_live(self, input: WaitInput) -> WaitResult:
        known = WaitState.model_validate(input.state or {})
        remaining_sec = known.remaining_sec(datetime.now(UTC))
        # Later attempts begin when Temporal says so, by no clock of ours.
        if activity.info().attempt == 1 and remaining_sec > 0:
            raise _not_live_yet(known.reason, remaining_sec)
        client = self.sources.new_client(await self._request_headers(input))
        source = self.sources.resolve(input.stream_url, client)
        async with heartbeats():
            seen = await source.observe_status()
        if seen.state is SourceState.LIVE:
            logger.info("stream is live", monitor_id=input.monitor_id)
            return WaitResult(title=seen.title, placement=self.placement)
        confirmation = self._confirm(seen, known)
        if confirmation.is_confirmed(self.sources.confirmation):
            if seen.state is SourceState.UNAVAILABLE or _was_never_live(seen, input):
                raise unavailable(seen.reason, seen.message)
            if seen.state is SourceState.ENDED and not _may_still_start(input):
                return WaitResult(is_live=False, has_ended=True, title=seen.title)
        delay_sec = _poll_delay_sec(source, seen, input)
        if _is_new(seen, input, known):
            return _changed(seen, confirmation, delay_sec, input)
        raise _not_live_yet(seen.message or seen.state.value, delay_sec)

    async def _request_headers(self, input: WaitInput) -> dict[str, str]:
        if not input.has_request_headers:
            return {}
        try:
            return await self.gateway.load_request_headers(input.monitor_id)
        except (httpx.HTTPError, ReportRefused):
            raise _not_live_yet(NO_HEADERS_MESSAGE, HEADERS_AGAIN_SEC) from None

    def _confirm(self, seen: Observation, known: WaitState) -> Confirmation:
        """Count bad news; the heartbeat keeps the count between attempts."""
        confirmation = known.confirmation
        for details in activity.info().heartbeat_details:
            confirmation = Confirmation.model_validate(details)
        # For a stream that was never live an end is final, and believed no sooner.
        is_final = seen.is_permanent or seen.state is SourceState.ENDED
        judged = replace(seen, is_permanent=is_final)
        confirmation = confirmation.after(judged, datetime.now(UTC), self.sources.confirmation)
        activity.heartbeat(confirmation.model_dump(mode="json"))
        return confirmation


def unavailable(reason: str, message: str) -> ApplicationError:
    details = UnavailableDetails(reason=reason, message=message)
    return ApplicationError(message, details, type=STREAM_UNAVAILABLE, non_retryable=True)


def _was_never_live(seen: Observation, input: WaitInput) -> bool:
    """Return whether it is a plain video; a premiere that is over looks the same."""
    return seen.reason == site_messages.NOT_LIVE.reason and input.site_start_time is None


def _may_still_start(input: WaitInput) -> bool:
    start = input.scheduled_start_time
    return start is not None and start > datetime.now(UTC)


def _is_new(seen: Observation, input: WaitInput, known: WaitState) -> bool:
    """Return whether the workflow must know of this poll."""
    unknown = _unknown(seen)
    if unknown != known.unknown:
        return True
    if unknown in site_messages.EGRESS_FAILURES and seen.message != known.reason:
        return True  # another pause
    if seen.starts_at is None or input.site_start_time is None:
        return seen.starts_at is not None
    return abs((seen.starts_at - input.site_start_time).total_seconds()) >= RESCHEDULED_SEC


def _unknown(seen: Observation) -> str | None:
    """Return why nothing is seen of the stream, if that lasts."""
    is_lasting = (seen.retry_after_sec or 0.0) >= LASTING_SEC
    return seen.reason if seen.state is SourceState.NOT_OBSERVED and is_lasting else None


def _changed(
    seen: Observation, confirmation: Confirmation, delay_sec: float, input: WaitInput
) -> WaitResult:
    unknown = _unknown(seen)
    state = WaitState(
        confirmation=confirmation,
        unknown=unknown,
        reason=seen.message,
        poll_again_at=datetime.now(UTC) + timedelta(seconds=delay_sec),
        delay_sec=delay_sec,
    )
    return WaitResult(
        is_live=False,
        title=seen.title,
        site_start_time=seen.starts_at or input.site_start_time,
        unknown_because=seen.message if unknown else None,
        state=state.model_dump(mode="json"),
    )


def _poll_delay_sec(source: Source, seen: Observation, input: WaitInput) -> float:
    return source.poll_delay_sec(
        replace(seen, starts_at=seen.starts_at or input.site_start_time),
        now=datetime.now(UTC),
        waiting_since=activity.info().scheduled_time,
        scheduled_start=input.scheduled_start_time,
        chance=random.random(),  # noqa: S311
    )


def _not_live_yet(why: str, delay_sec: float) -> ApplicationError:
    return ApplicationError(
        f"not live: {why}",
        type=NOT_LIVE_YET,
        next_retry_delay=timedelta(seconds=delay_sec),
        category=ApplicationErrorCategory.BENIGN,
    )
