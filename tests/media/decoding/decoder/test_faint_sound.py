"""Hiss whose level is that of silence."""

import numpy as np
import pytest
from numpy.typing import NDArray

from media.decoding.decoder.sound_blocks import SoundFormat
from media.decoding.decoder.sound_parts import SoundPart

RATE_HZ = 48_000


def hiss(sec: float, dbfs: float, seed: int = 1) -> NDArray[np.float32]:
    wave = np.random.default_rng(seed).standard_normal(round(sec * RATE_HZ))
    return np.asarray(10 ** (dbfs / 20) * wave, "f4")


def notes(sec: float, dbfs: float) -> NDArray[np.float32]:
    times = np.arange(round(sec * RATE_HZ)) / RATE_HZ
    wave = np.mean([np.sin(2 * np.pi * hz * times) for hz in (220, 277.2, 329.6)], axis=0)
    return np.asarray(10 ** (dbfs / 20) * wave, "f4")


def silent(sound: NDArray[np.float32], looks: int = 1) -> list[tuple[float, float]]:
    """Return what of it is silent for a tenth of a second, looked at in as many pieces."""
    part = SoundPart(SoundFormat(RATE_HZ, ("FC",)), 0.0, -50.0)
    for piece in np.array_split(sound[np.newaxis], looks, axis=1):
        part.add(piece)
    return [(each.start, each.end) for each in part.stretches() if each.end - each.start > 0.1]


@pytest.mark.parametrize("looks", [1, 2, 5])
@pytest.mark.parametrize("level", [-66, -60, -56, -53])
def test_steady_hiss_of_a_level_under_the_threshold_is_silent(level: float, looks: int) -> None:
    sound = np.concatenate([notes(1.03, -20), hiss(1.1, level), notes(0.7, -20)])
    assert silent(sound, looks) == [pytest.approx((1.03, 2.13), abs=0.02)]


@pytest.mark.parametrize("level", [-48, -45])
def test_hiss_above_the_threshold_is_heard(level: float) -> None:
    assert silent(hiss(2, level)) == []


def test_notes_are_heard_though_their_level_is_under_the_threshold() -> None:
    assert silent(notes(2, -44)) == []


def test_what_rises_and_falls_is_heard() -> None:
    swell = np.tile(np.linspace(1, 0.05, RATE_HZ // 4).astype("f4"), 8)
    assert all(end - start < 0.25 for start, end in silent(hiss(2, -49) * swell))


@pytest.mark.parametrize("samples", [1, 479, 2928, 46_080, 65_536])
def test_hiss_of_any_length_is_silent(samples: int) -> None:
    part = SoundPart(SoundFormat(RATE_HZ, ("FC",)), 0.0, -50.0)
    part.add(hiss(2, -70)[np.newaxis, :samples])
    part.add(hiss(2, -57)[np.newaxis, :samples])
    assert all(0 <= each.start < each.end <= part.duration_sec for each in part.stretches())


def test_hiss_goes_on_from_one_segment_to_the_next() -> None:
    sound = np.concatenate([notes(1.0, -20), hiss(0.3, -55)])
    assert silent(sound) == [pytest.approx((1.0, 1.3), abs=0.02)]


@pytest.mark.parametrize("rate_hz", [1, 100, 300, 400])
def test_any_rate_can_be_looked_at(rate_hz: int) -> None:
    """A stream may declare any."""
    part = SoundPart(SoundFormat(rate_hz, ("FC",)), 0.0, -50.0)
    part.add(hiss(0.1, -57)[np.newaxis])
    assert all(0 <= each.start < each.end <= part.duration_sec for each in part.stretches())
