"""Line-up tone: a steady sine of 1 kHz (EBU Tech 3304, SMPTE RP 155)."""

import numpy as np
from numpy.fft import rfft
from numpy.typing import NDArray

TONE_HZ = 1000.0
TOLERANCE = 0.01
LEAST_SHARE = 0.95  # of the power in a block
QUIET_POWER = 10 ** (-60 / 10)  # a channel may carry nothing while another one carries the tone
CROSSINGS_TOLERANCE = 0.06  # a sine crosses zero twice a period; what else there is adds few
PROBED_SHARE, PROBED_TOLERANCE = 5, 0.25  # of a part, which most sound does not pass
LIKELY_CORRELATION = 0.85  # with itself, a period later; noise in 5 % of the power makes it 0.95


def tone_power(
    blocks: NDArray[np.floating],
    means: NDArray[np.floating],
    power: NDArray[np.floating],
    rate_hz: int,
) -> NDArray[np.floating]:
    """Return the power of the tone in each block; 0 where anything else is to be heard.

    Args:
        blocks: samples of shape (channels, blocks, samples).
        means, power: of each, of shape (channels, blocks).
    """
    found = np.zeros(blocks.shape[1])
    quiet = power < QUIET_POWER
    probed = blocks[:, :, : blocks.shape[2] // PROBED_SHARE]
    likely = np.flatnonzero(_cross_as_often(probed, means, quiet, rate_hz, PROBED_TOLERANCE))
    if not likely.size:
        return found
    known = (blocks[:, likely], means[:, likely], quiet[:, likely])
    likely = likely[_cross_as_often(*known, rate_hz, CROSSINGS_TOLERANCE)]
    if not likely.size:
        return found
    likely = likely[_is_periodic(blocks[:, likely], means[:, likely], power[:, likely], rate_hz)]
    if not likely.size:
        return found
    is_tone, is_quiet = _are_tone(blocks[:, likely], rate_hz), quiet[:, likely]
    is_alone = (is_tone | is_quiet).all(axis=0)
    strongest = np.where(is_tone & ~is_quiet, power[:, likely], 0.0).max(axis=0)
    found[likely] = np.where(is_alone, strongest, 0.0)
    return found


def _cross_as_often(
    blocks: NDArray[np.floating],
    means: NDArray[np.floating],
    quiet: NDArray[np.bool_],
    rate_hz: int,
    tolerance: float,
) -> NDArray[np.bool_]:
    """Return, fast, in which blocks all channels that are heard cross zero as often as the tone."""
    is_below = blocks < means[:, :, None]
    has_crossed = is_below[:, :, 1:] != is_below[:, :, :-1]
    crossings = np.add.reduce(has_crossed.view(np.uint8), axis=2, dtype=np.uint32)
    expected = 2 * TONE_HZ * blocks.shape[2] / rate_hz
    near = np.abs(crossings - expected) <= tolerance * expected
    crosses: NDArray[np.bool_] = (near | quiet).all(axis=0) & near.any(axis=0)
    return crosses


def _is_periodic(
    blocks: NDArray[np.floating],
    means: NDArray[np.floating],
    power: NDArray[np.floating],
    rate_hz: int,
) -> NDArray[np.bool_]:
    """Return, fast, in which blocks the loudest channel repeats itself after a period."""
    period = round(rate_hz / TONE_HZ)
    loudest, every = power.argmax(axis=0), np.arange(blocks.shape[1])
    channel = blocks[loudest, every] - means[loudest, every][:, None]
    alike = np.einsum("bn,bn->b", channel[:, period:], channel[:, :-period])
    least = LIKELY_CORRELATION * (blocks.shape[2] - period) * power[loudest, every]
    periodic: NDArray[np.bool_] = alike >= least
    return periodic


def _are_tone(blocks: NDArray[np.floating], rate_hz: int) -> NDArray[np.bool_]:
    size = blocks.shape[2]
    step_hz = rate_hz / size
    amplitude = np.abs(rfft(blocks * np.hanning(size + 1)[:-1].astype(blocks.dtype)))
    first = round(TONE_HZ / step_hz) - 2
    best = first + amplitude[:, :, first : first + 5].argmax(axis=2)
    around = np.arange(-2, 3) + best[:, :, None]
    lobe = np.take_along_axis(amplitude, around, axis=2)
    total = np.square(amplitude[:, :, 2:]).sum(axis=2)  # a constant offset is no sound
    share = np.square(lobe).sum(axis=2) / np.maximum(total, 1e-12)
    off = np.abs(step_hz * (best + _between_bins(lobe)) - TONE_HZ)
    are_tone: NDArray[np.bool_] = (share >= LEAST_SHARE) & (off <= TOLERANCE * TONE_HZ)
    return are_tone


def _between_bins(lobe: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return how far a sine is from the middle of its lobe, in bins, by its neighbours."""
    # Through a Hann window the ratio of two neighbours is (1 + d) / (2 - d).
    before, middle, after = lobe[:, :, 1], np.maximum(lobe[:, :, 2], 1e-12), lobe[:, :, 3]
    ratio = np.maximum(before, after) / middle
    offset = (2 * ratio - 1) / (1 + ratio)
    signed: NDArray[np.floating] = np.copysign(offset, after - before)
    return signed
