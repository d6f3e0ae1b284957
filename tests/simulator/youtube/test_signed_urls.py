"""Media URLs say what they were made of."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.youtube.recording import RequestKind
from simulator.youtube.signed_urls import MediaRequest, parse_media_path

_NUMBERS = st.none() | st.integers(0, 10**9)
_REQUESTS = st.builds(
    MediaRequest,
    kind=st.sampled_from([RequestKind.MASTER, RequestKind.PLAYLIST, RequestKind.SEGMENT]),
    video_id=st.text("abcXYZ019_-", min_size=11, max_size=11),
    broadcast=st.integers(1, 99),
    expires_at=st.integers(0, 2**33),
    itag=_NUMBERS,
    sequence=_NUMBERS,
    window_sec=_NUMBERS,
    challenge=st.none() | st.text("abc019", min_size=1),
)


@given(_REQUESTS)
def test_path_is_read_back(asked: MediaRequest) -> None:
    assert parse_media_path(urlsplit(asked.url()).path) == asked


@pytest.mark.parametrize(
    "path",
    [
        "/watch",
        "/videoplayback",
        "/videoplayback/expire/12/id/aaaaaaaaaaa.x/sq/1",
        "/videoplayback/expire/soon/id/aaaaaaaaaaa.1",
        "/api/manifest/hls_playlist/id/aaaaaaaaaaa.1",
    ],
)
def test_anything_else_is_no_media(path: str) -> None:
    assert parse_media_path(path) is None
