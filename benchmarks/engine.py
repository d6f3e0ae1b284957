"""Prints what a monitor costs Temporal and the database: `python -m benchmarks.engine`.

The real workflows run through a simulated hour on the time-skipping server, with scripted streams:
a healthy one, one that is waited for, and one whose picture turns black and back once a minute.
Actions are counted as Temporal Cloud bills them: starts of activities, each retry, timers, search
attributes, and the heartbeats that the worker's interval sends.

What the workflow reports in the hour, and the counters that a watch tells every 10 s beside it, is
then applied to a real store, whose statements that write are counted.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.api.enums.v1 import EventType as HistoryEvent
from temporalio.runtime import Runtime, TelemetryConfig

from benchmarks.writes import writes_of
from monitors.reports import StatusReport
from monitors.status import DeliveryStatus, Health, MonitorStatus, StreamStatus
from runtime.settings import WorkerSettings
from tests.testkit import scripts
from tests.testkit.fake_activities import FakeActivities
from tests.testkit.workflow_harness import Handle, WorkflowHarness, an_order, open_workflow_harness

HOUR_SEC = 3600.0
REPORT_SEC: float = WorkerSettings.model_fields["report_interval_sec"].default
CHECKPOINT_SEC = 600.0
HEARTBEAT_SEC = (2.5, 8.0)
MOST_EVENTS = 60
MOST_EVENTS_FLAPPING = 300

COUNTED = {
    HistoryEvent.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    HistoryEvent.EVENT_TYPE_TIMER_STARTED,
    HistoryEvent.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    HistoryEvent.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
}


@dataclass(frozen=True)
class Hour:
    """What an hour of one monitor took.

    Attributes:
        size_bytes: of the history events, as the server stores them.
        actions: billed ones, without heartbeats.
        is_watched: heartbeats come on top.
        reports: of the workflow to the gateway.
        writes: statements that change rows of the gateway's database.
    """

    events: int
    size_bytes: int
    actions: int
    is_watched: bool
    reports: int
    writes: int


def healthy() -> FakeActivities:
    """Nothing goes wrong."""
    steady = [scripts.lasting(CHECKPOINT_SEC, scripts.checkpoint())] * 20
    return FakeActivities(watches=[scripts.checkpoint(), *steady])


def waiting() -> FakeActivities:
    """A late stream is looked for every 30 s."""
    return FakeActivities(looks=[scripts.not_live(look_again_sec=30)] * 1000)


def flapping() -> FakeActivities:
    """A picture turns black, and comes back half a minute later."""
    black, back = scripts.sees(scripts.BLACKOUT), scripts.sees(scripts.BLACKOUT_RECOVERED)
    minute = [scripts.lasting(30, black), scripts.lasting(30, back)]
    return FakeActivities(watches=[scripts.checkpoint(), *minute * 100])


def flapping_as_told() -> FakeActivities:
    """The same as a watch tells it: 20 events an hour at most, see `incident_tracker`.

    Every other look shows another health.
    """
    black = scripts.sees(scripts.BLACKOUT, video=Health.ERROR)
    back = scripts.sees(scripts.BLACKOUT_RECOVERED)
    pair = [scripts.lasting(180, black), scripts.lasting(180, back)]
    return FakeActivities(watches=[scripts.checkpoint(), *pair * 100])


WORLDS: dict[str, Callable[[], FakeActivities]] = {
    "healthy": healthy,
    "waiting, a look every 30 s": waiting,
    "flapping, 60 blackouts": flapping,
    "flapping, 20 events": flapping_as_told,
}


def main() -> int:
    """Measure and print; return 0 when a healthy monitor and a flapping one stay inside limits."""
    logging.disable()  # each scripted look and watch "fails" until the next one
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)))
    hours = {name: asyncio.run(an_hour(activities())) for name, activities in WORLDS.items()}
    head = "".join(f"{f'beats {interval:g} s':>12}" for interval in HEARTBEAT_SEC)
    print(
        f"{'an hour of a monitor':28} {'events':>7} {'KB':>7} {'actions':>8}{head} {'reports':>8}"
        f" {'writes/min':>11}"
    )
    for name, hour in hours.items():
        beats = "".join(f"{_beats(hour, interval):12.0f}" for interval in HEARTBEAT_SEC)
        row = f"{name:28} {hour.events:7} {hour.size_bytes / 1000:7.1f} {hour.actions:8}"
        print(f"{row}{beats} {hour.reports:8} {hour.writes / 60:11.1f}")
    flapping_events = hours["flapping, 20 events"].events
    is_met = hours["healthy"].events <= MOST_EVENTS and flapping_events <= MOST_EVENTS_FLAPPING
    return 0 if is_met else 1


async def an_hour(activities: FakeActivities) -> Hour:
    """Run a monitor in `activities` for an hour of its server's time and return what that took."""
    async with open_workflow_harness(activities) as harness:
        handle = await harness.start(blackout_threshold_sec=30)
        await activities.until(lambda: _has_begun(activities))
        began, before = await harness.now(), await _so_far(harness, handle)
        told = len(activities.statuses), len(activities.reports)
        await harness.pass_time(HOUR_SEC)
        after = await _so_far(harness, handle)
        statuses, events = activities.statuses[told[0] :], activities.reports[told[1] :]
        is_watched = bool(activities.watched)
        await handle.signal("stop")
        await handle.result()
    counters = _counters(began) if is_watched else []
    return Hour(
        events=after["events"] - before["events"],
        size_bytes=after["size"] - before["size"],
        actions=after["actions"] - before["actions"],
        is_watched=is_watched,
        reports=len(statuses) + len(events),
        writes=await writes_of(an_order(began), [*statuses, *counters], events),
    )


def _has_begun(activities: FakeActivities) -> bool:
    """Tell whether the monitor does what it will do for the hour, and has told all of that."""
    status = activities.statuses[-1].status if activities.statuses else None
    if activities.looks:
        return bool(activities.looked) and status is MonitorStatus.WAITING
    is_told = any(each.webhook_status is DeliveryStatus.SENT for each in activities.reports)
    return len(activities.watched) > 1 and status is MonitorStatus.MONITORING and is_told


async def _so_far(harness: WorkflowHarness, handle: Handle) -> Counter[str]:
    history = (await handle.fetch_history()).events
    retries = max(0, len(harness.activities.looked) - 1)
    return Counter(
        events=len(history),
        size=sum(event.ByteSize() for event in history),
        actions=sum(event.event_type in COUNTED for event in history) + retries,
    )


def _counters(began: datetime) -> list[StatusReport]:
    """Return what the watches tell the gateway themselves in an hour."""
    return [
        StatusReport(
            status=MonitorStatus.MONITORING,
            stream_status=StreamStatus.LIVE,
            as_of=began + timedelta(seconds=number * REPORT_SEC),
        )
        for number in range(round(HOUR_SEC / REPORT_SEC))
    ]


def _beats(hour: Hour, interval_sec: float) -> float:
    return timedelta(hours=1).total_seconds() / interval_sec if hour.is_watched else 0.0


if __name__ == "__main__":
    raise SystemExit(main())
