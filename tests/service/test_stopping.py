"""Stopping a monitor: by Temporal's own command, and by DELETE."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowExecutionStatus

from tests.testkit.children import Finished
from tests.testkit.harness import ServiceHarness
from tests.testkit.programmes import EAGER, SMALL, rendered
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import until, until_true

pytestmark = pytest.mark.timeout(240)

QUIET_SEC = 5.0
"""A stream of 2 s segments that nobody asked for this long is not watched any more."""


@dataclass(frozen=True)
class Looks:
    """What Temporal shows of a running monitor."""

    snapshot: Finished
    details: str
    summary: str


@dataclass(frozen=True)
class Stopped:
    """What became of a monitor that was stopped."""

    answers: list[Any]
    workflow: WorkflowExecutionStatus | None
    final: dict[str, Any]
    types: list[str]


@dataclass(frozen=True)
class Stops:
    """Both ways to stop."""

    looks: Looks
    signalled: Stopped
    deleted: Stopped
    again: str


async def SCENARIO(runner: ScenarioRunner) -> Stops:  # noqa: N802
    """Watch two endless streams and stop each in its own way."""
    harness = await runner.harness()
    programme = await rendered(runner.cache, SMALL, ("normal", 20))
    for name in ("signalled", "deleted"):
        runner.origin.add(name, programme)
    (looks, signalled), (deleted, again) = await asyncio.gather(
        _signal_one(runner, harness), _delete_one(runner, harness)
    )
    return Stops(looks=looks, signalled=signalled, deleted=deleted, again=again)


async def _signal_one(runner: ScenarioRunner, harness: ServiceHarness) -> tuple[Looks, Stopped]:
    monitor_id = await _watched(runner, harness, "signalled")
    looks = await _look(harness, monitor_id)
    which = ("--workflow-id", monitor_id)
    told = await harness.temporal_cli("workflow", "signal", *which, "--name", "stop")
    return looks, await _stopped(runner, harness, "signalled", monitor_id, [told.code])


async def _delete_one(runner: ScenarioRunner, harness: ServiceHarness) -> tuple[Stopped, str]:
    monitor_id = await _watched(runner, harness, "deleted")
    answers = [await harness.rest.stop(monitor_id), await harness.rest.stop(monitor_id)]
    stopped = await _stopped(runner, harness, "deleted", monitor_id, answers)
    again = await _watched(runner, harness, "deleted")
    await harness.rest.stop(again)
    return stopped, again


async def _watched(runner: ScenarioRunner, harness: ServiceHarness, name: str) -> str:
    monitor_id = await harness.rest.create(
        runner.origin[name].url, runner.receiver.url(name), EAGER
    )

    async def measured() -> bool:
        shown = await harness.rest.show(monitor_id)
        return bool(shown["statistics"]["total_segments_analyzed"])

    await until(measured, f"segments of {name}")
    return monitor_id


async def _look(harness: ServiceHarness, monitor_id: str) -> Looks:
    which = ("--workflow-id", monitor_id, "--type", "snapshot", "--output", "json")
    handle = harness.client.get_workflow_handle(monitor_id)
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return Looks(
        snapshot=await harness.temporal_cli("workflow", "query", *which),
        details=metadata.current_details,
        summary=await (await handle.describe()).static_summary() or "",
    )


async def _stopped(
    runner: ScenarioRunner, harness: ServiceHarness, name: str, monitor_id: str, answers: list[Any]
) -> Stopped:
    """Wait until the monitor has stopped and nobody asks for its stream any more."""
    handle = harness.client.get_workflow_handle(monitor_id)

    async def closed() -> WorkflowExecutionStatus | None:
        status = (await handle.describe()).status
        return None if status is WorkflowExecutionStatus.RUNNING else status

    def is_quiet() -> bool:
        return time.time() - runner.origin.requests(name)[-1].at > QUIET_SEC

    status = await until(closed, f"the end of {name}'s workflow", within_sec=15)
    await until_true(is_quiet, f"silence at {name}", within_sec=2 * QUIET_SEC)
    final = await harness.rest.until_status(monitor_id, "stopped")
    return Stopped(answers, status, final, runner.receiver.types(name))


def test_the_query_tells_a_monitors_condition(seen: Stops) -> None:
    assert seen.looks.snapshot.code == 0, seen.looks.snapshot.err
    answer = json.loads(seen.looks.snapshot.out)
    snapshot = answer["queryResult"][0]
    assert snapshot["status"] == "monitoring"
    assert snapshot["stream_status"] == "live"
    assert snapshot["doing"] == "Watching the stream"


def test_the_web_ui_says_in_plain_words_what_is_going_on(seen: Stops) -> None:
    assert seen.looks.details == "Watching the stream"
    assert seen.looks.summary.startswith("http://127.0.0.1:")


def test_the_stop_signal_of_temporals_own_command_stops_a_monitor(seen: Stops) -> None:
    assert seen.signalled.answers == [0]
    assert seen.signalled.workflow is WorkflowExecutionStatus.COMPLETED
    assert seen.signalled.final["status"] == "stopped"


def test_delete_stops_a_monitor_and_says_the_same_again(seen: Stops) -> None:
    first, second = seen.deleted.answers
    assert first["status"] == "stopped"
    assert first == second
    assert seen.deleted.workflow is WorkflowExecutionStatus.CANCELED


def test_a_stopped_monitor_sends_no_alert(seen: Stops) -> None:
    assert seen.signalled.types == ["stream.started"]


def test_a_stopped_stream_may_be_watched_again(seen: Stops) -> None:
    assert seen.again != seen.deleted.final["monitor_id"]
    assert seen.deleted.types == ["stream.started"]
