"""The rendered media hold what their scenes say, by the judgement of ffmpeg's own detectors."""

import re
import subprocess
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from simulator.origin import (
    LOWEST,
    TINY,
    Container,
    Encoding,
    Programme,
    ProgrammeError,
    RenderedProgramme,
    Tracks,
    render,
)
from simulator.origin.render import RenderError, ffmpeg_path, run_ffmpeg

FRAME_SEC = 1 / LOWEST.fps
DETECTORS = ("-vf", "blackdetect=d=0.5,freezedetect=d=1", "-af", "silencedetect=n=-50dB:d=1")


def ffmpeg_says(media: bytes, *arguments: str) -> str:
    """Return what ffmpeg tells about media on its stdin while it plays them."""
    done = subprocess.run(
        [ffmpeg_path(), "-hide_banner", "-nostats", "-i", "-", *arguments, "-f", "null", "-"],
        input=media,
        capture_output=True,
        check=True,
        timeout=30,
    )
    return done.stderr.decode()


def whole(rendered: RenderedProgramme) -> bytes:
    return (rendered.init or b"") + b"".join(segment.data for segment in rendered.segments)


def detected(log: str, start: str, end: str) -> list[tuple[float, float]]:
    """Return the intervals of a detector, in seconds from the first packet."""
    starts = [float(text) for text in re.findall(rf"{start}: ?(-?[\d.]+)", log)]
    ends = [float(text) for text in re.findall(rf"{end}: ?(-?[\d.]+)", log)]
    return list(zip(starts, ends, strict=False))


def close(intervals: Sequence[tuple[float, float]]) -> object:
    """Match within a frame, and the 43 ms by which the encoder's first sound comes earlier."""
    return [pytest.approx(each, abs=FRAME_SEC + 0.045) for each in intervals]


@pytest.mark.parametrize("container", list(Container))
def test_black_and_silence_lie_where_the_scenes_lie(cache: Path, container: Container) -> None:
    scenes = [("normal", 2.5), ("black", 3.0), ("normal", 1.2), ("silent", 2.4), ("normal", 1.5)]
    encoding = LOWEST.model_copy(update={"container": container})
    programme = Programme.of(scenes, encoding)
    log = ffmpeg_says(whole(render(programme, cache)), *DETECTORS)
    (black,) = programme.spans("black")
    (silent,) = programme.spans("silent")
    assert detected(log, "black_start", "black_end") == close([(black.start_sec, black.end_sec)])
    assert detected(log, "silence_start", "silence_end") == close(
        [(silent.start_sec, silent.end_sec)]
    )


@pytest.mark.parametrize(
    ("kind", "is_black", "is_silent"),
    [
        pytest.param("black_silent", True, True, id="black-silent"),
        pytest.param("black_with_logo", True, False, id="black-with-logo"),
        pytest.param("black_noisy", True, False, id="black-noisy"),
        pytest.param("cut_to_black", True, False, id="cut-to-black"),
        pytest.param("dark", False, False, id="dark"),
        pytest.param("quiet_music", False, False, id="quiet-music"),
        pytest.param("talking_head", False, False, id="talking-head"),
        pytest.param("frozen", False, False, id="frozen"),
        pytest.param("normal", False, False, id="normal"),
    ],
)
def test_what_is_black_and_what_is_silent(
    cache: Path, kind: str, is_black: bool, is_silent: bool
) -> None:
    log = ffmpeg_says(whole(render(Programme.of([(kind, 3.0)]), cache)), *DETECTORS)
    assert ("black_start" in log, "silence_start" in log) == (is_black, is_silent)


@pytest.mark.parametrize(
    ("kind", "is_still"),
    [
        pytest.param("frozen", True, id="frozen"),
        pytest.param("held_drawings", True, id="held-drawings"),
        pytest.param("slow_pan", False, id="slow-pan"),
        pytest.param("normal", False, id="normal"),
        pytest.param("black_noisy", False, id="black-noisy"),
    ],
)
def test_what_stands_still(cache: Path, kind: str, is_still: bool) -> None:
    log = ffmpeg_says(whole(render(Programme.of([(kind, 8.0)]), cache)), *DETECTORS)
    assert ("freeze_start" in log) is is_still


def test_a_still_differs_at_keyframes_and_drawings_differ_when_they_change(cache: Path) -> None:
    """The case that a freeze detector must tell apart; see that the material poses it."""
    for kind in ("frozen", "held_drawings"):
        log = ffmpeg_says(whole(render(Programme.of([(kind, 8.0)]), cache)), *DETECTORS)
        pieces = detected(log, "freeze_start", "freeze_end")
        assert len(pieces) > 1
        assert all(end - start <= 4.1 for start, end in pieces)


