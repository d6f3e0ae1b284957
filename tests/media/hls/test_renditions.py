"""Which renditions of a master playlist are watched."""

import pytest

from media.hls.errors import NoVariant
from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist, Rendition, Resolution
from media.hls.selection import SPLIT_COST_BPS, Tracks, rank_renditions

BASE = "https://cdn.example/live/master.m3u8"
HOME = "https://cdn.example/live/"
BOTH = 'CODECS="avc1.4d400c,mp4a.40.2"'
VIDEO = 'CODECS="avc1.4d400c"'
AUDIO = 'CODECS="mp4a.40.5"'


def parse(*lines: str) -> MasterPlaylist:
    playlist = parse_playlist("\n".join(("#EXTM3U", *lines)), BASE)
    assert isinstance(playlist, MasterPlaylist)
    return playlist


def variant(uri: str, attributes: str) -> list[str]:
    return [f"#EXT-X-STREAM-INF:{attributes}", uri]


def sound(uri: str | None, group: str = "aac", more: str = "") -> str:
    where = f',URI="{uri}"' if uri else ""
    return f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{group}",NAME="{uri}"{where}{more}'


SMALL = variant("144.m3u8", f"BANDWIDTH=300000,RESOLUTION=256x144,{BOTH}")
LARGE = variant("1080.m3u8", f"BANDWIDTH=5000000,RESOLUTION=1920x1080,{BOTH}")
SPLIT = variant("v144.m3u8", f'BANDWIDTH=300000,RESOLUTION=256x144,{BOTH},AUDIO="aac"')
MUTE = variant("mute.m3u8", f"BANDWIDTH=100000,RESOLUTION=256x144,{VIDEO}")
RADIO = variant("radio.m3u8", f"BANDWIDTH=64000,{AUDIO}")


@pytest.mark.parametrize(
    ("lines", "url", "audio_url", "tracks"),
    [
        pytest.param([*LARGE, *SMALL], "144.m3u8", None, Tracks.PICTURE_AND_SOUND, id="lowest"),
        pytest.param([*RADIO, *SMALL], "144.m3u8", None, Tracks.PICTURE_AND_SOUND, id="no radio"),
        pytest.param([*MUTE, *LARGE], "1080.m3u8", None, Tracks.PICTURE_AND_SOUND, id="not mute"),
        pytest.param([*MUTE, *RADIO], "mute.m3u8", None, Tracks.PICTURE_ONLY, id="mute is left"),
        pytest.param(
            [*variant("loud.m3u8", f"BANDWIDTH=128000,{AUDIO}"), *RADIO],
            "radio.m3u8",
            None,
            Tracks.SOUND_ONLY,
            id="radio is all there is",
        ),
        pytest.param(
            [sound("a.m3u8"), *SPLIT, *LARGE],
            "v144.m3u8",
            "a.m3u8",
            Tracks.PICTURE_AND_SOUND,
            id="sound of its own",
        ),
        pytest.param(
            [sound("a.m3u8"), *variant("v.m3u8", f'BANDWIDTH=1,{VIDEO},AUDIO="aac"')],
            "v.m3u8",
            "a.m3u8",
            Tracks.PICTURE_AND_SOUND,
            id="sound of its own, not in CODECS",
        ),
        pytest.param(
            [sound("fr.m3u8"), sound(None, more=",DEFAULT=YES"), *SPLIT],
            "v144.m3u8",
            None,
            Tracks.PICTURE_AND_SOUND,
            id="a rendition without URI is muxed",
        ),
        pytest.param(SPLIT, "v144.m3u8", None, Tracks.PICTURE_AND_SOUND, id="group is missing"),
        pytest.param(
            [sound("b.m3u8", "other"), sound("a.m3u8"), *SPLIT],
            "v144.m3u8",
            "a.m3u8",
            Tracks.PICTURE_AND_SOUND,
            id="the variant's own group",
        ),
        pytest.param(
            [
                *(sound("en.m3u8"), sound("fr.m3u8", more=",AUTOSELECT=YES")),
                *(sound("de.m3u8", more=",DEFAULT=YES"), *SPLIT),
            ],
            "v144.m3u8",
            "de.m3u8",
            Tracks.PICTURE_AND_SOUND,
            id="the default of a group",
        ),
        pytest.param(
            [sound("a.m3u8"), *variant("r.m3u8", f'BANDWIDTH=1,{AUDIO},AUDIO="aac"')],
            "r.m3u8",
            None,
            Tracks.SOUND_ONLY,
            id="radio with a group",
        ),
        pytest.param(
            [*variant("hi.m3u8", "BANDWIDTH=2"), *variant("lo.m3u8", "BANDWIDTH=1")],
            "lo.m3u8",
            None,
            Tracks.PICTURE_AND_SOUND,
            id="nothing told is muxed",
        ),
        pytest.param(
            [*variant("r.m3u8", "BANDWIDTH=1"), *variant("v.m3u8", "BANDWIDTH=2,RESOLUTION=4x3")],
            "v.m3u8",
            None,
            Tracks.PICTURE_AND_SOUND,
            id="the only one without size is no picture",
        ),
        pytest.param(
            [*variant("x.m3u8", 'BANDWIDTH=1,CODECS="mp4a.40.2,wvtt"'), *LARGE],
            "1080.m3u8",
            None,
            Tracks.PICTURE_AND_SOUND,
            id="captions are no picture",
        ),
        pytest.param(
            [
                *variant("a.m3u8", f"BANDWIDTH=9,RESOLUTION=1280x720,{BOTH}"),
                *variant("b.m3u8", f"BANDWIDTH=9,RESOLUTION=640x360,{BOTH}"),
            ],
            "b.m3u8",
            None,
            Tracks.PICTURE_AND_SOUND,
            id="then the smaller picture",
        ),
        pytest.param(
            [*variant("a.m3u8", f"RESOLUTION=640x360,{BOTH}"), *LARGE],
            "1080.m3u8",
            None,
            Tracks.PICTURE_AND_SOUND,
            id="an untold bandwidth counts as high",
        ),
        pytest.param(
            ['#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"', *LARGE],
            "1080.m3u8",
            None,
            Tracks.PICTURE_AND_SOUND,
            id="single pictures are no candidate",
        ),
    ],
)
def test_the_cheapest_with_picture_and_sound_is_chosen(
    lines: list[str], url: str, audio_url: str | None, tracks: Tracks
) -> None:
    choice = rank_renditions(parse(*lines))[0]
    assert choice.url == HOME + url
    assert choice.audio_url == (HOME + audio_url if audio_url else None)
    assert choice.tracks is tracks


