"""Whether the coverage of a broadcast tells what its script says, whatever was killed meanwhile."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from simulator.origin import Channel
from tests.chaos.scripted import EXACT_SEC, incidents
from tests.testkit.rest import Rest
from tests.testkit.waiting import ConditionTimeout, until

KINDS = {
    "alert.blackout": "blackout",
    "alert.silence": "silence",
    "alert.freeze": "freeze",
}


async def until_covered(
    rest: Rest, monitor_id: str, channel: Channel, *, within_sec: float = 60.0
) -> str:
    """Wait until the coverage of a finished broadcast is right; return what is wrong."""
    problem = "no timeline"

    async def is_right() -> bool:
        nonlocal problem
        problem = misjudged(await rest.timeline(monitor_id), channel)
        return not problem

    try:
        await until(is_right, f"the coverage of {monitor_id}", within_sec=within_sec)
    except ConditionTimeout:
        return problem
    return ""


def misjudged(intervals: Sequence[dict[str, Any]], channel: Channel) -> str:
    """Return how a timeline differs from the script, nothing when it does not.

    Of the time between the first and the last live moment, each is faulty while the script is, and
    ok otherwise.
    """
    for one, other in pairwise(intervals):
        if one["to"] != other["from"]:
            return f"{one['to']} is not {other['from']}"
    live = [each for each in intervals if each["condition"] != "not_live"]
    others = {each["condition"] for each in live} - {"ok", "faulty"}
    if others:
        return f"{sorted(others)} in {_short(live)}"
    told = [each for each in live if each["condition"] == "faulty"]
    scripted = incidents(channel)
    if [each["kinds"] for each in told] != [[KINDS[alert]] for alert, _ in scripted]:
        return f"{len(scripted)} incidents, but {_short(live)}"
    for each, (_, scene) in zip(told, scripted, strict=True):
        errors = (
            datetime.fromisoformat(each["from"]) - scene.started_at,
            datetime.fromisoformat(each["to"]) - scene.ended_at,
        )
        if any(abs(error.total_seconds()) > EXACT_SEC for error in errors):
            return f"{each} is off {scene}"
    return ""


def _short(intervals: Sequence[dict[str, Any]]) -> str:
    return ", ".join(
        f"{each['condition']} {'+'.join(each['kinds'])} to {each['to']}" for each in intervals
    )
