"""Where the experiments take place: streams, a receiver of webhooks, and a service to break."""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo

from simulator.origin import ChannelOptions, LiveOrigin, RenderedProgramme, Served
from tests.testkit.children import Child, alive
from tests.testkit.harness import SIGNING_KEY, ServiceHarness
from tests.testkit.links import Link, open_link
from tests.testkit.programmes import EAGER, SMALL, rendered
from tests.testkit.receiver import Receiver
from tests.testkit.temporal import WRITE_AHEAD
from tests.testkit.waiting import ConditionTimeout, plain_client, until, until_true

READY_AGAIN_SEC = 90.0
WINDOW = ChannelOptions(window_segments=30, backlog_segments=1, kept_segments=10)
"""A minute of segments stays in the playlist: most services keep more."""

SLOTS_USED = "stream_tracker_probe_slots_used"
UNLIMITED = "100000"


class NotAsExpected(Exception):
    """An experiment cannot go on, or left something behind."""


class ChaosHarness(ServiceHarness):
    """A service whose Temporal keeps its data in a file, as that of the embedded mode does.

    Attributes:
        links: over which far workers reach Temporal.

    Args:
        variables: environment of the gateway and the workers.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        super().__init__(folder)
        self.links: dict[Child, Link] = {}
        self._stack = AsyncExitStack()
        limits = {"RATE_LIMIT_CREATE": UNLIMITED, "MAX_MONITORS": UNLIMITED}
        self._temporary = folder / "temporary"
        self._temporary.mkdir()
        self._everywhere = {"TMPDIR": str(self._temporary), **limits, **variables}

    @property
    def running(self) -> list[Child]:
        """The workers that run."""
        return [each for each in self.workers if each.code is None]

    async def start_far_worker(self, role: str) -> Child:
        """Start a worker that reaches Temporal over a network of its own."""
        port = int(self.temporal_address.rpartition(":")[2])
        link = await self._stack.enter_async_context(open_link(port))
        worker = await self.start_worker(role, TEMPORAL_ADDRESS=f"127.0.0.1:{link.port}")
        self.links[worker] = link
        return worker

    async def close_links(self) -> None:
        """Take the networks of far workers down."""
        await self._stack.aclose()

    async def crash_temporal(self) -> None:
        """Kill the Temporal server and start it again on the same data."""
        await self.temporal.kill()
        self.revive_temporal()

    def revive_temporal(self) -> None:
        """Start the Temporal server again on the same data."""
        self.temporal = Child("temporal", self._temporal_command(), self.folder)

    async def until_ready(self) -> None:
        """Wait until the gateway is ready, and so Temporal too; raises as `until`."""

        async def is_ready() -> bool:
            answer = await self.rest.http.get(f"{self.rest.base_url}/readyz")
            return answer.status_code == httpx.codes.OK

        await until(is_ready, "a ready gateway", within_sec=READY_AGAIN_SEC)

    async def watch(self, monitor_id: str) -> PendingActivityInfo | None:
        """Return the watch of a monitor; None when there is none at the moment."""
        described = await self.client.get_workflow_handle(monitor_id).describe()
        pending = described.raw_description.pending_activities
        return next((each for each in pending if each.activity_type.name == "watch_stream"), None)

    async def started_elsewhere(self, monitor_id: str, than: Child) -> float:
        """Wait until another worker watches; return when it began, unix seconds."""

        async def began() -> float | None:
            watch = await self.watch(monitor_id)
            if watch is None or watch.state != PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
                return None
            if watch.last_worker_identity.startswith(f"{than.pid}@"):
                return None
            return watch.last_started_time.ToNanoseconds() / 1e9

        return await until(began, f"another worker for {monitor_id}", within_sec=90)

    async def slots_used(self, worker: Child) -> int:
        """Ask a worker how many streams it watches."""
        return int(await self.metric(worker, SLOTS_USED))

    async def metric(self, worker: Child, name: str) -> float:
        """Ask a worker for one of its metrics."""
        sockets = psutil.Process(worker.pid).net_connections("tcp")
        port = next(each.laddr.port for each in sockets if each.status == psutil.CONN_LISTEN)
        async with plain_client(timeout=5) as http:
            text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
        return next(
            float(each.split()[1]) for each in text.splitlines() if each.startswith(f"{name} ")
        )

    def temporary_files(self) -> list[Path]:
        """Return what is left in the folder of temporary files of all parts."""
        return [*self._temporary.iterdir()]

    def _shared(self) -> dict[str, str]:
        return {**super()._shared(), **self._everywhere}

    def _temporal_command(self) -> list[str]:
        command = [*super()._temporal_command(), "--db-filename", str(self.folder / "temporal.db")]
        return [*command, *WRITE_AHEAD]


@dataclass(frozen=True)
class ChaosEnvironment:
    """What all experiments share.

    Attributes:
        folder: for services and their logs.
        cache: of rendered programmes.
        chance: what happens when, repeatable by its seed.
        say: tells a person how far it is.
    """

    folder: Path
    cache: Path
    origin: LiveOrigin
    receiver: Receiver
    chance: random.Random
    say: Callable[[str], None] = print

    @asynccontextmanager
    async def harness(
        self, name: str, *roles: str, **variables: str
    ) -> AsyncIterator[ChaosHarness]:
        """Run a service with a worker of each of `roles` while the context is open.

        Raises:
            NotAsExpected: a process that was stopped left others behind.
        """
        harness = ChaosHarness(self.folder / name, **variables)
        try:
            await harness.start(*roles)
            yield harness
            left = await harness.stop()
            if left:
                raise NotAsExpected(f"children of {[each.name for each in left]} are still there")
        finally:
            harness.discard()
            await harness.close_links()
            await harness.rest.http.aclose()

    async def calm(self) -> RenderedProgramme:
        """Return a programme without faults."""
        return await rendered(self.cache, SMALL, ("normal", 20))

    async def put_on_air(self, harness: ChaosHarness, name: str) -> str:
        """Put an endless stream on air, have it watched, and return the monitor's id."""
        url = self.origin.add(name, await self.calm(), options=WINDOW).url
        return await harness.rest.create(url, self.receiver.url(name), EAGER)

    async def until_measured(self, harness: ChaosHarness, monitor_id: str) -> None:
        """Wait until the gateway knows of a measured segment."""

        async def measured() -> bool:
            shown = await harness.rest.show(monitor_id)
            return bool(shown["statistics"]["total_segments_analyzed"])

        await until(measured, f"segments of {monitor_id}", within_sec=60)

    def segments(self, name: str) -> list[Served]:
        """Return the requests of a stream's segments."""
        return [each for each in self.origin.requests(name, ending=".ts") if each.status == 200]

    async def requested_since(self, name: str, at: float) -> float:
        """Wait for the first request of a stream at or after `at`; return its unix seconds."""

        async def first() -> float | None:
            return next((each.at for each in self.origin.requests(name) if each.at >= at), None)

        return await until(first, f"a request of {name}", within_sec=30)


