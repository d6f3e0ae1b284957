"""Record the kept histories anew: `python -m tests.replay.record [NAME...]`.

Do so when a change of the workflow is meant to break the replay of running monitors, or adds a
path: record, look at the difference, and say in the changelog that running monitors must end
before the upgrade. A change that keeps old histories valid (`workflow.patched`) needs no recording;
the old files are the proof.

The histories come from scripted runs on the test servers, so nothing in them is real.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from temporalio.client import Client

from tests.replay import kept
from tests.replay.scenarios import SCENARIOS
from tests.workflows import scripts
from tests.workflows.dev_server import LONG_HISTORY, connected, dev_server
from tests.workflows.stage import MONITOR_ID, an_order, staged, start_monitor, workers
from tests.workflows.world import World

CONTINUED = "continued_run"
"""A monitor of two runs, one history each: `continued_run_1` and `continued_run_2`."""

NAMES = sorted([*SCENARIOS, *(f"{CONTINUED}_{number}" for number in (1, 2))])


async def record(wanted: Sequence[str]) -> None:
    """Record the named histories, or all."""
    for name in wanted or SCENARIOS:
        if name in SCENARIOS:
            print(name, flush=True)
            await _record_scenario(name)
    if not wanted or any(name.startswith(CONTINUED) for name in wanted):
        print(CONTINUED, flush=True)
        with dev_server() as address:
            await _record_continued(await connected(address))


async def _record_scenario(name: str) -> None:
    async with staged(World()) as stage:
        workflow_id = await SCENARIOS[name](stage)
        handle = stage.client.get_workflow_handle(workflow_id)
        kept.keep(name, await handle.fetch_history())


async def _record_continued(client: Client) -> None:
    checkpoints = LONG_HISTORY // 6
    world = World(
        watches=[
            scripts.sees(scripts.BLACKOUT),
            *[scripts.checkpoint()] * checkpoints,
            scripts.sees(scripts.BLACKOUT_RECOVERED),
            scripts.ends(),
        ]
    )
    async with workers(client, world):
        handle = await start_monitor(client, an_order(datetime.now(UTC)))
        await handle.result()
    for number, run_id in enumerate(world.runs, start=1):
        run = client.get_workflow_handle(MONITOR_ID, run_id=run_id)
        kept.keep(f"{CONTINUED}_{number}", await run.fetch_history())


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:]))
    # The SDK's threads sometimes abort the interpreter while it ends; all is written by now.
    sys.stdout.flush()
    os._exit(0)
