"""A probe worker crashes, freezes or leaves: how soon does another one go on, and from where?"""

import asyncio
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from benchmarks.chaos.arena import Arena, ChaosHouse, timed
from benchmarks.chaos.findings import Finding, percentile, spread
from tests.service.children import Child
from tests.service.waiting import until

STREAMS = 3


class Blow(StrEnum):
    """What befalls the worker."""

    KILL = "kill"
    STOP = "stop"
    TERM = "term"


SIGNALS = {Blow.KILL: signal.SIGKILL, Blow.STOP: signal.SIGSTOP, Blow.TERM: signal.SIGTERM}
TARGET_SEC = {Blow.KILL: 12.0, Blow.STOP: 23.0, Blow.TERM: 1.0}
NAMES = {
    Blow.KILL: "kill -9 of a probe worker",
    Blow.STOP: "SIGSTOP of a probe worker",
    Blow.TERM: "SIGTERM of a probe worker",
}


@dataclass(frozen=True)
class Takeover:
    """One stream, one blow.

    Attributes:
        gap_sec: from the blow to the first request of the next worker.
        twice: segments that both workers asked for.
        thaw_sec: from SIGCONT until the thawed worker had given its watches up; 0 otherwise.
    """

    gap_sec: float
    twice: int
    thaw_sec: float = 0.0


@dataclass(frozen=True)
class Takeovers:
    """All blows of one kind.

    Attributes:
        skipped: segments that were never asked for, missed or failed, of all streams.
    """

    blow: Blow
    seen: list[Takeover]
    skipped: int

    def finding(self, times: int) -> Finding:
        """Compare with the target."""
        gaps = [each.gap_sec for each in self.seen]
        twice = max((each.twice for each in self.seen), default=0)
        measured = f"{times} times, {len(gaps)} takeovers: {spread(gaps)}; {self.skipped} skipped"
        measured += f", at most {twice} twice"
        decisive = max(gaps, default=0.0)
        target = f"probing again within {TARGET_SEC[self.blow]:g} s"
        if self.blow is Blow.TERM:
            decisive = percentile(gaps, 95)
            target = "p95 1 s, at most 1 segment twice, none skipped"
        if self.blow is Blow.STOP:
            thaw_sec = max((each.thaw_sec for each in self.seen), default=0.0)
            measured += f"; thawed worker stops within {thaw_sec:.2f} s"
        is_met = decisive <= TARGET_SEC[self.blow] and not self.skipped and len(gaps) >= times
        if self.blow is Blow.TERM:
            is_met = is_met and twice <= 1
        return Finding(NAMES[self.blow], measured, target, is_met)


async def take_over(
    arena: Arena, house: ChaosHouse, blow: Blow, times: int, *, streams: int = STREAMS
) -> Takeovers:
    """Strike so often the worker that watches most; the house needs two probe workers."""
    names = [f"{blow}-{number}" for number in range(streams)]
    ids = {name: await arena.put_on_air(house, name) for name in names}
    await asyncio.gather(*(arena.until_measured(house, each) for each in ids.values()))
    seen: list[Takeover] = []
    for number in range(times):
        victim, watched = await _victim(house, ids)
        seen += await _strike(arena, house, blow, victim, watched)
        gaps = ", ".join(f"{each.gap_sec:.2f}" for each in seen[-len(watched) :])
        arena.say(f"{blow} {number + 1} of {times}: watched again after {gaps} s")
    await asyncio.gather(*(_next_segment(arena, name) for name in names))
    finals = [await house.rest.stop(each) and await house.rest.show(each) for each in ids.values()]
    return Takeovers(blow, seen, _skipped(arena, names, finals))


async def _victim(house: ChaosHouse, ids: dict[str, str]) -> tuple[Child, dict[str, str]]:
    by_worker: dict[Child, dict[str, str]] = {}
    for name, monitor_id in ids.items():
        worker = await house.probing(monitor_id)
        by_worker.setdefault(worker, {})[name] = monitor_id
    return max(by_worker.items(), key=lambda item: len(item[1]))


async def _strike(
    arena: Arena, house: ChaosHouse, blow: Blow, victim: Child, ids: dict[str, str]
) -> list[Takeover]:
    await asyncio.sleep(arena.chance.uniform(0.0, 2.0))  # anywhere between two segments
    before = {name: {each.sequence for each in arena.segments(name)} for name in ids}
    async with AsyncExitStack() as stack:
        began = time.time()
        victim.send(SIGNALS[blow])
        if blow is Blow.STOP:
            stack.callback(victim.send, signal.SIGCONT)
        else:
            replaced = asyncio.create_task(house.start_worker("probe"))
            stack.push_async_callback(_finished, replaced)
        gaps = await asyncio.gather(
            *(_gap(arena, house, name, each, victim, began) for name, each in ids.items())
        )
        await asyncio.gather(*(_next_segment(arena, name) for name in ids))
    thaw_sec = await timed(_given_up(house, victim)) if blow is Blow.STOP else 0.0
    if blow is not Blow.STOP:
        await victim.ended(20)
    twice = [_twice(arena, name, before[name], began) for name in ids]
    return [Takeover(gap, both, thaw_sec) for gap, both in zip(gaps, twice, strict=True)]


async def _finished(task: asyncio.Task[Any]) -> None:
    await task


async def _gap(
    arena: Arena, house: ChaosHouse, name: str, monitor_id: str, victim: Child, began: float
) -> float:
    elsewhere = await house.started_elsewhere(monitor_id, victim)
    return await arena.requested_since(name, elsewhere) - began


async def _next_segment(arena: Arena, name: str) -> None:
    """Wait until a segment is fetched that had not been published when this was called."""
    newest = arena.origin[name].published[-1].sequence

    async def fetched() -> bool:
        return any((each.sequence or 0) > newest for each in arena.segments(name))

    await until(fetched, f"a new segment of {name}", within_sec=60)


async def _given_up(house: ChaosHouse, worker: Child) -> None:
    async def gave_up() -> bool:
        return await house.slots_used(worker) == 0

    await until(gave_up, f"an idle {worker.name}", within_sec=60)


def _twice(arena: Arena, name: str, before: set[int | None], began: float) -> int:
    later = [each.sequence for each in arena.segments(name) if each.at >= began]
    return len(later) - len(set(later) - before)


def _skipped(arena: Arena, names: Sequence[str], finals: Sequence[dict[str, Any]]) -> int:
    skipped = 0
    for name in names:
        asked = {each.sequence or 0 for each in arena.segments(name)}
        skipped += max(asked) - min(asked) + 1 - len(asked)
    told = [each["statistics"] for each in finals]
    counted: int = sum(each["segments_missed"] + each["segments_failed"] for each in told)
    return skipped + counted
