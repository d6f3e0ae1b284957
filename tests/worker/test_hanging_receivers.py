"""Receivers that hang keep no webhook of another one waiting: on a real server, the real worker."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import pytest
from temporalio.client import Client

from activities.declarations import RedeliveryInput, StoredEvent
from media.outbound.guard import OutboundGuard
from monitors.events import EventType, StreamEvent
from runtime.settings import WorkerSettings
from tests.activities.scripted_http import Answer, ScriptedServer, scripted
from tests.testkit.temporal import SHORT_HISTORIES, connected, temporal_server
from worker.main import workers_of
from worker.stream_access import open_stream_access
from workflows.messages import TASK_QUEUE
from workflows.redelivery import RedeliveryWorkflow

HANGING, EACH = 4, 30
PATIENCE_SEC = 150


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with temporal_server(*SHORT_HISTORIES) as address:
        yield address


@pytest.mark.timeout(PATIENCE_SEC + 60)
async def test_a_hundred_receivers_that_hang_keep_no_other_waiting(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await connected(server)
    async with AsyncExitStack() as stack:
        receivers = [
            await stack.enter_async_context(scripted(Answer(hangs=True))) for _ in range(HANGING)
        ]
        events = [_stored_event(receiver.url) for receiver in receivers] * EACH
        gateway = await stack.enter_async_context(scripted(*events))
        for name, value in {
            "WORKER_ROLE": "orchestrator",
            "CALLBACK_URL": gateway.url,
            "INTERNAL_API_KEY": "internal-key-of-more-than-32-bytes",
            "WEBHOOK_SIGNING_KEY": "signing-key-of-more-than-32-bytes",
            "ALLOW_PRIVATE_NETWORKS": "true",
        }.items():
            monkeypatch.setenv(name, value)
        await stack.enter_async_context(_orchestrator(client))
        await asyncio.gather(*(_send(client, str(number)) for number in range(HANGING * EACH)))
        async with asyncio.timeout(PATIENCE_SEC):
            while _hanging(receivers) < HANGING * EACH:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def _orchestrator(client: Client) -> AsyncIterator[None]:
    settings = WorkerSettings()
    async with AsyncExitStack() as stack:
        guard = OutboundGuard(settings.allow_private_networks)
        side = await stack.enter_async_context(open_stream_access(settings, guard))
        workers = workers_of(client, settings, side.sources)
        for worker in await stack.enter_async_context(workers):
            await stack.enter_async_context(worker)
        yield


async def _send(client: Client, name: str) -> None:
    order = RedeliveryInput(monitor_id="mon-1", event_id="evt-1")
    await client.start_workflow(
        RedeliveryWorkflow.run, order, id=f"redelivery-{name}", task_queue=TASK_QUEUE
    )


def _stored_event(callback_url: str) -> Answer:
    """Return what the gateway answers of an event that goes there."""
    event = StreamEvent(
        event_id="evt-1",
        event_type=EventType.STREAM_STARTED,
        monitor_id="mon-1",
        stream_url="https://media.example/live.m3u8",
        timestamp=datetime.now(UTC),
        sequence=1,
        data={},
    )
    stored = StoredEvent(callback_url=callback_url, event=event, attempts=1)
    return Answer(body=stored.model_dump_json().encode())


def _hanging(receivers: Sequence[ScriptedServer]) -> int:
    return sum(receiver.hanging for receiver in receivers)
