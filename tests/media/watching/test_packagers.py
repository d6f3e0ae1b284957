"""Packagers that offer more than others, offer it badly, or count in their own way."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

import pytest
from starlette.requests import Request
from starlette.responses import Response

from media.hls.reload import BLOCKING
from monitors.config import MonitorConfig
from monitors.events import EndReason
from simulator.origin import WallClock
from tests.media.watching.packager import Packager, normal_media
from tests.testkit.viewing import Viewer, studio

LAST = 13
WINDOW = 8
HANGS_SEC = 60.0
SKIPS = "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=4"
BLOCKS = "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES"
EAGER = MonitorConfig(suspend_threshold_sec=5)


async def plain(packager: Packager, request: Request) -> Response:
    first = max(0, packager.newest - WINDOW + 1)
    return packager.playlist(f"#EXT-X-MEDIA-SEQUENCE:{first}", first=first)


async def always_from_zero(packager: Packager, request: Request) -> Response:
    first = max(0, packager.newest - WINDOW + 1)
    return packager.playlist("#EXT-X-MEDIA-SEQUENCE:0", first=first)


async def delta_updates(packager: Packager, request: Request) -> Response:
    skipped = max(0, packager.newest - 4)
    if "_HLS_skip" in request.query_params and skipped:
        skip = f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"
        return packager.playlist(SKIPS, skip, first=skipped)
    return packager.playlist(SKIPS)


async def delta_updates_of_the_unknown(packager: Packager, request: Request) -> Response:
    skip = ["#EXT-X-SKIP:SKIPPED-SEGMENTS=500"] if "_HLS_skip" in request.query_params else []
    return packager.playlist(SKIPS, *skip)


async def delta_updates_refused(packager: Packager, request: Request) -> Response:
    return Response(status_code=400) if request.url.query else packager.playlist(SKIPS)


async def blocking(packager: Packager, request: Request) -> Response:
    await packager.until(int(request.query_params.get(BLOCKING, 0)))
    return packager.playlist(BLOCKS)


async def blocking_that_hangs(packager: Packager, request: Request) -> Response:
    if request.url.query:
        await asyncio.sleep(HANGS_SEC)
    return packager.playlist(BLOCKS)


async def blocking_that_does_not(packager: Packager, request: Request) -> Response:
    return packager.playlist(BLOCKS)


async def blocking_refused(packager: Packager, request: Request) -> Response:
    return Response(status_code=404) if request.url.query else packager.playlist(BLOCKS)


async def variables(packager: Packager, request: Request) -> Response:
    if request.url.path == "/live.m3u8":
        return Response(
            '#EXTM3U\n#EXT-X-DEFINE:NAME="kind",VALUE="ts"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8'
        )
    text = bytes(packager.playlist('#EXT-X-DEFINE:IMPORT="kind"').body).decode()
    return Response(text.replace(".ts", ".{$kind}"))


async def gaps(packager: Packager, request: Request) -> Response:
    return packager.playlist(gaps=range(4, 11))


async def one_gap(packager: Packager, request: Request) -> Response:
    return packager.playlist(gaps=[5])


PACKAGERS = {
    "plain": plain,
    "always from zero": always_from_zero,
    "delta updates": delta_updates,
    "delta updates of the unknown": delta_updates_of_the_unknown,
    "delta updates refused": delta_updates_refused,
    "blocking": blocking,
    "blocking that hangs": blocking_that_hangs,
    "blocking that does not": blocking_that_does_not,
    "blocking refused": blocking_refused,
    "variables": variables,
}
GAPS = {"gaps": gaps, "one gap": one_gap}


async def watch_everything() -> dict[str, tuple[Packager, Viewer]]:
    media, clock = normal_media(), WallClock()
    packagers = {
        name: Packager(media, answer, LAST) for name, answer in {**PACKAGERS, **GAPS}.items()
    }
    async with studio(clock) as usual, AsyncExitStack() as on_air:
        for packager in packagers.values():
            await on_air.enter_async_context(packager.serving())
        viewers = [
            Viewer.of(usual, each.url, EAGER if name in GAPS else MonitorConfig())
            for name, each in packagers.items()
        ]
        await asyncio.gather(*(viewer.to_the_end() for viewer in viewers))
        return dict(zip(packagers, zip(packagers.values(), viewers, strict=True), strict=True))


Watched = Mapping[str, tuple[Packager, Viewer]]


@pytest.fixture(scope="module")
def watched() -> Watched:
    """All of them on air at the same time, to their ends."""
    return asyncio.run(watch_everything())


@pytest.mark.parametrize("name", PACKAGERS)
def test_each_segment_is_measured_once_and_nothing_is_told(watched: Watched, name: str) -> None:
    packager, viewer = watched[name]
    assert packager.fetched == list(range(LAST + 1))
    assert (viewer.types, viewer.failed()) == ([], [])
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    statistics = viewer.state.statistics
    assert statistics.total_segments_analyzed == LAST + 1
    assert (statistics.segments_missed, statistics.sequence_resets) == (0, 0)
    assert viewer.state.tracks["main"].stream_sec == pytest.approx(LAST + 1)


def test_delta_updates_are_asked_for_once_they_leave_out_much(watched: Watched) -> None:
    asked = watched["delta updates"][0].asked
    assert asked[0] == ""
    assert "_HLS_skip=YES" in asked[-3:]


def test_a_blocking_server_is_asked_once_a_segment(watched: Watched) -> None:
    asked = [query for query in watched["blocking"][0].asked if query]
    assert len(asked) == len(set(asked)) <= LAST
    assert set(asked) <= {f"{BLOCKING}={number}" for number in range(3, LAST + 1)}
    assert len(asked) >= LAST // 2


@pytest.mark.parametrize(
    "name",
    [
        "blocking that hangs",
        "blocking that does not",
        "blocking refused",
        "delta updates of the unknown",
        "delta updates refused",
    ],
)
def test_directives_that_are_answered_badly_are_given_up(watched: Watched, name: str) -> None:
    asked = watched[name][0].asked
    assert 1 <= sum(query != "" for query in asked) <= 3


def test_a_long_run_of_gaps_is_a_suspension(watched: Watched) -> None:
    """8216bis 4.4.4.7: the segments are missing, though the playlist goes on."""
    packager, viewer = watched["gaps"]
    assert packager.fetched == [0, 1, 2, 3, 11, 12, 13]
    assert viewer.types == ["stream.suspended", "stream.resumed"]
    suspended = viewer.data("stream.suspended")
    assert (suspended["reason"], suspended["threshold_sec"]) == ("gap", 5)
    assert viewer.data("stream.resumed")["suspended_sec"] == pytest.approx(8, abs=2)


def test_a_gap_alone_is_not_told(watched: Watched) -> None:
    packager, viewer = watched["one gap"]
    assert 5 not in packager.fetched
    assert viewer.types == []
    assert viewer.state.tracks["main"].stream_sec == pytest.approx(LAST + 1)
