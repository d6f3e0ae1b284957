"""Destinations with a real Temporal server, real workflows, real HTTP to their receivers."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import SecretStr
from standardwebhooks import Webhook
from temporalio.client import Client
from temporalio.worker import Worker

from activities.gateway_client import GatewayClient
from activities.notify_destination import DestinationNotifier, Senders
from api.temporal_engine import TemporalEngine
from media.outbound.client import webhook_client
from media.outbound.guard import OutboundGuard
from monitors.delivery import DeliveryPolicy
from notifications.webhook import WebhookSender
from tests.testkit.destinations import create_destination, deliveries, incident
from tests.testkit.events import put_event
from tests.testkit.gateway import INTERNAL_KEY, Running, running_gateway
from tests.testkit.receiver import Received, Receiver
from tests.testkit.temporal import connected
from tests.testkit.waiting import until
from workflows.destination import DestinationWorkflow
from workflows.messages import TASK_QUEUE, destination_workflow_id

RETRIES = DeliveryPolicy(max_attempts=3, base_sec=0.1, cap_sec=0.1)


class AnyReceiver(Receiver):
    """Takes what it gets; the tests verify it, each with the key of its destination."""

    def _problem(self, body: bytes, headers: dict[str, str]) -> str | None:
        return None


@asynccontextmanager
async def notifying(client: Client, gateway_url: str) -> AsyncIterator[None]:
    """Run a worker for destinations while the context is open."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(webhook_client(OutboundGuard(True)))
        gateway = GatewayClient(gateway_url, SecretStr(INTERNAL_KEY))
        stack.push_async_callback(gateway.close)
        senders = Senders(webhook=WebhookSender(http, "test"), others={})
        notifier = DestinationNotifier(gateway, senders, RETRIES)
        stack.push_async_callback(notifier.close)
        worker = Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[DestinationWorkflow],
            activities=[notifier.serve_destination],
        )
        await stack.enter_async_context(worker)
        yield


@pytest.fixture
async def receiver() -> AsyncIterator[AnyReceiver]:
    receiver = AnyReceiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def client(temporal_address: str) -> Client:
    return await connected(temporal_address)


@asynccontextmanager
async def gateway_on(url: str, client: Client) -> AsyncIterator[Running]:
    async with running_gateway(url, engine=TemporalEngine(client, "ours")) as gateway:
        yield gateway


async def monitor_with(gateway: Running, *names: dict[str, Any]) -> str:
    ids = [made["destination_id"] for made in names]
    return await gateway.created_id(callback_url=None, destinations=ids)


async def until_sent(gateway: Running, destination_id: str, count: int) -> list[dict[str, Any]]:
    async def sent() -> list[dict[str, Any]] | None:
        found = await deliveries(gateway, destination_id)
        return found if sum(one["status"] == "sent" for one in found) == count else None

    return await until(sent, f"{count} deliveries")


async def test_one_that_hangs_delays_no_other(
    sqlite_url: str, client: Client, receiver: AnyReceiver
) -> None:
    let_go = asyncio.Event()

    async def hang(_received: Received) -> int:
        await let_go.wait()
        return 200

    receiver.answers["hangs"] = hang
    async with (
        gateway_on(sqlite_url, client) as gateway,
        notifying(client, str(gateway.client.base_url)),
    ):
        slow = await create_destination(gateway, url=receiver.url("hangs"))
        fast = await create_destination(gateway, url=receiver.url("fast"), ed25519=True)
        monitor_id = await monitor_with(gateway, slow, fast)
        for sequence in range(1, 6):
            await put_event(gateway, monitor_id, incident(monitor_id, sequence))
            await until_sent(gateway, fast["destination_id"], sequence)
        told = await deliveries(gateway, slow["destination_id"])
        assert {one["status"] for one in told} <= {"pending", "sending"}
        let_go.set()
        received = receiver.requests("fast")
        assert [one.event["event_id"] for one in received] == [f"evt-{n}" for n in range(1, 6)]
        for one in received:
            Webhook(fast["secret"]).verify(one.body, one.headers)
            _verify_ed25519(fast["public_key"], one)
        assert len(receiver.requests("hangs")) == 1
        history = await client.get_workflow_handle(
            destination_workflow_id(fast["destination_id"])
        ).fetch_history()
        text = history.to_json()
        assert receiver.url("fast") not in text
        assert fast["secret"] not in text


