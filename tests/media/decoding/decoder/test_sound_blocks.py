"""Figures of samples, against signals whose figures are known."""

from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from media.decoding.decoder.sound_blocks import SoundBlocks, SoundFormat, sound_figures, usual_names
from monitors.sound import SoundChecks
from monitors.sound_figures import gating_blocks, integrated_lufs

Samples = NDArray[np.float32]
ALL = SoundChecks.LOUDNESS | SoundChecks.PEAKS | SoundChecks.PHASE


def sine(
    hz: float, peak_dbfs: float, *, rate_hz: int = 48_000, sec: float = 2.0, phase: float = 0.0
) -> Samples:
    times = np.arange(round(sec * rate_hz)) / rate_hz
    return (10 ** (peak_dbfs / 20) * np.sin(2 * np.pi * hz * times + phase)).astype(np.float32)


def noise(*, sec: float = 2.0, level: float = 0.1, seed: int = 1) -> Samples:
    chance = np.random.default_rng(seed)
    return (level * chance.standard_normal(round(sec * 48_000))).astype(np.float32)


def figures(*channels: Samples, rate_hz: int = 48_000, pieces: int = 1) -> dict[str, Any]:
    """Return the figures of samples that come in as many pieces."""
    blocks = SoundBlocks(SoundFormat(rate_hz, usual_names(len(channels))), ALL, 1000)
    for piece in np.array_split(np.stack(channels), pieces, axis=1):
        blocks.add(piece)
    found = sound_figures([(blocks, len(channels[0]) / rate_hz)])
    assert found
    return found


def near(level: float, within: float = 0.1) -> Any:
    return pytest.approx(level, abs=within)


@pytest.mark.parametrize("rate_hz", [32_000, 44_100, 48_000, 96_000])
def test_a_stereo_sine_of_1_khz_reads_its_level(rate_hz: int) -> None:
    channel = sine(1000, -23, rate_hz=rate_hz)
    found = figures(channel, channel, rate_hz=rate_hz)
    assert found["loudness_lufs"] == [near(-23.0)] * 20
    assert found["channels_dbfs"] == [near(-26.0), near(-26.0)]


@pytest.mark.parametrize("seed", range(3))
def test_loudness_is_that_of_libebur128(seed: int) -> None:
    loud = np.repeat(10 ** (np.random.default_rng(seed).uniform(-30, 0, 5) / 20), 4 * 48_000)
    left, right = (
        (noise(sec=20, seed=each) * loud).astype(np.float32) for each in (seed, seed + 9)
    )
    found = figures(left, right, pieces=7)["loudness_lufs"]
    assert integrated_lufs(gating_blocks(found)) == near(ebur128(left, right))


def ebur128(*channels: Samples) -> float:
    """Return what the filter of ffmpeg measures."""
    graph, told = av.filter.Graph(), 0.0
    source = graph.add_abuffer(sample_rate=48_000, format="fltp", layout="stereo")
    meter = graph.add("ebur128", "metadata=1:framelog=quiet")
    graph.link_nodes(source, meter, graph.add("abuffersink")).configure()
    frame = av.AudioFrame.from_ndarray(np.stack(channels), format="fltp", layout="stereo")
    frame.sample_rate = 48_000
    graph.push(frame)
    graph.push(None)
    while True:
        try:
            told = float(graph.pull().metadata["lavfi.r128.I"])
        except (av.BlockingIOError, av.EOFError):
            return told


def test_surrounds_count_more_and_low_frequency_effects_not_at_all() -> None:
    still, tone = sine(1000, -200), sine(1000, -20)
    front = figures(tone, *[still] * 5)["loudness_lufs"][5]
    assert figures(*[still] * 4, tone, still)["loudness_lufs"][5] == near(front + 1.5, 0.02)
    assert figures(*[still] * 3, tone, still, still)["loudness_lufs"][5] < -100


def test_a_true_peak_between_two_samples_is_found() -> None:
    channel = sine(12_000, 0, phase=np.pi / 4)
    assert np.abs(channel).max() == near(10 ** (-3 / 20), 0.01)
    assert figures(channel, channel)["true_peaks_dbtp"] == [near(0.0, 0.2)] * 20


