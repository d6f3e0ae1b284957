"""A rendition that cannot be measured is left for one that can, and for no other."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from monitors.config import MonitorConfig
from monitors.events import EndReason
from simulator.origin import TINY, Clock, Container, Programme, RenderedProgramme, WallClock, render
from simulator.origin.server import InProcessServer
from tests.testkit.viewing import Viewer, studio

SPEED = 2
MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=64x36,CODECS="avc1.42c00a,mp4a.40.2"
v0/media.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=600000,RESOLUTION=128x72,CODECS="avc1.42c00a,mp4a.40.2"
v1/media.m3u8
"""
SAMPLE_AES = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key",KEYFORMAT="com.apple"\n'
PLAIN, DRM, CENC = "plain", "drm", "cenc"
"""How a rendition is: the playlist says that it is encrypted, or its segments alone do."""


class Ladder:
    """Two renditions of a programme that goes on with the clock, to its end."""

    def __init__(self, programme: RenderedProgramme, clock: Clock, kinds: tuple[str, str]) -> None:
        self._programme, self._clock, self._began_at = programme, clock, clock.now()
        self._kinds = {f"v{place}": kind for place, kind in enumerate(kinds)}

    def app(self) -> Starlette:
        paths = {
            "master.m3u8": self._master,
            "{variant}/media.m3u8": self._media,
            "{variant}/{name}": self._file,
        }
        return Starlette(routes=[Route(f"/{path}", answer) for path, answer in paths.items()])

    def _master(self, _: Request) -> Response:
        return PlainTextResponse(MASTER)

    def _media(self, request: Request) -> Response:
        durations = self._programme.durations_sec
        shown = durations[: 3 + int(self._clock.now() - self._began_at)]
        key = SAMPLE_AES if self._kinds[request.path_params["variant"]] == DRM else ""
        lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:1"]
        lines += [f'{key}#EXT-X-MAP:URI="init"']
        lines += [f"#EXTINF:{sec:.3f},\n{number}" for number, sec in enumerate(shown)]
        lines += ["#EXT-X-ENDLIST"] if len(shown) == len(durations) else []
        return PlainTextResponse("\n".join(lines))

    def _file(self, request: Request) -> Response:
        variant, name = request.path_params["variant"], request.path_params["name"]
        if name != "init":
            return Response(self._programme.segments[int(name)].data)
        init = self._programme.init or b""
        is_hidden = self._kinds[variant] == CENC
        return Response(init.replace(b"avc1", b"encv") if is_hidden else init)


async def watched(programme: RenderedProgramme, kinds: tuple[str, str]) -> Viewer:
    clock = WallClock(SPEED)
    async with studio(clock) as home:
        http = InProcessServer(Ladder(programme, clock, kinds).app(), "127.0.0.1", 0)
        host, port = await http.start()
        try:
            url = f"http://{host}:{port}/master.m3u8"
            config = MonitorConfig(suspend_threshold_sec=600)
            return await Viewer.of(home, url, config).to_the_end()
        finally:
            await http.stop()


LADDERS = [(DRM, PLAIN), (CENC, PLAIN), (DRM, DRM), (CENC, CENC)]


@pytest.fixture(scope="module")
def viewers() -> dict[tuple[str, str], Viewer]:
    """All of them at the same time, to their ends."""
    encoding = TINY.model_copy(update={"container": Container.FMP4})
    programme = render(Programme.of([("normal", 40.0)], encoding))

    async def all_of_them() -> list[Viewer]:
        return await asyncio.gather(*(watched(programme, kinds) for kinds in LADDERS))

    return dict(zip(LADDERS, asyncio.run(all_of_them()), strict=True))


@pytest.mark.parametrize("kind", [DRM, CENC])
def test_a_plain_rendition_is_watched_in_place_of_an_encrypted_one(
    viewers: dict[tuple[str, str], Viewer], kind: str
) -> None:
    viewer = viewers[kind, PLAIN]
    assert viewer.data("alert.rendition")["reason"] == "encrypted"
    assert set(viewer.types) == {"stream.unmeasurable", "alert.rendition"}
    assert "/v1/" in viewer.seen[-1].segment.uri
    assert viewer.ended is EndReason.ENDLIST_DETECTED


@pytest.mark.parametrize(("kind", "times"), [(DRM, 2), (CENC, 1)])
def test_where_all_are_encrypted_that_is_told_once_and_none_is_changed_for_another(
    viewers: dict[tuple[str, str], Viewer], kind: str, times: int
) -> None:
    viewer = viewers[kind, kind]
    assert viewer.types == ["stream.unmeasurable"] * times
    assert all("/v0/" in each.segment.uri for each in viewer.seen)
    assert viewer.ended is EndReason.ENDLIST_DETECTED
