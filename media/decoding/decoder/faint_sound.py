"""Hiss whose level is that of silence, though its peaks reach higher.

The peaks of hiss are some 12 dB above its level (RMS), and rise above any threshold near that now
and then. It is silence where the level is under the threshold and steady, and no note is heard:
music that is as quiet rises and falls, or holds notes.
"""

import numpy as np
from numpy.fft import rfft
from numpy.typing import NDArray

from media.decoding.decoder.small_frames import middle_of, runs_of

BLOCK_SEC = 0.01
LEAST_SEC = 0.5  # shorter ones are parts of other sound, unless a segment begins or ends with them
LEAST_AT_BORDER_SEC = 0.05
PEAKS_DB = 15.0  # of a second of white noise, above its level
STEADY_DB = 3.0  # a block is no more than this above the usual one of its stretch
LEAST_SHARE = 0.05  # of the blocks of hiss, at least so many have a peak above the threshold
FADING_BLOCKS = 6  # so long an encoder lets what was before, or comes, sound on beside hiss
WINDOW_BLOCKS = 5  # notes are looked for in the spectrum of 0.05 s
LARGEST_BINS, MOST_SHARE = 8, 0.5  # notes have most of their power in few bins of a spectrum
_THINNED = 61


class FaintSound:
    """Takes the samples of a part in pieces of any size."""

    def __init__(self, silence_db: float, rate_hz: int) -> None:
        self._level = 10 ** (silence_db / 20)
        self._highest = self._level * 10 ** (PEAKS_DB / 20)
        self._size = max(1, round(BLOCK_SEC * rate_hz))
        self._rate_hz = rate_hz
        self._samples = 0
        self._starts: list[NDArray[np.intp]] = []
        self._stops: list[NDArray[np.intp]] = []
        self._levels: list[NDArray[np.floating]] = []
        self._quiet: list[NDArray[np.bool_]] = []

    def add(self, samples: NDArray[np.floating], quiet: NDArray[np.bool_]) -> None:
        """Look at samples of shape (channels, n), of which `quiet` are silent anyway."""
        first, self._samples = self._samples, self._samples + samples.shape[1]
        count = samples.shape[1] // self._size
        whole = samples[:, : count * self._size].reshape(len(samples), count, self._size)
        # Fast: every 61st sample tells of most sound that it is too loud.
        low = (np.abs(whole[:, :, ::_THINNED]) < self._highest).all(axis=(0, 2))
        are_quiet: NDArray[np.bool_] = np.zeros(count, np.bool_)
        if low.any():
            blocks = quiet[: count * self._size].reshape(count, self._size)
            are_quiet = np.logical_and.reduce(blocks, axis=1)
        if not (low & ~are_quiet).any():
            self._part(first)
            return
        starts = first + np.arange(count) * self._size
        self._starts.append(starts)
        self._stops.append(np.append(starts[1:], self._samples))
        self._levels.append(self._faint_levels(whole, low))
        self._quiet.append(are_quiet)

    def _part(self, sample: int) -> None:
        """Note that the stretch before a sample is no longer faint there."""
        if self._levels and np.isfinite(self._levels[-1][-1]):
            self._starts.append(np.array([sample]))
            self._stops.append(np.array([sample]))
            self._levels.append(np.array([np.inf]))
            self._quiet.append(np.array([False]))

    def _faint_levels(
        self, blocks: NDArray[np.floating], low: NDArray[np.bool_]
    ) -> NDArray[np.floating]:
        """Return the level of each block in the loudest channel; infinite where it is not faint."""
        # Only blocks that are `low` may be.
        found = np.full(len(low), np.inf)
        low_ones = blocks[:, low]
        peaks = np.abs(low_ones).max(axis=(0, 2))
        levels = np.sqrt(np.square(low_ones, dtype=np.float64).mean(axis=2)).max(axis=0)
        is_faint = (peaks < self._highest) & (levels < self._level)
        found[np.flatnonzero(low)[is_faint]] = levels[is_faint]
        for first, stop in runs_of(np.isfinite(found)):
            if _holds_notes(blocks[:, first:stop]):
                found[first:stop] = np.inf
        return found

    def stretches(self) -> list[tuple[int, int]]:
        """Where there is nothing but faint and steady hiss: first sample, and the end."""
        if not self._starts:
            return []
        levels, quiet = np.concatenate(self._levels), np.concatenate(self._quiet)
        found: list[tuple[int, int]] = []
        for first, stop in runs_of(np.isfinite(levels)):
            heard = levels[first:stop][~quiet[first:stop]]
            if heard.size >= LEAST_SHARE * (stop - first):
                steady = np.zeros(len(levels), np.bool_)
                most = middle_of(heard) * 10 ** (STEADY_DB / 20)
                steady[first:stop] = levels[first:stop] <= most
                found += self._long_ones(steady, first, stop)
        return found

    def _long_ones(self, steady: NDArray[np.bool_], least: int, most: int) -> list[tuple[int, int]]:
        """Return the runs of steady blocks, and what fades into them from block `least` on."""
        starts, stops = np.concatenate(self._starts), np.concatenate(self._stops)
        found: list[tuple[int, int]] = []
        for first, stop in runs_of(steady):
            first, stop = max(least, first - FADING_BLOCKS), min(most, stop + FADING_BLOCKS)
            begin, end = int(starts[first]), int(stops[stop - 1])
            at_border = begin == 0 or end == self._samples
            least_sec = LEAST_AT_BORDER_SEC if at_border else LEAST_SEC
            if end - begin >= least_sec * self._rate_hz:
                found.append((begin, end))
        return found


def _holds_notes(blocks: NDArray[np.floating]) -> bool:
    """Whether half of the power of most windows is in few bins of their spectrum."""
    channels, count, size = blocks.shape
    windows = count // WINDOW_BLOCKS
    if not windows:
        return False
    length = WINDOW_BLOCKS * size
    samples = blocks[:, : windows * WINDOW_BLOCKS].reshape(channels, windows, length)
    shape = np.hanning(length).astype(samples.dtype)
    power = np.square(np.abs(rfft(samples * shape)))[:, :, 2:]  # an offset is no sound
    if power.shape[2] <= LARGEST_BINS:  # no sound that anybody hears has so few samples a second
        return False
    largest = np.partition(power, -LARGEST_BINS, axis=2)[:, :, -LARGEST_BINS:].sum(axis=2)
    shares = largest / np.maximum(power.sum(axis=2), 1e-12)
    return any(middle_of(each) >= MOST_SHARE for each in shares)
