"""A decoder starts fast and small: it imports what it computes with, and no more."""

import subprocess
import sys

HEAVY = {"pydantic", "pydantic_core", "PIL", "httpx", "structlog", "temporalio"}


def test_a_decoder_imports_no_more_than_it_needs() -> None:
    code = "import sys, media.decoding.decoder.__main__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert {"numpy", "av"} <= loaded
    assert not loaded & HEAVY


RARE = """
import sys, media.decoding.decoder.__main__
import numpy as np
from media.decoding.decoder.small_frames import SmallFrames
from media.decoding.decoder.sound_blocks import SoundFormat
from media.decoding.decoder.sound_parts import SoundPart
from media.decoding.decoder.still_frames import still_runs
from monitors.frames import FRAME_BYTES
random = np.random.default_rng(1)
known = {*sys.modules}
part = SoundPart(SoundFormat(48_000, ("FC",)), 0.0, -50.0)
part.add((0.001 * random.standard_normal((1, 96_000))).astype("f4"))
assert part.stretches()
picture = random.integers(40, 200, FRAME_BYTES)
pumping = np.stack([picture, picture * 0.95] * 10).astype("u1")
assert still_runs(SmallFrames(pumping), np.arange(20) / 10, 2.0)
print(*{*sys.modules} - known)
"""


def test_nothing_is_imported_by_what_is_rarely_computed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RARE], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == []
