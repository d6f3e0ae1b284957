"""Figures of sound, one a tenth of a second; see `monitors.sound_figures`."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.loudness import CONTEXT, clipped_blocks, loudness_lufs, true_peaks
from media.decoding.decoder.tone import tone_power
from monitors.sound import BLOCK_SEC, MOST_CHANNELS, SoundChecks

Array = NDArray[np.floating]

LEAST_DB = -120.0
LEAST_RATE_HZ = 4000  # sound of a lower rate is no programme, and holds no tone of 1 kHz
SINE_DB = 10 * np.log10(2)  # the level of a sine is told by its peak (AES17)
QUIET_DB = -60.0  # what is quieter has no phase
PHASE_BLOCKS = 4  # the phase is that of 0.4 s


class SoundFormat(NamedTuple):
    """What all samples of a part have in common; `names` of channels are ffmpeg's."""

    rate_hz: int
    names: tuple[str, ...]

    @property
    def can_be_measured(self) -> bool:
        return self.rate_hz >= LEAST_RATE_HZ and 1 <= len(self.names) <= MOST_CHANNELS

    @property
    def front(self) -> tuple[int, int] | None:
        """The places of front left and right."""
        for left, right in (("FL", "FR"), ("DL", "DR")):
            if left in self.names and right in self.names:
                return self.names.index(left), self.names.index(right)
        return None


def usual_names(channels: int) -> tuple[str, ...]:
    """The names of as many channels where nobody tells them."""
    if channels == 1:
        return ("FC",)
    if channels == 5:
        return ("FL", "FR", "FC", "BL", "BR")
    named = ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")[:channels]
    return (*named, *(f"AUX{number}" for number in range(len(named), channels)))


class SoundBlocks:
    """Takes samples in pieces of any size, and measures whole blocks.

    What is left at the end, less than a block, counts like the block before it. The first block is
    that of a decoder that has just begun, which knows half of it: it counts like the second one.
    """

    def __init__(self, sound: SoundFormat, checks: SoundChecks, most_blocks: int) -> None:
        self.format = sound
        self._checks = checks
        self._most_blocks = most_blocks
        self._size = round(BLOCK_SEC * sound.rate_hz)
        self._rest: Array = np.zeros((len(sound.names), 0), np.float32)
        self._before: Array = np.zeros((len(sound.names), CONTEXT), np.float32)
        self._rows: list[dict[str, Array]] = []
        self.blocks = 0

    def add(self, samples: Array) -> None:
        """Measure samples of shape (channels, n), full scale is 1."""
        if self._rest.size:
            samples = np.concatenate([self._rest, samples], axis=1)
        count = min(samples.shape[1] // self._size, self._most_blocks - self.blocks)
        end = count * self._size
        self._rest = samples[:, end : end + self._size]
        if count > 0:
            self._rows.append(self._measured(samples[:, :end], count))
            self._before = samples[:, end - CONTEXT : end]
            self.blocks += count

    def figures(self) -> dict[str, Array]:
        """By name, each with the blocks as its last axis."""
        if not self._rows:
            return {}
        names = self._rows[0].keys()
        found = {name: np.concatenate([row[name] for row in self._rows], axis=-1) for name in names}
        for name in names:
            found[name][..., 0] = found[name][..., min(1, self.blocks - 1)]
        return found

    def _measured(self, samples: Array, count: int) -> dict[str, Array]:
        rate_hz = self.format.rate_hz
        blocks = samples.reshape(len(samples), count, self._size)
        means = np.einsum("cbn->cb", blocks) / self._size  # twice as fast as their mean()
        power = np.vecdot(blocks, blocks) / self._size - means**2  # three times as fast
        power = np.maximum(power, 10 ** (LEAST_DB / 10))
        found = {"power": power, "tone": tone_power(blocks, means, power, rate_hz)}
        if SoundChecks.LOUDNESS in self._checks:
            found["loudness_lufs"] = loudness_lufs(blocks, rate_hz, self.format.names)
        if SoundChecks.PEAKS in self._checks:
            extended = np.concatenate([self._before, samples], axis=1)
            found["true_peaks_dbtp"] = _decibels(true_peaks(extended, self._size) ** 2)
            found["clipped"] = clipped_blocks(extended, self._size, rate_hz)
        if SoundChecks.PHASE in self._checks and (front := self.format.front):
            left, right = (blocks[place] - means[place][:, None] for place in front)
            found["product"] = np.einsum("bn,bn->b", left, right) / self._size
        return found


def sound_figures(parts: Iterable[tuple[SoundBlocks, float]]) -> dict[str, Any] | None:
    """Return the fields of `SoundFigures` that parts, with their lengths, make up."""
    # Where the format changes, only the longest part counts: it is one track after all.
    measured = [(part, length) for part, length in parts if part.blocks]
    if not measured:
        return None
    longest = max(measured, key=lambda each: each[0].blocks)[0].format
    kept = [(part, length) for part, length in measured if part.format == longest]
    rows = [part.figures() for part, _ in kept]
    joined = {name: np.concatenate([row[name] for row in rows], axis=-1) for name in rows[0]}
    return {
        "duration_sec": sum(length for _, length in kept),
        "channels": len(longest.names),
        "sample_rate_hz": longest.rate_hz,
        **_described(joined, longest),
    }


def _described(joined: dict[str, Array], sound: SoundFormat) -> dict[str, Any]:
    power, tone = joined["power"], joined["tone"]
    described: dict[str, Any] = {"channels_dbfs": _listed(_decibels(power.mean(axis=1)))}
    if front := sound.front:
        left, right = (power[place] for place in front)
        described["left_dbfs"] = _listed(_decibels(left))
        described["right_dbfs"] = _listed(_decibels(right))
        if "product" in joined:
            described["correlations"] = _correlations(left, right, joined["product"])
    if tone.any():
        levels = _listed(_decibels(tone) + SINE_DB)
        described["tone_dbfs"] = [
            level if power > 0 else None for level, power in zip(levels, tone, strict=True)
        ]
    for name in ("loudness_lufs", "true_peaks_dbtp"):
        if name in joined:
            described[name] = _listed(joined[name], digits=2)
    if "clipped" in joined:
        described["clipped"] = joined["clipped"].tolist()
    return described


def _correlations(left: Array, right: Array, product: Array) -> Sequence[float | None]:
    together, left_4, right_4 = (_latest_sums(each) for each in (product, left, right))
    correlations = together / np.sqrt(left_4 * right_4)
    quiet = 10 ** (QUIET_DB / 10)
    is_heard = (left >= quiet) & (right >= quiet)
    values = np.clip(np.round(correlations, 3), -1, 1).tolist()
    return [value if heard else None for value, heard in zip(values, is_heard, strict=True)]


def _latest_sums(values: Array) -> Array:
    """Of each value and the three before it, of fewer at the beginning."""
    return np.convolve(values, np.ones(PHASE_BLOCKS))[: len(values)]


def _decibels(power: Array) -> Array:
    return 10 * np.log10(np.maximum(power, 10 ** (LEAST_DB / 10)))


def _listed(values: Array, *, digits: int = 1) -> list[float]:
    listed: list[float] = np.round(values.astype(np.float64), digits).tolist()
    return listed
