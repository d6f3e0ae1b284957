import os

import pytest

from media.probe import FfmpegProbe, find_ffmpeg


@pytest.fixture
def probe() -> FfmpegProbe:
    return FfmpegProbe(find_ffmpeg(None), parallel=os.cpu_count() or 1)