@pytest.mark.parametrize("encoding", [LOWEST, TINY], ids=["lowest", "tiny"])
@pytest.mark.parametrize("container", list(Container))
def test_segments_are_exactly_as_long_as_asked_and_begin_with_a_keyframe(
    cache: Path, encoding: Encoding, container: Container
) -> None:
    packed = encoding.model_copy(update={"container": container})
    rendered = render(Programme.of([("normal", 3.3), ("black", 3.0)], packed), cache)
    *full, last = rendered.durations_sec
    assert full == [encoding.segment_sec] * len(full)
    assert sum(full) + last == pytest.approx(rendered.programme.duration_sec, abs=1e-5)
    for segment in rendered.segments:
        log = ffmpeg_says((rendered.init or b"") + segment.data, "-vf", "showinfo")
        frames = re.findall(r"iskey:(\d)", log)
        assert (frames[0], len(frames)) == ("1", round(segment.duration_sec * encoding.fps))


def test_timestamps_go_on_through_the_segments(cache: Path) -> None:
    rendered = render(Programme.of([("normal", 3.0), ("black", 3.0)], TINY), cache)
    starts = [
        float(re.findall(r"start: ([\d.]+)", ffmpeg_says(segment.data))[0])
        for segment in rendered.segments
    ]
    steps = [after - before for before, after in pairwise(starts)]
    assert steps == [pytest.approx(1.0, abs=0.05)] * 5


def test_a_lost_track_is_missing_where_the_scene_lies(cache: Path) -> None:
    scenes = [("normal", 1.5), ("audio_only", 2.0), ("video_only", 2.0), ("normal", 1.5)]
    rendered = render(Programme.of(scenes, TINY), cache)
    frames, announced = [], []
    for segment in rendered.segments:
        log = ffmpeg_says(segment.data, "-vf", "showinfo")
        frames.append(len(re.findall(r"iskey:\d", log)))
        tracks = re.findall(r"Stream #0:\d\[0x\w+\]: (Video|Audio)", log)
        announced.append("".join(sorted(track[0] for track in tracks)))
        assert "rror" not in log
    assert frames == [10, 5, 0, 5, 10, 10, 10]
    assert announced == ["AV", "AV", "A", "AV", "V", "AV", "AV"]


@pytest.mark.parametrize("tracks", [Tracks.VIDEO, Tracks.AUDIO])
def test_a_rendition_may_carry_one_track(cache: Path, tracks: Tracks) -> None:
    encoding = TINY.model_copy(update={"tracks": tracks})
    log = ffmpeg_says(whole(render(Programme.of([("normal", 2.0)], encoding), cache)))
    found = re.findall(r"Stream #0:\d\[0x\w+\]: (Video|Audio)", log)
    assert [name.lower() for name in found] == [tracks]


def test_scene_borders_never_drift(cache: Path) -> None:
    programme = Programme.of([("normal", 0.33), ("black", 0.33)] * 30, TINY)
    assert programme.duration_sec == pytest.approx(19.8)
    for span, after in pairwise(programme.scenes_at()):
        assert span.end_sec == after.start_sec


@pytest.mark.parametrize(
    ("scenes", "encoding"),
    [
        pytest.param([], TINY, id="no-scenes"),
        pytest.param([("normal", 0.01)], TINY, id="less-than-a-frame"),
        pytest.param(
            [("audio_only", 2.0)],
            TINY.model_copy(update={"container": Container.FMP4}),
            id="a-track-lost-in-fmp4",
        ),
    ],
)
def test_impossible_programmes_are_refused(
    scenes: list[tuple[str, float]], encoding: Encoding
) -> None:
    with pytest.raises(ProgrammeError):
        Programme.of(scenes, encoding)


def test_segments_must_be_whole_frames() -> None:
    with pytest.raises(ValueError, match="whole frames"):
        Encoding(fps=15, segment_sec=1.99)


def test_an_encoder_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="nowhere"):
        run_ffmpeg(["-v", "error", "-i", "nowhere.ts", "out.ts"], tmp_path)


def _render_tiny(folder: Path) -> bytes:
    return whole(render(Programme.of([("normal", 2.0)], TINY), folder))


def test_parallel_processes_share_one_cache(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        media = set(pool.map(_render_tiny, [tmp_path] * 4))
    assert len(media) == 1
    assert len([each for each in tmp_path.iterdir() if each.is_dir()]) == 1


def test_a_cached_programme_is_not_rendered_again(cache: Path) -> None:
    programme = Programme.of([("normal", 2.0)], TINY)
    before = whole(render(programme, cache))
    files = {each: each.stat().st_mtime_ns for each in cache.rglob("*.ts")}
    assert whole(render(programme, cache)) == before
    assert {each: each.stat().st_mtime_ns for each in cache.rglob("*.ts")} == files


def test_a_render_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """An impossible rate is found out by the encoder only."""
    broken = Programme.of([("normal", 1.0)], TINY.model_copy(update={"sample_rate": 1}))
    with pytest.raises(RenderError):
        render(broken, tmp_path)
    assert [each for each in tmp_path.iterdir() if each.is_dir()] == []
