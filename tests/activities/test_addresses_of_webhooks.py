"""A webhook goes where the gateway says, whoever ordered it."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.declarations import DeliveryInput, DeliveryResult, RedeliveryInput
from activities.deliver_webhook import WebhookDelivery
from activities.delivery_audit import AttemptAudit
from activities.gateway_client import GatewayClient
from media.outbound.client import webhook_client
from media.outbound.guard import OutboundGuard
from monitors.events import StreamEvent
from monitors.evidence_links import EvidenceLinks
from monitors.reports import EventReport
from monitors.status import DeliveryStatus
from monitors.webhook_signing import callback_seal
from tests.activities.delivering import FLAT, NEW_KEY, NO_GATEWAY, Meter
from tests.activities.scripted_http import Answer, ScriptedServer, scripted
from tests.testkit.events import event, put_event
from tests.testkit.gateway import INTERNAL_KEY, Running, running_gateway

LINKS = EvidenceLinks((b"signing-key",), "https://streams.example", timedelta(days=7))
SEAL_KEY = INTERNAL_KEY.encode()
FAILED = {"webhook_status": "failed", "webhook_attempts": 4, "webhook_last_error": "HTTP 500"}
ANOTHER = "mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"


@dataclasses.dataclass
class Scene:
    """A gateway that knows a monitor with a receiver, and somebody else's receiver."""

    gateway: Running
    receiver: ScriptedServer
    stranger: ScriptedServer
    monitor_id: str

    def event(self, monitor_id: str | None = None) -> StreamEvent:
        return EventReport.model_validate(event(monitor_id or self.monitor_id, 1)).event

    async def run(self, order: DeliveryInput | RedeliveryInput, *details: int) -> Any:
        return await run(str(self.gateway.client.base_url), order, *details)


async def run(gateway_url: str, order: DeliveryInput | RedeliveryInput, *details: int) -> Any:
    """Make an attempt, after those that left `details` as their heartbeat."""
    gateway = GatewayClient(gateway_url, SecretStr(INTERNAL_KEY))
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_details=list(details))
    async with webhook_client(OutboundGuard(allow_private_networks=True)) as client:
        audit = AttemptAudit(gateway)
        delivery = WebhookDelivery(
            client=client,
            signing_keys=[NEW_KEY],
            policy=FLAT,
            user_agent="tracker/9",
            meter=Meter(),
            audit=audit,
            gateway=gateway,
            seal_key=SEAL_KEY,
            links=LINKS,
        )
        deliver: Any = (
            delivery.deliver_webhook
            if isinstance(order, DeliveryInput)
            else delivery.redeliver_webhook
        )
        try:
            return await environment.run(deliver, order)
        finally:
            await audit.close()
            await gateway.close()


@asynccontextmanager
async def staged(url: str, answer: Answer) -> AsyncIterator[Scene]:
    async with (
        scripted(answer) as receiver,
        scripted(Answer(204)) as stranger,
        running_gateway(url) as gateway,
    ):
        monitor_id = await gateway.created_id(callback_url=f"{receiver.url}/hook")
        yield Scene(gateway, receiver, stranger, monitor_id)


@pytest.fixture
async def scene(tmp_path: Any) -> AsyncIterator[Scene]:
    async with staged(f"sqlite:///{tmp_path}/gateway.db", Answer(204)) as opened:
        yield opened


async def test_what_the_gateway_orders_goes_there_without_asking_it(scene: Scene) -> None:
    (started,) = scene.gateway.engine.started
    order = DeliveryInput(
        callback_url=started.callback_url, callback_seal=started.callback_seal, event=scene.event()
    )
    assert isinstance(await run(NO_GATEWAY, order), DeliveryResult)
    assert len(scene.receiver.requests) == 1


