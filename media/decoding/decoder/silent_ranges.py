"""Silent stretches in a segment's sound."""

from collections.abc import Iterator
from itertools import pairwise
from math import inf

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.results import Span
from monitors.sound import LONGEST_LEAD_SEC

SILENCE_MIN_SEC = 0.02
"""Shorter pauses are part of any sound."""

OFFSET_SEC = 0.2
"""A constant offset is told by the mean of this much sound: four periods of 20 Hz."""

THINNED = 23
"""Prime, so that no round frequency looks constant in every 23rd sample."""

DECODER_PRIMING_SEC = 0.1
"""The first frames of audio decoded on their own are silent, or rise from silence (AAC overlap, SBR
delay)."""

PEAK_SEC = 0.05
"""Silence goes on behind sound of this length: a peak of hiss, a tick."""


def quiet_samples(
    samples: NDArray[np.floating], silence_db: float, rate_hz: int, *, are_first: bool = False
) -> NDArray[np.bool_]:
    """Return which samples are quiet on every channel, shape (n,).

    A constant offset is no sound: a sample is also quiet where it is that near to the mean of the
    fifth of a second around it. The means next to that are tried too, since sound that begins or
    ends there shifts its own.

    Args:
        samples: shape (channels, n), full scale is 1.
        silence_db: what stays under this level is quiet, in dBFS.
        rate_hz: samples a second.
        are_first: whether a decoder has just begun; its priming says nothing of the offset.
    """
    level = 10 ** (silence_db / 20)
    low, high = _narrow_blocks(samples, level, rate_hz)
    if not low.size:
        return np.zeros(samples.shape[1], np.bool_)
    quiet = np.abs(samples) < level
    if low.min() <= -level or high.max() >= level:
        priming_sec = DECODER_PRIMING_SEC if are_first else 0.0
        for means in _means_around(samples, rate_hz, round(priming_sec * rate_hz)):
            quiet |= np.abs(samples - means) < level
    silent: NDArray[np.bool_] = quiet.all(axis=0)
    return silent


def _means_around(
    samples: NDArray[np.floating], rate_hz: int, unsettled: int
) -> Iterator[NDArray[np.floating]]:
    """Yield, for each sample, the mean of its block, of the one before and of the one after.

    The first `unsettled` samples count for no mean.
    """
    starts = np.arange(0, samples.shape[1], max(1, int(OFFSET_SEC * rate_hz)))
    lengths = np.diff(starts, append=samples.shape[1])
    settled = starts.copy()
    settled[0] = min(unsettled, lengths[0] - 1)
    means = np.add.reduceat(samples, settled, axis=1) / np.diff(settled, append=samples.shape[1])
    last = len(starts) - 1
    for shift in (0, -1, 1):
        chosen = means[:, np.clip(np.arange(last + 1) + shift, 0, last)]
        yield np.repeat(chosen, lengths, axis=1)


def quiet_stretches(quiet: NDArray[np.bool_], rate_hz: int) -> list[Span]:
    """Return the stretches of quiet samples that are long enough to be silence."""
    if not quiet.any():
        return []
    padded = np.concatenate(([False], quiet, [False])).astype(np.int8)
    starts, stops = np.flatnonzero(np.diff(padded)).reshape(-1, 2).T
    long_enough = stops - starts >= SILENCE_MIN_SEC * rate_hz
    edges = np.stack([starts[long_enough], stops[long_enough]], axis=1) / rate_hz
    return [Span(float(start), float(stop)) for start, stop in edges]


def silent_intervals(
    stretches: list[Span], duration_sec: float, first_sample_sec: float = 0.0
) -> list[Span]:
    """Return the stretches that lie within the segment or its lead, without a decoder's priming.

    They are in order. Where a segment's times jump back, stretches overlap: they are one then.

    Args:
        stretches: quiet ones, in seconds from the segment's first moment.
        duration_sec: of the segment.
        first_sample_sec: where its sound begins; below 0 in a lead (`monitors.sound`).
    """
    begin_sec = min(0.0, max(first_sample_sec, -LONGEST_LEAD_SEC))
    silent: list[Span] = []
    for start, end in _without_priming(sorted(stretches), first_sample_sec, duration_sec):
        start, end = max(begin_sec, start), min(end, duration_sec)
        if end <= start:
            continue
        if silent and start <= silent[-1].end:
            start, end = silent[-1].start, max(end, silent.pop().end)
        silent.append(Span(start, end))
    return silent


def _without_priming(
    stretches: list[Span], first_sample_sec: float, duration_sec: float
) -> list[Span]:
    """Leave out what is quiet at the beginning only, unless silence goes on behind a peak."""
    primed_sec = first_sample_sec + DECODER_PRIMING_SEC
    return [
        each
        for each, following in pairwise([*stretches, Span(inf, inf)])
        if not each.end < primed_sec < duration_sec or following.start - each.end < PEAK_SEC
    ]


def _narrow_blocks(
    samples: NDArray[np.floating], level: float, rate_hz: int
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the least and the largest sample of blocks that may be quiet, each of (channels, n).

    It is fast: it looks at every 23rd sample. Silence that is cut in two has half of its least
    length on one side, and so a whole block of a quarter of it there. What the other side has is
    shorter than a block, or its last block.
    """
    thin = samples[:, ::THINNED]
    block = max(1, int(SILENCE_MIN_SEC / 4 * rate_hz / THINNED))
    count = thin.shape[1] // block
    blocks = thin[:, : count * block].reshape(len(thin), count, block)
    last = thin[:, -block:]
    low = np.column_stack([blocks.min(axis=2), last.min(axis=1)])
    high = np.column_stack([blocks.max(axis=2), last.max(axis=1)])
    is_narrow = (high - low < 2 * level).all(axis=0)
    return low[:, is_narrow], high[:, is_narrow]
