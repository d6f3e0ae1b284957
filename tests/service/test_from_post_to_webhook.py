"""One stream with every fault, from the POST to the last signed webhook."""

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.origin import AtEnd, Change, ChannelOptions, SceneOnAir
from tests.testkit.harness import ServiceHarness
from tests.testkit.programmes import EAGER, SHORT, rendered, seconds_between
from tests.testkit.receiver import Received
from tests.testkit.rest import Rest
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import until

pytestmark = pytest.mark.timeout(240)

NAME = "whole"
SCENES = (
    ("normal", 5.0),
    ("black", 6.0),
    ("normal", 4.0),
    ("silent", 6.0),
    ("normal", 4.0),
    ("frozen", 8.0),
    ("normal", 7.0),
)
STALL = Change(kind="stall", at_sec=37, for_sec=8)
METADATA = {"channel": "news", "nested": {"list": [1, None, "é"]}}

EXPECTED = [
    "stream.started",
    "alert.blackout",
    "alert.blackout_recovered",
    "alert.silence",
    "alert.silence_recovered",
    "alert.freeze",
    "alert.freeze_recovered",
    "stream.suspended",
    "stream.resumed",
    "stream.ended",
]
FAULTS = [
    pytest.param("black", "blackout", id="blackout"),
    pytest.param("silent", "silence", id="silence"),
    pytest.param("frozen", "freeze", id="freeze"),
]
FRAME_SEC = 0.1


@dataclass(frozen=True)
class Story:
    """What was seen of one monitor.

    Attributes:
        statuses: that it went through, as its API said.
        scenes: the faulty ones, by kind.
        listed: what Temporal's list shows of it during the blackout.
        final: its condition at the end.
    """

    monitor_id: str
    statuses: list[str]
    scenes: dict[str, SceneOnAir]
    last_before_stall: datetime
    received: list[Received]
    requests: int
    listed: dict[str, Any]
    audit: list[dict[str, Any]]
    final: dict[str, Any]

    def data(self, event_type: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            each.event["data"] for each in self.received if each.event_type == event_type
        )
        return found


async def SCENARIO(runner: ScenarioRunner) -> Story:  # noqa: N802
    """Register a stream that is not there yet, put it on air, watch it to its end."""
    harness = await runner.harness()
    programme = await rendered(runner.cache, SHORT, *SCENES)
    url = f"{runner.origin.base_url}/live/{NAME}/index.m3u8"
    monitor_id = await harness.rest.create(url, runner.receiver.url(NAME), EAGER, metadata=METADATA)
    statuses: list[str] = []
    looking = asyncio.create_task(_note_statuses(harness.rest, monitor_id, statuses))
    await until(lambda: _is_noted("waiting", statuses), "a monitor that waits")
    options = ChannelOptions(at_end=AtEnd.END, backlog_segments=2, window_segments=20)
    channel = runner.origin.add(NAME, programme, options=options, changes=[STALL])
    await runner.receiver.until(NAME, "alert.blackout")
    listed = await _listed(harness, monitor_id)
    await runner.receiver.until(NAME, "stream.ended")
    await looking
    return Story(
        monitor_id=monitor_id,
        statuses=statuses,
        scenes={each.scene.kind: each for each in channel.scenes_on_air()},
        last_before_stall=channel.available_at(36.5),
        received=runner.receiver.events(NAME),
        requests=len(runner.receiver.requests(NAME)),
        listed=listed,
        audit=await harness.rest.until_audited(monitor_id, len(EXPECTED)),
        final=await harness.rest.show(monitor_id),
    )


async def _note_statuses(rest: Rest, monitor_id: str, statuses: list[str]) -> None:
    while not statuses or statuses[-1] not in ("completed", "stopped", "error"):
        status = (await rest.show(monitor_id))["status"]
        if status not in statuses[-1:]:
            statuses.append(status)
        await asyncio.sleep(0.1)


async def _is_noted(status: str, statuses: list[str]) -> bool:
    return status in statuses


async def _listed(harness: ServiceHarness, monitor_id: str) -> dict[str, Any]:
    """Return the search attributes of the monitor that Temporal finds by its bad picture."""
    query = "WorkflowType = 'MonitorWorkflow' AND VideoHealth = 'error'"

    async def found() -> dict[str, Any] | None:
        async for each in harness.client.list_workflows(query):
            if each.id == monitor_id:
                return {pair.key.name: pair.value for pair in each.typed_search_attributes}
        return None

    return await until(found, "the monitor in Temporal's list")


