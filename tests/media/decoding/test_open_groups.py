"""Groups of pictures that are open: pictures before a keyframe come behind it."""

from pathlib import Path

import pytest

from media.decoding.probe import Probe
from simulator.origin.render import run_ffmpeg
from tests.media.decoding.measuring import measure

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_segment_begins_with_its_keyframe(probe: Probe, tmp_path: Path) -> None:
    size = "s=128x72:r=12"
    graph = f"testsrc2={size}:d=2.5[a];color=black:{size}:d=1.5[b];[a][b]concat,format=yuv420p"
    arguments = ["-v", "error", "-filter_complex", graph, "-c:v", "mpeg2video", "-b:v", "500k"]
    arguments += ["-g", "12", "-bf", "2", "-sc_threshold", "1000000000"]
    arguments += ["-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "list.m3u8"]
    run_ffmpeg(arguments, tmp_path)
    parts = [(tmp_path / f"list{number}.ts").read_bytes() for number in range(4)]
    found = [await measure(probe, each, 1.0) for each in parts]
    first = next((number, each.start) for number, it in enumerate(found) for each in it.black)
    assert first == pytest.approx((2, 0.5), abs=0.01)
