"""What a crash or an outage left behind is mended."""

from datetime import UTC, datetime, timedelta

import pytest

from api.engine import EngineUnavailable, StartUnconfirmed
from api.metrics import GatewayMetrics
from api.monitors.creation import LAUNCH_LIMIT
from api.monitors.launch import Launcher
from api.reconciler import KEYS_KEPT, QUIET, Reconciler
from api.store.records import IdempotencyKey
from monitors.status import MonitorStatus
from tests.api.running import Running


def reconciler_after(gateway: Running, delay: timedelta) -> Reconciler:
    """Return a reconciler whose clock is ahead."""

    def now() -> datetime:
        return datetime.now(UTC) + delay

    launcher = Launcher(gateway.store, gateway.engine, GatewayMetrics(), now)
    return Reconciler(gateway.store, gateway.engine, launcher, now)


async def unconfirmed(gateway: Running) -> str:
    gateway.engine.start_error = StartUnconfirmed("no answer")
    monitor_id = await gateway.created_id(metadata={"a": 1})
    gateway.engine.start_error = None
    return monitor_id


async def test_a_monitor_whose_workflow_nobody_confirmed_is_started(gateway: Running) -> None:
    monitor_id = await unconfirmed(gateway)
    later = reconciler_after(gateway, LAUNCH_LIMIT)
    await later.round()
    await later.round()
    (order,) = gateway.engine.started
    assert (order.monitor_id, order.metadata) == (monitor_id, {"a": 1})
    record = await gateway.store.monitors.find(monitor_id)
    assert record
    assert record.workflow_started_at


async def test_a_creation_under_way_is_left_alone(gateway: Running) -> None:
    await unconfirmed(gateway)
    await reconciler_after(gateway, timedelta()).round()
    assert gateway.engine.started == []


async def test_a_stopped_monitor_is_not_started(gateway: Running) -> None:
    monitor_id = await unconfirmed(gateway)
    await gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    await reconciler_after(gateway, LAUNCH_LIMIT).round()
    assert gateway.engine.started == []


async def test_a_monitor_is_kept_while_the_engine_is_away(gateway: Running) -> None:
    monitor_id = await unconfirmed(gateway)
    gateway.engine.start_error = EngineUnavailable("down")
    with pytest.raises(EngineUnavailable):
        await reconciler_after(gateway, LAUNCH_LIMIT).round()
    assert await gateway.store.monitors.find(monitor_id)


async def test_a_monitor_whose_workflow_vanished_ends_in_error(gateway: Running) -> None:
    gone = await gateway.created_id()
    quiet = await gateway.created_id(stream_url="https://media.example/quiet.m3u8")
    gateway.engine.over = {gone}
    later = reconciler_after(gateway, QUIET + timedelta(seconds=1))
    await later.round()
    shown = await gateway.show(gone)
    assert (shown["status"], shown["error_reason"]) == ("error", "workflow_gone")
    record = await gateway.store.monitors.find(quiet)
    assert record
    assert record.status is MonitorStatus.INITIALIZING


async def test_old_idempotency_keys_are_forgotten(gateway: Running) -> None:
    headers = {"Idempotency-Key": "order-1"}
    body = {"stream_url": "https://h/x.m3u8", "callback_url": "https://h/"}
    await gateway.client.post("/api/v1/monitors", json=body, headers=headers)
    assert await gateway.store.creation.forget_keys(created_before=datetime.now(UTC)) == 1
    assert timedelta(hours=24) <= KEYS_KEPT
    assert await gateway.store.creation.earlier(IdempotencyKey("x", "y")) is None
