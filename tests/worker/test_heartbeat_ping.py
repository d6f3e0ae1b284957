"""The gateway's call of HEARTBEAT_PING_URL, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from api.heartbeat_ping import PingFailed
from tests.testkit.gateway import gateway_settings
from worker.gateway_process import open_heartbeat_ping


@asynccontextmanager
async def answering(status: str) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Answer with `status` on a port; yield it and the requests that came."""
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 {status}\r\nlocation: /\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], requests


def settings(port: int, **more: Any) -> Any:
    return gateway_settings(heartbeat_ping_url=f"http://127.0.0.1:{port}/hidden-token", **more)


async def test_the_address_is_asked_once_and_a_success_is_all_that_counts() -> None:
    async with answering("200 OK") as (port, requests):
        exempt = {"webhook_private_hosts": f"127.0.0.1:{port}"}
        async with open_heartbeat_ping(settings(port, **exempt)) as ping:
            assert ping is not None
            await ping()
    (request,) = requests
    assert request.startswith(b"GET /hidden-token HTTP/1.1\r\n")


@pytest.mark.parametrize("status", ["500 Oops", "302 Found", "404 Not Found"])
async def test_other_answers_are_failures_that_do_not_repeat_the_address(status: str) -> None:
    async with answering(status) as (port, requests):
        exempt = {"webhook_private_hosts": f"127.0.0.1:{port}"}
        async with open_heartbeat_ping(settings(port, **exempt)) as ping:
            assert ping is not None
            with pytest.raises(PingFailed, match=f"HTTP status {status[:3]}$"):
                await ping()
    assert len(requests) == 1


async def test_the_guard_judges_the_address() -> None:
    async with (
        answering("200 OK") as (port, requests),
        open_heartbeat_ping(settings(port)) as ping,
    ):
        assert ping is not None
        with pytest.raises(PingFailed, match="the address is not allowed"):
            await ping()
    assert requests == []


async def test_without_an_address_nothing_is_called() -> None:
    async with open_heartbeat_ping(gateway_settings()) as ping:
        assert ping is None
