"""A loop of a player, encoded by a real encoder, measured by the real decoder."""

from pathlib import Path

import pytest

from media.decoding.probe import Probe
from monitors.config import Thresholds
from monitors.incidents import IncidentChange
from monitors.measurement import ProbeContext
from monitors.status import IncidentKind
from simulator.origin.render import run_ffmpeg
from tests.media.decoding.measuring import SILENCE_DB, incidents

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = Thresholds(loop_threshold_sec=10, silence_threshold_sec=0, recovery_sec=2)
PROGRAMME = "mandelbrot=s=160x90:r=15:end_scale=0.002:end_pts=700"


def segments(folder: Path, graph: str) -> list[bytes]:
    arguments = ["-v", "error", "-f", "lavfi", "-i", graph, "-t", "32", "-c:v", "libx264"]
    arguments += [
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-b:v",
        "150k",
        "-g",
        "30",
        "-sc_threshold",
        "0",
    ]
    arguments += ["-f", "segment", "-segment_time", "2", "-segment_format", "mpegts", "%03d.ts"]
    run_ffmpeg(arguments, folder)
    return [file.read_bytes() for file in sorted(folder.glob("*.ts"))]


async def found(probe: Probe, folder: Path, graph: str) -> list[IncidentChange]:
    context = ProbeContext(with_signatures=True)
    measured = [
        await probe.measure(each, duration_sec=2.0, silence_db=SILENCE_DB, context=context)
        for each in segments(folder, graph)
    ]
    return incidents(measured, RULES)


async def test_a_loop_of_five_seconds_is_found(probe: Probe, tmp_path: Path) -> None:
    (opened,) = await found(probe, tmp_path, f"{PROGRAMME},loop=loop=-1:size=77:start=40")
    assert (opened.kind, opened.change) == (IncidentKind.LOOP, "opened")


async def test_a_programme_is_no_loop(probe: Probe, tmp_path: Path) -> None:
    assert await found(probe, tmp_path, PROGRAMME) == []
