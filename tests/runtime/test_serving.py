"""HTTP servers inside another process, and the signals that stop it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runtime.errors import StartError
from runtime.serving import PortTaken, bind, serve_in_background, stop_signal

LOCAL = "127.0.0.1"


class Slow:
    """An application whose answer waits until it is let go."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    def config(self, port: int) -> uvicorn.Config:
        app = Starlette(routes=[Route("/", self._answer)])
        return uvicorn.Config(app, host=LOCAL, port=port, log_config=None, lifespan="off")

    async def _answer(self, request: Request) -> Response:
        self.asked.set()
        await self.may_answer.wait()
        return PlainTextResponse("done")


def free_port() -> int:
    with socket.create_server((LOCAL, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def ask(port: int) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        return (await http.get(f"http://{LOCAL}:{port}/")).text


async def test_it_serves_as_soon_as_the_context_is_open() -> None:
    port, slow = free_port(), Slow()
    slow.may_answer.set()
    async with serve_in_background(slow.config(port)):
        assert await ask(port) == "done"
    with pytest.raises(httpx.ConnectError):
        await ask(port)


async def test_a_request_in_flight_is_answered_before_the_end() -> None:
    port, slow = free_port(), Slow()
    async with serve_in_background(slow.config(port)):
        asking = asyncio.create_task(ask(port))
        await slow.asked.wait()
        asyncio.get_running_loop().call_later(0.05, slow.may_answer.set)
    assert await asking == "done"


async def test_the_port_is_free_afterwards() -> None:
    port = free_port()
    for _ in range(2):
        async with serve_in_background(Slow().config(port)):
            pass
    bind(LOCAL, port).close()


async def test_a_taken_port_is_an_error_that_names_it() -> None:
    with socket.create_server((LOCAL, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"127.0.0.1:{port}: Address already in use"):
            async with serve_in_background(Slow().config(port)):
                pytest.fail("it serves on a taken port")


def test_a_host_that_is_none_of_ours_keeps_a_process_from_starting() -> None:
    with pytest.raises(StartError, match=r"192\.0\.2\.1"):
        bind("192.0.2.1", free_port())


def test_a_port_may_be_bound_on_ipv6() -> None:
    with bind("::1", 0) as listener:
        assert listener.family is socket.AF_INET6


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_is_an_event(number: signal.Signals) -> None:
    with stop_signal() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), 30)


async def test_a_server_leaves_signals_to_its_process() -> None:
    port, slow = free_port(), Slow()
    slow.may_answer.set()
    with stop_signal() as stop:
        async with serve_in_background(slow.config(port)):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(stop.wait(), 30)
            assert await ask(port) == "done"


async def test_signals_mean_what_they_meant_once_the_context_is_closed() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_signal():
        pass
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_garbage_collector_looks_neither_often_nor_at_what_was_there() -> None:
    made = """
import gc
from runtime.serving import spare_the_garbage_collector
spare_the_garbage_collector()
before = gc.get_stats()
kept = [[] for _ in range(5_000)]
print(gc.get_stats() == before, gc.get_freeze_count() > 10_000)
"""
    done = subprocess.run([sys.executable, "-c", made], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"
