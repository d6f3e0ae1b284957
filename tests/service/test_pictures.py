"""Probe workers die while they collect pictures: every incident has both in the end."""

import asyncio
import random
from typing import Any

import pytest

from simulator.origin import ChannelOptions
from tests.testkit.harness import ServiceHarness, open_harness
from tests.testkit.programmes import EAGER, SHORT, rendered
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import until

pytestmark = pytest.mark.timeout(240)

NAMES = tuple(f"pictured-{number}" for number in range(4))
KILLS = 2
MOST_AFTER_ALERT_SEC = 1.0
CONFIG = {**EAGER, "evidence": "picture"}
PICTURES_SEC = 90.0


async def SCENARIO(runner: ScenarioRunner) -> list[dict[str, Any]]:  # noqa: N802
    """Have streams go black again and again; kill a worker soon after the first alert each time.

    Return the evidence of all their incidents.
    """
    programme = await rendered(runner.cache, SHORT, ("normal", 12.0), ("black", 10.0))
    options = ChannelOptions(window_segments=40, backlog_segments=1)
    chance = random.Random(1)
    async with open_harness(runner.folder / "pictures", "orchestrator", "probe") as harness:
        ids = {}
        for name in NAMES:
            url = runner.origin.add(name, programme, options=options).url
            ids[name] = await harness.rest.create(url, runner.receiver.url(name), CONFIG)
        seen: set[str] = set()
        for _ in range(KILLS):
            name = await _new_alert(runner, seen)
            await asyncio.sleep(chance.uniform(0.0, MOST_AFTER_ALERT_SEC))
            await (await harness.probing(ids[name])).kill()
            await harness.start_worker("probe")
        stories = [_evidence(harness, each) for each in ids.values()]
        return [each for story in await asyncio.gather(*stories) for each in story]


async def _new_alert(runner: ScenarioRunner, seen: set[str]) -> str:
    """Wait for an alert that comes from now on; return of which stream."""

    def alerts() -> dict[str, str]:
        return {
            each.event["event_id"]: name
            for name in NAMES
            for each in runner.receiver.events(name)
            if each.event_type == "alert.blackout"
        }

    async def new() -> str | None:
        return next((name for known, name in alerts().items() if known not in seen), None)

    seen.update(alerts())
    return await until(new, "an alert", within_sec=60)


async def _evidence(harness: ServiceHarness, monitor_id: str) -> list[dict[str, Any]]:
    async def settled() -> list[dict[str, Any]] | None:
        found = await harness.rest.incidents(monitor_id)
        evidence = [each for incident in found for each in incident["evidence"]]
        return None if any(each["state"] == "pending" for each in evidence) else evidence

    return await until(settled, "the pictures of all incidents", within_sec=PICTURES_SEC)


def test_every_incident_has_both_pictures(seen: list[dict[str, Any]]) -> None:
    assert len(seen) >= 2 * len(NAMES)
    assert [each for each in seen if each["state"] != "ready"] == []
