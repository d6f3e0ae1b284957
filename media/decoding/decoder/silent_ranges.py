"""Silent stretches in a segment's sound."""

from itertools import pairwise
from math import inf

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.results import Span
from monitors.sound import LONGEST_LEAD_SEC

SILENCE_MIN_SEC = 0.02  # shorter pauses are part of any sound
OFFSET_SEC = 0.2  # a constant offset is told by the mean of this much sound: four periods of 20 Hz
THINNED = 23  # prime, so that no round frequency looks constant in every 23rd sample
DECODER_PRIMING_SEC = 0.1
"""The first frames of audio decoded on their own are silent, or rise from silence (AAC overlap, SBR
delay), for this long at most."""

PRIMING_FRAMES = 2.1  # frames of which that is true
PEAK_SEC = 0.05  # silence goes on behind sound of this length: a peak of hiss, a tick


def quiet_samples(
    samples: NDArray[np.floating], silence_db: float, rate_hz: int, *, are_first: bool = False
) -> NDArray[np.bool_]:
    """Return which samples are quiet on every channel, shape (n,).

    A constant offset is no sound: a sample is also quiet where it is that near to the mean of the
    fifth of a second around it. The means next to that are tried too, since sound that begins or
    ends there shifts its own.

    Args:
        samples: shape (channels, n), full scale is 1.
        are_first: whether a decoder has just begun; its priming says nothing of the offset.
    """
    level = 10 ** (silence_db / 20)
    low, high, begins = _narrow_blocks(samples, level, rate_hz)
    if not low.size:
        return np.zeros(samples.shape[1], np.bool_)
    quiet = np.abs(samples) < level
    if low.min() <= -level or high.max() >= level:
        priming_sec = DECODER_PRIMING_SEC if are_first else 0.0
        step = max(1, int(OFFSET_SEC * rate_hz))
        means = _means(samples, step, round(priming_sec * rate_hz))
        for place in _places_near(begins, rate_hz, step, means.shape[1]):
            span = slice(place * step, (place + 1) * step)
            for mean in means[:, max(0, place - 1) : place + 2].T:
                quiet[:, span] |= np.abs(samples[:, span] - mean[:, None]) < level
    silent: NDArray[np.bool_] = quiet.all(axis=0)
    return silent


def _means(samples: NDArray[np.floating], step: int, unsettled: int) -> NDArray[np.floating]:
    """Return the mean of each `step` samples; the first `unsettled` samples count for none."""
    count = samples.shape[1]
    starts = np.arange(0, count, step)
    starts[0] = min(unsettled, min(step, count) - 1)
    means: NDArray[np.floating] = np.add.reduceat(samples, starts, axis=1)
    return means / np.diff(starts, append=count)


def _places_near(begins: NDArray[np.intp], rate_hz: int, step: int, count: int) -> list[int]:
    """Return which of `count` means narrow blocks need: silence ends less than a block off them."""
    # What a border of the samples cuts off may be shorter than a block.
    size = _block_size(rate_hz) * THINNED
    near = np.concatenate([(begins - size) // step, (begins + 2 * size) // step, [0, count - 1]])
    # Not `np.unique`, which imports more when it is first called: too late in a confined process.
    return sorted({*np.clip(near, 0, count - 1).tolist()})


def quiet_stretches(quiet: NDArray[np.bool_], rate_hz: int) -> list[Span]:
    """Those that are long enough to be silence."""
    if not quiet.any():
        return []
    edges = np.flatnonzero(np.diff(quiet, prepend=False, append=False))
    starts, stops = edges.reshape(-1, 2).T
    long_enough = stops - starts >= SILENCE_MIN_SEC * rate_hz
    stretches = np.stack([starts[long_enough], stops[long_enough]], axis=1) / rate_hz
    return [Span(start, stop) for start, stop in stretches.tolist()]


def silent_intervals(
    stretches: list[Span],
    duration_sec: float,
    first_sample_sec: float = 0.0,
    priming_sec: float = DECODER_PRIMING_SEC,
) -> list[Span]:
    """Return the stretches that lie within the segment or its lead, without a decoder's priming.

    They are in order. Where a segment's times jump back, stretches overlap: they are one then.

    Args:
        stretches: quiet ones, in seconds from the segment's first moment.
        first_sample_sec: where its sound begins; below 0 in a lead (`monitors.sound`).
        priming_sec: how long its decoder may have been silent at the beginning.
    """
    begin_sec = min(0.0, max(first_sample_sec, -LONGEST_LEAD_SEC))
    silent: list[Span] = []
    primed_sec = first_sample_sec + priming_sec
    for start, end in _without_priming(sorted(stretches), primed_sec, duration_sec):
        start, end = max(begin_sec, start), min(end, duration_sec)
        if end <= start:
            continue
        if silent and start <= silent[-1].end:
            start, end = silent[-1].start, max(end, silent.pop().end)
        silent.append(Span(start, end))
    return silent


def _without_priming(stretches: list[Span], primed_sec: float, duration_sec: float) -> list[Span]:
    """Leave out what is quiet at the beginning only, unless silence goes on behind a peak."""
    return [
        each
        for each, following in pairwise([*stretches, Span(inf, inf)])
        if not each.end < primed_sec < duration_sec or following.start - each.end < PEAK_SEC
    ]


def _block_size(rate_hz: int) -> int:
    return max(1, int(SILENCE_MIN_SEC / 4 * rate_hz / THINNED))


def _narrow_blocks(
    samples: NDArray[np.floating], level: float, rate_hz: int
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.intp]]:
    """Return what may be quiet: the least and the largest sample of blocks, and where they begin.

    It is fast: it looks at every 23rd sample. Silence that is cut in two has half of its least
    length on one side, and so a whole block of a quarter of it there. What the other side has is
    shorter than a block, or its last block.
    """
    thin = samples[:, ::THINNED]
    block = max(1, min(_block_size(rate_hz), thin.shape[1]))
    whole = thin[:, : thin.shape[1] // block * block]
    blocks = np.concatenate([whole, thin[:, -block:]], axis=1).reshape(len(thin), -1, block)
    # One array for each place in a block: comparing those is faster than looking for the least of
    # each few samples.
    places = blocks.transpose(2, 0, 1).copy()
    low, high = places.min(axis=0), places.max(axis=0)
    is_narrow = (high - low < 2 * level).all(axis=0)
    return low[:, is_narrow], high[:, is_narrow], np.flatnonzero(is_narrow) * block * THINNED