def test_every_fault_arrives_exactly_once_and_in_order(seen: Story) -> None:
    assert [each.event_type for each in seen.received] == EXPECTED
    assert seen.requests == len(EXPECTED)
    assert [each.event["sequence"] for each in seen.received] == list(range(1, 11))


def test_every_webhook_is_signed(seen: Story, runner: ScenarioRunner) -> None:
    assert not runner.receiver.problems
    assert all(each.headers["user-agent"].startswith("stream-tracker/") for each in seen.received)


def test_every_webhook_says_which_monitor_it_is_about(seen: Story) -> None:
    for received in seen.received:
        assert received.event["monitor_id"] == seen.monitor_id
        assert received.event["stream_url"].endswith(f"/live/{NAME}/index.m3u8")
        assert received.event["metadata"] == METADATA


@pytest.mark.parametrize(("kind", "alert"), FAULTS)
def test_a_fault_starts_with_its_first_frame(seen: Story, kind: str, alert: str) -> None:
    scene = seen.scenes[kind]
    opened, closed = seen.data(f"alert.{alert}"), seen.data(f"alert.{alert}_recovered")
    assert seconds_between(opened["started_at"], scene.started_at) <= FRAME_SEC
    assert closed["started_at"] == opened["started_at"]
    assert seconds_between(closed["recovered_at"], scene.ended_at) <= FRAME_SEC
    length_sec = scene.end_sec - scene.start_sec
    assert closed["total_duration_sec"] == pytest.approx(length_sec, abs=FRAME_SEC)


@pytest.mark.parametrize(("kind", "alert"), FAULTS)
def test_an_alert_names_its_threshold_and_the_segment_that_reached_it(
    seen: Story, kind: str, alert: str
) -> None:
    opened = seen.data(f"alert.{alert}")
    threshold_sec = EAGER[f"{alert}_threshold_sec"]
    reached_at = int(seen.scenes[kind].start_sec + threshold_sec)
    assert opened["threshold_sec"] == threshold_sec
    assert opened["duration_sec"] >= threshold_sec - FRAME_SEC
    assert opened["segment_info"]["sequence"] in (reached_at - 1, reached_at)


def test_a_stall_is_dated_by_the_last_segment(seen: Story) -> None:
    told = seen.data("stream.suspended")["last_segment_at"]
    assert seconds_between(told, seen.last_before_stall) < STALL.for_sec / 2
    assert seen.data("stream.resumed")["suspended_sec"] == pytest.approx(
        STALL.for_sec + 1, abs=STALL.for_sec / 2
    )


def test_an_endlist_is_the_reason_of_the_end(seen: Story) -> None:
    assert seen.data("stream.ended") == {"reason": "endlist_detected"}


def test_a_monitor_waits_then_monitors_then_completes(seen: Story) -> None:
    statuses = [each for each in seen.statuses if each != "initializing"]
    assert statuses == ["waiting", "monitoring", "completed"]


def test_the_audit_knows_each_event_as_it_was_sent(seen: Story) -> None:
    assert [each["payload"] for each in seen.audit] == [each.event for each in seen.received]
    assert {each["webhook_status"] for each in seen.audit} == {"sent"}
    assert {each["webhook_attempts"] for each in seen.audit} == {1}


def test_what_was_measured_stays_known(seen: Story) -> None:
    statistics = seen.final["statistics"]
    counters = {name: statistics[f"{name}_events"] for name in ("blackout", "silence", "freeze")}
    assert counters == {"blackout": 1, "silence": 1, "freeze": 1}
    assert statistics["suspended_events"] == 1
    assert statistics["total_segments_analyzed"] == 40
    assert statistics["segments_missed"] == statistics["segments_failed"] == 0
    assert seen.final["stream_status"] == "ended"
    assert seen.final["source"] == "store"
    assert datetime.fromisoformat(seen.final["finished_at"]) <= datetime.now(UTC)


def test_operators_find_a_monitor_by_its_condition(seen: Story) -> None:
    key = seen.listed.pop("StreamKey")
    assert re.fullmatch(r"url:127\.0\.0\.1:\d+#[0-9a-f]{32}", key)
    assert seen.listed["MonitorStatus"] == "monitoring"
    assert seen.listed["StreamStatus"] == "live"
    assert seen.listed["VideoHealth"] == "error"
