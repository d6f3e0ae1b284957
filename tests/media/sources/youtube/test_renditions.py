"""Which rendition is watched, and what its URLs tell."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from media.sources.youtube.classifier import broadcast_of, earliest_expiry, rank_media
from media.sources.youtube.resolution import Format, ResolvedVideo, read_info
from media.sources.youtube.resolver_options import PollDepth, Resolver

ONE, OTHER = "https://m.example/one.m3u8", "https://m.example/other.m3u8"


def hls(itag: int, bandwidth: int, tracks: str = "av", manifest: str = ONE) -> Format:
    return Format(
        format_id=str(itag),
        protocol="m3u8_native",
        url=f"https://m.example/itag/{itag}/",
        manifest_url=manifest,
        has_video="v" in tracks,
        has_audio="a" in tracks,
        bandwidth=bandwidth,
    )


def resolution(*formats: Format, master_url: str | None = None) -> ResolvedVideo:
    return ResolvedVideo(
        resolver=Resolver.YTDLP, depth=PollDepth.MEDIA, formats=formats, master_url=master_url
    )


MUXED = (hls(93, 1_209_000), hls(91, 290_000), hls(92, 546_000))
SOUNDS = (hls(234, 0, "a"), hls(233, 0, "a"))
PICTURES = (hls(269, 226_000, "v"), hls(229, 475_000, "v"))
DASH = Format(format_id="160", protocol="http_dash_segments", url="https://m.example/160")


@pytest.mark.parametrize(
    ("formats", "main", "audio"),
    [
        pytest.param(MUXED, 91, None, id="muxed"),
        pytest.param((*SOUNDS, *PICTURES), 269, 233, id="split"),
        pytest.param((*SOUNDS, *PICTURES, *MUXED), 91, None, id="muxed-spares-half-the-requests"),
        pytest.param((*SOUNDS, *PICTURES, MUXED[0]), 269, 233, id="split-when-muxed-is-large"),
        pytest.param((DASH, *MUXED), 91, None, id="hls-before-dash"),
        pytest.param(
            (*SOUNDS, replace(PICTURES[0], manifest_url=OTHER), PICTURES[1]),
            229,
            233,
            id="both-of-one-master-playlist",
        ),
        pytest.param(PICTURES, 269, None, id="picture-whose-sound-is-missed"),
    ],
)
def test_the_cheapest_with_picture_and_sound(
    formats: tuple[Format, ...], main: int, audio: int | None
) -> None:
    media = rank_media(resolution(*formats))[0]
    assert f"/itag/{main}/" in media.main
    assert media.audio == (f"https://m.example/itag/{audio}/" if audio else None)
    assert ("audio" in media.main_tracks) == (audio is None)


def test_the_original_sound_before_a_cheaper_translation() -> None:
    original = replace(SOUNDS[0], language_preference=10)
    (media, *_) = rank_media(resolution(SOUNDS[1], original, *PICTURES))
    assert media.audio == original.url


def test_all_of_them_are_ranked_once_each_under_its_name() -> None:
    ranked = rank_media(resolution(*MUXED, *SOUNDS, *PICTURES, replace(MUXED[1], url="https://x/")))
    names = [
        "picture 290 kbit/s (itag 91)",
        "picture 226 kbit/s (itag 269)",
        "picture 546 kbit/s (itag 92)",
        "picture 475 kbit/s (itag 229)",
        "picture 1209 kbit/s (itag 93)",
    ]
    assert [each.rendition_name for each in ranked] == names
    assert ranked[0].main == MUXED[1].url


@pytest.mark.parametrize("formats", [(), (DASH,), SOUNDS])
def test_nothing_to_watch(formats: tuple[Format, ...]) -> None:
    assert rank_media(resolution(*formats)) == ()


def test_a_master_playlist_where_the_renditions_are_not_told() -> None:
    url = "https://m.example/hls_variant/expire/1800000000/id/aaaaaaaaaaa.3/file/index.m3u8"
    (media, *_) = rank_media(resolution(master_url=url))
    assert media.main == url
    assert media.broadcast == "aaaaaaaaaaa.3"
    assert media.expires_at == datetime.fromtimestamp(1_800_000_000, UTC)


@pytest.mark.parametrize(
    ("url", "broadcast"),
    [
        ("https://x/id/aaaaaaaaaaa.12/itag/91/", "aaaaaaaaaaa.12"),
        ("https://x/id/-_aaaaaaaaa.1~42/itag/91/", None),
        ("https://x/id/-_aaaaaaaaa%2E1/itag/91", "-_aaaaaaaaa.1"),
        ("https://x/id/o-aaaa/itag/91/", None),
        ("https://x/videoplayback?id=1.2", None),
    ],
)
def test_the_path_names_the_broadcast(url: str, broadcast: str | None) -> None:
    assert broadcast_of(url) == broadcast


@pytest.mark.parametrize(
    ("urls", "unix_sec"),
    [
        (["https://x/expire/1800000000/ei/"], 1_800_000_000),
        (["https://x/expire/1800000009/", "https://x/expire/1800000000/"], 1_800_000_000),
        (["https://x/videoplayback?expire=1800000000&ei=1"], 1_800_000_000),
        (["https://x/expire/soon/"], None),
        ([], None),
    ],
)
def test_the_urls_tell_when_they_expire(urls: list[str], unix_sec: int | None) -> None:
    expected = datetime.fromtimestamp(unix_sec, UTC) if unix_sec else None
    assert earliest_expiry(urls) == expected


def test_storyboards_are_no_renditions() -> None:
    storyboard = {"format_id": "sb0", "url": "https://x", "vcodec": "none", "acodec": "none"}
    sound = {"format_id": "233", "url": "https://y", "vcodec": "none", "protocol": "m3u8_native"}
    (only,) = read_info({"formats": [storyboard, sound]})["formats"]
    assert (only.format_id, only.has_video, only.has_audio) == ("233", False, True)


def test_no_url_shows_in_the_text_of_a_resolution() -> None:
    shown = repr(resolution(*MUXED, master_url="https://signed"))
    assert "https" not in shown
    assert "https" not in repr(MUXED[0])
