"""What a scripted stream does: looks for `wait_for_live`, watches for `watch_stream`.

A script step is called once an attempt of its activity. It returns what the activity returns, or
raises what it raises.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.declarations import (
    NOT_LIVE_YET,
    STREAM_UNAVAILABLE,
    HeartbeatDetails,
    Placement,
    UnavailableDetails,
    WaitResult,
    WatchInput,
    WatchOutcome,
    WatchResult,
)
from monitors.events import EndReason, EventDraft, EventType
from monitors.reports import HealthReport, OpenIncident, Statistics
from monitors.status import Health, IncidentKind

Look = Callable[[], Awaitable[WaitResult]]
Watch = Callable[[WatchInput], Awaitable[WatchResult]]

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
"""When everything happens that a watch tells of: long before the workflow's own time."""


def live(title: str = "A stream", *, heartbeat_timeout_sec: float | None = None) -> Look:
    """It is live; its watch is missed after so long."""

    async def look() -> WaitResult:
        if heartbeat_timeout_sec is None:
            return WaitResult(title=title)
        placement = Placement(heartbeat_timeout_sec=heartbeat_timeout_sec)
        return WaitResult(title=title, placement=placement)

    return look


def announced(starts_at: datetime) -> Look:
    """It is not live; its site says when it will start."""

    async def look() -> WaitResult:
        return WaitResult(is_live=False, title="A stream", site_start_time=starts_at)

    return look


def not_live(*, look_again_sec: float) -> Look:
    """It is not live; the next look is to be so much later."""

    async def look() -> WaitResult:
        raise ApplicationError(
            "not live: the manifest is not there",
            type=NOT_LIVE_YET,
            next_retry_delay=timedelta(seconds=look_again_sec),
        )

    return look


def unseen(why: str) -> Look:
    """It cannot be seen whether it is live."""

    async def look() -> WaitResult:
        return WaitResult(is_live=False, unknown_because=why, state={"unknown": why})

    return look


def look_without_answer() -> Look:
    """The look lasts until its activity is cancelled."""

    async def look() -> WaitResult:
        while True:
            activity.heartbeat()
            await asyncio.sleep(1)

    return look


def lost_look() -> Look:
    """The look is never heard of again: its worker was killed."""

    async def look() -> WaitResult:
        await asyncio.Event().wait()
        raise AssertionError

    return look


def never_live(reason: str, message: str) -> Look:
    """It can never be watched."""

    async def look() -> WaitResult:
        raise _unavailable(reason, message)

    return look


def happening(event_type: EventType, **data: Any) -> EventDraft:
    """Something that a watch noticed."""
    return EventDraft(event_type=event_type, timestamp=MOMENT, data=data)


BLACKOUT = happening(EventType.BLACKOUT, duration_sec=30.0, threshold_sec=30.0)
BLACKOUT_RECOVERED = happening(EventType.BLACKOUT_RECOVERED, total_duration_sec=42.0)
SILENCE = happening(EventType.SILENCE, duration_sec=30.0, reason="below_threshold")
SILENCE_RECOVERED = happening(EventType.SILENCE_RECOVERED, total_duration_sec=31.0)
FREEZE = happening(EventType.FREEZE, duration_sec=60.0, threshold_sec=60.0)
FREEZE_RECOVERED = happening(EventType.FREEZE_RECOVERED, total_duration_sec=90.0)
SUSPENDED = happening(EventType.STREAM_SUSPENDED, threshold_sec=10.0)
RESUMED = happening(EventType.STREAM_RESUMED, suspended_sec=25.0)
SEGMENT_ERROR = happening(EventType.SEGMENT_ERROR, error="HTTP status 500", duration_sec=60.0)
SEGMENT_ERROR_RECOVERED = happening(EventType.SEGMENT_ERROR_RECOVERED, total_duration_sec=75.0)


def beat(*event_drafts: EventDraft, statistics: Statistics | None = None) -> dict[str, Any]:
    """Return what a heartbeat carries of a watch that noticed this and told nobody yet."""
    told = {"pending_events": list(event_drafts), "statistics": statistics or Statistics()}
    state: dict[str, Any] = HeartbeatDetails.model_validate(told).model_dump(mode="json")
    return {"watches": 1, **state}


