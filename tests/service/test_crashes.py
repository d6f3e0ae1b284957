"""Workers and the gateway crash, freeze and leave while incidents are open."""

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from simulator.origin import AtEnd, ChannelOptions, SceneOnAir
from tests.testkit.children import Child
from tests.testkit.harness import ServiceHarness, open_harness
from tests.testkit.programmes import EAGER, SMALL, rendered, seconds_between
from tests.testkit.receiver import Received
from tests.testkit.scenario_runner import ScenarioRunner

pytestmark = pytest.mark.timeout(240)

NAMES = ("storm-0", "storm-1", "storm-2")
SCENES = (
    ("normal", 6.0),
    ("black", 18.0),
    ("normal", 10.0),
    ("silent", 12.0),
    ("normal", 8.0),
    ("frozen", 18.0),
    ("normal", 8.0),
)
SEGMENTS = 40
EXPECTED = [
    "stream.started",
    "alert.blackout",
    "alert.blackout_recovered",
    "alert.silence",
    "alert.silence_recovered",
    "alert.freeze",
    "alert.freeze_recovered",
    "stream.ended",
]
FAULTS = [("black", "blackout"), ("silent", "silence"), ("frozen", "freeze")]
FRAME_SEC = 0.1
TAKEN_OVER_SEC = 25.0


@dataclass(frozen=True)
class Watched:
    """What came of one stream that was watched through all of it."""

    events: list[Received]
    requests: int
    scenes: dict[str, SceneOnAir]
    audit: list[dict[str, Any]]
    condition: dict[str, Any]


@dataclass(frozen=True)
class Storm:
    """What was seen of all streams.

    Attributes:
        gaps: seconds from each fault to the next worker's start, by fault.
        interrupted: requests of a webhook whose worker was killed while it was answered.
        interrupted_audit: what the store knows of it.
    """

    watched: dict[str, Watched]
    gaps: dict[str, float]
    left_after_sec: float
    interrupted: list[Received]
    interrupted_audit: list[dict[str, Any]]


async def SCENARIO(runner: ScenarioRunner) -> Storm:  # noqa: N802
    """Watch three streams while something breaks in each of their faults."""
    programme = await rendered(runner.cache, SMALL, *SCENES)
    async with open_harness(runner.folder / "storm", "orchestrator", "probe", "probe") as harness:
        interrupted_id = await _kill_a_delivery(runner, harness)
        options = ChannelOptions(at_end=AtEnd.END, window_segments=20, backlog_segments=1)
        ids = {}
        for name in NAMES:
            url = runner.origin.add(name, programme, options=options).url
            ids[name] = await harness.rest.create(url, runner.receiver.url(name), EAGER)
        gaps, left_after_sec = await _run_storm(runner, harness, ids[NAMES[0]])
        watched = {name: await _watched(runner, harness, name, ids[name]) for name in NAMES}
        return Storm(
            watched=watched,
            gaps=gaps,
            left_after_sec=left_after_sec,
            interrupted=runner.receiver.requests("interrupted"),
            interrupted_audit=await harness.rest.until_audited(interrupted_id, 1),
        )


async def _kill_a_delivery(runner: ScenarioRunner, harness: ServiceHarness) -> str:
    """Kill the orchestrator while a receiver takes its time to answer; start another one."""
    arrived = asyncio.Event()

    async def answer(_received: Received) -> int:
        arrived.set()
        if len(runner.receiver.requests("interrupted")) == 1:
            await asyncio.sleep(5)
        return 200

    runner.receiver.answers["interrupted"] = answer
    channel = runner.origin.add("interrupted", await rendered(runner.cache, SMALL, ("normal", 20)))
    url = runner.receiver.url("interrupted")
    monitor_id = await harness.rest.create(channel.url, url, EAGER)
    await asyncio.wait_for(arrived.wait(), 30)
    await harness.workers[0].kill()
    await harness.start_worker("orchestrator")
    return monitor_id


