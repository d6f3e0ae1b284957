"""Many streams with scripted incidents, and something is killed every few seconds."""

import asyncio
import time
from dataclasses import dataclass

from simulator.origin import AtEnd, Channel
from tests.chaos.coverage import until_covered
from tests.chaos.destinations import make_destinations, unrecorded
from tests.chaos.scripted import (
    ALERTS,
    EXACT_SEC,
    incidents,
    misidentified,
    misnumbered,
    off_sec,
)
from tests.testkit.children import Child
from tests.testkit.environment import WINDOW, ChaosEnvironment, ChaosHarness
from tests.testkit.findings import Finding
from tests.testkit.programmes import EAGER, SMALL, rendered
from tests.testkit.receiver import Received
from tests.testkit.waiting import ConditionTimeout

ROLES = ("orchestrator", "orchestrator", "probe", "probe", "probe")
CYCLE = (
    ("normal", 8.0),
    ("black", 10.0),
    ("normal", 8.0),
    ("silent", 10.0),
    ("normal", 8.0),
    ("frozen", 12.0),
)
CYCLE_SEC = sum(length_sec for _, length_sec in CYCLE)
KILL_EVERY_SEC = 10.0
LAST_EVENT_SEC = 120.0


@dataclass(frozen=True)
class StormResult:
    """What came of all streams.

    Attributes:
        wrong: streams whose events are not what was scripted, and how they differ.
        incidents: scripted.
        off_sec: largest error of a start or a duration.
        again: requests that repeated an event, of destinations too.
        untold: destinations that were not told what `callback_url` was told, and the difference.
        misjudged: streams whose coverage is not what was scripted, and how it differs.
    """

    streams: int
    killed: list[str]
    wrong: dict[str, str]
    incidents: int
    off_sec: float
    again: int
    misjudged: dict[str, str]
    untold: dict[str, str]

    def finding(self) -> Finding:
        """Compare with the target."""
        measured = f"{len(self.killed)} kills, {self.streams} streams, {self.incidents} incidents: "
        measured += f"{len(self.wrong)} streams wrong, starts within {self.off_sec:.3f} s, "
        measured += f"{self.again} webhooks repeated with the same event_id, "
        measured += f"coverage of {len(self.misjudged)} wrong, "
        measured += f"destinations with other events or another order: {len(self.untold)}"
        target = "exactly the scripted incidents, each once, right starts, whole coverage"
        is_met = not (self.wrong or self.misjudged or self.untold) and self.off_sec <= EXACT_SEC
        return Finding("random kill every 10 s", measured, target, is_met)


async def run_storm(
    env: ChaosEnvironment, harness: ChaosHarness, streams: int, minutes: float
) -> StormResult:
    """Watch streams of so many minutes while every 10 s something is killed and starts again."""
    cycles = max(1, round(minutes * 60 / CYCLE_SEC))
    programme = await rendered(env.cache, SMALL, *CYCLE * cycles, ("normal", 8.0))
    options = WINDOW.model_copy(update={"at_end": AtEnd.END})
    destinations = await make_destinations(env, harness.rest)
    channels, ids, told = {}, {}, {}
    for number in range(streams):
        name = f"storm-{number}"
        channels[name] = env.origin.add(name, programme, options=options)
        url = channels[name].url
        ids[name] = await harness.rest.create(
            url, env.receiver.url(name), EAGER, destinations=[*destinations.ids.values()]
        )
    killed = await _storm(env, harness, cycles * CYCLE_SEC)
    deadline = time.monotonic() + LAST_EVENT_SEC
    wrong, misjudged, worst_sec = {}, {}, 0.0
    for name, channel in channels.items():
        await _until_ended(env, name, deadline)
        told[ids[name]] = events = env.receiver.events(name)
        difference = _difference(channel, events)
        if difference := difference or await unrecorded(harness.rest, ids[name], events):
            wrong[name] = difference
            env.say(f"{name}: {difference}")
        if difference := await until_covered(harness.rest, ids[name], channel):
            misjudged[name] = difference
            env.say(f"{name}: {difference}")
        worst_sec = max(worst_sec, off_sec(channel, events))
    untold = await destinations.difference(env, harness.rest, told)
    for name, difference in untold.items():
        env.say(f"{name}: {difference}")
    again = sum(len(env.receiver.requests(n)) - len(env.receiver.events(n)) for n in channels)
    again += destinations.repeated(env)
    scripted = streams * cycles * len(ALERTS)
    return StormResult(streams, killed, wrong, scripted, worst_sec, again, misjudged, untold)


async def _storm(env: ChaosEnvironment, harness: ChaosHarness, for_sec: float) -> list[str]:
    killed = []
    ends = time.monotonic() + for_sec
    reviving: set[asyncio.Task[str]] = set()
    ready = ["temporal", "gateway", *(each.name for each in harness.running)]
    while time.monotonic() + KILL_EVERY_SEC < ends:
        await asyncio.sleep(KILL_EVERY_SEC)
        back = {task for task in reviving if task.done()}
        ready += [task.result() for task in back]
        reviving -= back
        name = ready.pop(env.chance.randrange(len(ready)))
        env.say(f"kill -9 {name}")
        killed.append(name)
        reviving.add(asyncio.create_task(_kill(harness, name)))
    await asyncio.gather(*reviving)
    return killed


async def _kill(harness: ChaosHarness, name: str) -> str:
    """Kill a process, start another one in its place, and return its name once it is ready."""
    if name == "temporal":
        await harness.crash_temporal()
    elif name == "gateway":
        await harness.gateway.kill()
        await harness.start_gateway()
    else:
        await _worker(harness, name).kill()
        return (await harness.start_worker(name.rpartition("-")[0])).name
    return name


def _worker(harness: ChaosHarness, name: str) -> Child:
    return next(each for each in harness.workers if each.name == name)


async def _until_ended(env: ChaosEnvironment, name: str, deadline: float) -> None:
    try:
        left_sec = max(0.0, deadline - time.monotonic())
        await env.receiver.until(name, "stream.ended", within_sec=left_sec)
    except ConditionTimeout as error:
        env.say(str(error))


def _difference(channel: Channel, events: list[Received]) -> str:
    """Return how the events differ from the script; nothing when they do not."""
    expected = ["stream.started"]
    for alert, _ in incidents(channel):
        expected += [alert, f"{alert}_recovered"]
    expected.append("stream.ended")
    seen = [each.event_type for each in events]
    if seen != expected:
        return f"expected {expected}, seen {seen}"
    return misnumbered(events) or misidentified(events)
