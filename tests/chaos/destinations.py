"""Whether destinations were told what `callback_url` was told, each event once and in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.testkit.environment import ChaosEnvironment
from tests.testkit.receiver import Received
from tests.testkit.rest import Rest
from tests.testkit.waiting import ConditionTimeout, until

PATTERNS = {"storm-all": "*", "storm-alerts": "alert.*"}
"""The events that each destination wants, by its name at the receiver."""

TOLD_SEC = 120.0


@dataclass(frozen=True)
class ToldDestinations:
    """The destinations of the storm, by name."""

    ids: dict[str, str]

    async def difference(
        self, env: ChaosEnvironment, rest: Rest, told: Mapping[str, Sequence[Received]]
    ) -> dict[str, str]:
        """Wait until they were told; return how that differs from what each monitor told.

        Args:
            env: of the receiver.
            rest: of the service.
            told: the events of `callback_url`, by monitor.
        """
        wrong: dict[str, str] = {}
        for name, destination_id in self.ids.items():
            problem = await _until_told(env, name, told)
            if problem:
                last = (await rest.deliveries(destination_id))[:3]
                wrong[name] = f"{problem}; its newest deliveries: {last}"
        return wrong

    def repeated(self, env: ChaosEnvironment) -> int:
        """Return how many requests repeated an event."""
        return sum(len(env.receiver.requests(n)) - len(env.receiver.events(n)) for n in self.ids)


async def make_destinations(env: ChaosEnvironment, rest: Rest) -> ToldDestinations:
    """Make them, and have the receiver trust their keys."""
    ids = {}
    for name, pattern in PATTERNS.items():
        made = await rest.create_destination(env.receiver.url(name), events=[pattern])
        env.receiver.keys.append(made["secret"])
        ids[name] = made["destination_id"]
    return ToldDestinations(ids)


async def unrecorded(rest: Rest, monitor_id: str, told: Sequence[Received]) -> str:
    """Return how the incidents on record differ from what was told; nothing if they do not."""
    kept = await rest.incidents(monitor_id)
    ids = [each["incident_id"] for each in reversed(kept)]
    opened = [
        each.event["data"]["incident_id"]
        for each in told
        if each.event_type.startswith("alert.") and not each.event_type.endswith("_recovered")
    ]
    still_open = [each["incident_id"] for each in kept if each["status"] != "closed"]
    if ids != opened or still_open:
        return f"told incidents {opened}, on record {ids}, of which open {still_open}"
    return ""


async def _until_told(
    env: ChaosEnvironment, name: str, told: Mapping[str, Sequence[Received]]
) -> str:
    problem = "nothing told"

    async def is_right() -> bool:
        nonlocal problem
        problem = _difference(env.receiver.events(name), PATTERNS[name], told)
        return not problem

    try:
        await until(is_right, f"the events of {name}", within_sec=TOLD_SEC)
    except ConditionTimeout:
        return problem
    return ""


def _difference(
    got: Sequence[Received], pattern: str, told: Mapping[str, Sequence[Received]]
) -> str:
    by_monitor: dict[str, list[Any]] = {monitor_id: [] for monitor_id in told}
    for each in got:
        by_monitor.setdefault(each.event["monitor_id"], []).append(each.event["event_id"])
    for monitor_id, ids in by_monitor.items():
        wanted = [
            each.event["event_id"]
            for each in told.get(monitor_id, ())
            if fnmatchcase(each.event_type, pattern)
        ]
        if ids != wanted:
            return f"{monitor_id}: expected {wanted}, told {ids}"
    return ""
