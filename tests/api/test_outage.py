"""What clients get while the database is away."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from api.store import StoreUnavailable, open_store
from tests.testkit.gateway import Running, order, running_gateway
from tests.testkit.ports import free_port
from tests.testkit.postgres import postgres_server


async def answers(gateway: Running) -> list[httpx.Response]:
    monitor = "/api/v1/monitors/mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
    client = gateway.client
    return [
        await client.post("/api/v1/monitors", json=order(stream_url="https://h/other.m3u8")),
        await client.get("/api/v1/monitors"),
        await client.get(monitor),
        await client.patch(monitor, json={"metadata": {}}),
        await client.delete(monitor),
        await client.get(f"{monitor}/events"),
        await client.post(f"{monitor}/events/evt-1/redeliver"),
        await gateway.worker.post("/internal/v1/reconcile"),
    ]


async def test_an_outage_of_the_database_is_told_and_survived() -> None:
    with postgres_server() as server:
        async with running_gateway(f"{server.url}/postgres") as gateway:
            monitor_id = await gateway.created_id()
            server.stop()
            for answer in await answers(gateway):
                assert answer.status_code == 503, answer.text
                error = answer.json()["error"]
                assert error["code"] == "ENGINE_UNAVAILABLE"
                assert error["message"].startswith("The database cannot be reached")
            ready = await gateway.client.get("/readyz")
            assert ready.json()["checks"]["database"] == "not reachable"
            assert (await gateway.client.get("/metrics")).status_code == 200
            server.start()
            assert (await gateway.show(monitor_id))["status"] == "initializing"
            assert gateway.engine.started[0].monitor_id == monitor_id


async def test_a_database_that_takes_no_writes_is_told_until_it_does(
    sqlite_url: str, light_gateway: Running
) -> None:
    database = light_gateway.store.database
    for engine in (database.engine, database.checking_engine):
        event.listen(engine.sync_engine, "checkout", _wait_for_no_lock)
    path = sqlite_url.partition("///")[2]
    assert (await light_gateway.client.get("/readyz")).status_code == 200
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert (await light_gateway.create()).status_code == 503
        for _ in range(2):
            ready = await _until_ready_is(light_gateway, 503)
            assert ready["checks"]["database"] == "not reachable"
        assert (await light_gateway.client.get("/api/v1/monitors")).status_code == 200
        other.execute("ROLLBACK")
    await _until_ready_is(light_gateway, 200)
    assert (await light_gateway.create()).status_code == 201


async def _until_ready_is(gateway: Running, status: int) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while (answer := await gateway.client.get("/readyz")).status_code != status:
            await asyncio.sleep(0.05)
    found: dict[str, Any] = answer.json()
    return found


def _wait_for_no_lock(connection: Any, *_: object) -> None:
    connection.execute("PRAGMA busy_timeout = 0")


async def test_a_database_that_is_not_there_keeps_the_gateway_from_starting() -> None:
    with pytest.raises(StoreUnavailable):
        async with open_store(f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"):
            pass


async def test_a_start_that_the_store_cannot_note_is_made_good_later(
    light_gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> bool:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(light_gateway.store.monitors, "confirm_started", away)
        assert (await light_gateway.create()).status_code == 201
    (pending,) = await light_gateway.store.reconciliation.unconfirmed(
        created_before=datetime.now(UTC), limit=9
    )
    assert pending.monitor_id == light_gateway.engine.started[0].monitor_id
