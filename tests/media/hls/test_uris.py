"""What the relative URIs of a playlist become is bounded."""

import tracemalloc

import pytest

from media.hls.errors import PlaylistTooLarge
from media.hls.parser import parse_playlist
from media.hls.playlist import MediaPlaylist

LONG = "https://origin.example/" + "x" * 7_000 + "/"
"""As a master playlist may name it."""

SEGMENT = "#EXTINF:1,\na\n"
# The window's tail is found by lines that begin with the tag; players take these as well.
INDENTED = " #EXTINF:1,\na\n"
MAP = '#EXT-X-MAP:URI="a"\n'
KEY = '#EXT-X-KEY:METHOD=AES-128,URI="a"\n'
MEDIA = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="a"\n'


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(INDENTED, id="segments"),
        pytest.param(MAP + SEGMENT, id="init segments"),
        pytest.param(KEY + SEGMENT, id="keys"),
        pytest.param(MEDIA, id="renditions"),
        pytest.param("#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", id="variants"),
    ],
)
def test_many_uris_behind_a_long_url_are_refused(line: str) -> None:
    text = "#EXTM3U\n" + 5_000 * line
    tracemalloc.start()
    try:
        with pytest.raises(PlaylistTooLarge):
            parse_playlist(text, LONG)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 32 * 1024 * 1024


def test_a_day_of_segments_behind_a_usual_url_is_read() -> None:
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n" + 43_200 * "#EXTINF:2,\nsegment-1234.ts\n"
    playlist = parse_playlist(text, "https://origin.example/" + "x" * 1_000 + "/live.m3u8")
    assert isinstance(playlist, MediaPlaylist)
    assert len(playlist.segments[-1].uri) > 1_000
