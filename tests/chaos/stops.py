"""Monitors are stopped at random moments: how soon is nothing of them left?"""

import asyncio
import time
from dataclasses import dataclass

from temporalio.client import WorkflowExecutionStatus

from tests.testkit.environment import ChaosEnvironment, ChaosHarness, children_gone
from tests.testkit.findings import Finding, percentile, spread
from tests.testkit.waiting import until

TARGET_SEC = 3.0
WAYS = ("DELETE", "cancel", "signal")
LATEST_SEC = 6.0


@dataclass(frozen=True)
class StopResult:
    """One monitor that was stopped.

    Attributes:
        took_sec: until its workflow was closed, the store knew it and no child ran.
        files_left: temporary ones that were not there before.
    """

    way: str
    took_sec: float
    children_left: bool
    files_left: int


def finding(seen: list[StopResult]) -> Finding:
    """Compare with the target."""
    took = [each.took_sec for each in seen]
    left = sum(each.children_left for each in seen)
    files = sum(each.files_left for each in seen)
    measured = f"{len(seen)} times: {spread(took)}; {left} with a child left, {files} files left"
    is_met = percentile(took, 95) <= TARGET_SEC and not left and not files
    return Finding("stop at a random moment", measured, "p95 3 s, nothing left", is_met)


async def stop_at_random(
    env: ChaosEnvironment, harness: ChaosHarness, times: int
) -> list[StopResult]:
    """Begin and stop monitors, one after the other; nothing else may be watched meanwhile."""
    seen = []
    files = set(harness.temporary_files())
    for number in range(times):
        monitor_id = await env.put_on_air(harness, f"stopped-{number}")
        await asyncio.sleep(env.chance.uniform(0.0, LATEST_SEC))
        way = WAYS[number % len(WAYS)]
        began = time.monotonic()
        await _stop(harness, monitor_id, way)
        gone = await children_gone(harness, 10)
        took_sec = time.monotonic() - began
        stopped = StopResult(way, took_sec, not gone, len(set(harness.temporary_files()) - files))
        seen.append(stopped)
        env.say(f"stop {number + 1} of {times} by {way}: {stopped.took_sec:.2f} s")
    return seen


async def _stop(harness: ChaosHarness, monitor_id: str, way: str) -> None:
    handle = harness.client.get_workflow_handle(monitor_id)
    if way == "DELETE":
        await harness.rest.stop(monitor_id)
    elif way == "cancel":
        await handle.cancel()
    else:
        await handle.signal("stop")

    async def closed() -> bool:
        return (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING

    await until(closed, f"the end of {monitor_id}")
    await harness.rest.until_status(monitor_id, "stopped")
