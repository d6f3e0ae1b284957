"""A real Temporal server, for what the time-skipping one cannot do."""

import asyncio
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sys import executable

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from tests.testkit.workflow_harness import IDENTITY
from workflows import search_attributes

SERVER = Path(executable).parent / "temporal"

LONG_HISTORY = 60
"""The server suggests to continue as new from so many events on."""


@contextmanager
def dev_server() -> Iterator[str]:
    """Run a server in memory that calls a short history long; yield its address."""
    port = _free_port()
    command = [
        str(SERVER),
        *("server", "start-dev", "--headless", "--log-level", "never"),
        *("--ip", "127.0.0.1", "--port", str(port)),
        *("--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={LONG_HISTORY}"),
    ]
    for key in search_attributes.ALL:
        command += ["--search-attribute", f"{key.name}=Keyword"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


async def connected(address: str) -> Client:
    """Connect as soon as the server answers."""
    async with asyncio.timeout(30):
        while True:
            try:
                client = await Client.connect(
                    address, data_converter=pydantic_data_converter, identity=IDENTITY
                )
                await client.count_workflows()
            except (RPCError, RuntimeError):
                await asyncio.sleep(0.05)
            else:
                return client


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
