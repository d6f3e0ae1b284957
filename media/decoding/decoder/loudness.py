"""How loud blocks of samples are: ITU-R BS.1770-5, Annex 1 (loudness) and Annex 2 (true peaks)."""

from collections.abc import Sequence
from functools import cache

import numpy as np

# Numpy imports it when it is first used: too late for a confined process.
from numpy.fft import rfft
from numpy.typing import NDArray

SURROUND_GAIN = 1.41
SURROUND = frozenset({"BL", "BR", "SL", "SR"})
LOW_FREQUENCY = frozenset({"LFE", "LFE2"})

LEAST_LUFS = -120.0
OFFSET_LU = -0.691  # so that a stereo sine of 1 kHz reads its level


def loudness_lufs(
    blocks: NDArray[np.floating], rate_hz: int, names: Sequence[str]
) -> NDArray[np.floating]:
    """Return the loudness of each block, ungated.

    The K-weighted power of a block is taken from its spectrum (Parseval), which costs half of what
    two recursive filters cost. A block is long enough that its edges do not matter: a tenth of a
    second.

    Args:
        blocks: samples of shape (channels, blocks, samples).
        names: of the channels, as ffmpeg has them.
    """
    size = blocks.shape[2]
    spectrum = rfft(blocks)
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    weighted = power @ _weights(rate_hz, size) * (2 / size**2)
    total = np.array([_gain(name) for name in names]) @ weighted
    least = 10 ** ((LEAST_LUFS - OFFSET_LU) / 10)
    lufs: NDArray[np.floating] = OFFSET_LU + 10 * np.log10(np.maximum(total, least))
    return lufs


def _gain(name: str) -> float:
    if name in LOW_FREQUENCY:
        return 0.0
    return SURROUND_GAIN if name in SURROUND else 1.0


@cache
def _weights(rate_hz: int, size: int) -> NDArray[np.float32]:
    """Return the power gain of both filters at each frequency of a spectrum."""
    # The standard gives coefficients for 48 kHz. These are the analogue filters behind them, by
    # which they are computed for any rate, as libebur128 does (B. De Man, AES Convention 137,
    # 2014).
    turn = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    gain = np.abs(_shelf(turn, rate_hz) * _high_pass(turn, rate_hz)) ** 2
    gain[0] = 0.0
    return gain.astype(np.float32)


def _shelf(turn: NDArray[np.complex128], rate_hz: int) -> NDArray[np.complex128]:
    frequency_hz, gain_db, quality = 1681.974450955533, 3.999843853973347, 0.7071752369554196
    k = np.tan(np.pi * frequency_hz / rate_hz)
    high = 10 ** (gain_db / 20)
    band = high**0.4996667741545416
    top = (high + band * k / quality + k**2, 2 * (k**2 - high), high - band * k / quality + k**2)
    bottom = (1 + k / quality + k**2, 2 * (k**2 - 1), 1 - k / quality + k**2)
    return _response(top, bottom, turn)


def _high_pass(turn: NDArray[np.complex128], rate_hz: int) -> NDArray[np.complex128]:
    frequency_hz, quality = 38.13547087602444, 0.5003270373238773
    k = np.tan(np.pi * frequency_hz / rate_hz)
    scale = 1 + k / quality + k**2
    bottom = (1.0, 2 * (k**2 - 1) / scale, (1 - k / quality + k**2) / scale)
    return _response((1.0, -2.0, 1.0), bottom, turn)


def _response(
    top: Sequence[float], bottom: Sequence[float], turn: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    return np.polyval(top[::-1], turn) / np.polyval(bottom[::-1], turn)


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

CONTEXT = len(_OUTER) - 1  # samples before a block that are looked at, too
MIDDLE = 5  # a window of the filter has its peak between this sample and the next
LIKELY = 0.5  # between two samples under half of the largest, no peak is larger
FULL_SCALE = 1 - 2.0**-15  # the largest sample of 16 bits
CLIPPED_SEC = 12 / 48_000  # so many samples in a row at full scale are no music


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
    """In which blocks a run of samples at full scale ends that is too long for music."""
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
