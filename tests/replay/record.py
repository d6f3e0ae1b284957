"""Record the kept histories anew: `python -m tests.replay.record [NAME...]`.

Until 0.1.0 nothing runs that a change could break: record after each change of a workflow. From
0.1.0 on, record only what a change adds; the files that are there are the running monitors.

The histories come from scripted runs on the test servers, so nothing in them is real.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from tests.replay import kept
from tests.replay.scenarios import SCENARIOS
from tests.testkit import scripts
from tests.testkit.fake_activities import FakeActivities
from tests.testkit.temporal import LONG_HISTORY, SHORT_HISTORIES, connected, temporal_server
from tests.testkit.workflow_harness import (
    MONITOR_ID,
    an_order,
    open_workflow_harness,
    start_monitor,
    workers,
)
from workflows.messages import STOP_SIGNAL

CONTINUED = "continued_run"
CONTINUED_WAIT = "continued_wait"
"""Monitors of two runs, one history each: `continued_run_1` and `continued_run_2`."""

LOST_WHILE_STOPPING = "lost_while_stopping"

NAMES = sorted(
    [
        *SCENARIOS,
        LOST_WHILE_STOPPING,
        *(f"{name}_{number}" for name in (CONTINUED, CONTINUED_WAIT) for number in (1, 2)),
    ]
)


async def record(wanted: Sequence[str]) -> None:
    """Record the named histories, or all."""
    for name in wanted or SCENARIOS:
        if name in SCENARIOS:
            print(name, flush=True)
            await _record_scenario(name)
    if not wanted or LOST_WHILE_STOPPING in wanted:
        print(LOST_WHILE_STOPPING, flush=True)
        with temporal_server(*SHORT_HISTORIES) as address:
            await _record_lost(await connected(address))
    for name, activities in ((CONTINUED, _long_watch()), (CONTINUED_WAIT, _long_wait())):
        if not wanted or any(each.startswith(name) for each in wanted):
            print(name, flush=True)
            with temporal_server(*SHORT_HISTORIES) as address:
                await _record_continued(await connected(address), name, activities)


async def _record_scenario(name: str) -> None:
    async with open_workflow_harness(FakeActivities()) as harness:
        workflow_id = await SCENARIOS[name](harness)
        handle = harness.client.get_workflow_handle(workflow_id)
        kept.keep(name, await handle.fetch_history())


def _long_watch() -> FakeActivities:
    return FakeActivities(
        watches=[
            scripts.sees(scripts.BLACKOUT),
            *[scripts.checkpoint()] * (LONG_HISTORY // 6),
            scripts.sees(scripts.BLACKOUT_RECOVERED),
            scripts.ends(),
        ]
    )


def _long_wait() -> FakeActivities:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    starts = [tomorrow + timedelta(hours=hour) for hour in range(LONG_HISTORY // 8)]
    return FakeActivities(looks=map(scripts.announced, starts), watches=[scripts.ends()])


async def _record_lost(client: Client) -> None:
    """Stop a monitor whose worker is lost by that: its last heartbeat is told all the same."""
    activities = FakeActivities(looks=[scripts.live(heartbeat_timeout_sec=1)])
    activities.beat = scripts.beat(scripts.BLACKOUT)
    activities.watches.append(scripts.lost_when_stopped(activities.fall_silent))
    async with workers(client, activities):
        handle = await start_monitor(client, an_order(datetime.now(UTC)))
        await activities.until(lambda: activities.watching == 1)
        await handle.signal(STOP_SIGNAL)
        await handle.result()
        kept.keep(LOST_WHILE_STOPPING, await handle.fetch_history())


async def _record_continued(client: Client, name: str, activities: FakeActivities) -> None:
    async with workers(client, activities):
        handle = await start_monitor(client, an_order(datetime.now(UTC)))
        await handle.result()
    for number, run_id in enumerate(activities.runs, start=1):
        run = client.get_workflow_handle(MONITOR_ID, run_id=run_id)
        kept.keep(f"{name}_{number}", await run.fetch_history())


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:]))
    # The SDK's threads sometimes abort the interpreter while it ends; all is written by now.
    sys.stdout.flush()
    os._exit(0)
