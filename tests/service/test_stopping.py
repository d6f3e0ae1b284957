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
from tests.testkit.house import House
from tests.testkit.programmes import EAGER, SMALL, rendered
from tests.testkit.stage import Stage
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


async def SCENARIO(stage: Stage) -> Stops:  # noqa: N802
    """Watch two endless streams and stop each in its own way."""
    house = await stage.house()
    programme = await rendered(stage.cache, SMALL, ("normal", 20))
    for name in ("signalled", "deleted"):
        stage.origin.add(name, programme)
    (looks, signalled), (deleted, again) = await asyncio.gather(
        _signal_one(stage, house), _delete_one(stage, house)
    )
    return Stops(looks=looks, signalled=signalled, deleted=deleted, again=again)


async def _signal_one(stage: Stage, house: House) -> tuple[Looks, Stopped]:
    monitor_id = await _watched(stage, house, "signalled")
    looks = await _look(house, monitor_id)
    which = ("--workflow-id", monitor_id)
    told = await house.temporal_cli("workflow", "signal", *which, "--name", "stop")
    return looks, await _stopped(stage, house, "signalled", monitor_id, [told.code])


async def _delete_one(stage: Stage, house: House) -> tuple[Stopped, str]:
    monitor_id = await _watched(stage, house, "deleted")
    answers = [await house.rest.stop(monitor_id), await house.rest.stop(monitor_id)]
    stopped = await _stopped(stage, house, "deleted", monitor_id, answers)
    again = await _watched(stage, house, "deleted")
    await house.rest.stop(again)
    return stopped, again


async def _watched(stage: Stage, house: House, name: str) -> str:
    monitor_id = await house.rest.create(stage.origin[name].url, stage.receiver.url(name), EAGER)

    async def measured() -> bool:
        shown = await house.rest.show(monitor_id)
        return bool(shown["statistics"]["total_segments_analyzed"])

    await until(measured, f"segments of {name}")
    return monitor_id


async def _look(house: House, monitor_id: str) -> Looks:
    which = ("--workflow-id", monitor_id, "--type", "snapshot", "--output", "json")
    handle = house.client.get_workflow_handle(monitor_id)
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return Looks(
        snapshot=await house.temporal_cli("workflow", "query", *which),
        details=metadata.current_details,
        summary=await (await handle.describe()).static_summary() or "",
    )


async def _stopped(
    stage: Stage, house: House, name: str, monitor_id: str, answers: list[Any]
) -> Stopped:
    """Wait until the monitor has stopped and nobody asks for its stream any more."""
    handle = house.client.get_workflow_handle(monitor_id)

    async def closed() -> WorkflowExecutionStatus | None:
        status = (await handle.describe()).status
        return None if status is WorkflowExecutionStatus.RUNNING else status

    def is_quiet() -> bool:
        return time.time() - stage.origin.requests(name)[-1].at > QUIET_SEC

    status = await until(closed, f"the end of {name}'s workflow", within_sec=15)
    await until_true(is_quiet, f"silence at {name}", within_sec=2 * QUIET_SEC)
    final = await house.rest.until_status(monitor_id, "stopped")
    return Stopped(answers, status, final, stage.receiver.types(name))


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
