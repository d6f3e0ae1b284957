"""All workers are replaced one after the other while incidents are open, as a rollout does."""

import asyncio
from dataclasses import dataclass
from typing import Any

from tests.chaos import scripted
from tests.testkit.children import Child
from tests.testkit.environment import ChaosEnvironment, ChaosHarness
from tests.testkit.findings import Finding

STREAMS = 3
GRACE_SEC = 30.0
"""`terminationGracePeriodSeconds` of the chart's workers at the default `DRAIN_SEC`."""


@dataclass(frozen=True)
class RolloutResult:
    """What was seen.

    Attributes:
        replaced: workers.
        left_sec: the longest that one took to leave after SIGTERM.
        codes: with which they ended.
        wrong: streams whose events are not what was scripted, and how they differ.
        lost: segments missed or failed.
    """

    replaced: int
    left_sec: float
    codes: set[int | None]
    wrong: dict[str, str]
    told: int
    again: int
    lost: int

    def finding(self) -> Finding:
        """Compare with the target."""
        measured = f"{self.replaced} workers replaced, each left within {self.left_sec:.2f} s; "
        measured += f"{self.told} events, {self.again} requests repeated, {self.lost} segments "
        measured += f"lost, {len(self.wrong)} streams wrong"
        is_met = not self.wrong and not self.lost and self.codes == {0}
        is_met = is_met and self.left_sec < GRACE_SEC
        target = f"the scripted events, none lost; gone within {GRACE_SEC:g} s"
        return Finding("rolling restart with open incidents", measured, target, is_met)


async def roll_out(
    env: ChaosEnvironment, harness: ChaosHarness, *, streams: int = STREAMS
) -> RolloutResult:
    """Replace every worker, each while all streams have an open incident."""
    names = [f"rollout-{number}" for number in range(streams)]
    ids = {name: await scripted.put_on_air(env, harness.rest, name) for name in names}
    old = harness.running
    left_sec = []
    for worker in old:
        await scripted.until_an_incident_is_open(env, *names)
        left_sec.append(await _replace(harness, worker))
        env.say(f"{worker.name} left within {left_sec[-1]:.2f} s")
    begun = {name: len(scripted.incidents(env.origin[name])) for name in names}
    ends = (scripted.until_all_told(env, name, at_least=begun[name]) for name in names)
    await asyncio.gather(*ends)
    wrong, told = scripted.judged(env, names)
    again = sum(len(env.receiver.requests(n)) - len(env.receiver.events(n)) for n in names)
    statistics = [await _final_statistics(harness, each) for each in ids.values()]
    return RolloutResult(
        replaced=len(old),
        left_sec=max(left_sec),
        codes={each.code for each in old},
        wrong=wrong,
        told=told,
        again=again,
        lost=sum(each["segments_missed"] + each["segments_failed"] for each in statistics),
    )


async def _replace(harness: ChaosHarness, worker: Child) -> float:
    """Start the next worker, then have the old one leave, as `maxSurge: 1` does."""
    await harness.start_worker(worker.name.rpartition("-")[0])
    return await worker.stop(within_sec=GRACE_SEC)


async def _final_statistics(harness: ChaosHarness, monitor_id: str) -> dict[str, Any]:
    await harness.rest.stop(monitor_id)
    statistics: dict[str, Any] = (await harness.rest.show(monitor_id))["statistics"]
    return statistics
