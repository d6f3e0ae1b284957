"""Variables in playlists (EXT-X-DEFINE, 8216bis 4.4.2.3)."""

from urllib.parse import urldefrag

import pytest

from media.hls.errors import MalformedPlaylist, PlaylistTooLarge
from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist, MediaPlaylist
from media.hls.variables import carrying, imported_by

BASE = "https://cdn.example/live/index.m3u8?token=a%2Bb&empty=&bad=%22"
SEGMENT = ("#EXTINF:5,", "{$v}.ts")


def parse(*lines: str, imported: dict[str, str] | None = None) -> MediaPlaylist:
    text = "\n".join(["#EXTM3U", "#EXT-X-VERSION:11", *lines])
    playlist = parse_playlist(text, BASE, imported=imported or {})
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def uri(*lines: str, imported: dict[str, str] | None = None) -> str:
    return (
        parse(*lines, imported=imported).segments[0].uri.removeprefix("https://cdn.example/live/")
    )


@pytest.mark.parametrize(
    ("definitions", "expected"),
    [
        pytest.param(['NAME="v",VALUE="a/b"'], "a/b.ts", id="value"),
        pytest.param(['NAME="v",VALUE=""'], ".ts", id="empty"),
        pytest.param(['QUERYPARAM="v"', 'NAME="v",VALUE="x"'], "x.ts", id="absent parameter"),
        pytest.param(['NAME="v",VALUE="x"', 'NAME="v",VALUE="y"'], "x.ts", id="the first counts"),
        pytest.param(['IMPORT="v"'], "master.ts", id="import"),
        pytest.param(
            ['NAME="a",VALUE="1"', 'NAME="v",VALUE="{$a}-{$a}"'], "1-1.ts", id="of another"
        ),
    ],
)
def test_a_uri_holds_the_value(definitions: list[str], expected: str) -> None:
    lines = [f"#EXT-X-DEFINE:{each}" for each in definitions]
    assert uri(*lines, *SEGMENT, imported={"v": "master"}) == expected


def test_a_query_parameter_is_decoded() -> None:
    definition = '#EXT-X-DEFINE:QUERYPARAM="token"'
    assert uri(definition, "#EXTINF:5,", "a.ts?t={$token}") == "a.ts?t=a+b"


def test_an_empty_query_parameter_is_a_value() -> None:
    assert uri('#EXT-X-DEFINE:QUERYPARAM="empty"', "#EXTINF:5,", "a{$empty}.ts") == "a.ts"


def test_attributes_hold_values() -> None:
    playlist = parse(
        '#EXT-X-DEFINE:NAME="k",VALUE="key"',
        '#EXT-X-DEFINE:NAME="iv",VALUE="0x0A"',
        '#EXT-X-KEY:METHOD=AES-128,URI="{$k}.bin",IV="{$iv}"',
        '#EXT-X-MAP:URI="{$k}.mp4"',
        *("#EXTINF:5,", "a.mp4"),
    )
    (segment,) = playlist.segments
    assert segment.init
    assert segment.encryption
    assert segment.init.uri == "https://cdn.example/live/key.mp4"
    assert segment.encryption.uri == "https://cdn.example/live/key.bin"
    assert segment.encryption.iv == bytes(15) + b"\x0a"


def test_a_master_playlist_tells_its_variables() -> None:
    playlist = parse_playlist(
        "\n".join(
            [
                '#EXTM3U\n#EXT-X-DEFINE:NAME="path",VALUE="low"',
                '#EXT-X-DEFINE:QUERYPARAM="token"',
                '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="{$path}",URI="{$path}/a.m3u8"',
                '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"',
                "{$path}/v.m3u8?token={$token}",
            ]
        ),
        BASE,
    )
    assert isinstance(playlist, MasterPlaylist)
    variant, rendition = playlist.variants[0].uri, playlist.renditions[0].uri
    assert rendition
    assert urldefrag(variant).url == "https://cdn.example/live/low/v.m3u8?token=a+b"
    assert urldefrag(rendition).url == "https://cdn.example/live/low/a.m3u8"
    assert imported_by(variant) == imported_by(rendition) == {"path": "low", "token": "a+b"}


def test_without_variables_urls_stay_as_they_are() -> None:
    assert carrying("https://cdn.example/a?b#c", {}) == "https://cdn.example/a?b#c"
    assert imported_by("https://cdn.example/a?b#video=1") == {}


def test_what_a_url_carries_is_bounded() -> None:
    assert carrying("https://cdn.example/a", {"v": "x" * 5_000}) == "https://cdn.example/a"


@pytest.mark.parametrize(
    "definition",
    [
        pytest.param("#", id="none"),
        pytest.param('#EXT-X-DEFINE:NAME="w",VALUE="x"', id="another name"),
        pytest.param('#EXT-X-DEFINE:NAME="v"', id="no value"),
        pytest.param('#EXT-X-DEFINE:IMPORT="v"', id="nothing to import"),
        pytest.param('#EXT-X-DEFINE:QUERYPARAM="v"', id="no such parameter"),
        pytest.param('#EXT-X-DEFINE:NAME="v",VALUE="{$v}"', id="itself"),
    ],
)
def test_a_variable_without_a_value_is_refused_by_name(definition: str) -> None:
    with pytest.raises(MalformedPlaylist, match="'v'"):
        parse(definition, *SEGMENT)


def test_a_parameter_that_could_not_stand_in_a_playlist_has_no_value() -> None:
    with pytest.raises(MalformedPlaylist):
        parse('#EXT-X-DEFINE:QUERYPARAM="bad"', "#EXTINF:5,", "{$bad}.ts")


def test_a_definition_that_nobody_uses_is_harmless() -> None:
    assert uri('#EXT-X-DEFINE:QUERYPARAM="v"', "#EXTINF:5,", "a.ts") == "a.ts"


def test_what_is_no_reference_is_left_alone() -> None:
    assert uri("#EXTINF:5,", "{$}{$ö}$v{v}.ts") == "{$}{$ö}$v{v}.ts"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            [
                '#EXT-X-DEFINE:NAME="v0",VALUE="0123456789"',
                *(
                    f'#EXT-X-DEFINE:NAME="v{n}",VALUE="{f"{{$v{n - 1}}}" * 10}"'
                    for n in range(1, 90)
                ),
            ],
            id="of one another",
        ),
        pytest.param(
            [
                f'#EXT-X-DEFINE:NAME="v",VALUE="{"x" * 16_000}"',
                *("#EXTINF:5,", "{$v}{$v}{$v}{$v}") * 200,
            ],
            id="in many lines",
        ),
    ],
)
def test_what_variables_become_is_bounded(lines: list[str]) -> None:
    with pytest.raises(PlaylistTooLarge):
        parse(*lines)
