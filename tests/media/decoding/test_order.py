"""Pictures that are sent in another order than they are shown in."""

from itertools import product
from pathlib import Path

import pytest

from media.decoding.probe import Probe
from simulator.origin.render import run_ffmpeg
from tests.media.decoding.measuring import joined, measure, within

pytestmark = pytest.mark.asyncio(loop_scope="module")

FPS = 15
FRAME_SEC = 1 / FPS
SPS_START = b"\x00\x00\x01\x67"
REORDERED, BUFFERED = 2, 4
"""Of what x264 tells about its pictures."""


def black_from_the_second_picture_on(folder: Path) -> bytes:
    """Return a segment whose second to fourth pictures are sent after the fifth."""
    size = f"s=256x144:r={FPS}"
    graph = (
        f"testsrc2={size},trim=end_frame=1[a];color=c=black:{size},trim=end_frame={2 * FPS - 1}[b]"
        ";[a][b]concat=n=2,format=yuv420p"
    )
    arguments = ["-v", "error", "-filter_complex", graph, "-c:v", "libx264", "-threads", "1"]
    arguments += ["-bf", "3", "-b_strategy", "0", "-sc_threshold", "0", "-g", "60", "segment.ts"]
    run_ffmpeg(arguments, folder)
    return (folder / "segment.ts").read_bytes()


def exp_golomb(number: int) -> str:
    digits = f"{number + 1:b}"
    return "0" * (len(digits) - 1) + digits


def without_a_word_on_the_order(segment: bytes) -> bytes:
    """Take `bitstream_restriction_flag` and what follows out of the SPS (H.264 E.1.1)."""
    start = segment.index(SPS_START) + len(SPS_START) - 1
    end = segment.index(b"\x00\x00", start + 20)
    bits = "".join(f"{byte:08b}" for byte in segment[start:end]).rstrip("0")
    told = exp_golomb(REORDERED) + exp_golomb(BUFFERED) + "1"
    lengths = (
        exp_golomb(width) + exp_golomb(height) for width, height in product(range(17), repeat=2)
    )
    restriction = next(tail for each in lengths if bits.endswith(tail := f"1111{each}{told}"))
    shorter = (bits.removesuffix(restriction) + "01").ljust(8 * (end - start), "0")
    return segment[:start] + int(shorter, 2).to_bytes(end - start, "big") + segment[end:]


@pytest.mark.parametrize("is_told", [True, False], ids=["order is told", "order is not told"])
async def test_no_picture_is_lost_that_is_sent_out_of_order(
    probe: Probe, tmp_path: Path, is_told: bool
) -> None:
    segment = black_from_the_second_picture_on(tmp_path)
    measured = await measure(probe, segment if is_told else without_a_word_on_the_order(segment))
    assert joined([measured.black], 2.0) == within(0.001, (FRAME_SEC, 2.0))
