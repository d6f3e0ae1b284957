"""A rendition is the same one in each load of a master playlist, whatever else that changes."""

import pytest

from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist
from media.hls.selection import rank_renditions

URL = "https://h.example/live/master.m3u8"
YOUTUBE = "https://m.example/api/manifest/hls_playlist/expire/{0}/itag/{1}/sig/{0}/index.m3u8"


def identities(*uris: str, rate: int = 800_400, sounds: tuple[str, ...] = ()) -> list[str]:
    """Return them in the order of the bandwidths, which is that of the URIs."""
    lines = ["#EXTM3U"]
    for place, sound in enumerate(sounds):
        lines += [f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g{place}",NAME="a",DEFAULT=YES,URI="{sound}"']
    for place, uri in enumerate(uris):
        group = f',AUDIO="g{place}"' if sounds else ""
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={(place + 1) * rate},RESOLUTION=640x360{group}"]
        lines += [uri]
    master = parse_playlist("\n".join(lines), URL)
    assert isinstance(master, MasterPlaylist)
    found = [each.identity for each in rank_renditions(master)]
    assert len(set(found)) == len(uris)
    assert all(len(each) == 8 for each in found)
    return found


@pytest.mark.parametrize(
    ("one", "another"),
    [
        pytest.param(["a.m3u8", "b.m3u8"], ["a.m3u8", "b.m3u8"], id="bandwidth"),
        pytest.param(["a.m3u8?t=1", "b.m3u8?t=1"], ["a.m3u8?t=2", "b.m3u8?t=2"], id="query"),
        pytest.param(["i.m3u8?v=1", "i.m3u8?v=2"], ["i.m3u8?v=1", "i.m3u8?v=2"], id="only query"),
        pytest.param(
            ["https://c1.example/a", "https://c2.example/a"],
            ["https://c3.example/a", "https://c4.example/a"],
            id="hosts",
        ),
        pytest.param(["exp=1~hmac=2/a", "exp=1~hmac=3/b"], ["exp=4/a", "exp=5/b"], id="token"),
        pytest.param(["s/17/a", "s/17/b"], ["s/9999/a", "s/9999/b"], id="session"),
        pytest.param(["l_w1_b8.m3u8", "l_w1_b9.m3u8"], ["l_w7_b8.m3u8", "l_w7_b9.m3u8"], id="name"),
        pytest.param(
            [YOUTUBE.format(1, 91), YOUTUBE.format(2, 92)],
            [YOUTUBE.format(3, 91), YOUTUBE.format(4, 92)],
            id="youtube",
        ),
    ],
)
def test_what_changes_between_two_loads_makes_no_other_rendition(
    one: list[str], another: list[str]
) -> None:
    assert identities(*one) == identities(*another, rate=801_600)


def test_another_order_makes_no_other_rendition() -> None:
    assert identities("a.m3u8", "b.m3u8") == identities("b.m3u8", "a.m3u8")[::-1]


def test_a_picture_with_another_sound_is_another_rendition() -> None:
    assert len(identities("a.m3u8", "a.m3u8", sounds=("x.m3u8", "y.m3u8"))) == 2
