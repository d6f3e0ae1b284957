"""Watches healthy streams alone, then beside everything that is hostile, and compares."""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.fleet import CONFIG, LEAST_BETWEEN_SEC, Fleet, programmes, put_on_air
from benchmarks.hostile.clients import KeyedAttack
from benchmarks.hostile.growth import Growth
from benchmarks.hostile.harness import HostileHarness
from benchmarks.hostile.zone import GOOD_ZONE, SILENT_ZONE, dns_server
from tests.testkit.environment import WINDOW, ChaosEnvironment
from tests.testkit.findings import Finding, percentile
from tests.testkit.rest import Rest
from tests.testkit.waiting import ConditionTimeout, until
from workflows.options import LAST_DELIVERIES

MOST_GROWTH_MIB = 150.0
MOST_SLOWER = 1.5
SETTLED_SEC = LAST_DELIVERIES.total_seconds() + 60.0
"""A monitor that is stopped goes on with its last deliveries, and one more takes at most 47 s."""
AGAIN_SEC = 15.0
SILENT_NAMES = 50
ROLES = ("orchestrator", "probe")
NAMES = {"127.0.0.1": GOOD_ZONE}
EVENTFUL_SEC = 60.0
APART_SEC = 0.37
"""Between the beginnings of two streams, so that no two publish segments at the same moment.
Else the delays of one phase hold the wait for each other's segments, and the other's do not."""


@dataclass(frozen=True)
class Scale:
    """How much is tried.

    Attributes:
        alone_sec: how long the healthy streams are watched alone; 0: only beside the others.
        beside_sec: how long beside everything that is hostile.
        faults_every_sec: of each healthy stream.
    """

    streams: int = 20
    alone_sec: float = 100.0
    beside_sec: float = 600.0
    faults_every_sec: float = 70.0


@dataclass(frozen=True)
class Outcome:
    """What became of the service.

    Attributes:
        alone_sec, beside_sec: delays of the healthy streams' events.
        wrong: healthy streams whose events differ from their script.
        lost: segments that healthy streams missed, or that failed.
        failures: requests that the gateway failed at.
        running: workflows that are still there when all monitors were stopped.
    """

    alone_sec: Sequence[float]
    beside_sec: Sequence[float]
    wrong: Sequence[str]
    lost: int
    growth: Growth
    failures: Sequence[str]
    running: Sequence[str]

    @property
    def times_slower(self) -> float:
        """By how much the 95th percentile of the delays grew."""
        return percentile(self.beside_sec, 95) / percentile(self.alone_sec, 95)

    def findings(self) -> list[Finding]:
        """Compare with the targets."""
        delays = f"p95 {percentile(self.alone_sec, 95):.2f} s alone, "
        delays += f"{percentile(self.beside_sec, 95):.2f} s beside ({self.times_slower:.2f} times)"
        grown = ", ".join(f"{name} {mib:+.0f} MiB" for name, mib in self.growth.grown.items())
        grown += f"; largest decoder {self.growth.decoder_mib:.0f} MiB"
        most = max(self.growth.grown.values())
        exact = f"{len(self.wrong)} streams with other events, {self.lost} segments lost"
        failed = "; ".join(self.failures[:3]) or "none"
        return [
            Finding("events of healthy streams", exact, "0, 0", not self.wrong and not self.lost),
            Finding(
                "their delay", delays, f"{MOST_SLOWER} times", self.times_slower <= MOST_SLOWER
            ),
            Finding("memory", grown, f"+{MOST_GROWTH_MIB:.0f} MiB", most <= MOST_GROWTH_MIB),
            Finding("requests answered with 500", failed, "none", not self.failures),
            Finding("workflows left", f"{len(self.running)}", "0", not self.running),
        ]


async def run(env: ChaosEnvironment, scale: Scale) -> Outcome:
    """Run the whole of it; needs root, for the DNS server and what uses it."""
    async with dns_server(), _open_harness(env) as harness:
        alone = await _alone(env, harness.rest, scale)
        growth = Growth(harness)
        async with _hostile(env, harness) as attack, _background(growth.run()):
            beside = await _fleet(env, harness.rest, "beside", scale, scale.beside_sec)
            await beside.until_ended()
        return Outcome(
            alone_sec=alone.delays_sec(),
            beside_sec=beside.delays_sec(),
            wrong=[*alone.wrong(), *beside.wrong()],
            lost=await _lost(harness.rest, beside),
            growth=growth,
            failures=attack.failures,
            running=await _left_running(harness),
        )


@asynccontextmanager
async def _open_harness(env: ChaosEnvironment) -> AsyncIterator[HostileHarness]:
    harness = HostileHarness(env.folder / "hostile")
    try:
        await harness.start(*ROLES)
        yield harness
        await harness.stop()
    finally:
        harness.discard()