def _verify_ed25519(public_key: str, received: Received) -> None:
    raw = base64.b64decode(public_key.removeprefix("whpk_"))
    (signature,) = [
        part.removeprefix("v1a,")
        for part in received.headers["webhook-signature"].split()
        if part.startswith("v1a,")
    ]
    signed = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode()
    Ed25519PublicKey.from_public_bytes(raw).verify(
        base64.b64decode(signature), signed + received.body
    )


async def test_what_happens_while_worker_or_gateway_are_away_is_told_once_and_in_order(
    sqlite_url: str, client: Client, receiver: AnyReceiver
) -> None:
    async with gateway_on(sqlite_url, client) as gateway:
        made = await create_destination(gateway, url=receiver.url("away"))
        monitor_id = await monitor_with(gateway, made)
        for sequence in (1, 2):
            await put_event(gateway, monitor_id, incident(monitor_id, sequence))
        async with notifying(client, str(gateway.client.base_url)):
            await until_sent(gateway, made["destination_id"], 2)
        await put_event(gateway, monitor_id, incident(monitor_id, 3))
    async with gateway_on(sqlite_url, client) as gateway:
        await put_event(gateway, monitor_id, incident(monitor_id, 4))
        async with notifying(client, str(gateway.client.base_url)):
            await until_sent(gateway, made["destination_id"], 4)
    told = [one.event["event_id"] for one in receiver.requests("away")]
    assert told == ["evt-1", "evt-2", "evt-3", "evt-4"]


async def test_a_new_url_is_tried_at_once_and_a_removed_destination_ends(
    sqlite_url: str, client: Client, receiver: AnyReceiver
) -> None:
    async def refuse(_received: Received) -> int:
        return 500

    receiver.answers["bad"] = refuse
    async with (
        gateway_on(sqlite_url, client) as gateway,
        notifying(client, str(gateway.client.base_url)),
    ):
        made = await create_destination(gateway, url=receiver.url("bad"), retry="long")
        path = f"/api/v1/destinations/{made['destination_id']}"
        monitor_id = await monitor_with(gateway, made)
        await put_event(gateway, monitor_id, incident(monitor_id, 1))

        async def has_failed() -> bool:
            (known,) = await deliveries(gateway, made["destination_id"])
            return bool(known["attempts"] and known["last_error"])

        await until(has_failed, "a failed attempt")
        changed = await gateway.client.patch(path, json={"url": receiver.url("good")})
        assert changed.status_code == 200
        (delivery,) = await until_sent(gateway, made["destination_id"], 1)
        assert delivery["attempts"] >= 2
        assert (await gateway.client.post(f"{path}/test")).status_code == 202
        await until_sent(gateway, made["destination_id"], 2)
        types = [one.event["event_type"] for one in receiver.requests("good")]
        assert types == ["alert.blackout", "notification.test"]
        await gateway.client.delete(path)
        handle = client.get_workflow_handle(destination_workflow_id(made["destination_id"]))
        await asyncio.wait_for(handle.result(), 20)


async def test_after_the_last_attempt_the_next_event_goes_out(
    sqlite_url: str, client: Client, receiver: AnyReceiver
) -> None:
    async def refuse_first(received: Received) -> int:
        return 500 if received.event["event_id"] == "evt-1" else 200

    receiver.answers["picky"] = refuse_first
    async with (
        gateway_on(sqlite_url, client) as gateway,
        notifying(client, str(gateway.client.base_url)),
    ):
        made = await create_destination(gateway, url=receiver.url("picky"))
        monitor_id = await monitor_with(gateway, made)
        for sequence in (1, 2):
            await put_event(gateway, monitor_id, incident(monitor_id, sequence))
        newer, older = await until_sent(gateway, made["destination_id"], 1)
        assert (newer["event_id"], newer["status"]) == ("evt-2", "sent")
        assert (older["status"], older["attempts"]) == ("failed", 3)
        assert older["last_error"] == "the receiver answered with HTTP status 500"
