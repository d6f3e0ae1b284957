"""How sound is judged through codecs, containers and segments, by both probes."""

from pathlib import Path
from typing import Any

import pytest

from media.decoding.probe import Probe
from monitors.config import Thresholds
from monitors.incidents import IncidentChange, IncidentOpened
from monitors.measurement import ProbeContext, SegmentMeasurement
from monitors.sound import SoundChecks
from simulator.origin.render import run_ffmpeg
from tests.media.decoding.measuring import BEGAN_AT, SILENCE_DB, incidents

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = ProbeContext(sound_checks=SoundChecks.LOUDNESS | SoundChecks.PEAKS | SoundChecks.PHASE)
TALK = "0.2*sin(2*PI*(300+40*sin(t*3))*t)*(1+0.5*sin(9*t))"


async def measured(
    probe: Probe,
    folder: Path,
    sound: str,
    *,
    segment_sec: float = 2.0,
    duration_sec: float = 24.0,
    codec: str = "aac",
) -> list[SegmentMeasurement]:
    """Return the measurements of what `aevalsrc` makes of an expression, cut into segments."""
    source = f"aevalsrc={sound}:s=48000:d={duration_sec}"
    cut = ["-f", "segment", "-segment_time", str(segment_sec), "-segment_format", "mpegts"]
    command = ["-v", "error", "-f", "lavfi", "-i", source, "-c:a", codec, "-b:a", "128k", *cut]
    run_ffmpeg([*command, "%03d.ts"], folder)
    return [
        await probe.measure(each, duration_sec=segment_sec, silence_db=SILENCE_DB, context=ALL)
        for each in segments_in(folder)
    ]


def segments_in(folder: Path) -> list[bytes]:
    return [each.read_bytes() for each in sorted(folder.glob("*.ts"))]


def opened(changes: list[IncidentChange]) -> list[tuple[Any, ...]]:
    return [
        (each.kind, (each.started_at - BEGAN_AT).total_seconds())
        for each in changes
        if isinstance(each, IncidentOpened)
    ]


@pytest.mark.parametrize("segment_sec", [1.0, 2.0, 6.0])
async def test_a_channel_that_stops_is_lost_however_it_is_cut(
    probe: Probe, tmp_path: Path, segment_sec: float
) -> None:
    sound = f"if(lt(t\\,8)\\,1\\,0)*{TALK}|{TALK}"
    found = await measured(probe, tmp_path, sound, segment_sec=segment_sec)
    thresholds = Thresholds(expect="audio", channel_loss_threshold_sec=10, silence_threshold_sec=0)
    assert opened(incidents(found, thresholds)) == [
        ("channel_loss", pytest.approx(8.0, abs=0.25)),
    ]


@pytest.mark.parametrize("codec", ["aac", "mp2", "ac3"])
async def test_a_tone_reads_its_level_through_any_codec(
    probe: Probe, tmp_path: Path, codec: str
) -> None:
    sine = f"{10 ** (-23 / 20)}*sin(2*PI*1000*t)"
    found = await measured(probe, tmp_path, f"{sine}|{sine}", duration_sec=8, codec=codec)
    for each in found[1:4]:  # it begins with a click, and may end with a few samples
        assert each.figures
        assert each.figures.loudness_lufs == pytest.approx([-23.0] * each.figures.blocks, abs=0.1)
        assert each.figures.channels_dbfs == pytest.approx([-26.0, -26.0], abs=0.4)
        assert max(each.figures.true_peaks_dbtp) == pytest.approx(-23.0, abs=0.5)
    thresholds = Thresholds(expect="audio", test_signal_threshold_sec=5)
    assert opened(incidents(found, thresholds)) == [("test_signal", pytest.approx(0, abs=0.1))]


async def test_an_inverted_channel_cancels_the_other(probe: Probe, tmp_path: Path) -> None:
    found = await measured(probe, tmp_path, f"{TALK}|-1*{TALK}", duration_sec=16)
    thresholds = Thresholds(expect="audio", phase_threshold_sec=10)
    assert opened(incidents(found, thresholds)) == [("phase", pytest.approx(0, abs=0.1))]


async def test_clipped_sound_is_told(probe: Probe, tmp_path: Path) -> None:
    loud = "max(-1\\,min(1\\,3*sin(2*PI*317*t)))"
    found = await measured(probe, tmp_path, f"{loud}|{loud}", duration_sec=14)
    thresholds = Thresholds(expect="audio", true_peak_max_dbtp=-1)
    assert opened(incidents(found, thresholds)) == [("clipping", pytest.approx(0, abs=0.2))]
