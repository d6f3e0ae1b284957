"""Silent stretches in a segment's sound."""

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.results import Span
from monitors.sound import LONGEST_LEAD_SEC

SILENCE_MIN_SEC = 0.02
"""Shorter pauses are part of any sound."""

DECODER_PRIMING_SEC = 0.1
"""The first frames of audio decoded on their own are silent (AAC overlap, SBR delay)."""


def quiet_samples(samples: NDArray[np.floating], silence_db: float) -> NDArray[np.bool_]:
    """Return which samples are quiet on every channel, shape (n,).

    Args:
        samples: shape (channels, n), full scale is 1.
        silence_db: what stays under this level is quiet, in dBFS.
    """
    quiet: NDArray[np.bool_] = (np.abs(samples) < 10 ** (silence_db / 20)).all(axis=0)
    return quiet


def quiet_stretches(quiet: NDArray[np.bool_], rate_hz: int) -> list[Span]:
    """Return the stretches of quiet samples that are long enough to be silence."""
    if not _may_hold_silence(quiet, rate_hz):
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
    primed_sec = first_sample_sec + DECODER_PRIMING_SEC
    begin_sec = min(0.0, max(first_sample_sec, -LONGEST_LEAD_SEC))
    silent: list[Span] = []
    for start, end in sorted(stretches):
        start, end = max(begin_sec, start), min(end, duration_sec)
        primes = start < primed_sec and end < primed_sec < duration_sec
        if end <= start or primes:
            continue
        if silent and start <= silent[-1].end:
            start, end = silent[-1].start, max(end, silent.pop().end)
        silent.append(Span(start, end))
    return silent


def _may_hold_silence(quiet: NDArray[np.bool_], rate_hz: int) -> bool:
    """Tell, fast, whether any stretch can be long enough.

    One that is holds a whole block of half its least length.
    """
    block = max(1, int(SILENCE_MIN_SEC * rate_hz) // 2)
    whole = quiet[: len(quiet) // block * block].reshape(-1, block)
    return bool(whole.all(axis=1).any())
