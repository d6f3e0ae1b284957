"""Real media, skimmed where it moves: the incidents are those of measuring all of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from media.decoding.probe import Probe
from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.frames import DecodeDepth, Motion
from monitors.incidents import IncidentChange
from monitors.measurement import ProbeContext, SegmentMeasurement
from simulator.origin import LOWEST, Container, Encoding, Programme, RenderedProgramme, render
from simulator.origin.render import run_ffmpeg
from tests.media.decoding.measuring import SILENCE_DB, incidents, measure_all, position
from tests.testkit.engines import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALM = Thresholds(blackout_threshold_sec=8, freeze_threshold_sec=10, silence_threshold_sec=8)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def probe() -> AsyncIterator[Probe]:
    async with opened(with_loudness=False) as opened_probe:
        yield opened_probe


async def measured_of(
    probe: Probe, rendered: RenderedProgramme, number: int, context: ProbeContext | None = None
) -> SegmentMeasurement:
    segment = rendered.segments[number]
    media = (rendered.init or b"") + segment.data
    return await probe.measure(
        media, duration_sec=segment.duration_sec, silence_db=SILENCE_DB, context=context
    )


async def skimmed(
    probe: Probe, rendered: RenderedProgramme, has_room: bool
) -> tuple[list[IncidentChange], int]:
    """Return what the detectors tell, and how many segments they wanted only skimmed."""
    detectors, changes, count = MediaDetectors(), list[IncidentChange](), 0
    for number, segment in enumerate(rendered.segments):
        context = detectors.probe_context(segment.duration_sec, CALM, has_room=has_room)
        measured = await measured_of(probe, rendered, number, context)
        count += measured.is_skimmed
        due = detectors.video.due_before(measured)
        in_full = [await measured_of(probe, rendered, it.position.sequence) for it in due]
        detectors.video.judge_deferred(in_full, CALM)
        changes += detectors.feed(measured, position(number, rendered.durations_sec), CALM)
    return changes, count


async def check_skimming(probe: Probe, rendered: RenderedProgramme, faults: int) -> None:
    """With and without room, segments are skimmed, and what is told is the same."""
    expected = incidents(await measure_all(probe, rendered), CALM)
    assert len(expected) == 2 * faults
    for has_room in (False, True):
        found, count = await skimmed(probe, rendered, has_room)
        assert found == expected, f"{has_room=}"
        assert count >= 3, f"{has_room=}"


@pytest.mark.parametrize(
    "encoding",
    [
        pytest.param(LOWEST, id="a keyframe a segment"),
        pytest.param(Encoding(gop_sec=0.4), id="five keyframes a segment"),
        pytest.param(LOWEST.model_copy(update={"container": Container.FMP4}), id="fmp4"),
        pytest.param(Encoding(video_kbps=40), id="few bits"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "faults"),
    [
        *(("black_silent", 2), ("black_with_logo", 1), ("black_noisy", 1), ("frozen", 1)),
        *(("dark", 0), ("talking_head", 0), ("slow_pan", 0), ("held_drawings", 0)),
    ],
)
async def test_it_finds_what_measuring_everything_finds(
    probe: Probe, encoding: Encoding, kind: str, faults: int
) -> None:
    programme = Programme.of([("normal", 9.4), (kind, 15.2), ("normal", 9.4)], encoding)
    await check_skimming(probe, render(programme), faults)


def with_open_groups(rendered: RenderedProgramme, folder: Path) -> RenderedProgramme:
    """Encode each segment again so that pictures before a keyframe need what comes before it."""
    segments = []
    for segment in rendered.segments:
        (folder / "first.ts").write_bytes(segment.data)
        parameters = "open-gop=1:bframes=3:b-adapt=0:keyint=10:min-keyint=10:scenecut=0"
        arguments = ["-v", "error", "-y", "-i", "first.ts", "-c:a", "copy", "-c:v", "libx264"]
        arguments += ["-preset", "veryfast", "-x264-params", parameters, "-threads", "1"]
        run_ffmpeg([*arguments, "again.ts"], folder)
        segments.append(replace(segment, data=(folder / "again.ts").read_bytes()))
    return replace(rendered, segments=tuple(segments))


@pytest.mark.parametrize(
    ("kind", "faults"), [("black_silent", 2), ("frozen", 1), ("talking_head", 0), ("slow_pan", 0)]
)
async def test_open_groups_of_pictures_change_nothing(
    probe: Probe, tmp_path: Path, kind: str, faults: int
) -> None:
    scenes = [("normal", 9.4), (kind, 15.2), ("normal", 9.4)]
    rendered = with_open_groups(render(Programme.of(scenes, LOWEST)), tmp_path)
    await check_skimming(probe, rendered, faults)


async def test_somebody_who_talks_before_a_camera_is_skimmed(probe: Probe) -> None:
    found, count = await skimmed(probe, render(Programme.of([("talking_head", 40.0)])), True)
    assert not found
    assert count >= 10


@pytest.mark.parametrize("depth", [DecodeDepth.KEYFRAME, DecodeDepth.MOVEMENT])
async def test_a_segment_without_a_picture_is_not_skimmed(probe: Probe, depth: DecodeDepth) -> None:
    context = ProbeContext(depth=depth)
    rendered = render(Programme.of([("normal", 3.0), ("audio_only", 4.0), ("normal", 3.0)]))
    found = [await measured_of(probe, rendered, number, context) for number in range(5)]
    # Nor are those that hold half of their pictures.
    assert [each.is_skimmed for each in found] == [True, False, False, False, True]
    assert [each.has_video for each in found] == [True, True, False, True, True]


async def test_who_wants_loudness_gets_all_measured_at_once() -> None:
    rendered = render(Programme.of([("normal", 4.0)]))
    async with opened() as thorough:
        measured = await measured_of(
            thorough, rendered, 0, ProbeContext(depth=DecodeDepth.MOVEMENT)
        )
    assert measured.motion is Motion.UNKNOWN
    assert not measured.is_skimmed
