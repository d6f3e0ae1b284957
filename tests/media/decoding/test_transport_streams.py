"""Transport streams as encoders make them, with more in them than one picture and one sound."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from media.decoding.errors import UndecodableSegment
from media.decoding.probe import Probe
from monitors.measurement import SegmentMeasurement
from simulator.origin import Programme, RenderedProgramme, Tracks, render
from simulator.origin.encoding import LOWEST
from simulator.origin.render import run_ffmpeg
from tests.media.decoding.measuring import measure
from tests.media.transport_stream import DATA_STREAMS, ID3, pid_of, unnamed, with_stream, without
from tests.testkit.engines import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURE_PID, SOUND_PID = 0x100, 0x101


@pytest.fixture(scope="module")
def normal() -> RenderedProgramme:
    return render(Programme.of([("normal", 4.0)]))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decoders() -> AsyncIterator[Probe]:
    async with opened() as opened_probe:
        yield opened_probe


def found(measurement: SegmentMeasurement) -> SegmentMeasurement:
    """Return what is in a segment, whatever its size."""
    return measurement.model_copy(update={"size_bytes": 0})


@pytest.mark.parametrize("name", DATA_STREAMS)
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("joins_at", [0.0, 0.5])
async def test_data_beside_the_media_changes_nothing(
    probe: Probe, normal: RenderedProgramme, name: str, is_first: bool, joins_at: float
) -> None:
    plain = normal.segments[0].data
    segment = with_stream(plain, DATA_STREAMS[name], is_first=is_first, joins_at=joins_at)
    assert found(await measure(probe, segment)) == found(await measure(probe, plain))


async def test_metadata_without_a_descriptor_is_no_sound(
    decoders: Probe, normal: RenderedProgramme
) -> None:
    """Otherwise ffmpeg takes ID3 for the beginning of an MP3."""
    plain = normal.segments[0].data
    segment = with_stream(plain, replace(ID3, descriptors=b""), is_first=True)
    assert found(await measure(decoders, segment)) == found(await measure(decoders, plain))


async def test_a_stream_that_joins_late_in_a_large_segment_changes_nothing(
    probe: Probe, tmp_path: Path
) -> None:
    """Further in than ffmpeg looks before it decodes."""
    sources = ["testsrc2=s=1280x720:r=25:d=10", "sine=1000:d=10"]
    inputs = [part for source in sources for part in ("-f", "lavfi", "-i", source)]
    codecs = ["-c:v", "mpeg2video", "-b:v", "9M", "-minrate", "9M", "-c:a", "aac"]
    run_ffmpeg(["-v", "error", *inputs, *codecs, "large.ts"], tmp_path)
    plain = (tmp_path / "large.ts").read_bytes()
    joined = with_stream(plain, ID3, joins_at=0.9)
    alone = await measure(probe, plain, 10.0)
    assert alone.has_video
    assert alone.has_audio
    assert found(await measure(probe, joined, 10.0)) == found(alone)


def programmes(folder: Path, *files: Path, groups: Sequence[Sequence[int]]) -> bytes:
    """Return a transport stream of these files' tracks, each group a programme."""
    inputs = [part for file in files for part in ("-i", str(file))]
    maps = [part for number in range(len(files)) for part in ("-map", str(number))]
    told = []
    for number, group in enumerate(groups, 1):
        streams = "".join(f":st={stream}" for stream in group)
        told += ["-program", f"program_num={number}{streams}"]
    run_ffmpeg(["-v", "error", *inputs, *maps, "-c", "copy", *told, "programs.ts"], folder)
    return (folder / "programs.ts").read_bytes()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Segments of one programme each: normal, black and silent, sound alone."""
    folder = tmp_path_factory.mktemp("segments")
    radio = LOWEST.model_copy(update={"tracks": Tracks.AUDIO})
    shown = {
        "normal": Programme.of([("normal", 4.0)], LOWEST),
        "dead": Programme.of([("black_silent", 4.0)], LOWEST),
        "radio": Programme.of([("normal", 4.0)], radio),
    }
    for name, programme in shown.items():
        (folder / f"{name}.ts").write_bytes(render(programme).segments[0].data)
    return {name: folder / f"{name}.ts" for name in shown}


@pytest.mark.parametrize(("first", "is_dead"), [("normal", False), ("dead", True)])
async def test_the_first_programme_is_measured(
    probe: Probe, files: dict[str, Path], tmp_path: Path, first: str, is_dead: bool
) -> None:
    other = "normal" if first == "dead" else "dead"
    segment = programmes(tmp_path, files[first], files[other], groups=[(0, 1), (2, 3)])
    measured = await measure(probe, segment)
    assert (bool(measured.black), bool(measured.silent)) == (is_dead, is_dead)


async def test_sound_and_picture_of_two_programmes_are_not_mixed_up(
    probe: Probe, files: dict[str, Path], tmp_path: Path
) -> None:
    segment = programmes(tmp_path, files["radio"], files["dead"], groups=[(0,), (1, 2)])
    measured = await measure(probe, segment)
    assert (measured.has_video, measured.has_audio, measured.silent) == (False, True, [])


async def test_a_programme_without_picture_and_sound_is_passed_over(
    probe: Probe, files: dict[str, Path], tmp_path: Path
) -> None:
    two = programmes(tmp_path, files["radio"], files["dead"], groups=[(0,), (1, 2)])
    measured = await measure(probe, unnamed(two, PICTURE_PID))
    assert (measured.has_video, bool(measured.silent)) == (True, True)


async def test_sound_is_judged_though_no_picture_can_be_decoded(
    probe: Probe, normal: RenderedProgramme
) -> None:
    plain = normal.segments[0].data
    measured = await measure(probe, without_keyframe(plain))
    heard = await measure(probe, plain)
    assert measured.video_error
    assert (measured.has_video, measured.black, measured.still) == (True, [], [])
    assert (measured.silent, measured.loudness_lufs) == (heard.silent, heard.loudness_lufs)


async def test_the_picture_is_judged_though_no_sound_can_be_decoded(
    decoders: Probe, normal: RenderedProgramme
) -> None:
    plain = normal.segments[0].data
    measured = await measure(decoders, with_garbled_sound(plain))
    assert measured.audio_error
    assert (measured.has_audio, measured.silent) == (True, [])
    assert measured.still == (await measure(decoders, plain)).still


async def test_neither_of_them_is_undecodable(probe: Probe, normal: RenderedProgramme) -> None:
    with pytest.raises(UndecodableSegment):
        await measure(probe, with_garbled_sound(without_keyframe(normal.segments[0].data)))


def without_keyframe(segment: bytes) -> bytes:
    """Return a segment without its first picture, and so without its parameter sets."""
    pictures = 0

    def is_of_the_first(packet: bytes) -> bool:
        nonlocal pictures
        if pid_of(packet) != PICTURE_PID:
            return False
        pictures += bool(packet[1] & 0x40)
        return pictures <= 1

    return without(segment, is_of_the_first)


def with_garbled_sound(segment: bytes) -> bytes:
    packets = [segment[at : at + 188] for at in range(0, len(segment), 188)]
    return b"".join(
        packet[:30] + bytes(188 - 30) if pid_of(packet) == SOUND_PID else packet
        for packet in packets
    )
