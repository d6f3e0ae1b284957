"""A real Temporal server, without its web UI."""

import asyncio
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from tests.testkit.children import TEMPORAL
from tests.testkit.ports import free_port
from workflows import search_attributes

IDENTITY = "worker"
ALL_ATTRIBUTES = tuple(key.name for key in search_attributes.ALL)

LONG_HISTORY = 60
SHORT_HISTORIES = (
    "--dynamic-config-value",
    f"limit.historyCount.suggestContinueAsNew={LONG_HISTORY}",
)
"""Options of a server that suggests to continue as new from that many events on."""

WRITE_AHEAD = (
    *("--sqlite-pragma", "journal_mode=WAL"),
    *("--sqlite-pragma", "synchronous=NORMAL"),
)
"""Options of a server with a database file, as in the embedded mode."""


def temporal_command(
    port: int | str, *options: str, attributes: Sequence[str] = ALL_ATTRIBUTES
) -> list[str]:
    """Return the command of a server that knows these search attributes."""
    command = [TEMPORAL, "server", "start-dev", "--headless", "--ip", "127.0.0.1"]
    command += ["--port", str(port), *options]
    for name in attributes:
        command += ["--search-attribute", f"{name}=Keyword"]
    return command


@contextmanager
def temporal_server(*options: str, attributes: Sequence[str] = ALL_ATTRIBUTES) -> Iterator[str]:
    """Run a server; yield its address."""
    port = free_port()
    command = temporal_command(port, "--log-level", "never", *options, attributes=attributes)
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
