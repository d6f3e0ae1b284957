"""A gateway that runs for a test: real HTTP, a real database, an engine that plays Temporal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from api.addresses import AddressRefused
from api.app import create_app
from api.reconciler import Reconciler
from api.server import serve_gateway
from api.store import Store, open_store
from monitors.config import MonitorConfig
from monitors.reports import HealthReport, Statistics
from monitors.status import MonitorStatus, StreamStatus
from runtime.settings import GatewaySettings
from tests.api.ports import free_port
from workflows.messages import MonitorOrder, MonitorSnapshot

KEY = "client-key-one"
OTHER_KEY = "client-key-two"
INTERNAL_KEY = "worker-key"
FORBIDDEN_HOST = "forbidden.example"


@dataclass
class FakeEngine:
    """Does what a test tells it.

    Attributes:
        start_error, cancel_error, ready_error: raised when set.
        gate: starts wait for it.
        cancel_gate: cancellations wait for it.
    """

    started: list[MonitorOrder] = field(default_factory=list)
    cancelling: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    snapshots: dict[str, MonitorSnapshot] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    start_error: Exception | None = None
    cancel_error: Exception | None = None
    ready_error: Exception | None = None
    gate: asyncio.Event | None = None
    cancel_gate: asyncio.Event | None = None

    async def start(self, order: MonitorOrder) -> None:
        if self.gate:
            await self.gate.wait()
        if self.start_error:
            raise self.start_error
        self.started.append(order)

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

    async def is_over(self, monitor_id: str) -> bool:
        return monitor_id in self.over

    async def ready(self) -> None:
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
    reconciler: Reconciler

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
async def running_gateway(url: str, **settings: Any) -> AsyncIterator[Running]:
    """Run a gateway on the database at `url`."""
    engine = FakeEngine()
    chosen = gateway_settings(**settings)
    async with open_store(url) as store:
        app = create_app(chosen, engine=engine, store=store, address_check=refuse_forbidden)
        stop, listening = asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(serve_gateway(app, chosen, stop=stop, listening=listening))
        await listening.wait()
        base = f"http://127.0.0.1:{chosen.port}"
        async with (
            httpx.AsyncClient(
                base_url=base, headers={"X-API-Key": KEY}, timeout=30, trust_env=False
            ) as client,
            httpx.AsyncClient(
                base_url=base, headers={"X-Internal-API-Key": INTERNAL_KEY}, trust_env=False
            ) as worker,
        ):
            try:
                yield Running(client, worker, engine, store, app.state.reconciler)
            finally:
                stop.set()
                await serving


def gateway_settings(**settings: Any) -> GatewaySettings:
    chosen: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": free_port(),
        "api_key": [KEY, OTHER_KEY],
        "internal_api_key": INTERNAL_KEY,
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


async def refuse_forbidden(url: str) -> None:
    if FORBIDDEN_HOST in url:
        raise AddressRefused("10.0.0.7 is private")


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
        "open_incidents": [],
        "doing": "Watching the stream",
        "events_sent": 0,
        "events_queued": 0,
        "as_of": datetime.now(UTC),
        **fields,
    }
    return MonitorSnapshot(**known)
