"""What a crash or an outage left behind is repaired; what is old goes."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from activities.declarations import ReconciliationReport
from api.monitor_engine import EngineUnavailable, StartUnconfirmed
from api.monitors.creation import LAUNCH_LIMIT
from api.monitors.launcher import Launcher
from api.reconciler import IDEMPOTENCY_KEYS_KEPT, STALE_AFTER, Reconciler
from api.store.insertion import IdempotencyKey
from api.store.reconciliation import IDEMPOTENCY_KEYS
from monitors.random_ids import new_monitor_id
from monitors.status import MonitorStatus
from tests.testkit.events import event, put_event
from tests.testkit.gateway import Running, running_gateway
from workflows.messages import MonitorResult

RETENTION = timedelta(days=30)
NOTHING = ReconciliationReport()


def reconciler_after(gateway: Running, delay: timedelta) -> Reconciler:
    """Return a reconciler whose clock is ahead."""

    def now() -> datetime:
        return datetime.now(UTC) + delay

    metrics = gateway.gateway.metrics
    launcher = Launcher(gateway.store, gateway.engine, metrics, now, b"seal")
    return Reconciler(
        gateway.store,
        gateway.engine,
        launcher,
        gateway.gateway.waker,
        gateway.gateway.cleanup,
        metrics,
        retention=RETENTION,
        now=now,
    )


async def unconfirmed(gateway: Running) -> str:
    gateway.engine.start_error = StartUnconfirmed("no answer")
    monitor_id = await gateway.created_id(metadata={"a": 1})
    gateway.engine.start_error = None
    return monitor_id


def end(status: MonitorStatus, reason: str | None = None) -> MonitorResult:
    return MonitorResult(
        status=status, events_sent=0, events_failed=0, error_reason=reason, error_message=reason
    )


async def test_a_monitor_whose_workflow_nobody_confirmed_is_started_once(gateway: Running) -> None:
    monitor_id = await unconfirmed(gateway)
    later = reconciler_after(gateway, LAUNCH_LIMIT)
    assert await later.start_unconfirmed() == 1
    assert await later.run_round() == NOTHING
    (order,) = gateway.engine.started
    assert (order.monitor_id, order.metadata) == (monitor_id, {"a": 1})
    record = await gateway.store.monitors.find(monitor_id)
    assert record
    assert record.workflow_started_at


async def test_a_creation_under_way_is_left_alone(gateway: Running) -> None:
    await unconfirmed(gateway)
    assert await reconciler_after(gateway, timedelta()).run_round() == NOTHING
    assert gateway.engine.started == []


async def test_a_stopped_monitor_is_not_started(gateway: Running) -> None:
    monitor_id = await unconfirmed(gateway)
    await gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    await reconciler_after(gateway, LAUNCH_LIMIT).run_round()
    assert gateway.engine.started == []


async def test_a_monitor_is_kept_while_the_engine_is_away(gateway: Running) -> None:
    monitor_id = await unconfirmed(gateway)
    gateway.engine.start_error = EngineUnavailable("down")
    with pytest.raises(EngineUnavailable):
        await reconciler_after(gateway, LAUNCH_LIMIT).run_round()
    assert await gateway.store.monitors.find(monitor_id)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        pytest.param(MonitorStatus.COMPLETED, None, id="ended without a report"),
        pytest.param(MonitorStatus.STOPPED, None, id="cancelled"),
        pytest.param(MonitorStatus.ERROR, "workflow_gone", id="vanished"),
    ],
)
async def test_a_monitor_takes_the_end_of_its_workflow(
    gateway: Running, status: MonitorStatus, reason: str | None
) -> None:
    gone = await gateway.created_id()
    quiet = await gateway.created_id(stream_url="https://media.example/quiet.m3u8")
    gateway.engine.ends[gone] = end(status, reason)
    later = reconciler_after(gateway, STALE_AFTER + timedelta(seconds=1))
    assert await later.run_round() == ReconciliationReport(ended=1)
    assert await later.run_round() == NOTHING
    shown = await gateway.show(gone)
    assert (shown["status"], shown["error_reason"]) == (status, reason)
    record = await gateway.store.monitors.find(quiet)
    assert record
    assert record.status is MonitorStatus.INITIALIZING


async def test_a_monitor_that_reported_just_now_is_not_judged(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    gateway.engine.ends[monitor_id] = end(MonitorStatus.COMPLETED)
    assert await reconciler_after(gateway, timedelta()).run_round() == NOTHING


async def test_a_workflow_without_a_monitor_is_stopped_and_no_other(gateway: Running) -> None:
    known, ended = await gateway.created_id(), await gateway.created_id(stream_url="https://h/2")
    await gateway.report(ended, "completed", datetime.now(UTC).isoformat())
    stray = new_monitor_id()
    gateway.engine.also_running = {stray, "mon-of-somebody-else"}
    gateway.engine.strangers = {new_monitor_id()}
    report = await reconciler_after(gateway, timedelta()).run_round()
    assert report == ReconciliationReport(stopped=1)
    assert gateway.engine.cancelled == [stray]
    assert (await gateway.show(known))["status"] == "initializing"


async def test_a_monitor_that_another_gateway_creates_meanwhile_runs_on(gateway: Running) -> None:
    """Its row is there before its workflow, so whoever sees the workflow finds the row."""
    reconciler = reconciler_after(gateway, timedelta())
    creations = [
        asyncio.create_task(gateway.created_id(stream_url=f"https://media.example/{number}"))
        for number in range(10)
    ]
    rounds = 0
    while not all(creation.done() for creation in creations):
        await reconciler.run_round()
        rounds += 1
    assert rounds
    assert gateway.engine.cancelled == []


async def test_what_is_older_than_the_retention_goes_and_nothing_else(gateway: Running) -> None:
    old = await gateway.created_id(stream_url="https://media.example/old")
    new = await gateway.created_id(stream_url="https://media.example/new")
    for monitor_id in (old, new):
        await put_event(gateway, monitor_id, event(monitor_id, 1))
    await gateway.report(old, "completed", datetime.now(UTC).isoformat())
    gateway.engine.ends[old] = end(MonitorStatus.COMPLETED)
    just_kept = reconciler_after(gateway, RETENTION - timedelta(minutes=1))
    assert await just_kept.run_round() == NOTHING
    later = reconciler_after(gateway, RETENTION + timedelta(minutes=1))
    assert await later.run_round() == ReconciliationReport(forgotten_monitors=1, forgotten_events=1)
    assert await later.run_round() == NOTHING
    assert await gateway.store.monitors.find(old) is None
    assert await gateway.store.monitors.find(new)


async def test_old_idempotency_keys_are_forgotten(gateway: Running) -> None:
    headers = {"Idempotency-Key": "order-1"}
    body = {"stream_url": "https://h/x.m3u8", "callback_url": "https://h/"}
    await gateway.client.post("/api/v1/monitors", json=body, headers=headers)
    assert await gateway.store.reconciliation.remove(IDEMPOTENCY_KEYS, datetime.now(UTC), 10) == 1
    assert timedelta(hours=24) <= IDEMPOTENCY_KEYS_KEPT
    assert await gateway.store.insertion.find_by_idempotency_key(IdempotencyKey("x", "y")) is None


async def test_a_worker_has_it_done_and_it_is_counted(light_gateway: Running) -> None:
    light_gateway.engine.also_running = {new_monitor_id()}
    answer = await light_gateway.worker.post("/internal/v1/reconcile")
    assert answer.status_code == 200
    assert answer.json()["stopped"] == 1
    metrics = (await light_gateway.client.get("/metrics")).text
    assert 'stream_tracker_reconciled_total{what="stopped"} ' in metrics
    light_gateway.engine.error = EngineUnavailable("down")
    refused = await light_gateway.worker.post("/internal/v1/reconcile")
    assert refused.status_code == 503


async def test_a_starting_gateway_schedules_and_does_a_round(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url) as gateway:
        while (
            "stream_tracker_reconciliation_timestamp_seconds 0.0"
            in (await gateway.client.get("/metrics")).text
        ):
            await asyncio.sleep(0)
        assert gateway.engine.schedules == 1
