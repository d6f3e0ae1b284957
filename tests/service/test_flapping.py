"""A picture that keeps turning black: few incidents, the last of them for all that follow."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from simulator.origin import ChannelOptions, SceneOnAir
from tests.testkit.programmes import SHORT, rendered, seconds_between
from tests.testkit.receiver import Received
from tests.testkit.rest import Rest
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import until

pytestmark = pytest.mark.timeout(240)

NAME = "flapping"
FAULTS, BY_THEMSELVES = 6, 3
SCENES = (("normal", 4.0), *(("black", 3.0), ("normal", 4.0)) * FAULTS, ("normal", 14.0))
CONFIG: dict[str, Any] = {
    "blackout_threshold_sec": 1,
    "silence_threshold_sec": 0,
    "freeze_threshold_sec": 0,
    "recovery_sec": 1,
    "flapping_recovery_factor": 8,
}
MOST_EVENTS_EACH = 15
"""What a notification may add to the history of a monitor: 20 an hour add at most 300. Each adds
12 or 13, and some more on a machine that is busy."""


@dataclass(frozen=True)
class Story:
    """What was told of the stream, and what Temporal and the gateway keep of it."""

    received: list[Received]
    scenes: list[SceneOnAir]
    incidents: list[dict[str, Any]]
    faulty_sec: list[float]
    history_added: int


async def SCENARIO(runner: ScenarioRunner) -> Story:  # noqa: N802
    """Watch a stream whose picture turns black again and again, until it is good for long."""
    harness = await runner.harness()
    programme = await rendered(runner.cache, SHORT, *SCENES)
    channel = runner.origin.add(NAME, programme, options=ChannelOptions(window_segments=20))
    monitor_id = await harness.rest.create(channel.url, runner.receiver.url(NAME), CONFIG)
    workflow = harness.client.get_workflow_handle(monitor_id)
    await runner.receiver.until(NAME, "alert.blackout")
    before = (await workflow.describe()).history_length
    await runner.receiver.until(NAME, "alert.blackout_recovered", count=BY_THEMSELVES + 1)
    after = (await workflow.describe()).history_length
    await harness.rest.stop(monitor_id)
    return Story(
        received=runner.receiver.events(NAME),
        scenes=[each for each in channel.scenes_on_air() if each.scene.kind == "black"],
        incidents=await harness.rest.incidents(monitor_id),
        faulty_sec=await _faulty_sec(harness.rest, monitor_id),
        history_added=after - before,
    )


async def _faulty_sec(rest: Rest, monitor_id: str) -> list[float]:
    """Return how long each fault is by the timeline, as soon as the last report has come."""

    async def all_told() -> list[float] | None:
        found = [each for each in await rest.timeline(monitor_id) if each["condition"] == "faulty"]
        lengths = [
            (datetime.fromisoformat(each["to"]) - datetime.fromisoformat(each["from"]))
            for each in found
        ]
        return [each.total_seconds() for each in lengths] if len(found) == FAULTS else None

    return await until(all_told, "a timeline with each fault")


def test_what_follows_three_incidents_is_one(seen: Story) -> None:
    told = [each.event_type for each in seen.received if each.event_type.startswith("alert.")]
    assert told == ["alert.blackout", "alert.blackout_recovered"] * (BY_THEMSELVES + 1)
    flapping = [each.event["data"].get("flapping") for each in seen.received[1:]]
    assert flapping == [None] * 2 * BY_THEMSELVES + [True] * 2


def test_it_lasts_from_its_first_fault_to_the_end_of_the_last(seen: Story) -> None:
    first, last = seen.scenes[BY_THEMSELVES], seen.scenes[FAULTS - 1]
    data = seen.received[-1].event["data"]
    assert seconds_between(data["started_at"], first.started_at) < 1
    assert seconds_between(data["recovered_at"], last.ended_at) < 1


def test_the_time_between_its_faults_is_good(seen: Story) -> None:
    assert all(abs(each - 3.0) < 0.5 for each in seen.faulty_sec)


def test_the_gateway_has_them_all_closed(seen: Story) -> None:
    kept = [(each["flapping"], each["status"]) for each in seen.incidents]
    assert kept == [(True, "closed"), *[(False, "closed")] * BY_THEMSELVES]


def test_a_notification_costs_little_history(seen: Story) -> None:
    # The first one is not over when counting begins, and a watch may reach its checkpoint.
    assert seen.history_added <= MOST_EVENTS_EACH * (2 * BY_THEMSELVES + 2)