@pytest.mark.parametrize("seal", ["", "made up", "of another monitor", "of another address"])
async def test_what_somebody_else_orders_goes_to_the_monitors_receiver(
    scene: Scene, seal: str
) -> None:
    theirs = f"{scene.stranger.url}/"
    seals = {
        "of another monitor": callback_seal(SEAL_KEY, ANOTHER, theirs),
        "of another address": callback_seal(SEAL_KEY, scene.monitor_id, f"{theirs}x"),
    }
    order = DeliveryInput(
        callback_url=theirs, callback_seal=seals.get(seal, seal), event=scene.event()
    )
    await scene.run(order)
    assert scene.stranger.requests == []
    assert [request.path for request in scene.receiver.requests] == ["/hook"]


async def test_of_a_monitor_that_nobody_knows_nothing_is_signed(scene: Scene) -> None:
    order = DeliveryInput(
        callback_url=f"{scene.stranger.url}/", callback_seal="", event=scene.event(ANOTHER)
    )
    with pytest.raises(ApplicationError, match="MONITOR_NOT_FOUND") as failure:
        await scene.run(order)
    assert failure.value.non_retryable
    assert scene.stranger.requests == []


async def test_while_the_gateway_is_away_an_address_without_its_seal_is_asked_for_later(
    scene: Scene,
) -> None:
    order = DeliveryInput(
        callback_url=f"{scene.stranger.url}/", callback_seal="", event=scene.event()
    )
    with pytest.raises(ApplicationError) as failure:
        await run(NO_GATEWAY, order)
    assert (failure.value.type, failure.value.non_retryable) == ("GatewayUnavailable", False)
    assert scene.stranger.requests == []


async def test_what_is_sent_again_comes_from_the_store(scene: Scene) -> None:
    await put_event(scene.gateway, scene.monitor_id, event(scene.monitor_id, 1, **FAILED))
    order = RedeliveryInput(monitor_id=scene.monitor_id, event_id="evt-1")
    report: EventReport = await scene.run(order)
    (request,) = scene.receiver.requests
    assert request.body == scene.event().body()
    assert (report.event, report.webhook_status) == (scene.event(), DeliveryStatus.SENT)
    assert report.webhook_attempts == 5


async def test_an_event_that_is_not_taken_again_counts_its_attempts_on(tmp_path: Any) -> None:
    async with staged(f"sqlite:///{tmp_path}/gateway.db", Answer(503)) as scene:
        await put_event(scene.gateway, scene.monitor_id, event(scene.monitor_id, 1, **FAILED))
        url = f"/api/v1/monitors/{scene.monitor_id}/events/evt-1/redeliver"
        assert (await scene.gateway.client.post(url)).status_code == 202
        (order,) = scene.gateway.engine.redelivered
        with pytest.raises(ApplicationError) as failure:
            await scene.run(order)
        assert not failure.value.non_retryable
        known = await scene.gateway.store.events.find(scene.monitor_id, "evt-1")
        assert known
        assert known.delivery.webhook_attempts == 5
        report: EventReport = await scene.run(order, 3, 4)
        assert (report.webhook_status, report.webhook_attempts) == (DeliveryStatus.FAILED, 8)
        assert report.webhook_last_error == "the receiver answered with HTTP status 503"


async def test_an_event_that_is_given_up_has_failed_and_is_not_sent(scene: Scene) -> None:
    await put_event(scene.gateway, scene.monitor_id, event(scene.monitor_id, 1, **FAILED))
    order = RedeliveryInput(monitor_id=scene.monitor_id, event_id="evt-1", given_up="a defect")
    report: EventReport = await scene.run(order)
    assert (report.webhook_status, report.webhook_attempts) == (DeliveryStatus.FAILED, 4)
    assert report.webhook_last_error == "a defect"
    assert scene.receiver.requests == []


@pytest.mark.parametrize("event_id", ["evt-2", "evt-1/../../x", "%00"])
async def test_an_event_that_is_not_there_is_not_sent(scene: Scene, event_id: str) -> None:
    order = RedeliveryInput(monitor_id=scene.monitor_id, event_id=event_id)
    with pytest.raises(ApplicationError) as failure:
        await scene.run(order)
    assert failure.value.type in ("ReportRefused", "GatewayUnavailable")
    assert scene.receiver.requests == []
