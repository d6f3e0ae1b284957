"""Good streams beside hostile ones in one worker: are they later than alone?"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from media.watching import SegmentSeen
from simulator.origin import LOWEST, AtEnd, Channel, ChannelOptions, LiveOrigin, Programme, render
from tests.testkit.crafted_media import animation, playlist, segments, squeezed
from tests.testkit.findings import Finding, percentile
from tests.testkit.stand_ins import Answer, always, by_path, reply, scripted_server
from tests.testkit.viewing import Studio, Viewer, studio

GOOD = 6
ALLOWED = 1.5

HOSTILE: tuple[Answer, ...] = (
    # A segment that takes all the CPU time that it is given, and then the next.
    by_path(
        {
            "/": reply(playlist(*segments(10))),
            "/segment.ts": reply(animation(2_000, 2_000, 20_000)),
        }
    ),
    # The longest playlist that is read, again and again.
    always(reply(squeezed(playlist(*segments(20_000))), content_encoding="gzip")),
    # More pictures than any segment has.
    by_path({"/": reply(playlist(*segments(10))), "/segment.ts": reply(animation(64, 36, 30_000))}),
)


@dataclass
class LateSeen(list[SegmentSeen]):
    """Takes note of how long after its publication each segment was measured.

    Attributes:
        delays_sec: from the publication; the wait for the next look at the playlist is part of it.
        waits_sec: from that look.
    """

    channel: Channel
    studio: Studio
    segment_sec: float
    delays_sec: list[float]
    waits_sec: list[float]

    def append(self, seen: SegmentSeen) -> None:
        """Note a segment that was measured."""
        super().append(seen)
        middle_sec = (seen.segment.sequence + 0.5) * self.segment_sec
        published = self.channel.available_at(middle_sec)
        now = self.studio.now()
        self.delays_sec.append((now - published).total_seconds())
        self.waits_sec.append((now - seen.seen_at).total_seconds())


async def _quietly(viewer: Viewer) -> None:
    with contextlib.suppress(TimeoutError):
        await viewer.to_the_end()


async def compare(seconds: float) -> Finding:
    """Watch `GOOD` streams alone for so long, then beside `HOSTILE`."""
    alone, wait_alone = [percentile(each, 95) for each in await _watch(seconds, ())]
    beside, wait_beside = [percentile(each, 95) for each in await _watch(seconds, HOSTILE)]
    measured = f"p95 {alone:.2f} s alone, {beside:.2f} s beside ({beside / alone:.2f} times); "
    measured += f"of it fetched and measured in {wait_alone:.2f} and {wait_beside:.2f} s"
    name = f"{GOOD} streams beside {len(HOSTILE)} hostile ones"
    return Finding(name, measured, f"p95 within {ALLOWED} times", beside <= ALLOWED * alone)


async def _watch(seconds: float, hostile: Iterable[Answer]) -> tuple[list[float], list[float]]:
    """Return the good streams' delays and waits, see `LateSeen`."""
    programme = render(Programme.of([("normal", seconds)], LOWEST))
    delays_sec: list[float] = []
    waits_sec: list[float] = []
    async with contextlib.AsyncExitStack() as stack:
        origin = await stack.enter_async_context(LiveOrigin())
        shared = await stack.enter_async_context(studio(origin.clock))
        attacks = []
        for answer in hostile:
            server = await stack.enter_async_context(scripted_server(answer))
            viewer = Viewer.of(shared, server.url(host="127.0.0.1"))
            attacks.append(asyncio.create_task(_quietly(viewer)))
        good = []
        for number in range(GOOD):
            channel = origin.add(
                f"good-{number}", programme, options=ChannelOptions(at_end=AtEnd.END)
            )
            viewer = Viewer.of(shared, channel.url)
            viewer.seen = LateSeen(channel, shared, LOWEST.segment_sec, delays_sec, waits_sec)
            good.append(viewer.to_the_end())
        await asyncio.gather(*good)
        for attack in attacks:
            attack.cancel()
        await asyncio.gather(*attacks, return_exceptions=True)
    return delays_sec, waits_sec
