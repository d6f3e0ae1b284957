"""One attempt to deliver a webhook, as Temporal makes it."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.declarations import DeliveryAttempts, DeliveryInput, DeliveryResult
from activities.deliver_webhook import WebhookDelivery
from activities.delivery_audit import AttemptAudit
from activities.gateway_client import GatewayClient
from monitors.delivery import DeliveryPolicy
from monitors.events import EventType, StreamEvent
from monitors.evidence_links import EvidenceLinks
from monitors.webhook_signing import callback_seal

NEW_KEY, OLD_KEY = b"new-key-of-more-than-24-bytes", b"old-key-of-more-than-24-bytes"
EVENT = StreamEvent(
    event_id="evt-1",
    event_type=EventType.BLACKOUT,
    monitor_id="mon-1",
    stream_url="https://example.com/live.m3u8",
    timestamp=datetime(2026, 5, 1, 12, 0, 0, 123_000, UTC),
    sequence=3,
    data={"duration_sec": 30.0},
    metadata={"name": "Grüße 🎥"},
)
LINKS = EvidenceLinks((b"signing-key",), "https://streams.example", timedelta(days=7))
SEAL_KEY = b"internal-key"
FLAT = DeliveryPolicy(jitter=0)
NO_GATEWAY = "http://127.0.0.1:1"


class Meter:
    """Notes what it is told to count."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.counted: list[tuple[str, float | None]] = []

    def begins(self, event: StreamEvent) -> None:
        self.begun.append(event.event_id)

    def ended(
        self, event: StreamEvent, outcome: str, *, took_sec: float, again_in_sec: float | None
    ) -> None:
        assert 0 <= took_sec < 60
        self.counted.append((outcome, again_in_sec))


async def deliver(
    client: httpx.AsyncClient,
    url: str,
    *,
    attempt: int = 1,
    failed: int | None = None,
    keys: Sequence[bytes] = (NEW_KEY,),
    policy: DeliveryPolicy = FLAT,
    meter: Meter | None = None,
    gateway_url: str = NO_GATEWAY,
    seal: str | None = None,
    beats: list[object] | None = None,
    event: StreamEvent = EVENT,
) -> DeliveryResult:
    """Make Temporal's `attempt`, of which `failed` (all before it) came to an end."""
    gateway = GatewayClient(gateway_url, SecretStr("internal-key"))
    audit = AttemptAudit(gateway)
    delivery = WebhookDelivery(
        client=client,
        signing_keys=keys,
        policy=policy,
        user_agent="tracker/9",
        meter=meter or Meter(),
        audit=audit,
        gateway=gateway,
        seal_key=SEAL_KEY,
        links=LINKS,
    )
    environment = ActivityEnvironment()
    counted = attempt - 1 if failed is None else failed
    environment.info = dataclasses.replace(
        environment.info, attempt=attempt, heartbeat_details=[counted, 0] if counted else []
    )
    environment.on_heartbeat = lambda *details: (beats if beats is not None else []).append(details)
    sealed = callback_seal(SEAL_KEY, EVENT.monitor_id, url) if seal is None else seal
    order = DeliveryInput(callback_url=url, callback_seal=sealed, event=event)
    try:
        return await environment.run(delivery.deliver_webhook, order)
    finally:
        await audit.close()
        await gateway.close()


async def refused(
    client: httpx.AsyncClient, url: str, *, attempt: int = 1, **given: Any
) -> ApplicationError:
    with pytest.raises(ApplicationError) as failure:
        await deliver(client, url, attempt=attempt, **given)
    error = failure.value
    assert error.type == "DeliveryFailed"
    (attempts,) = error.details
    number = attempt if given.get("failed") is None else given["failed"] + 1
    assert attempts == DeliveryAttempts(attempts=number, error=error.message)
    return error
