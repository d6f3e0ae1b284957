"""A part of the world is away for minutes: what is noticed meanwhile, and what is lost?"""

import asyncio
import contextlib
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any

import httpx

from api.store.database import DATABASE_FILE
from tests.chaos import scripted
from tests.testkit.environment import ChaosEnvironment, ChaosHarness, timed
from tests.testkit.findings import Finding
from tests.testkit.postgres import PostgresServer
from tests.testkit.programmes import EAGER
from tests.testkit.waiting import ConditionTimeout, until

STREAMS = 2
BACK_SEC = 90.0
ASKED_SEC = 70.0
"""A client waits so long: the gateway waits 30 s for its turn, and 30 s for a locked database."""

Away = Callable[[ChaosEnvironment, ChaosHarness], AbstractAsyncContextManager[None]]
"""Takes a part away while the context is open."""


@dataclass(frozen=True)
class Outage:
    """One part that is away, and what is expected meanwhile.

    Attributes:
        is_watched: whether streams are watched and webhooks sent.
        post: HTTP status for a monitor that is to be created; None when there is no answer.
        readyz: HTTP status of the gateway's `/readyz`.
        told: what each stream tells of it, in the end.
    """

    what: str
    away: Away
    is_watched: bool
    post: int | None
    readyz: int | None
    told: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What is away, as a part of paths."""
        return self.what.translate(_IN_PATHS)


_IN_PATHS = str.maketrans({" ": "-", "'": None})


@dataclass(frozen=True)
class OutageResult:
    """What was seen of one outage.

    Attributes:
        meanwhile: events that came while the part was away.
        post, readyz: as in `Outage`, as they were.
        ready_sec: from the part's return until the gateway was ready.
        told_sec: until all that was over at the return, and was seen, was told.
        stored_sec: until the store knew that every event was sent.
        missed: segments that left their playlist unseen.
        wrong: what is not as it was scripted, by stream.
    """

    outage: Outage
    away_sec: float
    meanwhile: int
    post: int | None
    readyz: int | None
    ready_sec: float
    told_sec: float
    stored_sec: float
    missed: int
    wrong: dict[str, str]

    def finding(self) -> Finding:
        """Compare with what is expected."""
        outage = self.outage
        measured = f"meanwhile {self.meanwhile} events, POST {self.post}, /readyz {self.readyz}; "
        measured += f"ready {self.ready_sec:.1f} s after it, all told {self.told_sec:.1f} s, "
        measured += f"stored {self.stored_sec:.1f} s; {self.missed} segments missed, "
        measured += f"{len(self.wrong)} streams wrong"
        is_met = (self.post, self.readyz) == (outage.post, outage.readyz) and not self.wrong
        if outage.is_watched:
            is_met = is_met and self.meanwhile > 0 and not self.missed
        target = "degrades, says so, recovers; nothing twice, nothing acknowledged lost"
        return Finding(f"{outage.what} away for {self.away_sec:g} s", measured, target, is_met)


async def run_outage(
    env: ChaosEnvironment,
    harness: ChaosHarness,
    outage: Outage,
    away_sec: float,
    *,
    streams: int = STREAMS,
) -> OutageResult:
    """Watch streams with incidents through one outage."""
    names = [f"{outage.name}-{number}" for number in range(streams)]
    ids = {name: await scripted.put_on_air(env, harness.rest, name) for name in names}
    await scripted.until_an_incident_is_open(env, *names)
    before, began = _told(env, names), time.time()
    async with outage.away(env, harness):
        patience_sec = min(ASKED_SEC, away_sec)
        post, _ = await asyncio.gather(_post(env, harness, patience_sec), asyncio.sleep(away_sec))
        readyz = await _readyz(harness)
        meanwhile = _told(env, names) - before
    back = time.time()
    ready_sec = await timed(harness.until_ready())
    await asyncio.gather(*(_watched_since(env, name, back) for name in names))
    gap = None if outage.is_watched else (began - 3.0, back)
    told = [_until_told(env, name, outage, gap) for name in names]
    problems = dict(zip(names, await asyncio.gather(*told), strict=True))
    told_sec = time.time() - back
    conditions = [await _stopped(harness, each) for each in ids.values()]
    for name, monitor_id in ids.items():
        problems[name] = problems[name] or await _not_stored(env, harness, name, monitor_id)
    wrong = {name: problem for name, problem in problems.items() if problem}
    for name, problem in wrong.items():
        env.say(f"{name}: {problem}")
    return OutageResult(
        outage=outage,
        away_sec=away_sec,
        meanwhile=meanwhile,
        post=post,
        readyz=readyz,
        ready_sec=ready_sec,
        told_sec=told_sec,
        stored_sec=time.time() - back,
        missed=sum(each["statistics"]["segments_missed"] for each in conditions),
        wrong=wrong,
    )


async def _stopped(harness: ChaosHarness, monitor_id: str) -> dict[str, Any]:
    await harness.rest.stop(monitor_id)
    return await harness.rest.show(monitor_id)


# What can be away


@asynccontextmanager
async def _temporal(_env: ChaosEnvironment, harness: ChaosHarness) -> AsyncIterator[None]:
    await harness.temporal.kill()
    yield
    harness.revive_temporal()


@asynccontextmanager
async def _gateway(_env: ChaosEnvironment, harness: ChaosHarness) -> AsyncIterator[None]:
    await harness.gateway.kill()
    yield
    await harness.start_gateway()


def postgres(server: PostgresServer) -> Outage:
    """Return the outage of the gateway's PostgreSQL."""

    @asynccontextmanager
    async def away(_env: ChaosEnvironment, _harness: ChaosHarness) -> AsyncIterator[None]:
        await asyncio.to_thread(server.stop)
        yield
        await asyncio.to_thread(server.start)

    return Outage("PostgreSQL", away, is_watched=True, post=503, readyz=503)


