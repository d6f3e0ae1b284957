"""A network that swallows everything, and a rolling restart, both with incidents open."""

from dataclasses import dataclass

import pytest

from tests.chaos.rollout import RolloutResult, roll_out
from tests.chaos.takeovers import FaultInjection, Takeovers, take_over
from tests.testkit.scenario_runner import ScenarioRunner

pytestmark = pytest.mark.timeout(240)

STREAMS = 2
TAKEN_OVER_SEC = 30.0


@dataclass(frozen=True)
class Seen:
    """What was seen."""

    holes: Takeovers
    rollout: RolloutResult


async def SCENARIO(runner: ScenarioRunner) -> Seen:  # noqa: N802
    """Cut a probe worker off from Temporal for a while, then replace every worker."""
    env = runner.environment("networks")
    async with env.harness("far", "orchestrator") as harness:
        for _ in range(2):
            await harness.start_far_worker("probe")
        holes = await take_over(env, harness, FaultInjection.HOLE, 1, streams=STREAMS)
        return Seen(holes, await roll_out(env, harness, streams=STREAMS))


def test_the_streams_of_a_worker_that_is_cut_off_are_taken_over(seen: Seen) -> None:
    assert seen.holes.seen
    assert all(each.gap_sec < TAKEN_OVER_SEC for each in seen.holes.seen)
    assert seen.holes.skipped == 0


def test_two_workers_on_one_stream_tell_nothing_twice_or_wrong(seen: Seen) -> None:
    assert seen.holes.told > 2 * STREAMS
    assert seen.holes.wrong == {}


def test_a_rolling_restart_changes_no_event(seen: Seen) -> None:
    assert seen.rollout.replaced == 3
    assert seen.rollout.told > 2 * STREAMS
    assert seen.rollout.wrong == {}
    assert seen.rollout.lost == 0


def test_workers_that_are_replaced_leave_in_peace(seen: Seen) -> None:
    assert seen.rollout.codes == {0}
