"""The engine against a real Temporal server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, ScheduleIntervalSpec, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from api.monitor_engine import (
        ChangeRefused,
        ChangeUnconfirmed,
        EngineNotReady,
        EngineUnavailable,
        NotRunning,
    )
    from api.temporal_engine import TemporalEngine
    from monitors.config import MonitorConfig
    from monitors.random_ids import new_monitor_id
    from monitors.status import MonitorStatus
    from tests.testkit.gateway import snapshot as made_snapshot
    from tests.testkit.ports import free_port
    from tests.testkit.temporal import connected, temporal_server
    from workflows import search_attributes
    from workflows.messages import (
        CHANGE_UPDATE,
        INVALID_CHANGE,
        SNAPSHOT_QUERY,
        TASK_QUEUE,
        WORKFLOW_TYPE,
        ChangeResult,
        MonitorChange,
        MonitorInput,
        MonitorResult,
        MonitorSnapshot,
    )
    from workflows.reconciliation import (
        RECONCILIATION_INTERVAL,
        RECONCILIATION_SCHEDULE,
        reconciliation_schedule,
    )

OURS = "our-database"


@workflow.defn(name=WORKFLOW_TYPE)
class PatientWorkflow:
    """Knows its order and waits to be cancelled."""

    @workflow.init
    def __init__(self, order: MonitorInput) -> None:
        self._order = order

    @workflow.run
    async def run(self, order: MonitorInput) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update(name=CHANGE_UPDATE)
    def change(self, change: MonitorChange) -> ChangeResult:
        config = MonitorConfig(**change.thresholds)
        return ChangeResult(config=config, metadata=self._order.metadata, changes=1)

    @change.validator
    def _validate_change(self, change: MonitorChange) -> None:
        if change.metadata:
            raise ApplicationError("not today", type=INVALID_CHANGE)

    @workflow.query(name=SNAPSHOT_QUERY)
    def snapshot(self) -> MonitorSnapshot:
        return made_snapshot(
            self._order.monitor_id, metadata=self._order.metadata, as_of=self._order.created_at
        )


@pytest.fixture
async def client(temporal_address: str) -> Client:
    return await connected(temporal_address)


@pytest.fixture
async def worker(client: Client) -> AsyncIterator[None]:
    async with Worker(client, task_queue=TASK_QUEUE, workflows=[PatientWorkflow]):
        yield


@pytest.fixture
def free_address() -> str:
    return f"127.0.0.1:{free_port()}"


def an_order(**fields: Any) -> MonitorInput:
    known: dict[str, Any] = {
        "monitor_id": new_monitor_id(),
        "stream_url": "https://media.example/live.m3u8?token=secret",
        "stream_key": "url:media.example/live.m3u8#0123456789abcdef",
        "callback_url": "https://receiver.example/hook",
        "callback_seal": "0123456789abcdef",
        "config": MonitorConfig(blackout_threshold_sec=7),
        "metadata": {"a": [1, {"b": None}]},
        "created_at": datetime.now(UTC),
        **fields,
    }
    return MonitorInput(**known)


async def test_a_started_monitor_shows_its_summary_and_attributes_without_secrets(
    client: Client,
) -> None:
    order = an_order(name="Studio 1")
    await TemporalEngine(client, OURS).start(order)
    described = await client.get_workflow_handle(order.monitor_id).describe()
    assert described.workflow_type == WORKFLOW_TYPE
    assert described.task_queue == TASK_QUEUE
    assert described.typed_search_attributes[search_attributes.MONITOR_NAME] == "Studio 1"
    assert described.typed_search_attributes[search_attributes.MONITOR_STATUS] == "initializing"
    assert described.typed_search_attributes[search_attributes.STREAM_KEY] == order.stream_key
    summary = await described.static_summary()
    assert summary == "Studio 1: https://media.example/live.m3u8"


async def test_starting_twice_is_one_monitor_even_after_it_ended(
    client: Client, worker: None
) -> None:
    engine, order = TemporalEngine(client, OURS), an_order()
    await engine.start(order)
    await engine.start(order)
    handle = client.get_workflow_handle(order.monitor_id)
    run_id = (await handle.describe()).run_id
    await handle.terminate()
    await engine.start(order)
    described = await handle.describe()
    assert (described.run_id, described.status) == (run_id, WorkflowExecutionStatus.TERMINATED)


async def test_a_long_stream_key_in_any_script_can_be_started(client: Client) -> None:
    await TemporalEngine(client, OURS).start(an_order(stream_key="url:" + "動" * 196))


async def test_a_snapshot_is_what_the_workflow_says(client: Client, worker: None) -> None:
    engine, order = TemporalEngine(client, OURS), an_order()
    await engine.start(order)
    while not (snapshot := await engine.snapshot(order.monitor_id)):
        pass  # the first question may go to a worker of an earlier test that is gone
    assert (snapshot.monitor_id, snapshot.metadata) == (order.monitor_id, order.metadata)
    assert snapshot.as_of == order.created_at


async def test_without_a_worker_or_a_workflow_there_is_no_snapshot(client: Client) -> None:
    engine, order = TemporalEngine(client, OURS), an_order()
    assert await engine.snapshot(order.monitor_id) is None
    await engine.start(order)
    assert await engine.snapshot(order.monitor_id) is None


async def test_a_cancelled_monitor_ends_stopped(client: Client, worker: None) -> None:
    engine, order = TemporalEngine(client, OURS), an_order()
    await engine.start(order)
    assert await engine.outcome(order.monitor_id) is None
    await engine.cancel(order.monitor_id)
    end = await ended(engine, order.monitor_id)
    assert (end.status, end.error_reason) == (MonitorStatus.STOPPED, None)
    await engine.cancel(order.monitor_id)
    assert await engine.snapshot(order.monitor_id) is None


async def ended(engine: TemporalEngine, monitor_id: str) -> MonitorResult:
    while not (end := await engine.outcome(monitor_id)):
        await asyncio.sleep(0.01)
    return end


async def test_a_terminated_or_unknown_workflow_is_an_error(client: Client) -> None:
    engine, order = TemporalEngine(client, OURS), an_order()
    unknown = await engine.outcome(order.monitor_id)
    assert unknown
    assert (unknown.status, unknown.error_reason) == (MonitorStatus.ERROR, "workflow_gone")
    await engine.start(order)
    await client.get_workflow_handle(order.monitor_id).terminate()
    end = await ended(engine, order.monitor_id)
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "workflow_terminated")


async def test_running_monitors_are_listed(client: Client) -> None:
    engine, order = TemporalEngine(client, OURS), an_order()
    await engine.start(order)
    while order.monitor_id not in await engine.running():
        await asyncio.sleep(0.05)
    await client.get_workflow_handle(order.monitor_id).terminate()
    while order.monitor_id in await engine.running():
        await asyncio.sleep(0.05)


async def test_monitors_of_another_database_are_none_of_ours(client: Client) -> None:
    ours, theirs = an_order(), an_order()
    await TemporalEngine(client, OURS).start(ours)
    await TemporalEngine(client, "their-database").start(theirs)
    await client.start_workflow(WORKFLOW_TYPE, id=(nobodys := new_monitor_id()), task_queue="none")
    ids = {ours.monitor_id, theirs.monitor_id, nobodys}
    engine = TemporalEngine(client, OURS)
    while not ids <= await engine.running():
        await asyncio.sleep(0.05)
    assert await engine.running_of_ours() & ids == {ours.monitor_id}
    for one in ids:
        await client.get_workflow_handle(one).terminate()


async def test_a_schedule_of_another_version_becomes_that_of_ours_and_stays_paused(
    client: Client,
) -> None:
    old = reconciliation_schedule()
    old.spec.intervals = [ScheduleIntervalSpec(every=timedelta(hours=7))]
    old.state.paused = True
    with contextlib.suppress(RPCError):  # that of a gateway of another test
        await client.get_schedule_handle(RECONCILIATION_SCHEDULE).delete()
    handle = await client.create_schedule(RECONCILIATION_SCHEDULE, old)
    try:
        await TemporalEngine(client, OURS).schedule_reconciliation()
        known = (await handle.describe()).schedule
        assert [one.every for one in known.spec.intervals] == [RECONCILIATION_INTERVAL]
        assert known.state.paused
    finally:
        await handle.delete()


async def test_an_engine_that_never_had_a_connection_says_so(free_address: str) -> None:
    client = await Client.connect(free_address, lazy=True, data_converter=pydantic_data_converter)
    engine = TemporalEngine(client, OURS)
    failures = await asyncio.gather(
        engine.ready(),
        engine.start(an_order()),
        engine.cancel(new_monitor_id()),
        engine.outcome(new_monitor_id()),
        engine.running(),
        engine.schedule_reconciliation(),
        engine.change(new_monitor_id(), MonitorChange()),
        engine.snapshot(new_monitor_id()),
        return_exceptions=True,
    )
    assert [type(failure) for failure in failures] == [
        EngineNotReady,
        *[EngineUnavailable] * 5,
        ChangeUnconfirmed,
        type(None),
    ]
    assert free_address not in str(failures[:-1])


async def test_cancelling_what_never_ran_is_a_success(client: Client) -> None:
    await TemporalEngine(client, OURS).cancel(new_monitor_id())


async def test_a_change_that_no_worker_takes_is_unconfirmed_and_can_be_asked_again(
    client: Client,
) -> None:
    engine, order = TemporalEngine(client, OURS), an_order()
    change = MonitorChange(thresholds={"recovery_sec": 9})
    with pytest.raises(NotRunning):
        await engine.change(order.monitor_id, change)
    await engine.start(order)
    with pytest.raises(ChangeUnconfirmed):
        await engine.change(order.monitor_id, change)
    async with Worker(client, task_queue=TASK_QUEUE, workflows=[PatientWorkflow]):
        assert (await engine.change(order.monitor_id, change)).config.recovery_sec == 9
        with pytest.raises(ChangeRefused, match="not today"):
            await engine.change(order.monitor_id, MonitorChange(metadata={"refuse": True}))


async def test_a_server_with_all_attributes_is_ready(client: Client) -> None:
    await TemporalEngine(client, OURS).ready()


async def test_missing_attributes_are_named_and_a_dead_server_is_reported_in_time() -> None:
    with temporal_server(attributes=("MonitorStatus", "StreamStatus")) as address:
        engine = TemporalEngine(await connected(address), OURS)
        with pytest.raises(EngineNotReady, match="VideoHealth, AudioHealth, StreamKey"):
            await engine.ready()
        with pytest.raises(EngineUnavailable):  # refused for certain: attributes are missing
            await engine.start(an_order())
    failures = await asyncio.gather(
        engine.ready(),
        engine.start(an_order()),
        engine.cancel(new_monitor_id()),
        engine.outcome(new_monitor_id()),
        engine.snapshot(new_monitor_id()),
        return_exceptions=True,
    )
    assert [type(failure) for failure in failures] == [
        EngineNotReady,
        *[EngineUnavailable] * 3,
        type(None),
    ]
