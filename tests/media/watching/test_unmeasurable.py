"""What cannot be measured is told once, is no fault, and its pace is watched."""

import re
from itertools import count

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from monitors.config import MonitorConfig
from monitors.events import EndReason
from monitors.status import Health
from simulator.origin import TINY, Container, Programme, RenderedProgramme, WallClock, render
from simulator.origin.server import InProcessServer
from tests.testkit.viewing import Viewer, studio

TOUCHY = MonitorConfig(
    blackout_threshold_sec=2,
    silence_threshold_sec=2,
    freeze_threshold_sec=2,
    segment_error_threshold_sec=2,
    suspend_threshold_sec=600,
)
MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=64x36,CODECS="avc1.42c00a,mp4a.40.2"
media.m3u8
"""
SAMPLE_AES = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key",KEYFORMAT="com.apple"\n'


class Origin:
    """A programme that grows by a segment with each load of its playlist, to its end."""

    def __init__(self, programme: RenderedProgramme, init: bytes, key: str = "") -> None:
        self._programme, self._init, self._key = programme, init, key
        self._loads = count(2)
        self.asked: list[str] = []

    def app(self) -> Starlette:
        paths = {"master.m3u8": self._master, "media.m3u8": self._media, "{name}": self._file}
        return Starlette(routes=[Route(f"/{path}", answer) for path, answer in paths.items()])

    def _master(self, _: Request) -> Response:
        return PlainTextResponse(MASTER)

    def _media(self, _: Request) -> Response:
        durations = self._programme.durations_sec
        shown = durations[: next(self._loads)]
        lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:1"]
        lines += [f'{self._key}#EXT-X-MAP:URI="init"']
        lines += [f"#EXTINF:{sec:.3f},\n{number}" for number, sec in enumerate(shown)]
        lines += ["#EXT-X-ENDLIST"] if len(shown) == len(durations) else []
        return PlainTextResponse("\n".join(lines))

    def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.asked.append(name)
        is_init = not re.fullmatch(r"\d+", name)
        return Response(self._init if is_init else self._programme.segments[int(name)].data)


async def watched(origin: Origin, path: str = "master.m3u8") -> Viewer:
    http = InProcessServer(origin.app(), "127.0.0.1", 0)
    host, port = await http.start()
    try:
        async with studio(WallClock(1)) as home:
            return await Viewer.of(home, f"http://{host}:{port}/{path}", TOUCHY).to_the_end()
    finally:
        await http.stop()


@pytest.fixture(scope="module")
def programme() -> RenderedProgramme:
    encoding = TINY.model_copy(update={"container": Container.FMP4})
    return render(Programme.of([("normal", 3.0), ("silent", 5.0)], encoding))


async def test_sample_aes_is_told_once_a_track_and_never_asked_for(
    programme: RenderedProgramme,
) -> None:
    origin = Origin(programme, programme.init or b"", SAMPLE_AES)
    viewer = await watched(origin)
    assert viewer.types == ["stream.unmeasurable"] * 2
    told = {it.data["track"]: (it.data["codec"], it.data["reason"]) for it in viewer.told}
    assert told == {
        "video": ("avc1.42c00a", "encrypted"),
        "audio": ("mp4a.40.2", "encrypted"),
    }
    assert viewer.state.health().video is viewer.state.health().audio is Health.UNKNOWN
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    assert viewer.state.statistics.segments_failed == 0
    assert viewer.state.statistics.total_segments_analyzed == 0
    assert origin.asked == []


async def test_sound_is_judged_beside_a_picture_that_cannot_be_decoded(
    programme: RenderedProgramme,
) -> None:
    init = (programme.init or b"").replace(b"avc1", b"vvc1")
    viewer = await watched(Origin(programme, init))
    assert viewer.types == ["stream.unmeasurable", "alert.silence"]
    assert viewer.data("stream.unmeasurable") == {
        "track": "video",
        "codec": "vvc1",
        "reason": "unsupported_codec",
    }
    assert viewer.state.health().video is Health.UNKNOWN
    assert viewer.state.health().audio is Health.ERROR
    assert viewer.state.statistics.segments_failed == 0
