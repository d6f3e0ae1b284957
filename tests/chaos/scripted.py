"""Streams with scripted incidents, and whether a receiver was told exactly these."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from simulator.origin import Channel, SceneOnAir
from tests.testkit.environment import WINDOW, ChaosEnvironment
from tests.testkit.programmes import EAGER, SMALL, rendered, seconds_between
from tests.testkit.receiver import Received
from tests.testkit.rest import Rest
from tests.testkit.waiting import ConditionTimeout, until

ALERTS = {"black": "alert.blackout", "silent": "alert.silence", "frozen": "alert.freeze"}
EXACT_SEC = 0.15
LOOP = (("normal", 8.0), ("black", 8.0), ("normal", 6.0), ("silent", 8.0), ("normal", 2.0))
"""Played over and over; each incident lasts long enough to be told under `EAGER`."""

STANDING_LOOP = (("normal", 8.0), ("frozen", 17.0), ("normal", 5.0), ("black", 11.0))
PATIENT: dict[str, Any] = {
    **EAGER,
    "blackout_threshold_sec": 8,
    "silence_threshold_sec": 8,
    "freeze_threshold_sec": 14,
}
"""Long enough that a picture that stands waits in the memory of its worker until it is measured;
each incident of `STANDING_LOOP` is told under these."""


async def put_on_air(
    env: ChaosEnvironment, rest: Rest, name: str, *, is_standing: bool = False
) -> str:
    """Put an endless stream with incidents on air, have it watched, return the monitor's id."""
    loop, limits = (STANDING_LOOP, PATIENT) if is_standing else (LOOP, EAGER)
    programme = await rendered(env.cache, SMALL, *loop)
    url = env.origin.add(name, programme, options=WINDOW).url
    config = {**limits, "on_delivery_failure": "continue"}
    return await rest.create(url, env.receiver.url(name), config)


async def until_all_told(
    env: ChaosEnvironment, name: str, *, at_least: int = 0, within_sec: float = 60.0
) -> float:
    """Wait until every incident that is over by now was told; return how long it took, seconds.

    Also until `at_least` so many were. One that never is told is left to `difference`.
    """
    began, over = time.monotonic(), max(at_least, len(_over(env.origin[name])))

    async def told() -> bool:
        closed = [each for each in env.receiver.types(name) if each.endswith("_recovered")]
        return len(closed) >= over

    try:
        await until(told, f"{over} incidents of {name}", within_sec=within_sec)
    except ConditionTimeout as error:
        env.say(str(error))
    return time.monotonic() - began


async def until_told_around(
    env: ChaosEnvironment,
    name: str,
    gap: tuple[float, float],
    besides: Sequence[str],
    *,
    within_sec: float = 60.0,
) -> str:
    """Wait until what the script says is told, see `difference_around`; return what is wrong.

    Args:
        env: of the stream.
        name: of the stream.
        gap: between these unix seconds nobody watched.
        besides: types of events that are told of the gap itself, each once.
        within_sec: what is wrong after so long stays wrong.
    """
    problem = "nothing told"

    async def is_right() -> bool:
        nonlocal problem
        channel, events = env.origin[name], env.receiver.events(name)
        types = [each.event_type for each in events]
        lacking = [each for each in besides if types.count(each) != 1]
        problem = difference_around(channel, events, gap)
        problem = problem or (f"not told once: {lacking}" if lacking else "")
        return not problem and bool(_over_since(channel, gap[1]))

    try:
        await until(is_right, f"the events of {name}", within_sec=within_sec)
    except ConditionTimeout:
        return problem or "no incident since"
    return ""


async def until_an_incident_is_open(env: ChaosEnvironment, *names: str) -> None:
    """Wait until each stream has an incident that was told and will go on for a while."""

    async def is_open() -> bool:
        return all(_is_told_and_goes_on(env, name) for name in names)

    await until(is_open, f"open incidents of {names}", within_sec=90)


def judged(env: ChaosEnvironment, names: Sequence[str]) -> tuple[dict[str, str], int]:
    """Return the streams whose events are not those of the script, and how many events came."""
    wrong, told = {}, 0
    for name in names:
        events = env.receiver.events(name)
        told += len(events)
        wrong_by_sec = off_sec(env.origin[name], events)
        if problem := difference(env.origin[name], events):
            wrong[name] = problem
        elif wrong_by_sec > EXACT_SEC:
            wrong[name] = f"times are off by {wrong_by_sec:.3f} s"
    for name, problem in wrong.items():
        env.say(f"{name}: {problem}")
    return wrong, told


