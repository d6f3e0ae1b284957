"""Each sound that a master playlist declares is measured where all are wanted."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from monitors.config import AudioTracks, MonitorConfig
from monitors.events import EndReason
from monitors.status import Health
from simulator.origin import TINY, Programme, RenderedProgramme, Tracks, WallClock, render
from simulator.origin.server import InProcessServer
from tests.media.watching.test_takeover import Relay
from tests.media.watching.test_youtube_stream import told
from tests.testkit.viewing import Viewer, studio

MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Original",LANGUAGE="en",DEFAULT=YES,URI="en.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",URI="de.m3u8"
{more}#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=64x36,CODECS="avc1.42c00a,mp4a.40.2",AUDIO="a"
picture.m3u8
"""
GONE = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Gone",LANGUAGE="fr",URI="fr.m3u8"\n'
TOUCHY = MonitorConfig(
    blackout_threshold_sec=3,
    silence_threshold_sec=3,
    freeze_threshold_sec=3,
    suspend_threshold_sec=60,  # the playlists wait for all who load them
    recovery_sec=1,
    audio_tracks=AudioTracks.ALL,
)
DEUTSCH = {"track": "audio 2", "language": "de", "name": "Deutsch"}


class Origin:
    """Playlists that grow together, to their end: by a segment once each of them was loaded.

    Args:
        more: lines of the master playlist.
    """

    def __init__(self, more: str, **programmes: RenderedProgramme) -> None:
        self._more = more
        self._programmes = programmes
        self._loads: Counter[str] = Counter()
        self._published = 0

    def app(self) -> Starlette:
        paths = {"master.m3u8": self._master, "{name}.m3u8": self._media, "{name}/{n}": self._file}
        return Starlette(routes=[Route(f"/{path}", answer) for path, answer in paths.items()])

    def _master(self, _: Request) -> Response:
        return PlainTextResponse(MASTER.format(more=self._more))

    def _media(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._programmes:
            return Response(status_code=404)
        self._loads[name] += 1
        durations = self._programmes[name].durations_sec
        self._published = max(self._published, min(self._loads.values()) + 1)
        shown = durations[: self._published]
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1"]
        lines += [f"#EXTINF:{sec:.3f},\n{name}/{number}" for number, sec in enumerate(shown)]
        if len(shown) == len(durations):
            lines.append("#EXT-X-ENDLIST")
            self._loads[name] += len(durations)  # the others do not wait for it
        return PlainTextResponse("\n".join(lines))

    def _file(self, request: Request) -> Response:
        name, number = request.path_params["name"], int(request.path_params["n"])
        return Response(self._programmes[name].segments[number].data)


def origin(more: str = "", *, lasts_sec: float = 13.0) -> Origin:
    def rendered(tracks: Tracks, *scenes: tuple[str, float]) -> RenderedProgramme:
        return render(Programme.of(scenes, TINY.model_copy(update={"tracks": tracks})))

    return Origin(
        more,
        picture=rendered(Tracks.VIDEO, ("normal", lasts_sec)),
        en=rendered(Tracks.AUDIO, ("normal", lasts_sec)),
        de=rendered(Tracks.AUDIO, ("normal", 2.0), ("silent", 4.5), ("normal", lasts_sec - 6.5)),
    )


@asynccontextmanager
async def on_air(origin: Origin, config: MonitorConfig) -> AsyncIterator[Viewer]:
    http = InProcessServer(origin.app(), "127.0.0.1", 0)
    host, port = await http.start()
    try:
        async with studio(WallClock(1)) as home:
            yield Viewer.of(home, f"http://{host}:{port}/master.m3u8", config)
    finally:
        await http.stop()


async def watched(config: MonitorConfig, *, by_turns: bool = False) -> Viewer:
    async with on_air(origin(), config) as viewer:
        return await (Relay(viewer, 3).hand_over() if by_turns else viewer.to_the_end())


@pytest.mark.parametrize("by_turns", [False, True])
async def test_a_silence_names_the_sound_that_is_declared(by_turns: bool) -> None:
    viewer = await watched(TOUCHY, by_turns=by_turns)
    assert viewer.types == ["alert.silence", "alert.silence_recovered"]
    opened, closed = viewer.data("alert.silence"), viewer.data("alert.silence_recovered")
    assert opened.items() >= DEUTSCH.items()
    assert closed.items() >= DEUTSCH.items()
    assert closed["total_duration_sec"] == pytest.approx(4.5, abs=0.1)
    assert viewer.state.health().audio is Health.OK
    assert viewer.ended is EndReason.ENDLIST_DETECTED


async def test_only_the_first_sound_is_asked_for_where_nobody_wants_more() -> None:
    first = TOUCHY.model_copy(update={"audio_tracks": AudioTracks.FIRST})
    viewer = await watched(first)
    assert viewer.types == []
    assert set(viewer.state.tracks) == {"main", "audio"}


async def test_a_sound_whose_playlist_is_not_there_is_silent_and_no_error_of_the_stream() -> None:
    config = TOUCHY.model_copy(
        update={"silence_threshold_sec": 6.0, "segment_error_threshold_sec": 1.0}
    )
    async with on_air(origin(GONE, lasts_sec=60.0), config) as viewer:
        await viewer.until(told("alert.silence"))
    assert viewer.types == ["alert.silence"]
    opened = viewer.data("alert.silence")
    assert (opened["name"], opened["reason"]) == ("Gone", "audio_missing")
    assert viewer.state.segment_errors.elapsed is None
    assert not viewer.state.may_stand_still(config)
