"""A long life of `stream-tracker up`: every part dies once, and so does the whole."""

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from cli.generated_keys import KEY_NAMES
from simulator.origin import Channel, ChannelOptions
from tests.testkit.children import Child, Finished, alive
from tests.testkit.embedded import PORTS, READY, STOP_SEC, Embedded, strike
from tests.testkit.ports import free_port
from tests.testkit.programmes import EAGER, SMALL, rendered, seconds_between
from tests.testkit.receiver import Received
from tests.testkit.rest import Rest
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import answers, until, until_true

pytestmark = pytest.mark.timeout(240)

NAME = "home"
SCENES = (("normal", 6.0), ("black", 24.0), ("normal", 14.0), ("silent", 30.0), ("normal", 60.0))
EXPECTED = [
    "stream.started",
    "alert.blackout",
    "alert.blackout_recovered",
    "alert.silence",
    "alert.silence_recovered",
]
FRAME_SEC = 0.1
CRASHES = 3


@dataclass(frozen=True)
class Life:
    """What was seen of two starts on the same folder.

    Attributes:
        banner: what the first start printed.
        refused: a second start while the first one ran.
        code: of the first start after SIGTERM.
        orphans: processes that outlived each of the two.
        crashes: what starts said that came right after a kill -9 of the last one.
        active_again: the monitor's status right after the second start.
        starts: when the faults began.
    """

    banner: str
    keys: dict[str, str]
    key_mode: int
    refused: Finished
    code: int | None
    orphans: list[list[psutil.Process]]
    crashes: list[str]
    active_again: str
    starts: dict[str, Any]
    events: list[Received]
    condition: dict[str, Any]
    audit: list[dict[str, Any]]


async def SCENARIO(runner: ScenarioRunner) -> Life:  # noqa: N802
    """Start, crash each part, stop, start again, crash the whole."""
    programme = await rendered(runner.cache, SMALL, *SCENES)
    embedded = Embedded(runner.folder / "embedded")
    first = await embedded.up()
    runner.receiver.keys.append(embedded.keys["WEBHOOK_SIGNING_KEY"])
    options = ChannelOptions(window_segments=25, backlog_segments=1)
    channel = runner.origin.add(NAME, programme, options=options)
    try:
        async with embedded.rest() as rest:
            monitor_id = await rest.create(channel.url, runner.receiver.url(NAME), EAGER)
            refused = await _start_beside(embedded)
            await _crash_every_part(runner, first, embedded)
            await runner.receiver.until(NAME, "alert.silence")
        family = first.descendants()
        await first.stop(within_sec=STOP_SEC)
        orphans = [alive(family)]
    finally:
        first.discard()
    second = await embedded.up()
    try:
        async with embedded.rest() as rest:
            active_again = (await rest.show(monitor_id))["status"]
            await runner.receiver.until(NAME, "alert.silence_recovered")
            audit = await rest.until_audited(monitor_id, len(EXPECTED))
            condition = await _measured_further(rest, monitor_id, channel)
        orphans.append(await _orphans_of_a_crash(second))
    finally:
        second.discard()
    crashes = await _crash_again_and_again(embedded)
    return Life(
        banner=first.said,
        keys=embedded.keys,
        key_mode=stat.S_IMODE((embedded.data / "keys.env").stat().st_mode),
        refused=refused,
        code=first.code,
        orphans=orphans,
        crashes=crashes,
        active_again=active_again,
        starts={each.scene.kind: each.started_at for each in channel.scenes_on_air()},
        events=runner.receiver.events(NAME),
        condition=condition,
        audit=audit,
    )


async def _crash_again_and_again(embedded: Embedded) -> list[str]:
    """Kill the whole as soon as it is ready, and start it at once."""
    said = []
    for _ in range(CRASHES):
        up = await embedded.up()
        said.append(up.said)
        family = up.descendants()
        await up.kill()
    await until_true(lambda: not alive(family), f"the end of {family}", within_sec=STOP_SEC)
    return said