@asynccontextmanager
async def open_environment(folder: Path, seed: int) -> AsyncIterator[ChaosEnvironment]:
    """Serve streams and take webhooks while the context is open."""
    receiver = Receiver(SIGNING_KEY)
    chance = random.Random(seed)
    async with LiveOrigin() as origin:
        await receiver.start()
        try:
            yield ChaosEnvironment(folder, folder / "programmes", origin, receiver, chance)
        finally:
            await receiver.stop()


async def children_gone(harness: ChaosHarness, within_sec: float) -> bool:
    """Return whether no worker has a child at work any more, or not in time.

    Decoders stay for the segments of other streams, and sleep meanwhile.
    """
    try:
        await until_true(
            lambda: not any(map(_children_at_work, harness.running)),
            "the end of all children",
            within_sec=within_sec,
        )
    except ConditionTimeout:
        return False
    return True


def _children_at_work(worker: Child) -> list[psutil.Process]:
    return [each for each in alive(worker.descendants()) if not _is_idle_decoder(each)]


def _is_idle_decoder(child: psutil.Process) -> bool:
    try:
        return (
            "media.decoding.decoder" in child.cmdline() and child.status() == psutil.STATUS_SLEEPING
        )
    except psutil.NoSuchProcess:
        return True


async def timed(work: Awaitable[object]) -> float:
    """Do `work` and return how long it took, in seconds."""
    began = time.monotonic()
    await work
    return time.monotonic() - began