@pytest.mark.parametrize(
    ("extra_bps", "url"),
    [
        pytest.param(SPLIT_COST_BPS - 1, "muxed.m3u8", id="a little more"),
        pytest.param(SPLIT_COST_BPS + 1, "v144.m3u8", id="much more"),
    ],
)
def test_muxed_is_worth_some_bandwidth(extra_bps: int, url: str) -> None:
    muxed = variant("muxed.m3u8", f"BANDWIDTH={300_000 + extra_bps},RESOLUTION=426x240,{BOTH}")
    choice = rank_renditions(parse(sound("a.m3u8"), *SPLIT, *muxed))[0]
    assert choice.url == HOME + url


def test_a_master_playlist_without_variants_is_refused() -> None:
    with pytest.raises(NoVariant):
        rank_renditions(parse(sound("a.m3u8")))


def test_the_attributes_of_a_variant_are_read() -> None:
    (found,) = parse(
        "#EXT-X-VERSION:6",
        '#EXT-X-STREAM-INF:BANDWIDTH=2149280 , AVERAGE-BANDWIDTH=2000000,X="a=1,b",'
        'CODECS="avc1.64001f, mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO="aac"',
        "# comment",
        "#EXT-X-SOMETHING",
        "v.m3u8",
    ).variants
    assert found.uri == HOME + "v.m3u8"
    assert (found.bandwidth, found.audio_group) == (2149280, "aac")
    assert (found.resolution, found.codecs) == (Resolution(1280, 720), ("avc1.64001f", "mp4a.40.2"))


def test_the_attributes_of_a_rendition_are_read() -> None:
    (found,) = parse(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="Deutsch, Kommentar",LANGUAGE="de",'
        'DEFAULT=YES,AUTOSELECT=YES,URI="a.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="x",NAME="x"',
        '#EXT-X-MEDIA:TYPE=NEW,GROUP-ID="x",NAME="x"',
    ).renditions
    assert found == Rendition(
        group_id="aac",
        name="Deutsch, Kommentar",
        uri=HOME + "a.m3u8",
        language="de",
        default=True,
        autoselect=True,
    )