@pytest.mark.parametrize("pieces", [1, 3, 11])
@pytest.mark.parametrize(("run", "is_clipped"), [(11, False), (12, True)])
def test_twelve_samples_at_full_scale_are_clipped(run: int, is_clipped: bool, pieces: int) -> None:
    channel = sine(300, -6)
    channel[33_600 - run : 33_600] = -1.0
    found = figures(sine(300, -6), channel, pieces=pieces)["clipped"]
    assert found[6] is is_clipped
    assert sum(found) == is_clipped


def test_phase_is_that_of_left_and_right() -> None:
    left, right = noise(seed=1), noise(seed=2)
    assert figures(left, -left)["correlations"] == [near(-1, 0.01)] * 20
    assert figures(left, left)["correlations"] == [near(1, 0.01)] * 20
    assert figures(left, right)["correlations"] == [near(0, 0.1)] * 20
    assert figures(left, right * 0)["correlations"] == [None] * 20


@pytest.mark.parametrize(
    ("sound", "level_dbfs"),
    [
        pytest.param(sine(1000, -18), -18.0, id="1 kHz"),
        pytest.param(sine(991, -20), -20.0, id="1 kHz, nearly"),
        pytest.param(sine(1008, -20) + np.float32(0.1), -20.0, id="with a constant offset"),
        pytest.param(sine(1000, -18) + noise(level=0.005), -18.0, id="with faint noise"),
        pytest.param(sine(987.8, -18), None, id="a B"),
        pytest.param(sine(1046.5, -18), None, id="a C"),
        pytest.param(sine(1000, -18) + sine(2000, -26), None, id="an organ"),
        pytest.param(np.sign(sine(1000, 0)) * np.float32(0.1), None, id="a synthesiser"),
        pytest.param(sine(1000, -18) + noise(level=0.05), None, id="much noise"),
        pytest.param(sine(440, -18), None, id="another tone"),
        pytest.param(noise(), None, id="noise"),
    ],
)
def test_a_tone_is_1_khz_and_nothing_else(sound: Samples, level_dbfs: float | None) -> None:
    found = figures(sound, sound)
    if level_dbfs is None:
        assert not any(found.get("tone_dbfs", []))
    else:
        assert found["tone_dbfs"] == [near(level_dbfs, 0.2)] * 20


def test_a_tone_may_be_in_one_channel_if_the_other_is_silent() -> None:
    tone = sine(1000, -18)
    assert figures(tone, tone * 0)["tone_dbfs"] == [near(-18.0)] * 20
    assert "tone_dbfs" not in figures(tone, noise())


@pytest.mark.parametrize("pieces", [2, 7, 50])
def test_figures_do_not_depend_on_the_pieces(pieces: int) -> None:
    left, right = noise(seed=3), noise(seed=4) + sine(12_000, -3)
    whole, cut = figures(left, right), figures(left, right, pieces=pieces)
    assert whole.keys() == cut.keys()
    for name in ("left_dbfs", "right_dbfs", "loudness_lufs", "correlations", "clipped"):
        assert whole[name] == pytest.approx(cut[name], abs=0.011)
    assert whole["true_peaks_dbtp"] == pytest.approx(cut["true_peaks_dbtp"], abs=0.05)


def test_the_beginning_and_the_end_count_like_what_is_beside_them() -> None:
    channel = sine(1000, -20, sec=1.05)
    channel[:2048] *= np.linspace(0, 1, 2048, dtype=np.float32)
    found = figures(channel, channel)
    assert found["left_dbfs"] == [near(-23.0)] * 10
    assert found["duration_sec"] == near(1.05, 1e-6)


def test_no_more_blocks_are_measured_than_were_asked_for() -> None:
    blocks = SoundBlocks(SoundFormat(48_000, ("FC",)), ALL, 5)
    for _ in range(3):
        blocks.add(noise(sec=0.33)[None])
    assert blocks.blocks == 5


def test_sound_of_another_format_does_not_mix_in() -> None:
    stereo = SoundBlocks(SoundFormat(48_000, ("FL", "FR")), ALL, 99)
    stereo.add(np.stack([noise(), noise()]))
    mono = SoundBlocks(SoundFormat(44_100, ("FC",)), ALL, 99)
    mono.add(noise(sec=0.5)[None])
    found = sound_figures([(mono, 0.5), (stereo, 2.0)])
    assert found
    assert (found["channels"], found["duration_sec"]) == (2, 2.0)
