"""Receivers that hang keep no webhook of another one waiting: on a real server, the real worker."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.declarations import RedeliveryInput, StoredEvent
from monitors.events import EventType, StreamEvent
from tests.activities.scripted_http import Answer, ScriptedServer, scripted
from tests.testkit.children import STREAM_TRACKER, Child
from tests.testkit.ports import free_port
from tests.testkit.temporal import SHORT_HISTORIES, connected, temporal_server
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
    server: str, tmp_path: Path
) -> None:
    client = await connected(server)
    async with AsyncExitStack() as stack:
        receivers = [
            await stack.enter_async_context(scripted(Answer(hangs=True))) for _ in range(HANGING)
        ]
        events = [_stored_event(receiver.url) for receiver in receivers] * EACH
        gateway = await stack.enter_async_context(scripted(*events))
        worker = Child(
            "worker",
            [STREAM_TRACKER, "worker"],
            tmp_path,
            WORKER_ROLE="orchestrator",
            TEMPORAL_ADDRESS=server,
            CALLBACK_URL=gateway.url,
            INTERNAL_API_KEY="internal-key-of-more-than-32-bytes",
            WEBHOOK_SIGNING_KEY="signing-key-of-more-than-32-bytes",
            ALLOW_PRIVATE_NETWORKS="true",
            HEALTH_PORT=str(free_port()),
        )
        stack.callback(worker.discard)
        await asyncio.gather(*(_send(client, str(number)) for number in range(HANGING * EACH)))
        async with asyncio.timeout(PATIENCE_SEC):
            while _hanging(receivers) < HANGING * EACH:
                await asyncio.sleep(0.05)


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
