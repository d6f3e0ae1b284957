"""More streams than probe slots: the newest wait, visibly, and the others are not late."""

from dataclasses import dataclass
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState

from simulator.origin import Served
from tests.testkit.environment import ChaosEnvironment, ChaosHarness
from tests.testkit.findings import Finding
from tests.testkit.waiting import until

SLOTS = 2
LOOKED_AT = 4
"""Segments of each other stream that must be fetched while the newest waits."""

LATE_SEC = 2.0
"""One target duration."""


@dataclass(frozen=True)
class SlotShortage:
    """What was seen while a stream waited, and after a slot came free.

    Attributes:
        used: slots in use while one stream waited.
        waiting: the waiting monitor's condition.
        is_scheduled: whether Temporal shows a watch as not begun.
        delays_sec: from the publication of each segment to its request, of the others, while
            one waited.
        begun: the same monitor's condition when a slot was free.
    """

    used: int
    waiting: dict[str, Any]
    is_scheduled: bool
    delays_sec: list[float]
    begun: dict[str, Any]

    def finding(self) -> Finding:
        """Compare with the target."""
        reason = self.waiting["health"]["reason"]
        analysed = self.begun["statistics"]["total_segments_analyzed"]
        latest_sec = max(self.delays_sec)
        measured = f"waits with {reason!r}; {len(self.delays_sec)} segments of the others "
        measured += f"fetched within {latest_sec:.2f} s of publication"
        is_met = self.is_scheduled and bool(reason) and analysed > 0 and self.used == SLOTS
        is_met = is_met and latest_sec <= LATE_SEC
        target = "the newest waits visibly, the others are not late"
        return Finding(f"{SLOTS + 1} streams, {SLOTS} slots", measured, target, is_met)


async def run_out_of_slots(env: ChaosEnvironment, harness: ChaosHarness) -> SlotShortage:
    """Watch one stream more than the service's only worker has slots; it needs PROBE_SLOTS=2."""
    names = [f"shortage-{number}" for number in range(SLOTS)]
    first = [await env.put_on_air(harness, name) for name in names]
    for each in first:
        await env.until_measured(harness, each)
    last = await env.put_on_air(harness, "shortage-last")

    async def waits() -> dict[str, Any] | None:
        shown = await harness.rest.show(last)
        return shown if shown["status"] == "monitoring" and await harness.watch(last) else None

    waiting = await until(waits, "a monitor without a probe")
    delays_sec = [delay for name in names for delay in await _delays_sec(env, name)]
    # A watch that comes to its first checkpoint meanwhile leaves its slot to the one that waits.
    watches = [await harness.watch(each) for each in (*first, last)]
    scheduled = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    is_scheduled = any(watch is not None and watch.state == scheduled for watch in watches)
    used = await harness.slots_used(harness.running[0])
    await harness.rest.stop(first[0])
    await env.until_measured(harness, last)
    begun = await harness.rest.show(last)
    for each in (first[1], last):
        await harness.rest.stop(each)
    return SlotShortage(used, waiting, is_scheduled, delays_sec, begun)


async def _delays_sec(env: ChaosEnvironment, name: str) -> list[float]:
    """Return how late the next few segments are fetched, in seconds after their publication."""
    newest = env.origin[name].published[-1].sequence

    async def fetched() -> list[Served] | None:
        later = [each for each in env.segments(name) if (each.sequence or 0) > newest]
        return later if len(later) >= LOOKED_AT else None

    later = await until(fetched, f"{LOOKED_AT} segments of {name}", within_sec=30)
    published = {each.sequence: each.published_at for each in env.origin[name].published}
    return [each.at - published[each.sequence or 0] for each in later]
