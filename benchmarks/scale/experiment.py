"""So many monitors, from their creation through a steady state."""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import psutil

from benchmarks.gateway.load import LoadClient, as_fast_as_possible
from benchmarks.scale.surroundings import Surroundings, open_surroundings
from benchmarks.scale.usage import Gauge, History, Sample, history_of, postmaster
from tests.testkit.children import Child
from tests.testkit.environment import ChaosHarness
from tests.testkit.harness import API_KEY, INTERNAL_KEY
from tests.testkit.waiting import ConditionTimeout, until

PROBES = "probes without media"
AT_ONCE = 16
SLOTS = 2000
"""Of one probe worker, the most that there may be."""

SAMPLED = 200
SETTLE_SEC = 20.0
"""From the start of the last watch to the first sample of the steady state."""

START_SEC = 60.0
LEAST_STARTS_PER_SEC = 5.0
"""Slower than this the start is given up, and what runs by then is measured."""

SILENT_REPORTS = 3
"""A monitor of which the store hears nothing for so many reports is behind."""


@dataclass(frozen=True)
class Load:
    """What is put on; see the options of `python -m benchmarks.scale`."""

    monitors: int
    minutes: float
    heartbeat_sec: float
    timeout_sec: float
    report_sec: float
    faults_per_hour: float

    @property
    def beat_sec(self) -> float:
        """How often a watch is heard: the SDK waits for 0.8 of the timeout at most."""
        return min(self.heartbeat_sec, 0.8 * self.timeout_sec)


@dataclass(frozen=True)
class LoadResult:
    """What came of it.

    Attributes:
        refused: creations that were not answered with a monitor.
        watched: monitors that were watched in the end.
        created_sec: until the last creation was answered.
        started_sec: until the last of these was watched.
        silent: monitors of which the store had heard nothing for a while, in the end.
        webhooks: that the receiver took in the steady state.
        samples: at the first creation, at the last start, and around the steady state.
        histories: around the steady state.
    """

    load: Load
    refused: int
    watched: int
    created_sec: float
    started_sec: float
    silent: int
    webhooks: int
    samples: tuple[Sample, Sample, Sample, Sample]
    histories: tuple[History, History]

    @property
    def lost_watches(self) -> float:
        """How many further attempts of a watch there were in the steady state, a monitor."""
        before, after = self.histories
        return max(0.0, after.attempts - before.attempts)

    @property
    def is_steady(self) -> bool:
        """Whether all were watched, none was lost, and the store kept up."""
        return self.watched == self.load.monitors and not (self.lost_watches or self.silent)


async def run_load(folder: Path, database_url: str, load: Load) -> LoadResult:
    """Start a service on these databases, create the monitors, and measure."""
    harness = ChaosHarness(
        folder / "service",
        DATABASE_URL=database_url,
        HEARTBEAT_TIMEOUT_SEC=str(load.timeout_sec),
        LOG_LEVEL="warning",
    )
    try:
        await harness.start("orchestrator")
        async with open_surroundings() as surroundings, _probes(harness, load) as probes:
            postgres = await asyncpg.connect(database_url)
            try:
                gauge = await _gauge(harness, probes, postgres)
                return await _measure(harness, surroundings, gauge, load)
            finally:
                await postgres.close()
    finally:
        harness.discard()


async def _measure(
    harness: ChaosHarness, surroundings: Surroundings, gauge: Gauge, load: Load
) -> LoadResult:
    at_first, began = await gauge.sample(), time.monotonic()
    refused = await _create(harness, surroundings, load)
    created_sec = time.monotonic() - began
    watched = await _until_watched(gauge, load.monitors - refused)
    started_sec = time.monotonic() - began
    at_start = await gauge.sample()
    _set_details(f"{watched} watched after {started_sec:.0f} s")
    await asyncio.sleep(SETTLE_SEC)
    some = await _some_monitors(harness, min(SAMPLED, load.monitors))
    history_before = await history_of(harness.client, some)
    before, webhooks = await gauge.sample(), surroundings.webhooks
    await asyncio.sleep(load.minutes * 60)
    after, webhooks = await gauge.sample(), surroundings.webhooks - webhooks
    silent = await gauge.silent(SILENT_REPORTS * load.report_sec)
    return LoadResult(
        load=load,
        refused=refused,
        watched=await gauge.watched(),
        created_sec=created_sec,
        started_sec=started_sec,
        silent=silent,
        webhooks=webhooks,
        samples=(at_first, at_start, before, after),
        histories=(history_before, await history_of(harness.client, some)),
    )


async def _create(harness: ChaosHarness, surroundings: Surroundings, load: Load) -> int:
    """Create the monitors and return how many were refused."""
    refused = 0
    client = LoadClient(harness.rest.base_url, API_KEY)

    async def create(number: int) -> None:
        nonlocal refused
        body = {
            "stream_url": surroundings.stream_url(number),
            "callback_url": surroundings.callback_url,
        }
        try:
            await client.send("POST", "/api/v1/monitors", body)
        except RuntimeError as error:
            refused += 1
            _set_details(f"stream {number}: {error}")

    try:
        await as_fast_as_possible(create, count=load.monitors, at_once=AT_ONCE)
    finally:
        await client.close()
    return refused


async def _until_watched(gauge: Gauge, monitors: int) -> int:
    """Wait until the store has counters of all, or for as long as it may take."""
    within_sec = START_SEC + monitors / LEAST_STARTS_PER_SEC

    async def all_watched() -> bool:
        await asyncio.sleep(1.0)
        return await gauge.watched() >= monitors

    try:
        await until(all_watched, f"{monitors} watches", within_sec=within_sec)
    except ConditionTimeout as error:
        _set_details(str(error))
    return await gauge.watched()


async def _some_monitors(harness: ChaosHarness, count: int) -> list[str]:
    found = harness.client.list_workflows("ExecutionStatus = 'Running'", page_size=1000)
    ids = [each.id async for each in found if each.id.startswith("mon-")]
    return random.sample(ids, min(count, len(ids)))


@asynccontextmanager
async def _probes(harness: ChaosHarness, load: Load) -> AsyncIterator[list[Child]]:
    """Run as many workers as the monitors need slots."""
    probes = [
        Child(
            f"probe-{first}",
            [
                *(sys.executable, "-m", "benchmarks.scale.probe"),
                *("--gateway", harness.rest.base_url, "--key", INTERNAL_KEY),
                *("--slots", str(SLOTS), "--beat-sec", str(load.beat_sec)),
                *("--report-sec", str(load.report_sec)),
                *("--faults-per-hour", str(load.faults_per_hour)),
            ],
            harness.folder,
            TEMPORAL_ADDRESS=harness.temporal_address,
        )
        for first in range(0, load.monitors, SLOTS)
    ]
    try:
        yield probes
    finally:
        for probe in probes:
            probe.discard()


async def _gauge(harness: ChaosHarness, probes: list[Child], postgres: asyncpg.Connection) -> Gauge:
    processes = {
        "temporal": [psutil.Process(harness.temporal.pid)],
        "gateway": [psutil.Process(harness.gateway.pid)],
        "orchestrator": [psutil.Process(harness.workers[0].pid)],
        "postgres": [await postmaster(postgres)],
        PROBES: [psutil.Process(probe.pid) for probe in probes],
    }
    return Gauge(processes, postgres, harness.folder / "temporal.db")


def _set_details(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
