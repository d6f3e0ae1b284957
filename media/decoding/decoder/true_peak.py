"""Where samples are too loud: true peaks (ITU-R BS.1770-5 Annex 2) and runs at full scale."""

import numpy as np
from numpy.typing import NDArray

_OUTER = (
    *(0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000),
    *(-0.0594482421875, 0.1373291015625, 0.9721679687500, -0.1022949218750),
    *(0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500),
)
_INNER = (
    *(-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250),
    *(-0.1665039062500, 0.4650878906250, 0.7797851562500, -0.2003173828125),
    *(0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375),
)
PHASES = np.array([_OUTER, _INNER, _INNER[::-1], _OUTER[::-1]], np.float32).T
"""The four phases of the filter that the standard gives for oversampling by four."""

CONTEXT = len(_OUTER) - 1
"""Samples before a block that are looked at, too."""

MIDDLE = 5
"""A window of the filter has its peak between this sample and the next."""

LIKELY = 0.5
"""Between two samples that are both less than half as large as the largest, no peak is larger."""

FULL_SCALE = 1 - 2.0**-15
"""The largest sample of 16 bits."""

CLIPPED_SEC = 12 / 48_000
"""So many samples in a row at full scale are no music."""


def true_peaks(samples: NDArray[np.floating], size: int) -> NDArray[np.floating]:
    """Return the largest true peak of each block, of any channel; full scale is 1.

    Args:
        samples: shape (channels, n), of whole blocks, with `CONTEXT` samples before them.
        size: samples in a block.
    """
    magnitude = np.abs(samples)
    is_large = magnitude >= max(LIKELY * magnitude.max(initial=0.0), 1e-6)
    windows = np.lib.stride_tricks.sliding_window_view(samples, CONTEXT + 1, axis=1)
    count = windows.shape[1]
    near = is_large[:, MIDDLE : MIDDLE + count] | is_large[:, MIDDLE + 1 : MIDDLE + 1 + count]
    blocks = np.nonzero(near)[1] // size
    found = np.abs(windows[near] @ PHASES).max(axis=1, initial=0.0)
    peaks: NDArray[np.floating] = (
        magnitude[:, CONTEXT:].reshape(len(samples), -1, size).max(axis=(0, 2))
    )
    np.maximum.at(peaks, blocks, found)
    return peaks


def clipped_blocks(samples: NDArray[np.floating], size: int, rate_hz: int) -> NDArray[np.bool_]:
    """Return in which blocks a run of samples at full scale ends that is too long for music."""
    clipped = np.zeros((samples.shape[1] - CONTEXT) // size, np.bool_)
    least = max(2, round(CLIPPED_SEC * rate_hz))
    for channel in samples:
        for is_full in (channel >= FULL_SCALE, channel <= -FULL_SCALE):
            if is_full.any():
                ends = _ends_of_runs(is_full, least) - 1 - CONTEXT
                clipped[np.maximum(ends, 0) // size] = True
    return clipped


def _ends_of_runs(is_full: NDArray[np.bool_], least: int) -> NDArray[np.intp]:
    edges = np.diff(np.concatenate(([False], is_full, [False])).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return ends[ends - starts >= least]
