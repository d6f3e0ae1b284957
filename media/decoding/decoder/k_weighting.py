"""How loud blocks of samples are: ITU-R BS.1770-5 Annex 1.

The K-weighted power of a block is taken from its spectrum (Parseval), which costs half of what two
recursive filters cost. A block is long enough that its edges do not matter: a tenth of a second.
"""

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
OFFSET_LU = -0.691
"""So that a stereo sine of 1 kHz reads its level."""


def loudness_lufs(
    blocks: NDArray[np.floating], rate_hz: int, names: Sequence[str]
) -> NDArray[np.floating]:
    """Return the loudness of each block, ungated.

    Args:
        blocks: samples of shape (channels, blocks, samples).
        rate_hz: samples a second.
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
    """Return the power gain of both filters at each frequency of a spectrum.

    The standard gives coefficients for 48 kHz. These are the analogue filters behind them, by which
    they are computed for any rate, as libebur128 does (B. De Man, AES Convention 137, 2014).
    """
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
