"""What programmes play: functions from moments to samples."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.programme import Samples, Sound

Moments = NDArray[np.float64]


def _mono(wave: NDArray[np.float64]) -> Samples:
    return wave.astype(np.float32)[np.newaxis]


def _gain(db: float) -> float:
    return float(10 ** (db / 20))


def nothing(t: Moments, _rate: int) -> Samples:
    """Play digital silence."""
    return np.zeros((1, len(t)), np.float32)


def tone(hz: float, dbfs: float) -> Sound:
    """Play a sine whose peaks are at `dbfs`."""
    return lambda t, _rate: _mono(_gain(dbfs) * np.sin(2 * np.pi * hz * t))


def noise(dbfs: float, seed: int = 1) -> Sound:
    """Play white noise of that RMS level."""

    def at(t: Moments, rate: int) -> Samples:
        first = round(float(t[0]) * rate) if len(t) else 0
        wave = np.random.default_rng((seed, first)).standard_normal(len(t))
        return _mono(_gain(dbfs) * wave)

    return at


def constant(level: float) -> Sound:
    """Play a level that never changes, as a broken converter does."""
    return lambda t, _rate: np.full((1, len(t)), level, np.float32)


def hum(dbfs: float) -> Sound:
    """Play the hum of the mains."""
    parts = ((50, 1.0), (100, 0.5), (150, 0.3))

    def at(t: Moments, _rate: int) -> Samples:
        waves = [share * np.sin(2 * np.pi * hz * t) for hz, share in parts]
        return _mono(_gain(dbfs) / 1.4 * np.sum(waves, axis=0))

    return at


def speech(dbfs: float = -12.0, pause_sec: float = 0.4, every_sec: float = 4.0) -> Sound:
    """Speak in syllables, with a pause now and then in which a room is heard."""

    def at(t: Moments, rate: int) -> Samples:
        voice = sum(np.sin(2 * np.pi * 130 * n * t + n) / n for n in range(1, 12))
        syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4.1 * t) * np.sin(2 * np.pi * 0.7 * t)
        speaks = (t % every_sec) > pause_sec
        wave = np.asarray(voice) * syllables * speaks * _gain(dbfs) / 2
        return _mono(wave) + noise(dbfs - 32)(t, rate)

    return at


def music(dbfs: float = -14.0, beat_sec: float = 0.5) -> Sound:
    """Play chords whose notes fade."""
    chords = ((220, 277, 330), (196, 247, 294), (175, 220, 262), (196, 247, 330))

    def at(t: Moments, _rate: int) -> Samples:
        wave, number = np.zeros(len(t)), np.floor(t / (4 * beat_sec)).astype(int) % len(chords)
        fading = np.exp(-2.0 * (t % beat_sec) / beat_sec)
        for which, notes in enumerate(chords):
            chord = sum(
                np.sin(2 * np.pi * hz * t) + 0.3 * np.sin(4 * np.pi * hz * t) for hz in notes
            )
            wave += np.where(number == which, chord, 0.0)
        return _mono(_gain(dbfs) * wave * fading / 3.9)

    return at


def clicks(dbfs: float, every_sec: float) -> Sound:
    """Play nothing but a click of 2 ms now and then."""
    return lambda t, _rate: _mono(np.where((t % every_sec) < 0.002, _gain(dbfs), 0.0))


def pauses(sound: Sound, on_sec: float, off_sec: float, other: Sound = nothing) -> Sound:
    """Play `sound` and `other` in turn."""

    def at(t: Moments, rate: int) -> Samples:
        return np.where((t % (on_sec + off_sec)) < on_sec, sound(t, rate), other(t, rate))

    return at


def louder(sound: Sound, db: float) -> Sound:
    """Play `sound` with a gain."""
    return lambda t, rate: sound(t, rate) * np.float32(_gain(db))


def mixed(*sounds: Sound) -> Sound:
    """Play all at once."""

    def at(t: Moments, rate: int) -> Samples:
        parts = [each(t, rate) for each in sounds]
        channels = max(map(len, parts))
        return _added([np.broadcast_to(it, (channels, len(t))) for it in parts])

    return at


def _added(parts: Sequence[Samples]) -> Samples:
    total: Samples = np.sum(parts, axis=0, dtype=np.float32)
    return total


def stereo(left: Sound, right: Sound) -> Sound:
    """Play one sound on each channel."""
    return lambda t, rate: np.concatenate([left(t, rate)[:1], right(t, rate)[:1]])


def inverted(sound: Sound) -> Sound:
    """Play `sound` with its sign changed."""
    return lambda t, rate: -sound(t, rate)


def clipped(sound: Sound, db: float) -> Sound:
    """Play `sound` louder than it can be."""
    return lambda t, rate: np.clip(sound(t, rate) * np.float32(_gain(db)), -1.0, 1.0)


def faded(sound: Sound, start_sec: float, end_sec: float, to_db: float) -> Sound:
    """Fade from full level at `start_sec` to `to_db` at `end_sec`."""

    def at(t: Moments, rate: int) -> Samples:
        share = np.clip((t - start_sec) / (end_sec - start_sec), 0.0, 1.0)
        return sound(t, rate) * (10 ** (to_db * share / 20)).astype(np.float32)

    return at


def then(*parts: tuple[float, Sound]) -> Sound:
    """Play one sound after the other; each with the moment at which it begins."""

    def at(t: Moments, rate: int) -> Samples:
        starts = [start for start, _ in parts]
        edges = np.searchsorted(t, [*starts[1:]]).tolist()
        pieces = zip([0, *edges], [*edges, len(t)], (sound for _, sound in parts), strict=True)
        return _side_by_side([sound(t[a:b], rate) for a, b, sound in pieces if b > a])

    return at


def _side_by_side(pieces: Sequence[Samples]) -> Samples:
    channels = max(map(len, pieces))
    same = [np.broadcast_to(it, (channels, it.shape[1])) for it in pieces]
    return np.concatenate(same, axis=1)
