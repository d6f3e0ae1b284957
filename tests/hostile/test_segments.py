"""Segments that would make ffmpeg compute or allocate without end."""

import resource
from pathlib import Path

import pytest

from media.probe import FfmpegProbe, UndecodableSegment, find_ffmpeg
from media.probe.ffmpeg import LIMITS, probes_at_once
from media.subprocesses import Limits
from monitors.measurement import SegmentMeasurement
from tests.hostile.crafted import animation, movie, picture, sound_without_end
from tests.hostile.threads import threads

MEBI = 1024 * 1024
TIGHT = Limits(wall_sec=20, cpu_sec=1, memory_bytes=512 * MEBI, output_bytes=8 * MEBI)

TELLS_ITS_LIMIT = """#!/bin/sh
while [ "$(ulimit -t)" = unlimited ]; do :; done
echo "[error] cpu limit $(ulimit -t)" >&2
exit 1
"""

ATTACKS = [
    pytest.param(picture(16_384, 16_384), id="a picture of 16k x 16k"),
    pytest.param(picture(2**31 - 1, 2**31 - 1), id="a picture of 2^31 x 2^31"),
    pytest.param(animation(2_000, 2_000, 20_000), id="pictures that cost CPU time"),
    pytest.param(animation(5_800, 5_800, 20_000), id="pictures that cost memory"),
    pytest.param(movie(tracks=1, samples=2**32 - 1, width=16_384), id="a track of 16k x 16k"),
    pytest.param(movie(tracks=1, samples=2**32 - 1), id="2^32 pictures in 1 KB"),
    pytest.param(movie(tracks=999, samples=2**24), id="999 tracks"),
    pytest.param(movie(tracks=3_000, samples=2**24), id="3000 tracks"),
    pytest.param(b"YUV4MPEG2 W16384 H16384 F25:1 C420jpeg\n" + b"FRAME\n" * 1000, id="raw 16k"),
]


async def measure(
    segment: bytes, limits: Limits = TIGHT, duration_sec: float = 2.0
) -> SegmentMeasurement:
    probe = FfmpegProbe(find_ffmpeg(None), parallel=1, limits=limits)
    return await probe.measure(segment, duration_sec=duration_sec, silence_db=-50)


@pytest.mark.parametrize("segment", ATTACKS)
async def test_a_segment_that_wants_too_much_is_refused_within_its_limits(segment: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with pytest.raises(UndecodableSegment) as refusal:
        await measure(segment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_sec = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used_sec < 2 * TIGHT.cpu_sec + 1  # at most two passes
    assert 0 < len(str(refusal.value)) < 500


async def test_of_pictures_without_end_only_so_many_are_looked_at_as_a_segment_holds() -> None:
    measured = await measure(animation(64, 36, 300_000))
    assert (measured.has_video, measured.duration_sec) == (True, 2.0)
    assert all(0 <= each.start < each.end <= 2.0 for each in measured.black)


async def test_sound_that_claims_six_days_is_what_was_sent() -> None:
    measured = await measure(sound_without_end(), limits=LIMITS)
    assert (measured.has_audio, measured.has_video) == (True, False)
    assert all(0 <= each.start < each.end <= 2.0 for each in measured.silent)


@pytest.mark.parametrize(
    ("duration_sec", "cpu_sec"),
    [
        pytest.param(1e-9, 10, id="next to nothing"),
        pytest.param(2.0, 10, id="a usual segment"),
        pytest.param(12.0, 24, id="a long segment"),
        pytest.param(3_600.0, 40, id="the longest that a playlist may claim"),
    ],
)
async def test_cpu_time_follows_the_duration(
    tmp_path: Path, duration_sec: float, cpu_sec: int
) -> None:
    """The child is a program that tells its own limit as an error of ffmpeg."""
    child = tmp_path / "ffmpeg"
    child.write_text(TELLS_ITS_LIMIT)
    child.chmod(0o700)
    probe = FfmpegProbe(str(child), parallel=1)
    with pytest.raises(UndecodableSegment, match=f"^cpu limit {cpu_sec}$"):
        await probe.measure(b"", duration_sec=duration_sec, silence_db=-50)


@pytest.mark.parametrize(
    ("pictures", "is_beside"),
    [pytest.param(100, False, id="a usual number"), pytest.param(2_000, True, id="many")],
)
async def test_many_pictures_are_looked_at_beside_the_event_loop(
    pictures: int, is_beside: bool
) -> None:
    async with threads() as started:
        measured = await measure(animation(64, 36, pictures), LIMITS, duration_sec=20.0)
    assert measured.has_video
    assert bool(started) is is_beside


def test_one_slow_segment_leaves_a_turn_for_the_others() -> None:
    assert probes_at_once() >= 2
