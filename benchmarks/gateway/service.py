"""The service under test: a gateway in a process of its own, and a Temporal server."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore

from benchmarks.gateway.load import LoadClient
from tests.testkit.ports import free_port

KEY = "a-key-of-the-client-of-a-benchmark"
INTERNAL_KEY = "a-key-of-the-worker-of-a-benchmark"


@asynccontextmanager
async def running_gateway(database_url: str, temporal_address: str) -> AsyncIterator[LoadClient]:
    """Run a gateway without limits; yield a client that has its key."""
    port = free_port()
    environment = {
        **os.environ,
        "PORT": str(port),
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_address,
        "API_KEY": KEY,
        "INTERNAL_API_KEY": INTERNAL_KEY,
        "WEBHOOK_SIGNING_KEY": INTERNAL_KEY,
        "ALLOW_PRIVATE_NETWORKS": "true",
        "MAX_MONITORS": "1000000",
        "RATE_LIMIT_CREATE": "1000000",
        "RATE_LIMIT_READ": "1000000",
    }
    client = LoadClient(f"http://127.0.0.1:{port}", KEY)
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", "gateway"), env=environment, stderr=log
        )
        try:
            if not await _is_ready(client, process):
                log.seek(0)
                raise RuntimeError(f"the gateway ended: {log.read().decode()}")
            yield client
        finally:
            await client.close()
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _is_ready(client: LoadClient, process: asyncio.subprocess.Process) -> bool:
    """Wait until it is; False when it ended instead."""
    while process.returncode is None:
        try:
            await client.send("GET", "/readyz")
        except (httpcore.ConnectError, RuntimeError):
            await asyncio.sleep(0.1)
        else:
            return True
    return False
