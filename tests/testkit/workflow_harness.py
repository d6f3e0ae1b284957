"""Where workflows are played: a Temporal server, the real workflows, a scripted activities."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from sys import executable
from typing import Any

from temporalio.api.enums.v1 import EventType, IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from monitors import events
from monitors.config import MonitorConfig
from tests.testkit.fake_activities import HEARTBEAT_SEC, PATIENCE_SEC, FakeActivities
from tests.testkit.temporal import IDENTITY
from workflows import search_attributes
from workflows.destination import DestinationWorkflow
from workflows.messages import TASK_QUEUE, MonitorInput, MonitorResult, MonitorSnapshot
from workflows.monitor import MonitorWorkflow
from workflows.options import PROBE_QUEUE
from workflows.redelivery import RedeliveryWorkflow

MONITOR_ID = "mon-01890a5d-ac96-774b-bcce-b302099a8057"
CALLBACK_URL = "https://receiver.example/hook"
CALLBACK_SEAL = "a seal of the gateway"
LOOK_SEC = 0.01
LARGEST_METADATA = {"note": "x" * 16_000}
TEST_SERVER = Path(executable).parent / "temporal-test-server"

Handle = WorkflowHandle[Any, MonitorResult]


class WorkflowHarness:
    """One monitor on a server whose time the test moves.

    Attributes:
        client: the server's client.
        activities: what happens to the monitor.
    """

    def __init__(self, env: WorkflowEnvironment, activities: FakeActivities) -> None:
        self.client = env.client
        self.activities = activities
        self._env = env

    async def start(self, **fields: Any) -> Handle:
        """Start the monitor; see `an_order`."""
        return await start_monitor(self.client, an_order(await self.now(), **fields))

    async def run(self, **fields: Any) -> MonitorResult:
        """Run the monitor to its end."""
        return await (await self.start(**fields)).result()

    async def now(self) -> datetime:
        """Return the server's time."""
        return await self._env.get_current_time()

    async def pass_time(self, seconds: float) -> None:
        """Move the server's time on."""
        await self._env.sleep(timedelta(seconds=seconds))

    def told(self) -> list[events.EventType]:
        """Return the types of the events that the receiver took, in order."""
        return [event.event_type for event in self.activities.received]


@asynccontextmanager
async def open_workflow_harness(activities: FakeActivities) -> AsyncIterator[WorkflowHarness]:
    """Play `activities` on a time-skipping server of its own."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(TEST_SERVER),
        data_converter=pydantic_data_converter,
        identity=IDENTITY,
    ) as env:
        await env.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace="default",
                search_attributes={
                    key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
                    for key in search_attributes.ALL
                },
            )
        )
        async with workers(env.client, activities):
            yield WorkflowHarness(env, activities)


@asynccontextmanager
async def workers(client: Client, activities: FakeActivities) -> AsyncIterator[None]:
    """Work on the workflows and the scripted activities while the context is open."""
    orchestrator = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[MonitorWorkflow, RedeliveryWorkflow, DestinationWorkflow],
        activities=[
            activities.wait_for_live,
            activities.deliver_webhook,
            activities.redeliver_webhook,
            activities.report_status,
            activities.report_event,
            activities.destination.serve_destination,
            activities.pods.ensure_probe_pod,
            activities.pods.inspect_probe_pod,
            activities.pods.delete_probe_pod,
        ],
        identity=IDENTITY,
        max_heartbeat_throttle_interval=timedelta(seconds=HEARTBEAT_SEC),
    )
    async with orchestrator, prober(client, activities, PROBE_QUEUE):
        yield


def prober(client: Client, activities: FakeActivities, queue: str) -> Worker:
    """Return a worker that watches the streams of a queue."""
    interval = timedelta(seconds=HEARTBEAT_SEC)
    return Worker(
        client,
        task_queue=queue,
        activities=[activities.watch_stream],
        identity=IDENTITY,
        max_heartbeat_throttle_interval=interval,
        default_heartbeat_throttle_interval=interval,
    )


def an_order(
    created_at: datetime, *, metadata: dict[str, Any] | None = None, **config: Any
) -> MonitorInput:
    """Return the order of a monitor with this `config`."""
    return MonitorInput(
        monitor_id=MONITOR_ID,
        stream_url="https://media.example/live.m3u8",
        stream_key="url:media.example/live.m3u8",
        callback_url=CALLBACK_URL,
        callback_seal=CALLBACK_SEAL,
        config=MonitorConfig(**config),
        metadata=metadata or {},
        created_at=created_at,
    )


async def start_monitor(client: Client, order: MonitorInput) -> Handle:
    """Start the monitor's workflow as the gateway does."""
    return await client.start_workflow(
        MonitorWorkflow.run, order, id=order.monitor_id, task_queue=TASK_QUEUE
    )


async def events_of(handle: Handle, event_type: EventType.ValueType) -> int:
    """Count the events of this type in the history."""
    history = await handle.fetch_history()
    return sum(event.event_type == event_type for event in history.events)


async def snapshot_of(handle: Handle) -> MonitorSnapshot:
    """Ask a monitor how it is."""
    return await handle.query(MonitorWorkflow.snapshot)


async def until_it_says(handle: Handle, words: str) -> None:
    """Wait until this is what a monitor does, in its own words."""
    async with asyncio.timeout(PATIENCE_SEC):
        while not (await snapshot_of(handle)).doing.startswith(words):
            await asyncio.sleep(LOOK_SEC)
