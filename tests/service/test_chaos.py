"""A short version of `python -m tests.chaos`: its experiments, once or twice each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.chaos.slot_shortage import LOOKED_AT, SLOTS, SlotShortage, run_out_of_slots
from tests.chaos.starts import StartResult, start_through_crashes
from tests.chaos.stops import WAYS, StopResult, stop_at_random
from tests.chaos.takeovers import FaultInjection, Takeovers, take_over
from tests.testkit.environment import ChaosEnvironment
from tests.testkit.scenario_runner import ScenarioRunner

pytestmark = pytest.mark.timeout(240)

STARTS = 30
STREAMS = 2


@dataclass(frozen=True)
class Chaos:
    """What the experiments saw."""

    takeovers: dict[FaultInjection, Takeovers]
    stops: Sequence[StopResult]
    starts: StartResult
    run_out_of_slots: SlotShortage


async def SCENARIO(runner: ScenarioRunner) -> Chaos:  # noqa: N802
    """Crash and drain a worker, stop monitors, crash Temporal during starts, run out of slots."""
    env = runner.environment("chaos")
    shortage, (takeovers, stops, starts) = await asyncio.gather(_shortage(env), _injections(env))
    return Chaos(takeovers, stops, starts, shortage)


async def _shortage(env: ChaosEnvironment) -> SlotShortage:
    async with env.harness("slots", "all", PROBE_SLOTS=str(SLOTS)) as harness:
        return await run_out_of_slots(env, harness)


async def _injections(
    env: ChaosEnvironment,
) -> tuple[dict[FaultInjection, Takeovers], Sequence[StopResult], StartResult]:
    async with env.harness("faults", "orchestrator", "probe", "probe") as harness:
        takeovers = {
            injection: await take_over(env, harness, injection, 1, streams=STREAMS)
            for injection in (FaultInjection.TERM, FaultInjection.KILL)
        }
        stops = await stop_at_random(env, harness, len(WAYS))
        return takeovers, stops, await start_through_crashes(env, harness, STARTS, kills=1)


@pytest.mark.parametrize("injection", [FaultInjection.TERM, FaultInjection.KILL])
def test_a_takeover_skips_no_segment(seen: Chaos, injection: FaultInjection) -> None:
    takeovers = seen.takeovers[injection]
    assert takeovers.seen
    assert takeovers.skipped == 0


@pytest.mark.parametrize("injection", [FaultInjection.TERM, FaultInjection.KILL])
def test_a_takeover_changes_no_event(seen: Chaos, injection: FaultInjection) -> None:
    assert seen.takeovers[injection].told > 2 * STREAMS
    assert seen.takeovers[injection].wrong == {}


def test_a_worker_that_leaves_hands_over_without_repeating_segments(seen: Chaos) -> None:
    assert all(each.twice <= 1 for each in seen.takeovers[FaultInjection.TERM].seen)


def test_a_monitor_stopped_at_a_random_moment_leaves_nothing(seen: Chaos) -> None:
    assert [each.way for each in seen.stops] == [*WAYS]
    assert not any(each.children_left for each in seen.stops)
    assert not any(each.files_left for each in seen.stops)


def test_a_start_acknowledged_before_temporal_crashed_is_kept(seen: Chaos) -> None:
    assert seen.starts.acknowledged == STARTS
    assert seen.starts.lost == []


def test_a_stream_without_a_free_slot_waits_visibly(seen: Chaos) -> None:
    assert seen.run_out_of_slots.used == SLOTS
    assert seen.run_out_of_slots.is_scheduled
    assert len(seen.run_out_of_slots.delays_sec) >= SLOTS * LOOKED_AT
    assert seen.run_out_of_slots.waiting["health"]["video"] == "unknown"
    assert (
        seen.run_out_of_slots.waiting["health"]["reason"] == "no probe has measured a segment yet"
    )


def test_a_waiting_stream_is_watched_as_soon_as_a_slot_is_free(seen: Chaos) -> None:
    assert seen.run_out_of_slots.begun["statistics"]["total_segments_analyzed"] > 0
    assert seen.run_out_of_slots.begun["health"]["reason"] is None
