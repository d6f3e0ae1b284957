"""Reading what ffmpeg logs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.decoding.ffmpeg_output import (
    FfmpegTracks,
    Layout,
    first_error,
    read_samples,
    read_times,
    read_tracks,
)

TS_VIDEO = (
    "[info]   Stream #0:0[0x100]: Video: h264 (Main) ([27][0][0][0] / 0x001B), "
    "yuv420p(tv, progressive), 256x144 [SAR 1:1 DAR 16:9], 15 fps, 15 tbr, 90k tbn, start 1.4"
)
TS_AUDIO = (
    "[info]   Stream #0:1[0x101](eng): Audio: aac (LC) ([15][0][0][0] / 0x000F), 24000 Hz, mono"
)
MP4_VIDEO = (
    "[info]   Stream #0:0[0x1](und): Video: hevc (Main) (hvc1 / 0x31637668), none(tv), 1920x1080"
)
COVER = "[info]   Stream #0:1: Video: png, rgb24(pc), 300x300, 90k tbr (attached pic)"
UNKNOWN = "[info]   Stream #0:0[0x100]: Video: none ([0][0][0][0] / 0x0000), none"
DATA = "[info]   Stream #0:2[0x102]: Data: timed_id3 (ID3  / 0x20334449)"


@pytest.mark.parametrize(
    ("lines", "tracks", "layout"),
    [
        pytest.param(
            [TS_VIDEO, TS_AUDIO, DATA],
            FfmpegTracks("h264", "aac", 256, 144),
            Layout.BOTH,
            id="both",
        ),
        pytest.param([TS_VIDEO], FfmpegTracks("h264", None, 256, 144), Layout.VIDEO, id="picture"),
        pytest.param([TS_AUDIO], FfmpegTracks(None, "aac"), Layout.AUDIO, id="sound"),
        pytest.param([MP4_VIDEO], FfmpegTracks("hevc", None, 1920, 1080), Layout.VIDEO, id="fmp4"),
        pytest.param(
            [TS_AUDIO, COVER], FfmpegTracks(None, "aac"), Layout.AUDIO, id="cover picture"
        ),
        pytest.param(
            [UNKNOWN, TS_AUDIO], FfmpegTracks(None, "aac"), Layout.AUDIO, id="empty track"
        ),
        pytest.param(
            [TS_VIDEO, MP4_VIDEO], FfmpegTracks("h264", None, 256, 144), Layout.VIDEO, id="2"
        ),
        pytest.param([DATA], FfmpegTracks(), None, id="data alone"),
        pytest.param([], FfmpegTracks(), None, id="nothing"),
    ],
)
def test_tracks(lines: list[str], tracks: FfmpegTracks, layout: Layout | None) -> None:
    found = read_tracks("\n".join(["Input #0, mpegts, from 'pipe:0':", *lines]))
    assert found == tracks
    assert found.layout is layout


def test_tracks_of_the_output_are_none_of_the_segment() -> None:
    output = "Output #0, null, to 'pipe:':\n    Stream #1:0: Video: rawvideo, gray, 64x36"
    assert read_tracks(output) == FfmpegTracks()


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        pytest.param("", [], id="none"),
        pytest.param("0 1024 1/48000\n0.021333 1024 1/48000\n", [(0.0, 0.042667)], id="joined"),
        pytest.param("0 480 1/48000\n1.5 480 1/48000\n", [(0, 0.01), (1.5, 1.51)], id="a gap"),
        pytest.param("-0.02 480 1/48000\n0 48", [(-0.02, -0.01)], id="cut in the last line"),
        pytest.param("0 480 1/0\nN/A 480 1/48000\n", [], id="no numbers"),
    ],
)
def test_samples(text: str, spans: list[tuple[float, float]]) -> None:
    found = [(each.start_sec, each.end_sec) for each in read_samples(text)]
    assert found == [pytest.approx(each, abs=1e-5) for each in spans]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        pytest.param("", [], id="none"),
        pytest.param("1.4\n1.466667\n1.533333\n", [1.4, 1.466667, 1.533333], id="three"),
        pytest.param("1.4\n1.4666", [1.4, 1.4666], id="no newline at the end"),
        pytest.param("1.4\n-", [1.4], id="cut in the last line"),
        pytest.param("1.4\nN/A\n1.5", [1.4], id="a picture without a time"),
        pytest.param("nan\n1.5", [], id="not a number"),
        pytest.param("-0.066667\n0\n", [-0.066667, 0], id="negative"),
    ],
)
def test_times(text: str, times: list[float]) -> None:
    assert read_times(text) == times


@pytest.mark.parametrize(
    ("log", "error"),
    [
        pytest.param("[info] fine\n", None, id="none"),
        pytest.param("[h264 @ 0x5] [error] no frame!\n[error] more", "no frame!", id="the first"),
        pytest.param("[fatal] out of memory ", "out of memory", id="fatal"),
        pytest.param("[warning] odd", None, id="a warning is no error"),
    ],
)
def test_first_error(log: str, error: str | None) -> None:
    assert first_error(log) == error


WORDS = st.sampled_from(
    [
        *(TS_VIDEO, TS_AUDIO, "[info] Stream #0:0: Video: ", "99999x99999", "[error] "),
        *("\n", "1", "-", "."),
        *(
            "e",
            "e+9",
            "1.5",
            "..",
            "nan",
            "inf",
            "-.",
            "1e999",
            "9" * 400,
            "\N{ARABIC-INDIC DIGIT ONE}",
        ),
    ]
)
LOGS = st.one_of(st.text(), st.lists(WORDS, max_size=30).map("".join))


@given(LOGS)
def test_any_log_is_read_without_a_failure(log: str) -> None:
    read_tracks(log)
    read_samples(log)
    first_error(log)


@given(LOGS)
def test_times_of_any_text_are_finite(text: str) -> None:
    assert all(abs(time) < float("inf") for time in read_times(text))
