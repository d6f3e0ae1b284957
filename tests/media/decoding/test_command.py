"""What ffmpeg is told."""

from itertools import pairwise

import pytest

from media.decoding.decoder.whitelist import MAX_PIXELS
from media.decoding.ffmpeg_output import Layout, probe_arguments


@pytest.mark.parametrize("layout", list(Layout))
def test_ffmpeg_may_read_its_standard_input_and_nothing_else(layout: Layout) -> None:
    arguments = probe_arguments("/opt/ffmpeg", layout)
    assert arguments[0] == "/opt/ffmpeg"
    before_input, after_input = arguments[: arguments.index("-i")], arguments[-1:]
    assert "-protocol_whitelist pipe" in " ".join(before_input)
    assert "-format_whitelist mpegts,mov" in " ".join(before_input)
    assert "-codec_whitelist h264,hevc" in " ".join(before_input)
    assert f"-max_pixels {MAX_PIXELS}" in " ".join(before_input)
    assert arguments.count("-i") == 1
    assert arguments[arguments.index("-i") + 1] == "pipe:0"
    assert after_input[0] in ("pipe:1", "pipe:{sound}")


@pytest.mark.parametrize(
    ("layout", "maps"),
    [
        pytest.param(Layout.BOTH, ["0:v:0", "0:a:0"], id="both"),
        pytest.param(Layout.VIDEO, ["0:v:0"], id="picture alone"),
        pytest.param(Layout.AUDIO, ["0:a:0"], id="sound alone"),
    ],
)
def test_only_tracks_that_are_there_are_asked_for(layout: Layout, maps: list[str]) -> None:
    arguments = probe_arguments("ffmpeg", layout)
    asked = [value for flag, value in pairwise(arguments) if flag == "-map"]
    assert asked == maps
    assert any("{times}" in argument for argument in arguments) is (layout is not Layout.AUDIO)
    assert any("{sound}" in argument for argument in arguments) is (layout is not Layout.VIDEO)


def test_a_named_container_goes_before_the_input() -> None:
    named = probe_arguments("ffmpeg", Layout.BOTH, container="mpegts")
    place = named.index("-i")
    assert named[place - 2 : place] == ["-f", "mpegts"]
    assert [*named[: place - 2], *named[place:]] == probe_arguments("ffmpeg", Layout.BOTH)
