"""A frozen picture that is encoded on and on stays one still, keyframes and all."""

from itertools import pairwise
from pathlib import Path

import pytest

from media.decoding.probe import Probe
from monitors.config import Thresholds
from monitors.frames import same_frame
from simulator.origin import LOWEST, Encoding, Programme, RenderedProgramme, render
from simulator.origin.render import run_ffmpeg
from tests.media.decoding.measuring import incidents, measure, measure_all

pytestmark = pytest.mark.asyncio(loop_scope="module")

FREEZE = Thresholds(freeze_threshold_sec=15, blackout_threshold_sec=0, silence_threshold_sec=0)
FROZEN = [("normal", 2.0), ("frozen", 20.0), ("normal", 6.0)]


@pytest.mark.parametrize("video_kbps", [60, 90, 150])
@pytest.mark.parametrize(
    ("gop_sec", "segment_sec"),
    [
        pytest.param(None, 2.0, id="a keyframe a segment"),
        pytest.param(1.0, 2.0, id="a keyframe a second"),
        pytest.param(5.0, 5.0, id="segments of five seconds"),
    ],
)
async def test_a_freeze_is_one_incident_of_its_whole_length(
    probe: Probe, video_kbps: int, gop_sec: float | None, segment_sec: float
) -> None:
    encoding = Encoding(video_kbps=video_kbps, gop_sec=gop_sec, segment_sec=segment_sec)
    changes = incidents(await measure_all(probe, render(Programme.of(FROZEN, encoding))), FREEZE)
    opened, closed = changes
    assert (opened.change, closed.change) == ("opened", "closed")
    assert closed.change == "closed"
    assert closed.total_duration_sec == pytest.approx(20.0, abs=1 / encoding.fps)


def encoded_again(rendered: RenderedProgramme, video_kbps: int, folder: Path) -> list[bytes]:
    """Encode a programme a second time, with other keyframes, into segments of two seconds."""
    (folder / "first.ts").write_bytes(b"".join(each.data for each in rendered.segments))
    rate = f"{video_kbps}k"
    arguments = ["-v", "error", "-i", "first.ts", "-c:a", "copy", "-c:v", "libx264"]
    arguments += ["-preset", "veryfast", "-b:v", rate, "-maxrate", rate, "-bufsize", rate]
    arguments += ["-g", "20", "-force_key_frames", "expr:gte(t,n_forced*2)", "-threads", "1"]
    arguments += ["-f", "segment", "-segment_time", "2", "-segment_format", "mpegts", "%03d.ts"]
    run_ffmpeg(arguments, folder)
    return [file.read_bytes() for file in sorted(folder.glob("[0-9]*.ts"))]


@pytest.mark.parametrize("video_kbps", [60, 100, 150])
async def test_a_freeze_that_is_encoded_twice_is_still(
    probe: Probe, tmp_path: Path, video_kbps: int
) -> None:
    encoding = LOWEST.model_copy(update={"video_kbps": video_kbps})
    first = render(Programme.of([("frozen", 16.0)], encoding))
    segments = encoded_again(first, video_kbps, tmp_path)
    measured = [await measure(probe, segment) for segment in segments]
    assert len(measured) >= 8
    stills = [run for each in measured for run in each.still]
    assert [(run.start, run.end) for run in stills] == [(0.0, 2.0)] * len(measured)
    assert all(same_frame(one.picture, next_one.picture) for one, next_one in pairwise(stills))


async def test_grain_that_a_decoder_adds_is_no_movement(probe: Probe, tmp_path: Path) -> None:
    arguments = ["-v", "error", "-f", "lavfi", "-i", "smptebars=s=128x72:r=10:d=1.5"]
    arguments += ["-vf", "format=yuv420p", "-c:v", "libsvtav1", "-preset", "12", "-crf", "40"]
    arguments += [
        "-svtav1-params",
        "lp=1:film-grain=30",
        "-f",
        "mp4",
        "-movflags",
        "+frag_keyframe",
    ]
    run_ffmpeg([*arguments, "grainy.mp4"], tmp_path)
    found = await probe.measure(
        (tmp_path / "grainy.mp4").read_bytes(), duration_sec=1.5, silence_db=-50.0
    )
    assert [(each.start, each.end) for each in found.still] == [(0.0, 1.5)]
