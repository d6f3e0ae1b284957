"""Hostile streams beside a good one, in one worker: each is counted, logged, bounded."""

import asyncio
import contextlib
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog

from media.watch import WatchState
from tests.hostile.crafted import (
    animation,
    bomb,
    picture,
    playlist,
    segments,
    squeezed,
)
from tests.media.outbound.stand_ins import (
    Answer,
    ScriptedServer,
    always,
    by_path,
    endlessly,
    reply,
    scripted_server,
)
from tests.media.watch.viewing import Studio, Viewer, studio
from tests.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, render

pytestmark = pytest.mark.timeout(180)

LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY a "ha">'
    + b"".join(
        f'<!ENTITY {after} "{f"&{before};" * 10}">'.encode()
        for before, after in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + b"]><MPD>&j;</MPD>"
)
CHUNKED = b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n" + bytes(0x10000) + b"\r\n"


def with_segment(segment: bytes, lines: list[str] | None = None) -> Answer:
    """Serve a playlist of ten segments that are all the same."""
    listed = playlist(*(lines or segments(10)))
    return by_path({"/": reply(listed), "/segment.ts": reply(segment)})


def zipped(content: bytes) -> bytes:
    return reply(content, content_encoding="gzip")


async def endless_segment(request: Any, writer: asyncio.StreamWriter) -> None:
    if request.path == "/":
        writer.write(reply(playlist(*segments(10))))
    else:
        await endlessly(CHUNKED, CHUNK)(request, writer)


ATTACKS: dict[str, Answer] = {
    "a playlist without end": endlessly(CHUNKED, CHUNK),
    "100,000 lines": always(zipped(squeezed(playlist(*segments(50_000, uri="a"))))),
    "more segments than any stream has": always(zipped(squeezed(playlist(*segments(21_000))))),
    "a gzip bomb": always(zipped(bomb())),
    "a playlist that drips": endlessly(CHUNKED, b"1\r\n#\r\n", pause_sec=0.05),
    "an XML bomb": always(reply(LAUGHS)),
    "a sequence beyond 64 bits": always(reply(playlist(*segments(3), sequence="1" * 30))),
    "a negative sequence": always(reply(playlist(*segments(3), sequence="-7"))),
    "a master playlist of itself": always(reply(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/\n")),
    "redirects in a circle": always(reply(status=302, location="/")),
    "a segment without end": endless_segment,
    "a segment of 16k x 16k": with_segment(picture(16_384, 16_384)),
    "a segment that costs CPU time": with_segment(animation(4_000, 4_000, 3_000)),
    "a segment that costs memory": with_segment(animation(5_800, 5_800, 3_000)),
    "durations of 1e308": with_segment(b"x", segments(5, "1e308")),
    "negative durations": with_segment(b"x", segments(5, "-1")),
    "durations that are no number": with_segment(b"x", segments(5, "NaN")),
}
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
    is_noticed = attack.failed or attack.state.unknown_because or attack.state.errors.failing
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
