"""Where samples are quiet."""

import numpy as np
import pytest
from numpy.typing import NDArray

from media.decoding.decoder.results import Span
from media.decoding.decoder.silent_ranges import (
    quiet_samples,
    quiet_stretches,
    silent_intervals,
)

RATE_HZ = 48_000
SILENCE_DB = -50.0


def tone(duration_sec: float, *, peak: float = 0.2) -> NDArray[np.float32]:
    times = np.arange(round(duration_sec * RATE_HZ)) / RATE_HZ
    return (peak * np.sin(2 * np.pi * 97 * times)).astype("f4")


def stillness(duration_sec: float) -> NDArray[np.float32]:
    return np.zeros(round(duration_sec * RATE_HZ), "f4")


def quiet(*channels: NDArray[np.float32], looks: int = 1) -> list[tuple[float, float]]:
    """Return the quiet stretches of sound that is looked at in as many pieces."""
    pieces = np.array_split(np.stack(channels), looks, axis=1)
    found = np.concatenate([quiet_samples(each, SILENCE_DB, RATE_HZ) for each in pieces])
    return [(each.start, each.end) for each in quiet_stretches(found, RATE_HZ)]


@pytest.mark.parametrize("looks", [1, 2, 3, 7])
@pytest.mark.parametrize("offset", [0.0, 0.01, 0.05, -0.4])
def test_a_constant_offset_is_no_sound(offset: float, looks: int) -> None:
    sound = np.concatenate([tone(1.03), stillness(1.1), tone(0.7)]) + np.float32(offset)
    assert quiet(sound, sound, looks=looks) == [pytest.approx((1.03, 2.13), abs=0.01)]


def test_an_offset_is_told_though_a_decoder_begins_with_nothing() -> None:
    sound = np.concatenate([stillness(0.38), tone(1)]) + np.float32(0.05)
    rise = np.minimum(np.arange(len(sound)) / (0.04 * RATE_HZ), 1).astype("f4")
    found = quiet_samples((sound * rise)[np.newaxis], SILENCE_DB, RATE_HZ, are_first=True)
    assert Span(*quiet_stretches(found, RATE_HZ)[-1]) == pytest.approx((0.04, 0.38), abs=0.01)


def test_each_channel_may_have_an_offset_of_its_own() -> None:
    silence = stillness(1)
    assert quiet(silence + np.float32(0.1), silence - np.float32(0.2)) == [(0, 1)]


def test_one_channel_that_is_heard_is_sound() -> None:
    assert quiet(tone(1), stillness(1) + np.float32(0.1)) == []


@pytest.mark.parametrize("frequency_hz", [20, 50, 1000, 2087, 48_000 / 23])
def test_a_steady_tone_is_no_offset(frequency_hz: float) -> None:
    times = np.arange(2 * RATE_HZ) / RATE_HZ
    assert quiet((0.01 * np.sin(2 * np.pi * frequency_hz * times)).astype("f4")) == []


def test_music_at_minus_40_is_heard() -> None:
    chance = np.random.default_rng(1)
    notes = sum(np.sin(2 * np.pi * f * np.arange(RATE_HZ) / RATE_HZ) for f in (220, 277.2, 329.6))
    music = notes * (0.6 + 0.4 * chance.random(RATE_HZ))
    assert quiet((music / np.abs(music).max() * 10 ** (-40 / 20)).astype("f4")) == []


@pytest.mark.parametrize(
    ("quiet", "silent"),
    [
        pytest.param([], [], id="none"),
        pytest.param([(0.5, 1), (1.5, 1.75)], [(0.5, 1), (1.5, 1.75)], id="two"),
        pytest.param([(1.5, 1.75), (0.5, 1)], [(0.5, 1), (1.5, 1.75)], id="out of order"),
        pytest.param([(0.5, 1.2), (1, 1.75)], [(0.5, 1.75)], id="overlapping"),
        pytest.param([(-0.02, 1)], [(0, 1)], id="begins before"),
        pytest.param([(1, 2.3)], [(1, 2)], id="ends after"),
        pytest.param([(3, 4)], [], id="all after"),
        pytest.param([(0, 0.0853)], [], id="decoder priming"),
        pytest.param([(0, 0.2)], [(0, 0.2)], id="more than priming"),
        pytest.param([(0, 0.06), (0.07, 2)], [(0, 0.06), (0.07, 2)], id="a peak at once"),
        pytest.param([(0, 0.06), (0.12, 2)], [(0.12, 2)], id="sound behind priming"),
        pytest.param([(1, 1.05)], [(1, 1.05)], id="short, but not first"),
    ],
)
def test_silence_lies_within_the_segment(
    quiet: list[tuple[float, float]], silent: list[tuple[float, float]]
) -> None:
    assert silent_intervals([Span(*each) for each in quiet], 2.0) == silent
