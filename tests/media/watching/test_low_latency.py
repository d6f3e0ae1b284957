"""Low latency HLS: a fault is told within a part, and each moment is measured once."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from starlette.requests import Request
from starlette.responses import Response

from media.hls.reload import BLOCKING
from media.watching import ResumeHint, WatchState
from monitors.config import MonitorConfig
from monitors.events import EndReason
from simulator.origin import TINY, Programme, WallClock, render
from tests.media.watching.packager import Packager
from tests.testkit.viewing import Viewer, moment, studio

PARTS = 6
"""Of a second each, in a segment."""

SCENES = [("normal", 6.0), ("black", 7.0), ("normal", 11.0)]
SEGMENTS = 4
LAST_PART = PARTS * SEGMENTS - 1
EAGER = MonitorConfig(blackout_threshold_sec=2, recovery_sec=1)
HEADER = (
    "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-PART-INF:PART-TARGET=1.0\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0"
)


@dataclass
class LowLatencyServer:
    """What an answer to a request for the playlist says.

    Attributes:
        independent: parts that begin with a picture that needs no other.
        keeps_parts: whether parts of complete segments stay listed for a while.
        hangs: whether it never answers a blocking request.
    """

    independent: Sequence[int] = range(PARTS)
    keeps_parts: bool = True
    hangs: bool = False

    async def __call__(self, packager: Packager, request: Request) -> Response:
        if BLOCKING in request.query_params:
            if self.hangs:
                await asyncio.sleep(60)
            segment = int(request.query_params[BLOCKING])
            part = request.query_params.get("_HLS_part")
            last = PARTS - 1 if part is None else int(part)
            await packager.until(PARTS * segment + last)
        return Response(self.playlist(packager.newest))

    def playlist(self, newest: int) -> str:
        lines, complete = [HEADER], (newest + 1) // PARTS
        for number in range(complete):
            if self.keeps_parts and number >= complete - 2:
                lines += self.parts(number, PARTS)
            first = PARTS * number
            lines += [f"#EXTINF:{PARTS}.0,", f"{first}-{first + PARTS - 1}.ts"]
        lines += self.parts(complete, newest + 1 - PARTS * complete)
        return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if newest == LAST_PART else [])])

    def parts(self, segment: int, count: int) -> list[str]:
        return [
            f'#EXT-X-PART:DURATION=1.0,URI="{PARTS * segment + part}.ts"'
            + (",INDEPENDENT=YES" if part in self.independent else "")
            for part in range(count)
        ]


@dataclass
class Show:
    """A server, who watched it, and how many parts were published when it was told what."""

    packager: Packager
    viewer: Viewer
    newest_at: dict[str, int] = field(default_factory=dict)

    async def watch(self) -> None:
        async with asyncio.timeout(90):
            while self.viewer.ended is None:
                await self.viewer.look()
                for event in self.viewer.types[len(self.newest_at) :]:
                    self.newest_at[event] = self.packager.newest
                self._hand_over()

    def _hand_over(self) -> None:
        """Go on as another worker would, which has the state and nothing else."""
        state = self.viewer.state.model_dump_json()
        self.viewer.state = WatchState.model_validate_json(state)
        self.viewer.hint = ResumeHint()


SERVERS = {
    "all independent": LowLatencyServer(),
    "every third independent": LowLatencyServer(independent=(0, 3)),
    "the first independent": LowLatencyServer(independent=(0,)),
    "parts vanish": LowLatencyServer(keeps_parts=False),
    "hangs": LowLatencyServer(hangs=True),
}


async def watch_everything() -> dict[str, Show]:
    media = [each.data for each in render(Programme.of(SCENES, TINY)).segments]
    async with studio(WallClock()) as usual, AsyncExitStack() as on_air:
        shows = {}
        for name, server in SERVERS.items():
            packager = Packager(media, server, LAST_PART)
            await on_air.enter_async_context(packager.serving())
            shows[name] = Show(packager, Viewer.of(usual, packager.url, EAGER))
        await asyncio.gather(*(each.watch() for each in shows.values()))
        return shows


@pytest.fixture(scope="module")
def shows() -> dict[str, Show]:
    """All of them on air at the same time, to their ends."""
    return asyncio.run(watch_everything())


@pytest.mark.parametrize("name", [name for name in SERVERS if name != "parts vanish"])
def test_each_part_is_measured_once(shows: dict[str, Show], name: str) -> None:
    packager, viewer = shows[name].packager, shows[name].viewer
    assert packager.fetched == list(range(LAST_PART + 1))
    assert viewer.failed() == []
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    statistics = viewer.state.statistics
    assert statistics.total_segments_analyzed == SEGMENTS
    assert statistics.analyzed_sec == pytest.approx(LAST_PART + 1)
    assert viewer.state.tracks["main"].stream_sec == pytest.approx(LAST_PART + 1)


@pytest.mark.parametrize("name", SERVERS)
def test_the_fault_is_told_once_with_its_length(shows: dict[str, Show], name: str) -> None:
    viewer = shows[name].viewer
    assert viewer.types == ["alert.blackout", "alert.blackout_recovered"]
    total_sec = viewer.data("alert.blackout_recovered")["total_duration_sec"]
    assert total_sec == pytest.approx(7, abs=0.1 if name != "parts vanish" else PARTS)


def test_a_fault_is_told_before_its_segment_is_complete(shows: dict[str, Show]) -> None:
    """The black begins with part 6, has lasted 2 s with part 7, and its segment ends with 11."""
    in_parts, whole = shows["all independent"], shows["the first independent"]
    assert in_parts.newest_at["alert.blackout"] < 11 <= whole.newest_at["alert.blackout"]


def test_what_is_left_of_a_segment_whose_parts_vanish_is_passed_over(
    shows: dict[str, Show],
) -> None:
    packager, viewer = shows["parts vanish"].packager, shows["parts vanish"].viewer
    assert len(packager.fetched) == len(set(packager.fetched))
    assert viewer.failed() == []
    assert viewer.state.tracks["main"].stream_sec == pytest.approx(LAST_PART + 1)


def test_the_moments_of_a_fault_are_those_of_its_parts(shows: dict[str, Show]) -> None:
    viewers = [shows[name].viewer for name in ("all independent", "the first independent")]
    soon, late = (moment(each.data("alert.blackout")["started_at"]) for each in viewers)
    assert soon == pytest.approx(late, abs=3)


def test_a_server_is_asked_for_about_a_second_at_a_time(shows: dict[str, Show]) -> None:
    asked = shows["all independent"].packager.asked
    assert len(asked) <= LAST_PART + 8
    assert f"{BLOCKING}=1&_HLS_part=2" in asked
