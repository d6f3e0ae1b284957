"""Receivers that hang keep no webhook of another one waiting: on a real server, the real worker."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import pytest
from temporalio.client import Client

from media.outbound.guard import OutboundGuard
from monitors.events import EventType, StreamEvent
from runtime.settings import WorkerSettings
from tests.activities.scripted_http import Answer, ScriptedServer, scripted
from tests.workflows.dev_server import connected, dev_server
from worker.main import workers_of
from worker.streams import open_stream_side
from workflows.messages import TASK_QUEUE, RedeliveryOrder
from workflows.redelivery import RedeliveryWorkflow

HANGING, EACH = 4, 30
PATIENCE_SEC = 60


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with dev_server() as address:
        yield address


@pytest.fixture
async def client(server: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    connection = await connected(server)
    for name, value in {
        "WORKER_ROLE": "orchestrator",
        "CALLBACK_URL": "http://127.0.0.1:9",
        "INTERNAL_API_KEY": "internal-key-of-24-bytes",
        "WEBHOOK_SIGNING_KEY": "signing-key-of-24-bytes-",
        "ALLOW_PRIVATE_NETWORKS": "true",
    }.items():
        monkeypatch.setenv(name, value)
    async with _orchestrator(connection):
        yield connection


async def test_a_hundred_receivers_that_hang_keep_no_other_waiting(client: Client) -> None:
    async with AsyncExitStack() as stack:
        receivers = [
            await stack.enter_async_context(scripted(Answer(hangs=True))) for _ in range(HANGING)
        ]
        await asyncio.gather(
            *(
                _send(client, receiver.url, f"{number}-{count}")
                for number, receiver in enumerate(receivers)
                for count in range(EACH)
            )
        )
        async with asyncio.timeout(PATIENCE_SEC):
            while _hanging(receivers) < HANGING * EACH:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def _orchestrator(client: Client) -> AsyncIterator[None]:
    settings = WorkerSettings()
    async with AsyncExitStack() as stack:
        guard = OutboundGuard(settings.allow_private_networks)
        side = await stack.enter_async_context(open_stream_side(settings, guard))
        workers = workers_of(client, settings, side.client, side.sources)
        for worker in await stack.enter_async_context(workers):
            await stack.enter_async_context(worker)
        yield


async def _send(client: Client, url: str, name: str) -> None:
    event = StreamEvent(
        event_id=f"evt-{name}",
        event_type=EventType.STREAM_STARTED,
        monitor_id="mon-1",
        stream_url="https://media.example/live.m3u8",
        timestamp=datetime.now(UTC),
        sequence=1,
        data={},
    )
    order = RedeliveryOrder(callback_url=url, event=event)
    await client.start_workflow(
        RedeliveryWorkflow.run, order, id=f"redelivery-{name}", task_queue=TASK_QUEUE
    )


def _hanging(receivers: Sequence[ScriptedServer]) -> int:
    return sum(receiver.hanging for receiver in receivers)
