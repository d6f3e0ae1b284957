"""Hostile streams beside a good one, in one worker: each is counted, logged, bounded."""

import asyncio
import contextlib
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog

from media.watching import WatchState
from simulator.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, render
from tests.testkit.hostile_origins import ATTACKS
from tests.testkit.stand_ins import Answer, ScriptedServer, scripted_server
from tests.testkit.viewing import Studio, Viewer, studio

pytestmark = pytest.mark.timeout(180)

SLOW = {"a playlist that drips", "a segment that costs CPU time"}
"""Those whose failure may come after the test: a look may take 15 s, a segment 10 s of CPU time."""


@dataclass
class Attack:
    """A hostile stream, watched."""

    state: WatchState
    server: ScriptedServer
    failed: int
    lasted_sec: float


@dataclass(frozen=True)
class Seen:
    """What became of all of them."""

    attacks: dict[str, Attack]
    neighbour: Viewer
    published: int
    log: list[MutableMapping[str, Any]] = field(default_factory=list)


async def attacked(shared: Studio, answer: Answer, over: asyncio.Event) -> Attack:
    """Watch a hostile stream until `over`."""
    async with scripted_server(answer) as server:
        viewer = Viewer.of(shared, server.url(host="127.0.0.1"))
        clock = asyncio.get_running_loop().time
        began = clock()
        watching = asyncio.create_task(viewer.to_the_end())
        await over.wait()
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        return Attack(viewer.state, server, len(viewer.failed()), clock() - began)


async def scenario() -> Seen:
    programme = render(Programme.of([("normal", 9.0)], TINY))
    over = asyncio.Event()
    async with LiveOrigin() as origin, studio(origin.clock) as shared:
        running = {
            name: asyncio.create_task(attacked(shared, answer, over), name=name)
            for name, answer in ATTACKS.items()
        }
        channel = origin.add("good", programme, options=ChannelOptions(at_end=AtEnd.END))
        neighbour = await Viewer.of(shared, channel.url).to_the_end()
        over.set()
        attacks = {name: await task for name, task in running.items()}
    return Seen(attacks, neighbour, len(programme.segments))


@pytest.fixture(scope="module")
def seen() -> Seen:
    with structlog.testing.capture_logs() as log:
        found = asyncio.run(scenario())
    found.log.extend(log)
    return found


def test_the_neighbour_misses_nothing(seen: Seen) -> None:
    neighbour = seen.neighbour
    assert neighbour.sequences() == [*range(seen.published)]
    assert (neighbour.failed(), neighbour.told) == ([], [])
    assert neighbour.state.statistics.segments_missed == 0


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in ATTACKS])
def test_an_attack_is_survived_and_counted(seen: Seen, name: str) -> None:
    attack = seen.attacks[name]
    assert attack.server.connections > 0
    assert attack.state.statistics.total_segments_analyzed == 0
    is_noticed = (
        attack.failed or attack.state.unknown_because or attack.state.segment_errors.elapsed
    )
    assert is_noticed or name in SLOW


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in ATTACKS])
def test_an_attack_costs_few_requests(seen: Seen, name: str) -> None:
    """A stream that always fails is asked about as often as a good one: not in a circle."""
    attack = seen.attacks[name]
    playlists = [each for each in attack.server.requests if each.path == "/"]
    assert len(playlists) <= 2 * attack.lasted_sec + 8


def test_what_fails_is_logged_without_its_content(seen: Seen) -> None:
    said = {line["event"] for line in seen.log}
    assert {"no media", "cannot measure"} <= said
    assert max(len(str(line)) for line in seen.log) < 1_000
