"""Every kind of scene, encoded by the real encoder, measured by the real decoder."""

import pytest

from media.decoding.probe import Probe
from monitors.config import Thresholds
from simulator.origin import (
    LOWEST,
    Container,
    Encoding,
    Programme,
    Scene,
    SceneKind,
    Tracks,
    render,
)
from tests.media.decoding.measuring import (
    SOUND_TOLERANCE_SEC,
    incidents,
    joined,
    measure_all,
    within,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRAME_SEC = 1 / LOWEST.fps
TOUCHY = Thresholds(
    blackout_threshold_sec=2, silence_threshold_sec=2, freeze_threshold_sec=8, recovery_sec=1
)
BLACK_KINDS = ("black", "black_silent", "black_with_logo", "black_noisy", "cut_to_black")
SILENT_KINDS = ("silent", "black_silent")


@pytest.mark.parametrize("container", list(Container))
@pytest.mark.parametrize("kind", [*BLACK_KINDS, "silent"])
async def test_a_fault_is_measured_to_a_frame_wherever_segments_are_cut(
    probe: Probe, kind: str, container: Container
) -> None:
    encoding = LOWEST.model_copy(update={"container": container})
    programme = Programme.of([("normal", 2.6), (kind, 4.2), ("normal", 3.2)], encoding)
    measured = await measure_all(probe, render(programme))
    (span,) = programme.spans(kind)
    expected = (span.start_sec, span.end_sec)
    black = joined([each.black for each in measured], encoding.segment_sec)
    silent = joined([each.silent for each in measured], encoding.segment_sec)
    assert black == (within(FRAME_SEC, expected) if kind in BLACK_KINDS else [])
    assert silent == (within(SOUND_TOLERANCE_SEC, expected) if kind in SILENT_KINDS else [])


@pytest.mark.parametrize(
    "encoding",
    [
        pytest.param(LOWEST.model_copy(update={"sample_rate": 22_050}), id="22.05 kHz"),
        pytest.param(LOWEST.model_copy(update={"sample_rate": 48_000}), id="48 kHz"),
        pytest.param(
            LOWEST.model_copy(update={"sample_rate": 44_100, "audio_kbps": 96}), id="44.1 kHz"
        ),
        pytest.param(Encoding(fps=25, segment_sec=1.2, gop_sec=0.4), id="25 frames a second"),
        pytest.param(Encoding(width=640, height=360, fps=30, video_kbps=500), id="640x360"),
    ],
)
async def test_other_rates_and_sizes_measure_the_same(probe: Probe, encoding: Encoding) -> None:
    programme = Programme.of([("normal", 1.6), ("black_silent", 3.0), ("normal", 2.0)], encoding)
    measured = await measure_all(probe, render(programme))
    (span,) = programme.spans("black_silent")
    expected = (span.start_sec, span.end_sec)
    black = joined([each.black for each in measured], encoding.segment_sec)
    silent = joined([each.silent for each in measured], encoding.segment_sec)
    assert black == within(1 / encoding.fps, expected)
    assert silent == within(SOUND_TOLERANCE_SEC + 0.01, expected)
    assert (measured[0].width, measured[0].height) == (encoding.width, encoding.height)


@pytest.mark.parametrize(
    ("kind", "faults"),
    [
        pytest.param("normal", [], id="normal"),
        pytest.param("dark", [], id="dark but visible"),
        pytest.param("talking_head", [], id="talking head"),
        pytest.param("slow_pan", [], id="pan of half a pixel a second"),
        pytest.param("held_drawings", [], id="drawings held for two seconds"),
        pytest.param("quiet_music", [], id="quiet music"),
        pytest.param("black_with_logo", ["blackout"], id="black with a small logo"),
        pytest.param("black_noisy", ["blackout"], id="black with noise"),
        pytest.param("black_silent", ["blackout", "silence"], id="black and silent"),
        pytest.param("audio_only", ["blackout"], id="no picture track"),
        pytest.param("video_only", ["silence"], id="no audio track"),
        pytest.param("frozen", ["freeze"], id="frozen"),
    ],
)
async def test_what_alerts_and_what_does_not(probe: Probe, kind: str, faults: list[str]) -> None:
    programme = Programme.of([("normal", 2.0), (kind, 20.0), ("normal", 4.0)])
    changes = incidents(await measure_all(probe, render(programme)), TOUCHY)
    opened = [change.kind for change in changes if change.change == "opened"]
    assert sorted(opened) == faults
    assert len(changes) == 2 * len(faults)


async def test_a_cut_to_black_of_a_second_is_seen_and_does_not_alert(probe: Probe) -> None:
    programme = Programme.of([("normal", 3.5), ("cut_to_black", 1.0), ("normal", 3.5)])
    measured = await measure_all(probe, render(programme))
    black = joined([each.black for each in measured], LOWEST.segment_sec)
    assert black == within(FRAME_SEC, (3.5, 4.5))
    assert incidents(measured, TOUCHY) == []


@pytest.mark.parametrize("kind", ["audio_only", "video_only"])
async def test_a_track_that_goes_within_a_segment(probe: Probe, kind: str) -> None:
    programme = Programme.of([("normal", 3.0), (kind, 4.0), ("normal", 3.0)])
    measured = await measure_all(probe, render(programme))
    tracks = [each.has_video if kind == "audio_only" else each.has_audio for each in measured]
    assert tracks == [True, True, False, True, True]


async def test_a_new_still_picture_parts_the_runs_on_its_first_frame(probe: Probe) -> None:
    scenes = [Scene(kind=SceneKind.FROZEN, duration_sec=3.0, seed=seed) for seed in (1, 2)]
    _, middle, _ = await measure_all(probe, render(Programme(tuple(scenes))))
    assert [(run.start, run.end) for run in middle.still] == within(FRAME_SEC, (0, 1), (1, 2))


@pytest.mark.parametrize("container", list(Container))
@pytest.mark.parametrize("segment_sec", [1.0, 2.0])
async def test_digital_silence_on_its_own_is_silence_however_small(
    probe: Probe, container: Container, segment_sec: float
) -> None:
    encoding = Encoding(tracks=Tracks.AUDIO, container=container, segment_sec=segment_sec)
    programme = Programme.of([("normal", 2.5), ("silent", 4.0), ("normal", 1.5)], encoding)
    measured = await measure_all(probe, render(programme))
    assert not any(each.has_video for each in measured)
    silent = joined([each.silent for each in measured], segment_sec)
    assert silent == within(SOUND_TOLERANCE_SEC + 0.045, (2.5, 6.5))
