"""The gateway, a real Temporal server and the real workflows, with scripted activities."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow

from api.temporal_engine import DEPLOYMENT_MEMO, TemporalEngine
from monitors.random_ids import new_monitor_id
from monitors.status import MonitorStatus
from tests.api.workers import ScriptedStreams, terminate_all, workers
from tests.testkit.gateway import Running, running_gateway
from tests.testkit.temporal import connected
from workflows.messages import STOP_SIGNAL, WORKFLOW_TYPE, redelivery_id
from workflows.reconciliation import RECONCILIATION_SCHEDULE

OURS = "our-database"
WANTED = {"config": {"blackout_threshold_sec": 45}, "metadata": {"shift": "night"}}


@dataclass
class Service:
    """A gateway, workers, and the streams they watch."""

    gateway: Running
    client: Client
    streams: ScriptedStreams

    async def is_cancelled(self, monitor_id: str) -> bool:
        history = await self.client.get_workflow_handle(monitor_id).fetch_history()
        kinds = [event.event_type for event in history.events]
        return EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED in kinds

    async def until(self, monitor_id: str, field: str, value: Any) -> dict[str, Any]:
        while (shown := await self.gateway.show(monitor_id))[field] != value:
            await asyncio.sleep(0.05)
        return shown

    async def events(
        self, monitor_id: str, is_enough: Callable[[list[dict[str, Any]]], bool]
    ) -> list[dict[str, Any]]:
        while True:
            answer = await self.gateway.client.get(f"/api/v1/monitors/{monitor_id}/events")
            events: list[dict[str, Any]] = answer.json()["events"]
            if is_enough(events):
                return events
            await asyncio.sleep(0.05)


@pytest.fixture
async def service(sqlite_url: str, temporal_address: str) -> AsyncIterator[Service]:
    client, streams = await connected(temporal_address), ScriptedStreams()
    engine = TemporalEngine(client, OURS)
    await terminate_all(client)  # what other tests left behind
    async with (
        running_gateway(sqlite_url, engine=engine) as gateway,
        workers(client, streams, str(gateway.client.base_url)),
    ):
        yield Service(gateway, client, streams)
        await terminate_all(client)


async def test_thresholds_change_while_the_watch_goes_on_where_it_was(service: Service) -> None:
    monitor_id = await service.gateway.created_id(config={"freeze_threshold_sec": 90})
    await service.until(monitor_id, "status", "monitoring")
    while not service.streams.watches:
        await asyncio.sleep(0.01)
    answer = await service.gateway.client.patch(f"/api/v1/monitors/{monitor_id}", json=WANTED)
    assert answer.status_code == 200, answer.text
    while len(service.streams.watches) < 2:
        await asyncio.sleep(0.01)
    before, after = service.streams.watches
    assert (before.config.blackout_threshold_sec, after.config.blackout_threshold_sec) == (30, 45)
    assert after.config.freeze_threshold_sec == 90
    assert after.state == {"watched": 1}
    for shown in (answer.json(), await service.gateway.show(monitor_id)):
        assert shown["source"] == "workflow"
        assert shown["config"]["blackout_threshold_sec"] == 45
        assert shown["metadata"] == {"shift": "night"}
    record = await service.gateway.store.monitors.find(monitor_id)
    assert record
    assert (record.config.blackout_threshold_sec, record.metadata) == (45, {"shift": "night"})


async def test_a_scheduled_monitor_can_be_changed_and_an_ended_one_cannot(
    service: Service,
) -> None:
    start = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    monitor_id = await service.gateway.created_id(config={"scheduled_start_time": start})
    await service.until(monitor_id, "status", "scheduled")
    path = f"/api/v1/monitors/{monitor_id}"
    assert (await service.gateway.client.patch(path, json=WANTED)).status_code == 200
    assert (await service.gateway.show(monitor_id))["config"]["blackout_threshold_sec"] == 45
    # The workflow is gone, but the store does not know it yet.
    await service.client.get_workflow_handle(monitor_id).terminate()
    answer = await service.gateway.client.patch(path, json=WANTED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "MONITOR_NOT_ACTIVE")


async def test_a_failed_event_is_sent_again_and_its_attempts_add_up(service: Service) -> None:
    service.streams.refusals = 2
    monitor_id = await service.gateway.created_id(config={"on_delivery_failure": "continue"})
    path = f"/api/v1/monitors/{monitor_id}/events"
    (event,) = await service.events(monitor_id, lambda found: _statuses(found) == ["failed"])
    assert event["webhook_attempts"] == 4
    redeliver = f"{path}/{event['event_id']}/redeliver"
    assert (await service.gateway.client.post(redeliver)).status_code == 202
    (event,) = await service.events(monitor_id, lambda found: _attempts(found) == [8])
    assert event["webhook_status"] == "failed"
    await service.client.get_workflow_handle(redelivery_id(event["event_id"])).result()
    await service.gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    assert (await service.gateway.client.post(redeliver)).status_code == 202
    (event,) = await service.events(monitor_id, lambda found: _statuses(found) == ["sent"])
    assert (event["webhook_attempts"], event["webhook_last_error"]) == (9, None)
    first, *others = service.streams.delivered
    assert others == [first] * 2


def _statuses(events: list[dict[str, Any]]) -> list[str]:
    return [event["webhook_status"] for event in events]


def _attempts(events: list[dict[str, Any]]) -> list[int]:
    return [event["webhook_attempts"] for event in events]


async def test_the_schedule_has_the_gateway_mend_what_differs(service: Service) -> None:
    stray, stranger = new_monitor_id(), new_monitor_id()
    for monitor_id, deployment in ((stray, OURS), (stranger, "another-database")):
        await service.client.start_workflow(
            WORKFLOW_TYPE,
            id=monitor_id,
            task_queue="nobody-works-here",
            memo={DEPLOYMENT_MEMO: deployment},
        )
    while not {stray, stranger} <= await TemporalEngine(service.client, OURS).running():
        await asyncio.sleep(0.05)
    schedule = service.client.get_schedule_handle(RECONCILIATION_SCHEDULE)
    before = (await schedule.describe()).info.num_actions
    await schedule.trigger()
    while (info := (await schedule.describe()).info).num_actions == before:
        await asyncio.sleep(0.05)
    action = info.recent_actions[-1].action
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)
    report = await service.client.get_workflow_handle(action.workflow_id).result()
    assert report["stopped"] == 1
    assert await service.is_cancelled(stray)
    assert not await service.is_cancelled(stranger)


async def test_gateways_that_start_later_leave_the_schedule_as_it_is(service: Service) -> None:
    await TemporalEngine(service.client, OURS).schedule_reconciliation()
    schedule = service.client.get_schedule_handle(RECONCILIATION_SCHEDULE)
    (interval,) = (await schedule.describe()).schedule.spec.intervals
    assert interval.every == timedelta(minutes=5)


async def test_the_outcome_of_a_stopped_monitor_is_its_workflows_own_word(
    service: Service,
) -> None:
    monitor_id = await service.gateway.created_id()
    await service.until(monitor_id, "status", "monitoring")
    await service.events(monitor_id, lambda found: _statuses(found) == ["sent"])
    await service.client.get_workflow_handle(monitor_id).signal(STOP_SIGNAL)
    engine = TemporalEngine(service.client, OURS)
    while not (end := await engine.outcome(monitor_id)):
        await asyncio.sleep(0.05)
    assert (end.status, end.events_sent) == (MonitorStatus.STOPPED, 1)


async def test_no_history_holds_a_request_header_of_a_stream(service: Service) -> None:
    secrets = ["s3cr3t-first", "s3cr3t-second"]
    headers = [{"Authorization": secret} for secret in secrets]
    monitor_id = await service.gateway.created_id(config={"request_headers": headers[0]})
    await service.until(monitor_id, "status", "monitoring")
    while not service.streams.watches:
        await asyncio.sleep(0.01)
    wanted = {"config": {"request_headers": headers[1]}}
    answer = await service.gateway.client.patch(f"/api/v1/monitors/{monitor_id}", json=wanted)
    assert answer.json()["config"]["request_headers"] == {"Authorization": "***"}
    while len(service.streams.watches) < 2:
        await asyncio.sleep(0.01)
    await service.gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    history = await service.client.get_workflow_handle(monitor_id).fetch_history()
    data = history.to_json() + " ".join(_decoded(json.loads(history.to_json())))
    assert '"Authorization":"***"' in data
    assert not any(secret in data for secret in secrets)


def _decoded(node: Any) -> Iterator[str]:
    """Return all payloads of a history."""
    if isinstance(node, dict):
        if isinstance(data := node.get("data"), str):
            yield base64.b64decode(data).decode(errors="replace")
        for child in node.values():
            yield from _decoded(child)
    elif isinstance(node, list):
        for child in node:
            yield from _decoded(child)
