"""Nothing grows: what the processes of a service hold is sampled for minutes while faults go on."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from statistics import linear_regression, median

import httpx
import psutil

from simulator.origin import Fault, FaultKind
from tests.chaos import scripted
from tests.testkit.environment import ChaosEnvironment, ChaosHarness
from tests.testkit.findings import Finding
from tests.testkit.receiver import Received
from tests.testkit.waiting import until

SAMPLE_SEC = 5.0
FAULT_EVERY_SEC = 15.0
FAULT_SEC = 5.0
WATCHED_SEC = 30.0
"""Each stream is watched so soon after Temporal is ready again. The SDK asks for tasks after a
pause that doubled up to 10 s while it was away; meanwhile a watch that was lost is missed after
10 s and begun again after 1 s. The rest is for a busy machine."""

WARM_UP_SHARE = 0.3
"""Of the samples: caches fill and decoders start."""

TASKS = "stream_tracker_event_loop_tasks"
MIB = 2**20
BROKEN = (FaultKind.GARBAGE, FaultKind.TRUNCATE, FaultKind.HANG, FaultKind.RESET, FaultKind.STATUS)


@dataclass(frozen=True)
class Course:
    """One thing that was sampled, after the warm-up.

    Attributes:
        before, after: medians of the first and the last third.
        an_hour: slope of the line through all samples.
        room: growth from `before` to `after` that is no growth.
    """

    name: str
    before: float
    after: float
    an_hour: float
    room: float

    @property
    def is_flat(self) -> bool:
        """Whether it does not grow."""
        return self.after <= self.before + self.room

    def __str__(self) -> str:
        grows = "" if self.is_flat else " GROWS"
        return f"{self.name} {self.before:g} -> {self.after:g} ({self.an_hour:+.1f}/h){grows}"


@dataclass(frozen=True)
class Bounds:
    """What was seen.

    Attributes:
        faults: so many befell the service.
        unwatched: monitors that were not watched in the end.
        temporary: files left when all monitors had stopped that were not there before.
    """

    minutes: float
    streams: int
    faults: int
    courses: list[Course]
    unwatched: int
    temporary: int

    def finding(self) -> Finding:
        """Compare with the target."""
        measured = f"{self.streams} streams, {self.faults} faults: "
        measured += "; ".join(map(str, self.courses))
        measured += f"; {self.unwatched} streams unwatched, {self.temporary} temporary files left"
        is_met = all(each.is_flat for each in self.courses)
        is_met = is_met and not self.unwatched and not self.temporary
        return Finding(f"{self.minutes:g} minutes under load with faults", measured, "flat", is_met)


async def stay_in_bounds(
    env: ChaosEnvironment, harness: ChaosHarness, streams: int, minutes: float
) -> Bounds:
    """Watch streams for so long while faults go on; sample what the processes hold."""
    files = set(harness.temporary_files())
    run_out_of_slots = _Streams(env, harness)
    for _ in range(streams):
        await run_out_of_slots.add()
    faults = asyncio.create_task(_go_wrong(env, harness, run_out_of_slots))
    samples: list[tuple[float, dict[str, float]]] = []
    ends = time.monotonic() + minutes * 60
    while time.monotonic() < ends and not faults.done():
        await asyncio.sleep(SAMPLE_SEC)
        samples.append((time.monotonic(), await _sample(harness)))
    run_out_of_slots.is_over = True
    befell = await faults
    unwatched = await run_out_of_slots.unwatched()
    await run_out_of_slots.stop()
    warm = samples[int(len(samples) * WARM_UP_SHARE) :]
    names = sorted(warm[-1][1])
    courses = [
        _course(name, [(at, each[name]) for at, each in warm if name in each]) for name in names
    ]
    for each in courses:
        env.say(str(each))
    return Bounds(
        minutes, streams, befell, courses, unwatched, len(set(harness.temporary_files()) - files)
    )


class _Streams:
    """The streams that are watched now."""

    def __init__(self, env: ChaosEnvironment, harness: ChaosHarness) -> None:
        self.is_over = False
        self.ids: dict[str, str] = {}
        self._env = env
        self._harness = harness
        self._numbers = count()

    async def add(self) -> None:
        """Put one more on air."""
        name = f"bounds-{next(self._numbers)}"
        self.ids[name] = await scripted.put_on_air(self._env, self._harness.rest, name)

    async def drop(self, name: str) -> None:
        """Watch one no more."""
        await self._harness.rest.stop(self.ids.pop(name))

    async def unwatched(self) -> int:
        """Return how many are not watched: nobody fetches anything from now on.

        Now is when Temporal is ready: the last fault may have killed it a moment ago.
        """
        await self._harness.until_ready()
        began = time.time()
        watched = await asyncio.gather(*(self._is_watched(name, began) for name in self.ids))
        for name, is_watched in zip(self.ids, watched, strict=True):
            if not is_watched:
                self._env.say(f"{name} unwatched: {await self._known_of(self.ids[name])}")
        return watched.count(False)

    async def stop(self) -> None:
        """Watch none any more."""
        for name in [*self.ids]:
            await self.drop(name)

    async def _known_of(self, monitor_id: str) -> str:
        """Return what gateway and Temporal know of a monitor, to tell why nobody watches."""
        shown = await self._harness.rest.show(monitor_id)
        watch = await self._harness.watch(monitor_id)
        if watch is None:
            return f"{shown['status']}, {shown['health']}, no watch at {datetime.now(UTC)}"
        return (
            f"{shown['status']}, {shown['health']}, attempt {watch.attempt}, state {watch.state} "
            f"on {watch.last_worker_identity}, due {watch.scheduled_time.ToJsonString()}, "
            f"last heartbeat {watch.last_heartbeat_time.ToJsonString()}, "
            f"last failure {watch.last_failure.message!r}, at {datetime.now(UTC)}"
        )

    async def _is_watched(self, name: str, since: float) -> bool:
        async def fetched() -> bool:
            return any(each.at > since for each in self._env.segments(name))

        with contextlib.suppress(AssertionError):
            return await until(fetched, f"segments of {name}", within_sec=WATCHED_SEC)
        return False


# What goes wrong


async def _go_wrong(env: ChaosEnvironment, harness: ChaosHarness, streams: _Streams) -> int:
    """Do one bad thing after the other; return how many."""
    befell = 0
    while True:
        for fault in FAULTS:
            for _ in range(round(FAULT_EVERY_SEC)):
                if streams.is_over:
                    return befell
                await asyncio.sleep(1)
            await fault(env, harness, streams)
            befell += 1


async def _break_segments(env: ChaosEnvironment, harness: ChaosHarness, streams: _Streams) -> None:
    for number, name in enumerate(streams.ids):
        kind = BROKEN[number % len(BROKEN)]
        env.origin[name].fault(Fault(kind=kind, for_sec=FAULT_SEC))


async def _kill_decoders(env: ChaosEnvironment, harness: ChaosHarness, streams: _Streams) -> None:
    for each in _decoders(harness):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


async def _refuse_webhooks(env: ChaosEnvironment, harness: ChaosHarness, streams: _Streams) -> None:
    async def refuse(_received: Received) -> int:
        return 503

    names = [*streams.ids]
    for name in names:
        env.receiver.answers[name] = refuse
    await asyncio.sleep(FAULT_SEC)
    for name in names:
        del env.receiver.answers[name]


async def _change_streams(env: ChaosEnvironment, harness: ChaosHarness, streams: _Streams) -> None:
    for name in [*streams.ids][:2]:
        await streams.drop(name)
        await streams.add()


async def _crash_temporal(env: ChaosEnvironment, harness: ChaosHarness, streams: _Streams) -> None:
    await harness.crash_temporal()


Misfortune = Callable[[ChaosEnvironment, ChaosHarness, _Streams], Awaitable[None]]
FAULTS: Sequence[Misfortune] = (
    _break_segments,
    _kill_decoders,
    _refuse_webhooks,
    _change_streams,
    _crash_temporal,
)


# What is held


async def _sample(harness: ChaosHarness) -> dict[str, float]:
    held: dict[str, float] = {}
    for child in [harness.gateway, *harness.running]:
        held |= _held(child.name, psutil.Process(child.pid))
    for worker in harness.running:
        with contextlib.suppress(httpx.TransportError):
            held[f"{worker.name} tasks"] = await harness.metric(worker, TASKS)
    decoders = _decoders(harness)
    held["decoders"] = len(decoders)
    if decoders:  # one more of them, up to one a core and worker, is no growth
        held["MiB of a decoder"] = sum(map(_memory_mib, decoders)) / len(decoders)
    held["temporary files"] = len(harness.temporary_files())
    return held


def _held(name: str, process: psutil.Process) -> dict[str, float]:
    return {
        f"{name} descriptors": process.num_fds(),
        f"{name} threads": process.num_threads(),
        f"{name} processes": len(process.children(recursive=True)),
        f"{name} MiB": _memory_mib(process),
    }


def _decoders(harness: ChaosHarness) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for worker in harness.running:
        found += [each for each in worker.descendants() if _is_decoder(each)]
    return found


def _is_decoder(process: psutil.Process) -> bool:
    try:
        return "media.decoding.decoder" in process.cmdline()
    except psutil.Error:
        return False


def _memory_mib(process: psutil.Process) -> float:
    """Return the memory that is a process's own: USS."""
    try:
        return float(process.memory_full_info().uss) / MIB
    except psutil.Error:
        return 0.0


def _course(name: str, samples: Sequence[tuple[float, float]]) -> Course:
    times, values = zip(*samples, strict=True)
    third = max(1, len(values) // 3)
    before, after = median(values[:third]), median(values[-third:])
    slope = linear_regression(times, values).slope if len(values) > 1 else 0.0
    room = max(4.0, 0.05 * before) if name.endswith("MiB") else max(2.0, 0.1 * before)
    return Course(name, round(before, 1), round(after, 1), slope * 3600, room)