async def _alone(env: ChaosEnvironment, rest: Rest, scale: Scale) -> Fleet:
    if not scale.alone_sec:
        return Fleet(env, {}, {})
    fleet = await _fleet(env, rest, "alone", scale, scale.alone_sec)
    await fleet.until_ended()
    return fleet


async def _fleet(
    env: ChaosEnvironment, rest: Rest, name: str, scale: Scale, seconds: float
) -> Fleet:
    made = await programmes(env, seconds, scale.faults_every_sec)
    names = [f"{name}-{number}" for number in range(scale.streams)]
    return await put_on_air(env, rest, made, names, APART_SEC * scale.streams, NAMES)


@asynccontextmanager
async def _hostile(env: ChaosEnvironment, harness: HostileHarness) -> AsyncIterator[KeyedAttack]:
    """Attack the gateway, the workers' health ports, and what monitors lead to."""
    attack = KeyedAttack(harness.rest)
    async with AsyncExitStack() as stack:
        servers = json.loads(await stack.enter_async_context(_apart("servers")))
        receivers = await _receivers(env, servers["receivers"])
        for body in [*_origins(servers["origins"]), *receivers, *_silent_names()]:
            await stack.enter_async_context(_background(_monitor_again(harness.rest, body)))
        await stack.enter_async_context(
            _apart("clients", harness.gateway_port, *harness.health_ports)
        )
        await stack.enter_async_context(_background(attack.run()))
        yield attack


@asynccontextmanager
async def _apart(module: str, *ports: int) -> AsyncIterator[bytes]:
    """Run a module in a process that yields to all others; yield its first line of output.

    Strangers have machines of their own: they send, but take no time of the service's processors.
    """
    command = ["chrt", "--idle", "0", sys.executable, "-m", f"benchmarks.hostile.{module}"]
    process = await asyncio.create_subprocess_exec(*command, *map(str, ports), stdout=PIPE)
    assert process.stdout is not None  # noqa: S101
    try:
        yield await process.stdout.readline()
    finally:
        process.kill()
        await process.wait()


def _origins(ports: Sequence[int]) -> list[dict[str, Any]]:
    nowhere = f"http://hooks.{SILENT_ZONE}/"
    return [_monitor(f"http://origin.{GOOD_ZONE}:{port}/", nowhere) for port in ports]


async def _receivers(env: ChaosEnvironment, ports: Sequence[int]) -> list[dict[str, Any]]:
    """Return a monitor for each receiver, of a stream with an event every few seconds."""
    programme = (await programmes(env, EVENTFUL_SEC, LEAST_BETWEEN_SEC))[0]
    bodies = []
    for number, port in enumerate(ports):
        await asyncio.sleep(APART_SEC)
        stream = env.origin.add(f"told-{number}", programme, options=WINDOW)
        hook = f"http://receiver.{GOOD_ZONE}:{port}/"
        bodies.append(_monitor(stream.url, hook, on_delivery_failure="continue", **CONFIG))
    return bodies


def _silent_names() -> list[dict[str, Any]]:
    hosts = [f"{number}.{SILENT_ZONE}" for number in range(SILENT_NAMES)]
    return [_monitor(f"https://{host}/live.m3u8", f"https://{host}/") for host in hosts]


def _monitor(stream_url: str, callback_url: str, **config: Any) -> dict[str, Any]:
    return {"stream_url": stream_url, "callback_url": callback_url, "config": config}


async def _monitor_again(rest: Rest, body: dict[str, Any]) -> None:
    """Have a stream watched, and again when its monitor ended."""
    while True:
        with contextlib.suppress(httpx.HTTPError):
            await rest.http.post("/monitors", json=body)  # a duplicate while the first one runs
        await asyncio.sleep(AGAIN_SEC)


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _lost(rest: Rest, fleet: Fleet) -> int:
    lost = 0
    for monitor_id in fleet.monitor_ids.values():
        statistics = (await rest.show(monitor_id))["statistics"]
        lost += statistics["segments_missed"] + statistics["segments_failed"]
    return lost


async def _left_running(harness: HostileHarness) -> list[str]:
    """Stop all monitors and return the workflows that do not end."""
    await harness.rest.stop_all()

    async def running() -> list[str]:
        found = harness.client.list_workflows("ExecutionStatus = 'Running'")
        return [each.id async for each in found if each.id.startswith("mon-")]

    async def all_ended() -> bool:
        return not await running()

    with contextlib.suppress(ConditionTimeout):
        await until(all_ended, "the end of all monitors", within_sec=SETTLED_SEC)
    return await running()
