"""What ffmpeg is told."""

from itertools import pairwise

import pytest

from media.decoding.decoder.whitelist import MAX_PIXELS
from media.decoding.ffmpeg_command import Layout, probe_arguments


@pytest.mark.parametrize("layout", list(Layout))
def test_ffmpeg_may_read_its_standard_input_and_nothing_else(layout: Layout) -> None:
    arguments = probe_arguments("/opt/ffmpeg", layout, -50.0)
    assert arguments[0] == "/opt/ffmpeg"
    before_input, after_input = arguments[: arguments.index("-i")], arguments[-1:]
    assert "-protocol_whitelist pipe" in " ".join(before_input)
    assert "-format_whitelist mpegts,mov" in " ".join(before_input)
    assert "-codec_whitelist h264,hevc" in " ".join(before_input)
    assert f"-max_pixels {MAX_PIXELS}" in " ".join(before_input)
    assert arguments.count("-i") == 1
    assert arguments[arguments.index("-i") + 1] == "pipe:0"
    assert after_input[0] in ("pipe:1", "-")


@pytest.mark.parametrize(
    ("layout", "maps"),
    [
        pytest.param(Layout.BOTH, ["0:v:0", "0:a:0"], id="both"),
        pytest.param(Layout.VIDEO, ["0:v:0"], id="picture alone"),
        pytest.param(Layout.AUDIO, ["0:a:0"], id="sound alone"),
    ],
)
def test_only_tracks_that_are_there_are_asked_for(layout: Layout, maps: list[str]) -> None:
    arguments = probe_arguments("ffmpeg", layout, -50.0)
    asked = [value for flag, value in pairwise(arguments) if flag == "-map"]
    assert asked == maps
    assert any("{times}" in argument for argument in arguments) is (layout is not Layout.AUDIO)
    assert any("{silence}" in argument for argument in arguments) is (layout is not Layout.VIDEO)


@pytest.mark.parametrize(
    ("silence_db", "text"),
    [
        pytest.param(-50.0, "n=-50.00dB", id="default"),
        pytest.param(0, "n=0.00dB", id="zero"),
        pytest.param(-120.0, "n=-120.00dB", id="lowest"),
        pytest.param(-1e-9, "n=-0.00dB", id="no exponent"),
    ],
)
def test_the_silence_level_goes_into_the_filter(silence_db: float, text: str) -> None:
    arguments = probe_arguments("ffmpeg", Layout.AUDIO, silence_db)
    assert text in arguments[arguments.index("-af") + 1]


def test_a_named_container_goes_before_the_input() -> None:
    named = probe_arguments("ffmpeg", Layout.BOTH, -50.0, container="mpegts")
    place = named.index("-i")
    assert named[place - 2 : place] == ["-f", "mpegts"]
    assert [*named[: place - 2], *named[place:]] == probe_arguments("ffmpeg", Layout.BOTH, -50.0)
