"""Low latency: a segment is there while it is being made, and is measured when the next one is."""

from datetime import timedelta

import pytest

from media.dash.mpd_parser import parse_manifest
from media.dash.presentation import Content, Track
from media.dash.to_hls import TrackPlaylist, track_playlist
from media.hls.identity import segment_identity
from media.hls.playlist import Segment
from media.outbound.client import media_client
from media.outbound.fetching import Mirrors
from media.outbound.guard import OutboundGuard
from media.playlists.live_edge import published
from tests.media.dash.build import PICTURE, START, adaptation_set, manifest, names, template
from tests.testkit.stand_ins import Request, by_path, reply, scripted_server

CHUNKS = 'duration="2" availabilityTimeOffset="1.9" availabilityTimeComplete="false"'
TEXT = manifest(adaptation_set(template("", CHUNKS) + PICTURE))


def due(url: str, seconds: float) -> TrackPlaylist:
    """Return what should be there so many seconds after the start, at `url`."""
    now = START + timedelta(seconds=seconds)
    return track_playlist(parse_manifest(TEXT, url), Track(Content.VIDEO, "v"), now)


def test_the_segment_in_the_making_is_due_as_well() -> None:
    track = due("https://media.example/", 6.1)
    assert names(track.playlist) == ["1.m4s", "2.m4s", "3.m4s", "4.m4s"]
    assert (track.is_chunked, track.is_ahead, track.told) == (True, True, 0)


@pytest.mark.parametrize(
    ("made", "known", "whole"),
    [
        pytest.param(4, 0, 3, id="in time"),
        pytest.param(3, 0, 2, id="late"),
        pytest.param(2, 0, 1, id="later"),
        pytest.param(1, 0, 0, id="the first"),
        pytest.param(0, 0, 0, id="none"),
        pytest.param(4, 2, 3, id="a new one"),
        pytest.param(3, 2, 2, id="a new one in the making"),
        pytest.param(2, 2, 2, id="none since"),
    ],
)
async def test_what_is_whole_is_followed_by_another(made: int, known: int, whole: int) -> None:
    part = reply(b"x", status=206, content_range="bytes 0-0/9")
    files = {f"/v/{number}.m4s": part for number in range(1, made + 1)}
    guard = OutboundGuard(allow_private_networks=True)
    async with media_client(guard) as client, scripted_server(by_path(files)) as server:
        track = due(server.url(host="127.0.0.1"), 6.1)
        seen: list[Segment] = [*track.playlist.segments[:known]]
        found = await published(Mirrors(client), track, [segment_identity(it) for it in seen])
        assert names(found) == [f"{number}.m4s" for number in range(1, whole + 1)]
        asked: list[Request] = server.requests
        assert all(it.headers["range"] == "bytes=0-0" for it in asked)