@asynccontextmanager
async def _unlocked_sqlite(_env: ChaosEnvironment, harness: ChaosHarness) -> AsyncIterator[None]:
    """Lock the database as a careless backup would; what is away is its lock."""
    path = harness.folder / DATABASE_FILE
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@asynccontextmanager
async def _answers(_env: ChaosEnvironment, harness: ChaosHarness) -> AsyncIterator[None]:
    """Freeze the gateway: connections are taken, and never answered, as in a black hole."""
    harness.gateway.send(signal.SIGSTOP)
    try:
        yield
    finally:
        harness.gateway.send(signal.SIGCONT)


@asynccontextmanager
async def _origin(env: ChaosEnvironment, _harness: ChaosHarness) -> AsyncIterator[None]:
    await env.origin.stop()
    yield
    await env.origin.start()


TEMPORAL = Outage("Temporal", _temporal, is_watched=False, post=503, readyz=503)
GATEWAY = Outage("the gateway", _gateway, is_watched=True, post=None, readyz=None)
ANSWERS = Outage("the gateway's answers", _answers, is_watched=True, post=None, readyz=None)
SQLITE = Outage("SQLite's lock", _unlocked_sqlite, is_watched=True, post=503, readyz=503)
ORIGIN = Outage(
    *("the origin", _origin),
    is_watched=False,
    post=201,
    readyz=200,
    told=("alert.segment_error", "alert.segment_error_recovered"),
)


# What is seen of it


def _told(env: ChaosEnvironment, names: Sequence[str]) -> int:
    return sum(len(env.receiver.events(name)) for name in names)


async def _post(env: ChaosEnvironment, harness: ChaosHarness, patience_sec: float) -> int | None:
    body = {
        "stream_url": f"{env.origin.base_url}/live/not-on-air/index.m3u8",
        "callback_url": env.receiver.url("nobody"),
        "config": EAGER,
    }
    return await _status(harness.rest.http.post("/monitors", json=body, timeout=patience_sec))


async def _readyz(harness: ChaosHarness) -> int | None:
    return await _status(harness.rest.http.get(f"{harness.rest.base_url}/readyz"))


async def _status(answer: Awaitable[httpx.Response]) -> int | None:
    try:
        return (await answer).status_code
    except httpx.TransportError:
        return None


async def _watched_since(env: ChaosEnvironment, name: str, at: float) -> None:
    """Wait until a segment is fetched that was not on air at `at`, unix seconds."""
    published = {each.sequence for each in env.origin[name].published if each.published_at < at}

    async def fetched() -> bool:
        return any(each.sequence not in published for each in env.segments(name))

    await until(fetched, f"new segments of {name}", within_sec=BACK_SEC)


async def _until_told(
    env: ChaosEnvironment, name: str, outage: Outage, gap: tuple[float, float] | None
) -> str:
    """Wait until all that is over is told; return what is not as it was scripted, if anything."""
    if gap is None:
        await scripted.until_all_told(env, name, within_sec=BACK_SEC)
        channel, events = env.origin[name], env.receiver.events(name)
        off_sec = scripted.off_sec(channel, events)
        late = f"times are off by {off_sec:.3f} s" if off_sec > scripted.EXACT_SEC else ""
        return scripted.difference(channel, events) or late
    return await scripted.until_told_around(env, name, gap, outage.told, within_sec=BACK_SEC)


async def _not_stored(
    env: ChaosEnvironment, harness: ChaosHarness, name: str, monitor_id: str
) -> str:
    """Wait until the store has the events that came; return how it differs if it never does.

    Both may still grow: a stopped monitor delivers what is queued.
    """
    problem = "the store says nothing"

    async def is_stored() -> bool:
        nonlocal problem
        audit = await harness.rest.events(monitor_id)
        came = [each.event for each in env.receiver.events(name)]
        states = {each["webhook_status"] for each in audit}
        problem = "" if states == {"sent"} else f"the store says {states}"
        if [each["payload"] for each in audit] != came:
            problem = f"{len(came)} events came, the store knows {len(audit)}"
        return not problem

    with contextlib.suppress(ConditionTimeout):
        await until(is_stored, f"the audit of {name}", within_sec=BACK_SEC)
    return problem
