"""Segments that would make a decoder compute or allocate without end."""

import resource
from pathlib import Path

import pytest

from media.decoding.errors import UndecodableSegment
from media.decoding.ffmpeg_probe import FfmpegProbe
from media.decoding.limits import ProbeLimits
from monitors.measurement import SegmentMeasurement
from simulator.origin.render import run_ffmpeg
from tests.hostile.threads import threads
from tests.testkit.crafted_media import animation, movie, picture
from tests.testkit.engines import Engine, opened

MEBI = 1024 * 1024
TIGHT = ProbeLimits(wall_sec=20, cpu_sec=1, memory_bytes=512 * MEBI)

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
    engine: Engine,
    segment: bytes,
    limits: ProbeLimits | None = None,
    duration_sec: float = 2.0,
) -> SegmentMeasurement:
    async with opened(engine, parallel=1, limits=limits) as probe:
        return await probe.measure(segment, duration_sec=duration_sec, silence_db=-50)


def rendered(folder: Path, source: str, *options: str) -> bytes:
    """Return what ffmpeg makes of a source of its own; `options` end with the file's name."""
    run_ffmpeg(["-v", "error", "-f", "lavfi", "-i", source, *options], folder)
    return (folder / options[-1]).read_bytes()


@pytest.mark.parametrize("engine", list(Engine))
@pytest.mark.parametrize("segment", ATTACKS)
async def test_a_segment_that_wants_too_much_is_refused_within_its_limits(
    engine: Engine, segment: bytes
) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with pytest.raises(UndecodableSegment) as refusal:
        await measure(engine, segment, TIGHT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_sec = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used_sec < 2 * TIGHT.cpu_sec + 2  # at most two passes, and the start of a decoder
    assert 0 < len(str(refusal.value)) < 500


@pytest.mark.parametrize("engine", list(Engine))
async def test_of_pictures_without_end_only_so_many_are_looked_at_as_a_segment_holds(
    engine: Engine, tmp_path: Path
) -> None:
    many = rendered(tmp_path, "color=red:s=64x36:r=1000:d=3", "-c:v", "libx264", "many.ts")
    measured = await measure(engine, many, duration_sec=3.0)
    assert [(run.start, run.end) for run in measured.still] == [(0.0, 3.0)]


@pytest.mark.parametrize("engine", list(Engine))
async def test_ten_minutes_of_sound_are_measured(engine: Engine, tmp_path: Path) -> None:
    long = 10 * rendered(tmp_path, "anullsrc=r=48000:d=60", "-c:a", "aac", "minute.aac")
    measured = await measure(engine, long, duration_sec=600.0)
    assert (measured.has_audio, measured.has_video) == (True, False)
    assert [(each.start, round(each.end)) for each in measured.silent] == [(0.0, 600)]


async def test_a_segment_that_takes_too_much_time_ends_its_decoder_only(tmp_path: Path) -> None:
    large = "testsrc2=s=1920x1080:d=1"
    busy = 50 * rendered(tmp_path, large, "-c:v", "libx264", "-preset", "ultrafast", "busy.ts")
    light = rendered(tmp_path, "color=red:s=64x36:d=2", "-c:v", "libx264", "light.ts")
    async with opened(parallel=1, limits=ProbeLimits(cpu_sec=1)) as probe:
        with pytest.raises(UndecodableSegment, match="takes too much CPU time"):
            await probe.measure(busy, duration_sec=20.0, silence_db=-50)
        assert (await probe.measure(light, duration_sec=2.0, silence_db=-50)).has_video


async def test_a_segment_that_takes_too_much_memory_is_undecodable(tmp_path: Path) -> None:
    large = rendered(tmp_path, "testsrc2=s=3840x2160:d=0.2", "-c:v", "libx264", "large.ts")
    with pytest.raises(UndecodableSegment):
        await measure(Engine.DECODERS, large, ProbeLimits(memory_bytes=4 * MEBI))


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
    ("pictures_per_sec", "is_beside"),
    [pytest.param(30, False, id="a usual number"), pytest.param(500, True, id="many")],
)
async def test_many_pictures_are_looked_at_beside_the_event_loop(
    tmp_path: Path, pictures_per_sec: int, is_beside: bool
) -> None:
    """A decoder looks at them in its own process."""
    source = f"color=red:s=64x36:r={pictures_per_sec}:d=4"
    film = rendered(tmp_path, source, "-c:v", "libx264", "film.ts")
    async with threads() as started:
        measured = await measure(Engine.FFMPEG, film, duration_sec=20.0)
    assert measured.has_video
    assert bool(started) is is_beside