async def _run_storm(
    runner: ScenarioRunner, harness: ServiceHarness, monitor_id: str
) -> tuple[dict[str, float], float]:
    """Strike the worker that watches the first stream, differently in each fault."""
    gaps: dict[str, float] = {}
    await _until_all(runner, "alert.blackout")
    victim = await harness.probing(monitor_id)
    await victim.kill()
    gaps["kill"], _ = await asyncio.gather(
        _taken_over(harness, monitor_id, victim), harness.start_worker("probe")
    )
    await harness.gateway.kill()

    await _until_all(runner, "alert.silence")
    victim = await harness.probing(monitor_id)
    victim.send(signal.SIGTERM)
    gaps["term"], left_after_sec, _, _ = await asyncio.gather(
        _taken_over(harness, monitor_id, victim),
        victim.ended(20),
        harness.start_worker("probe"),
        harness.start_gateway(),
    )

    await _until_all(runner, "alert.freeze")
    victim = await harness.probing(monitor_id)
    victim.send(signal.SIGSTOP)
    try:
        gaps["stop"] = await _taken_over(harness, monitor_id, victim)
    finally:
        victim.send(signal.SIGCONT)
    return gaps, left_after_sec


async def _until_all(runner: ScenarioRunner, event_type: str) -> None:
    await asyncio.gather(*(runner.receiver.until(name, event_type) for name in NAMES))


async def _taken_over(harness: ServiceHarness, monitor_id: str, victim: Child) -> float:
    began = time.monotonic()
    await harness.probing(monitor_id, but=victim)
    return time.monotonic() - began


async def _watched(
    runner: ScenarioRunner, harness: ServiceHarness, name: str, monitor_id: str
) -> Watched:
    await runner.receiver.until(name, "stream.ended")
    condition = await harness.rest.until_status(monitor_id, "completed")
    return Watched(
        events=runner.receiver.events(name),
        requests=len(runner.receiver.requests(name)),
        scenes=_first_of_each_kind(runner.origin[name].scenes_on_air()),
        audit=await harness.rest.until_audited(monitor_id, len(EXPECTED)),
        condition=condition,
    )


def _first_of_each_kind(scenes: Sequence[SceneOnAir]) -> dict[str, SceneOnAir]:
    """Return the scenes that were on air: a stream that has ended is not played again."""
    return {each.scene.kind: each for each in reversed(scenes)}


def _data(events: Sequence[Received], event_type: str) -> dict[str, Any]:
    data: dict[str, Any] = next(
        each.event["data"] for each in events if each.event_type == event_type
    )
    return data


@pytest.mark.parametrize("name", NAMES)
def test_every_event_comes_exactly_once_through_all_of_it(seen: Storm, name: str) -> None:
    watched = seen.watched[name]
    assert [each.event_type for each in watched.events] == EXPECTED
    assert watched.requests == len(EXPECTED)


@pytest.mark.parametrize("name", NAMES)
def test_faults_keep_their_true_start_and_length(seen: Storm, name: str) -> None:
    watched = seen.watched[name]
    for kind, alert in FAULTS:
        scene = watched.scenes[kind]
        opened = _data(watched.events, f"alert.{alert}")
        closed = _data(watched.events, f"alert.{alert}_recovered")
        length_sec = scene.end_sec - scene.start_sec
        assert seconds_between(opened["started_at"], scene.started_at) <= FRAME_SEC
        assert closed["started_at"] == opened["started_at"]
        assert closed["total_duration_sec"] == pytest.approx(length_sec, abs=FRAME_SEC)


@pytest.mark.parametrize("name", NAMES)
def test_no_segment_is_skipped_and_none_counted_twice(seen: Storm, name: str) -> None:
    statistics = seen.watched[name].condition["statistics"]
    assert statistics["total_segments_analyzed"] == SEGMENTS
    assert statistics["segments_missed"] == statistics["segments_failed"] == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_store_catches_up_after_the_gateway_was_away(seen: Storm, name: str) -> None:
    watched = seen.watched[name]
    assert [each["payload"] for each in watched.audit] == [each.event for each in watched.events]
    assert {each["webhook_status"] for each in watched.audit} == {"sent"}


@pytest.mark.parametrize("injection", ["kill", "term", "stop"])
def test_another_worker_takes_over(seen: Storm, injection: str) -> None:
    assert seen.gaps[injection] < TAKEN_OVER_SEC


def test_a_webhook_whose_worker_died_comes_again_as_the_same_event(seen: Storm) -> None:
    assert len(seen.interrupted) == 2
    assert len({each.body for each in seen.interrupted}) == 1
    assert [each["webhook_status"] for each in seen.interrupted_audit] == ["sent"]
