"""A service: a Temporal server, a gateway and workers, each a process of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.testkit.children import (
    STREAM_TRACKER,
    TEMPORAL,
    Child,
    Finished,
    alive,
    run,
)
from tests.testkit.ports import free_port
from tests.testkit.rest import Rest
from tests.testkit.temporal import temporal_command
from tests.testkit.waiting import answers, until

API_KEY = "service-test-client-key-of-32-byt"
INTERNAL_KEY = "service-test-worker-key-of-32-byt"
PROBE_KEY = "service-test-probe-key-of-32-bytes"
SIGNING_KEY = "service-test-signing-key-of-32-b"
SECRETS_KEY = "service-test-secrets-key-of-32-byt"
START_SEC = 60.0


class ServiceHarness:
    """Runs the parts; `open_harness` makes one.

    Attributes:
        workers: all that were started, dead ones too.
        health_ports: of the same workers.

    Args:
        folder: of all that the parts keep.
        variables: that its workers get on top.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str] | None = None) -> None:
        folder.mkdir()
        self._variables = dict(variables or {})
        self.folder = folder
        self.temporal_address = f"127.0.0.1:{free_port()}"
        self.gateway_port = free_port()
        self.rest = Rest(f"http://127.0.0.1:{self.gateway_port}", API_KEY)
        self.workers: list[Child] = []
        self.health_ports: list[int] = []
        self.temporal: Child
        self.gateway: Child
        self.client: Client
        self._numbers = count(1)

    async def start(self, *roles: str) -> None:
        """Start everything at once, as a cluster does; return when all of it is ready."""
        self.temporal = Child("temporal", self._temporal_command(), self.folder)
        await asyncio.gather(self.start_gateway(), *(self.start_worker(role) for role in roles))
        self.client = await Client.connect(
            self.temporal_address, data_converter=pydantic_data_converter
        )

    async def start_gateway(self) -> None:
        """Start the gateway, on the port and the database it always has."""
        self.gateway = Child(
            "gateway",
            self._command("gateway"),
            self.folder,
            PORT=str(self.gateway_port),
            DATA_DIR=str(self.folder),
            API_KEY=API_KEY,
            INTERNAL_API_KEY=INTERNAL_KEY,
            PROBE_API_KEY=PROBE_KEY,
            WEBHOOK_SIGNING_KEY=SIGNING_KEY,
            SECRETS_KEY=SECRETS_KEY,
            EVIDENCE_SIGNING_KEY="7" * 64,
            RATE_LIMIT_READ="100000",
            **self._shared(),
        )
        await ready(self.gateway, self.rest.base_url)

    async def start_worker(self, role: str, **variables: str) -> Child:
        """Start another worker and return it once it is ready; `variables` are its own."""
        port = free_port()
        worker = Child(
            f"{role}-{next(self._numbers)}",
            self._command("worker"),
            self.folder,
            WORKER_ROLE=role,
            CALLBACK_URL=self.rest.base_url,
            INTERNAL_API_KEY=PROBE_KEY if role == "probe" else INTERNAL_KEY,
            WEBHOOK_SIGNING_KEY=SIGNING_KEY,
            HEALTH_PORT=str(port),
            **{**self._shared(), **self._variables, **variables},
        )
        self.workers.append(worker)
        self.health_ports.append(port)
        await ready(worker, f"http://127.0.0.1:{port}")
        return worker

    async def probing(self, monitor_id: str, *, but: Child | None = None) -> Child:
        """Wait until a worker, another one than `but`, watches the monitor; return it."""

        async def worker() -> Child | None:
            pid = await self._watching_pid(monitor_id)
            found = [each for each in self.workers if each.pid == pid and each is not but]
            return found[0] if found else None

        return await until(worker, f"a worker that watches {monitor_id}", within_sec=40)

    async def temporal_cli(self, *arguments: str) -> Finished:
        """Run the real `temporal` command against this service."""
        where = ("--address", self.temporal_address)
        return await run([TEMPORAL, *arguments, *where], self.folder)

    async def stop(self) -> list[Child]:
        """Stop the workers as an operator does; return those that left something behind."""
        await self.rest.http.aclose()
        running = [each for each in [*self.workers, self.gateway] if each.code is None]
        families = {each: each.descendants() for each in running}
        await asyncio.gather(*(each.stop() for each in running))
        await self.temporal.kill()
        return [each for each, family in families.items() if alive(family)]

    def discard(self) -> None:
        """Kill whatever still runs."""
        for child in [*self.workers, self.gateway, self.temporal]:
            child.discard()

    async def _watching_pid(self, monitor_id: str) -> int | None:
        described = await self.client.get_workflow_handle(monitor_id).describe()
        for pending in described.raw_description.pending_activities:
            is_started = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
            if pending.activity_type.name == "watch_stream" and is_started:
                return int(pending.last_worker_identity.partition("@")[0])
        return None

    def _command(self, *arguments: str) -> list[str]:
        return [STREAM_TRACKER, *arguments]

    def _shared(self) -> dict[str, str]:
        return {"TEMPORAL_ADDRESS": self.temporal_address, "ALLOW_PRIVATE_NETWORKS": "true"}

    def _temporal_command(self) -> list[str]:
        port = self.temporal_address.rpartition(":")[2]
        return temporal_command(port, "--log-level", "warn")


async def ready(child: Child, base_url: str) -> None:
    """Wait until a process says that it is ready.

    Raises:
        AssertionError: it ended, or was not ready in time; with what it said.
    """

    async def is_ready() -> bool:
        assert child.code is None, f"{child.name} ended with {child.code}: {child.said}"
        return await answers(f"{base_url}/readyz")

    await until(is_ready, f"readiness of {child.name}", within_sec=START_SEC)


@asynccontextmanager
async def open_harness(
    folder: Path, *roles: str, variables: Mapping[str, str] | None = None
) -> AsyncIterator[ServiceHarness]:
    """Run a service with a worker of each of `roles` while the context is open."""
    harness = ServiceHarness(folder, variables)
    try:
        await harness.start(*roles)
        yield harness
        left = await harness.stop()
        assert not left, f"processes of {[each.name for each in left]} are still there"
    finally:
        harness.discard()