async def _start_beside(embedded: Embedded) -> Finished:
    return await embedded.fail_to_start(**{name: str(free_port()) for name in PORTS})


async def _crash_every_part(runner: ScenarioRunner, up: Child, embedded: Embedded) -> None:
    """Kill the worker in the middle of an incident, then the others, each once all is well."""
    await runner.receiver.until(NAME, "alert.blackout")
    await strike(up, "worker")
    await _until_ready(embedded, "HEALTH_PORT")
    await strike(up, "temporal")
    await _until_ready(embedded, "PORT")
    await strike(up, "gateway")
    await _until_ready(embedded, "PORT")


async def _until_ready(embedded: Embedded, port: str) -> None:
    url = f"http://127.0.0.1:{embedded.variables[port]}/readyz"
    await until(lambda: answers(url), f"readiness at {port}")


async def _measured_further(rest: Rest, monitor_id: str, channel: Channel) -> dict[str, Any]:
    """Return the monitor's condition once it knows of what is on air now."""
    aired = len(channel.published)

    async def caught_up() -> dict[str, Any] | None:
        condition = await rest.show(monitor_id)
        statistics = condition["statistics"]
        return condition if statistics["total_segments_analyzed"] >= aired else None

    return await until(caught_up, f"{aired} segments measured")


async def _orphans_of_a_crash(up: Child) -> list[psutil.Process]:
    family = up.descendants()
    await up.kill()
    await until_true(lambda: not alive(family), f"the end of {family}", within_sec=STOP_SEC)
    return alive(family)


def _data(events: Sequence[Received], event_type: str) -> dict[str, Any]:
    data: dict[str, Any] = next(
        each.event["data"] for each in events if each.event_type == event_type
    )
    return data


def test_keys_are_made_kept_for_the_owner_alone_and_printed(seen: Life) -> None:
    assert set(seen.keys) == set(KEY_NAMES)
    assert seen.key_mode == 0o600
    for name, value in seen.keys.items():
        assert f"{name}={value}" in seen.banner


def test_a_second_instance_on_the_same_data_is_refused(seen: Life) -> None:
    assert seen.refused.code == 1
    (line,) = seen.refused.err.splitlines()
    assert line.startswith("DATA_DIR: ")
    assert "in use" in line


def test_exactly_the_scripted_incidents_survive_the_death_of_every_part(seen: Life) -> None:
    assert [each.event_type for each in seen.events] == EXPECTED
    statistics = seen.condition["statistics"]
    assert statistics["blackout_events"] == statistics["silence_events"] == 1
    assert statistics["segments_failed"] == 0


@pytest.mark.parametrize(("kind", "alert"), [("black", "blackout"), ("silent", "silence")])
def test_incidents_keep_their_true_start_and_length(seen: Life, kind: str, alert: str) -> None:
    closed = _data(seen.events, f"alert.{alert}_recovered")
    assert seconds_between(closed["started_at"], seen.starts[kind]) <= FRAME_SEC
    assert closed["total_duration_sec"] == pytest.approx(dict(SCENES)[kind], abs=FRAME_SEC)


def test_sigterm_stops_everything(seen: Life) -> None:
    assert seen.code == 0
    assert seen.orphans[0] == []


def test_the_next_start_goes_on_with_the_monitor(seen: Life) -> None:
    assert seen.active_again == "monitoring"
    assert seen.condition["statistics"]["segments_missed"] == 0
    assert seen.condition["source"] == "workflow"


def test_the_store_knows_every_event_in_the_end(seen: Life) -> None:
    assert [each["event_type"] for each in seen.audit] == EXPECTED
    assert {each["webhook_status"] for each in seen.audit} == {"sent"}


def test_no_child_outlives_a_killed_parent(seen: Life) -> None:
    assert seen.orphans[1] == []


def test_a_start_right_after_a_crash_finds_its_ports_free(seen: Life) -> None:
    assert len(seen.crashes) == CRASHES
    assert all(READY in said for said in seen.crashes)