def seen(
    order: WatchInput,
    *event_drafts: EventDraft,
    outcome: WatchOutcome = WatchOutcome.CHECKPOINT,
    end_reason: EndReason | None = None,
    statistics: Statistics | None = None,
    video: Health = Health.OK,
    open_incidents: tuple[IncidentKind, ...] = (),
) -> WatchResult:
    """Return what a watch saw; its state counts the watches before it."""
    return WatchResult(
        outcome=outcome,
        event_drafts=list(event_drafts),
        end_reason=end_reason,
        statistics=statistics or Statistics(),
        health=HealthReport(video=video, audio=Health.OK, last_check_at=MOMENT),
        open_incidents=[OpenIncident(kind=kind, started_at=MOMENT) for kind in open_incidents],
        state={"watches": (order.state or {"watches": 0})["watches"] + 1},
    )


def sees(*event_drafts: EventDraft, **found: Any) -> Watch:
    """Something happens; see `seen`."""

    async def watch(order: WatchInput) -> WatchResult:
        return seen(order, *event_drafts, outcome=WatchOutcome.EVENTS_READY, **found)

    return watch


def checkpoint(**found: Any) -> Watch:
    """Nothing happens, and the watch returns at once."""

    async def watch(order: WatchInput) -> WatchResult:
        return seen(order, **found)

    return watch


def handed_back(*event_drafts: EventDraft) -> Watch:
    """The worker shuts down and gives the watch back."""

    async def watch(order: WatchInput) -> WatchResult:
        return seen(order, *event_drafts, outcome=WatchOutcome.HANDED_BACK)

    return watch


def ends(reason: EndReason = EndReason.ENDLIST_DETECTED, *event_drafts: EventDraft) -> Watch:
    """The stream ends."""

    async def watch(order: WatchInput) -> WatchResult:
        return seen(order, *event_drafts, outcome=WatchOutcome.ENDED, end_reason=reason)

    return watch


def until_stopped(*event_drafts: EventDraft) -> Watch:
    """Watch until the workflow stops it, then tell what was seen last."""

    async def watch(order: WatchInput) -> WatchResult:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return seen(order, *event_drafts, outcome=WatchOutcome.HANDED_BACK)

    return watch


def until(moment: asyncio.Event, then: Watch) -> Watch:
    """Watch without a word until the test lets it go on."""

    async def watch(order: WatchInput) -> WatchResult:
        await moment.wait()
        return await then(order)

    return watch


def watch_that_says_nothing() -> Watch:
    """Stopped, it tells nothing of what it has seen."""

    async def watch(order: WatchInput) -> WatchResult:
        await asyncio.Event().wait()
        raise AssertionError

    return watch


def lost_when_stopped(lose: Callable[[], None], *, back_after_sec: float = 4.0) -> Watch:
    """Told to stop, its worker is lost: `lose` is called, and what it says later comes too late."""

    async def watch(order: WatchInput) -> WatchResult:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        lose()
        await _sleep_whatever_is_said(back_after_sec)
        return seen(order, FREEZE)

    return watch


async def _sleep_whatever_is_said(duration_sec: float) -> None:
    clock = asyncio.get_running_loop().time
    ends = clock() + duration_sec
    while clock() < ends:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(ends - clock())


def watch_that_fails_when_stopped() -> Watch:
    """Stopped, it fails instead of telling what it has seen."""

    async def watch(order: WatchInput) -> WatchResult:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        raise ValueError("a defect")

    return watch


def lasting(duration_sec: float, then: Watch) -> Watch:
    """Go on for `duration_sec` of the server's time, then do what `then` does.

    The first attempt fails and asks to be tried again so much later: time passes only while no
    activity runs, and attempts cost no history.
    """

    async def watch(order: WatchInput) -> WatchResult:
        if activity.info().attempt == 1:
            delay = timedelta(seconds=duration_sec)
            raise ApplicationError("goes on", next_retry_delay=delay)
        return await then(order)

    return watch


def taken_over(then: Watch) -> Watch:
    """The first worker is lost, another one goes on."""
    return lasting(1.0, then)


def lost_for_good(reason: str, message: str) -> Watch:
    """The stream can no longer be watched."""

    async def watch(order: WatchInput) -> WatchResult:
        raise _unavailable(reason, message)

    return watch


def _unavailable(reason: str, message: str) -> ApplicationError:
    details = UnavailableDetails(reason=reason, message=message)
    return ApplicationError(message, details, type=STREAM_UNAVAILABLE, non_retryable=True)
