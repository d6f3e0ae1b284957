"""A gateway that runs for a test: real HTTP, a real database, an engine that plays Temporal."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from activities.declarations import RedeliveryInput
from api.app import GatewayServices
from api.monitor_engine import EngineUnavailable, MonitorEngine
from api.store import Store, open_store
from api.url_checks import AddressNotAllowed
from monitors.config import MonitorConfig
from monitors.reports import HealthReport, Statistics
from monitors.status import MonitorStatus, StreamStatus
from runtime.settings import GatewaySettings
from tests.testkit.ports import free_port
from tests.testkit.waiting import plain_client
from worker.gateway_process import serving
from workflows.messages import (
    ChangeResult,
    MonitorChange,
    MonitorInput,
    MonitorResult,
    MonitorSnapshot,
)

KEY = "client-key-one"
OTHER_KEY = "client-key-two"
INTERNAL_KEY = "worker-key"
SECRETS_KEY = "secrets-key-of-at-least-32-characters"
FORBIDDEN_HOST = "forbidden.example"


@dataclass
class FakeEngine:
    """Does what a test tells it.

    Attributes:
        snapshots, ends: of the monitors that have one.
        also_running: workflows that it runs besides those it started, for our database.
        strangers: workflows that it runs for another one.
        destinations: whose workflows run.
        woken: signals to them, each with whether it interrupts.
        start_error, change_error, cancel_error, redeliver_error, ready_error: raised when set.
        checks: how often it was asked whether it is ready.
        error: raised by all else when set.
        gate: starts wait for it.
        cancel_gate: cancellations wait for it.
        change_gate: changes that are made wait for it.
    """

    started: list[MonitorInput] = field(default_factory=list)
    cancelling: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    snapshots: dict[str, MonitorSnapshot] = field(default_factory=dict)
    changes: list[tuple[str, MonitorChange]] = field(default_factory=list)
    redelivered: list[RedeliveryInput] = field(default_factory=list)
    told_silence_ended: list[str] = field(default_factory=list)
    unreachable: set[str] = field(default_factory=set)
    ends: dict[str, MonitorResult] = field(default_factory=dict)
    also_running: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    destinations: set[str] = field(default_factory=set)
    woken: list[tuple[str, bool]] = field(default_factory=list)
    schedules: int = 0
    checks: int = 0
    start_error: Exception | None = None
    change_error: Exception | None = None
    cancel_error: Exception | None = None
    redeliver_error: Exception | None = None
    error: Exception | None = None
    ready_error: Exception | None = None
    gate: asyncio.Event | None = None
    cancel_gate: asyncio.Event | None = None
    change_gate: asyncio.Event | None = None

    async def start(self, input: MonitorInput) -> None:
        if self.gate:
            await self.gate.wait()
        if self.start_error:
            raise self.start_error
        self.started.append(input)

    async def snapshot(self, monitor_id: str) -> MonitorSnapshot | None:
        self.asked.append(monitor_id)
        return self.snapshots.get(monitor_id)

    async def cancel(self, monitor_id: str) -> None:
        self.cancelling.append(monitor_id)
        if self.cancel_gate:
            await self.cancel_gate.wait()
        if self.cancel_error:
            raise self.cancel_error
        self.cancelled.append(monitor_id)

    async def change(self, monitor_id: str, change: MonitorChange) -> ChangeResult:
        if self.change_error:
            raise self.change_error
        self.changes.append((monitor_id, change))
        before = next(one for one in self.started if one.monitor_id == monitor_id)
        result = ChangeResult(
            name=before.name if change.name is None else change.name or None,
            config=before.config.with_thresholds(change.thresholds).with_request_headers(
                change.request_headers
            ),
            metadata=before.metadata if change.metadata is None else change.metadata,
            changes=sum(one == monitor_id for one, _ in self.changes),
        )
        if self.change_gate:
            await self.change_gate.wait()
        return result

    async def tell_silence_ended(self, monitor_id: str) -> None:
        if self.error:
            raise self.error
        if monitor_id in self.unreachable:
            raise EngineUnavailable("it takes no more signals")
        self.told_silence_ended.append(monitor_id)

    async def redeliver(self, input: RedeliveryInput) -> None:
        if self.redeliver_error:
            raise self.redeliver_error
        self.redelivered.append(input)

    async def running(self) -> set[str]:
        if self.error:
            raise self.error
        return await self.running_of_ours() | self.strangers

    async def running_of_ours(self) -> set[str]:
        if self.error:
            raise self.error
        return ({one.monitor_id for one in self.started} | self.also_running) - set(self.ends)

    async def outcome(self, monitor_id: str) -> MonitorResult | None:
        return self.ends.get(monitor_id)

    async def schedule_reconciliation(self) -> None:
        if self.error:
            raise self.error
        self.schedules += 1

    async def start_destination(self, destination_id: str) -> None:
        if self.error:
            raise self.error
        self.destinations.add(destination_id)

    async def wake_destination(self, destination_id: str, *, interrupt: bool) -> None:
        await self.start_destination(destination_id)
        self.woken.append((destination_id, interrupt))

    async def ready(self) -> None:
        self.checks += 1
        if self.ready_error:
            raise self.ready_error


@dataclass
class Running:
    """A gateway that runs.

    Attributes:
        client: sends a client's key.
        worker: sends the workers' key.
    """

    client: httpx.AsyncClient
    worker: httpx.AsyncClient
    engine: FakeEngine
    store: Store
    gateway: GatewayServices

    async def create(self, **fields: Any) -> httpx.Response:
        return await self.client.post("/api/v1/monitors", json=order(**fields))

    async def created_id(self, **fields: Any) -> str:
        answer = await self.create(**fields)
        assert answer.status_code == 201, answer.text
        monitor_id: str = answer.json()["monitor_id"]
        return monitor_id

    async def show(self, monitor_id: str) -> dict[str, Any]:
        answer = await self.client.get(f"/api/v1/monitors/{monitor_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def report(self, monitor_id: str, status: str, as_of: str, **fields: Any) -> int:
        answer = await self.worker.put(
            f"/internal/v1/monitors/{monitor_id}/status",
            json={"status": status, "as_of": as_of, **fields},
        )
        return answer.status_code


@asynccontextmanager
async def running_gateway(
    url: str, engine: MonitorEngine | None = None, **settings: Any
) -> AsyncIterator[Running]:
    """Run a gateway on the database at `url`, with an engine that plays Temporal if none is given.

    `Running.engine` is of use in the latter case only.
    """
    played = FakeEngine()
    async with open_store(url) as store, _folder() as folder:
        chosen = gateway_settings(**{"evidence_store": folder, **settings})
        gateway = GatewayServices(
            chosen, engine=engine or played, store=store, address_check=refuse_forbidden
        )
        base = f"http://127.0.0.1:{chosen.port}"
        internal = f"http://127.0.0.1:{chosen.internal_port or chosen.port}"
        async with (
            serving(gateway, chosen),
            plain_client(base_url=base, headers={"X-API-Key": KEY}, timeout=30) as client,
            plain_client(
                base_url=internal, headers={"X-Internal-API-Key": INTERNAL_KEY}, timeout=30
            ) as worker,
        ):
            yield Running(client, worker, played, store, gateway)


@asynccontextmanager
async def _folder() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        yield folder


def gateway_settings(**settings: Any) -> GatewaySettings:
    chosen: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": free_port(),
        "api_key": [KEY, OTHER_KEY],
        "internal_api_key": INTERNAL_KEY,
        "secrets_key": SECRETS_KEY,
        "webhook_signing_key": ["signing-key"],
        "retention_days": 36_500,  # tests tell of moments long ago
        "evidence_store": "none",
        "evidence_signing_key": ["7" * 64],
        "rate_limit_create": 10_000,
        "rate_limit_read": 10_000,
        **settings,
    }
    return GatewaySettings(**chosen)


def order(**fields: Any) -> dict[str, Any]:
    return {
        "stream_url": "https://media.example/live/index.m3u8",
        "callback_url": "https://receiver.example/hook",
        **fields,
    }


async def refuse_forbidden(url: str, *, for_webhooks: bool) -> None:
    if FORBIDDEN_HOST in url:
        raise AddressNotAllowed("10.0.0.7 is private")


def snapshot(monitor_id: str, **fields: Any) -> MonitorSnapshot:
    known: dict[str, Any] = {
        "monitor_id": monitor_id,
        "stream_url": "https://media.example/live/index.m3u8",
        "status": MonitorStatus.MONITORING,
        "stream_status": StreamStatus.LIVE,
        "health": HealthReport(),
        "statistics": Statistics(),
        "config": MonitorConfig(),
        "metadata": {},
        "changes": 0,
        "open_incidents": [],
        "doing": "Watching the stream",
        "events_sent": 0,
        "events_queued": 0,
        "as_of": datetime.now(UTC),
        **fields,
    }
    return MonitorSnapshot(**known)


def without_key(gateway: Running) -> httpx.AsyncClient:
    """Return a client that has no key."""
    return httpx.AsyncClient(base_url=gateway.client.base_url, trust_env=False)