def difference(channel: Channel, events: list[Received]) -> str:
    """Return how the events differ from the script so far; nothing when they do not."""
    expected = ["stream.started"]
    for alert, _ in incidents(channel):
        expected += [alert, f"{alert}_recovered"]
    seen = [each.event_type for each in events]
    least = 1 + 2 * len(_over(channel))
    if seen != expected[: len(seen)] or len(seen) < least:
        return f"expected {expected}, seen {seen}"
    return misnumbered(events) or misidentified(events)


def difference_around(channel: Channel, events: list[Received], gap: tuple[float, float]) -> str:
    """Return how the events differ from the script but for what lies in a gap, if they do.

    Args:
        channel: what was on air.
        events: what was told.
        gap: between these unix seconds nobody watched: what touches them may be told or not.
    """
    told = Counter((each.event_type, each.event["data"].get("started_at")) for each in events)
    twice = [key for key, count in told.items() if key[1] and count > 1]
    if twice:
        return f"told twice: {twice}"
    for alert, scene in incidents(channel):
        began, ended = scene.started_at.timestamp(), scene.ended_at.timestamp()
        if scene not in _over(channel) or (began <= gap[1] and ended >= gap[0]):
            continue
        for event_type in (alert, f"{alert}_recovered"):
            found = [
                started_at
                for kind, started_at in told
                if kind == event_type and seconds_between(started_at, scene.started_at) < EXACT_SEC
            ]
            if len(found) != 1:
                return f"{event_type} of {scene.started_at} told {len(found)} times"
    return misnumbered(events) or misidentified(events)


def misnumbered(events: list[Received]) -> str:
    """Return the sequences when they do not count from 1; nothing when they do."""
    numbers = [each.event["sequence"] for each in events]
    return "" if numbers == list(range(1, len(events) + 1)) else f"sequences {numbers}"


def misidentified(events: list[Received]) -> str:
    """Return the incidents of which an end is told twice, or whose two ends have two ids."""
    ids: dict[tuple[str, str], set[str]] = {}
    told = Counter[tuple[str, str]]()
    for each in events:
        data = each.event["data"]
        if "incident_id" in data:
            kind = each.event_type.removesuffix("_recovered")
            ids.setdefault((kind, data["started_at"]), set()).add(data["incident_id"])
            told[(each.event_type, data["incident_id"])] += 1
    twice = [key for key, count in told.items() if count > 1]
    several = [key for key, found in ids.items() if len(found) > 1]
    return f"incidents told twice {twice}, of several ids {several}" if twice or several else ""


def incidents(channel: Channel) -> list[tuple[str, SceneOnAir]]:
    """Return the alert of each scripted incident that has begun, and its scene."""
    return [(ALERTS[scene.scene.kind], scene) for scene in channel.scenes_on_air(*ALERTS)]


def off_sec(channel: Channel, events: list[Received]) -> float:
    """Return the largest error of a told start, end or duration, in seconds."""
    closed = [each.event["data"] for each in events if each.event_type.endswith("_recovered")]
    errors = [0.0]
    for data, (_, scene) in zip(closed, incidents(channel), strict=False):
        length_sec = scene.end_sec - scene.start_sec
        errors.append(seconds_between(data["started_at"], scene.started_at))
        errors.append(abs(data["total_duration_sec"] - length_sec))
        ended = datetime.fromisoformat(data["recovered_at"])
        errors.append(abs((ended - scene.ended_at).total_seconds()))
    return max(errors)


def _over(channel: Channel) -> list[SceneOnAir]:
    """Return the incidents whose end is on air: with recovery and the last segment, 4 s later."""
    position_sec = channel.position_sec
    return [scene for _, scene in incidents(channel) if scene.end_sec + 4.0 <= position_sec]


def _over_since(channel: Channel, at: float) -> list[SceneOnAir]:
    return [scene for scene in _over(channel) if scene.started_at.timestamp() > at]


def _is_told_and_goes_on(env: ChaosEnvironment, name: str) -> bool:
    channel, types = env.origin[name], env.receiver.types(name)
    is_told = types[-1:] and types[-1] in ALERTS.values()
    begun = incidents(channel)
    return bool(is_told and begun and begun[-1][1].end_sec - channel.position_sec >= 1.0)
