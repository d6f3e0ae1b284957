"""Manifests of a real packager: ffmpeg's, live, in the ways of naming segments that it knows."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from media.decoding.probe import Probe, open_probe
from media.hls.errors import PlaylistError
from media.hls.identity import segment_identity
from media.hls.playlist import MasterPlaylist, MediaPlaylist
from media.hls.selection import rank_renditions
from media.outbound.client import media_client
from media.outbound.errors import BadStatus, FetchError
from media.outbound.guard import OutboundGuard
from media.playlists.loading import load_playlist
from media.watching import SegmentProber
from monitors.measurement import SegmentMeasurement
from simulator.origin.render import ffmpeg_path
from simulator.origin.server import InProcessServer

WAYS = {
    "timeline": ["-use_timeline", "1", "-use_template", "1"],
    "by the clock": ["-use_timeline", "0", "-use_template", "1"],
    "listed": ["-use_timeline", "0", "-use_template", "0"],
    "in one file": ["-single_file", "1"],
    "in chunks": ["-use_timeline", "0", "-streaming", "1", "-ldash", "1"],
}
REAL_TIME = ("-readrate", "1", "-readrate_catchup", "5")
"""A packager that was starved catches up with the clock by which it names segments."""

SOURCES = [
    *(*REAL_TIME, "-f", "lavfi", "-i", "testsrc=s=128x72:r=10"),
    *(*REAL_TIME, "-f", "lavfi", "-i", "sine=frequency=440"),
]
ENCODED = [
    *("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-keyint_min", "10"),
    *("-c:a", "aac", "-b:a", "32k", "-seg_duration", "1", "-window_size", "20"),
]
PATIENCE_SEC = 60


@contextmanager
def packaged(folder: Path, way: str) -> Iterator[None]:
    """Run ffmpeg as a live packager that writes into `folder`."""
    packager = subprocess.Popen(
        [ffmpeg_path(), "-v", "error", *SOURCES, *ENCODED, *WAYS[way], "-f", "dash", "live.mpd"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        packager.kill()
        packager.wait()


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    files = Starlette(routes=[Mount("/", StaticFiles(directory=folder))])
    server = InProcessServer(files, "127.0.0.1", 0)
    host, port = await server.start()
    try:
        yield f"http://{host}:{port}/live.mpd"
    finally:
        await server.stop()


async def loaded(client: httpx.AsyncClient, url: str) -> MasterPlaylist | MediaPlaylist:
    """Return a playlist when the packager has written it and, of a track, three segments."""
    async with asyncio.timeout(PATIENCE_SEC):
        while True:
            with contextlib.suppress(FetchError, PlaylistError):
                playlist = await load_playlist(client, url)
                if isinstance(playlist, MasterPlaylist) or len(playlist.segments) >= 3:
                    return playlist
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("way", WAYS)
async def test_each_segment_that_is_said_to_be_there_is_there_and_decodes(
    tmp_path: Path, way: str
) -> None:
    with packaged(tmp_path, way):
        async with (
            served(tmp_path) as url,
            media_client(OutboundGuard(allow_private_networks=True)) as client,
            open_probe() as probe,
        ):
            master = await loaded(client, url)
            assert isinstance(master, MasterPlaylist)
            choice = rank_renditions(master)[0]
            assert choice.audio_url is not None
            picture = await newest_measured(client, probe, choice.url)
            sound = await newest_measured(client, probe, choice.audio_url)
    assert (picture.has_video, picture.has_audio) == (True, False)
    assert (sound.has_video, sound.has_audio) == (False, True)
    assert (picture.black, sound.silent) == ([], [])


async def newest_measured(client: httpx.AsyncClient, probe: Probe, url: str) -> SegmentMeasurement:
    playlist = await loaded(client, url)
    assert isinstance(playlist, MediaPlaylist)
    assert len({segment_identity(it) for it in playlist.segments}) == len(playlist.segments)
    newest = playlist.segments[-1]
    assert newest.program_date_time is not None
    age = datetime.now(UTC) - newest.program_date_time
    assert abs(age.total_seconds()) < PATIENCE_SEC
    prober = SegmentProber(client, probe, segment_max_bytes=1_000_000)
    async with asyncio.timeout(PATIENCE_SEC):
        while True:
            with contextlib.suppress(BadStatus):  # on a busy machine ffmpeg is behind its clock
                return await prober.measure(newest, target_duration_sec=1.0, silence_db=-50.0)
            await asyncio.sleep(0.2)
