"""Loudness of blocks of sound together: ITU-R BS.1770-5 Annex 1, EBU Tech 3341."""

import math
from collections.abc import Collection, Sequence

GATING_SEC = 0.4
GATING_BLOCKS = 4
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0


def power_of(lufs: float) -> float:
    return math.pow(10, lufs / 10)


def lufs_of(power: float) -> float:
    return 10 * math.log10(max(power, 1e-12))


def mean_lufs(blocks: Collection[float]) -> float:
    """Return the loudness of blocks of equal length together, ungated."""
    return lufs_of(sum(map(power_of, blocks)) / len(blocks))


def gating_blocks(tenths: Sequence[float]) -> list[float]:
    """Return the loudness of gating blocks, a new one every tenth of a second.

    Args:
        tenths: loudness of each tenth of a second.
    """
    starts = range(len(tenths) - GATING_BLOCKS + 1)
    return [mean_lufs(tenths[start : start + GATING_BLOCKS]) for start in starts]


def integrated_lufs(gating: Sequence[float]) -> float | None:
    """Return the integrated loudness of gating blocks; None where all are below the gate."""
    heard = [each for each in gating if each > ABSOLUTE_GATE_LUFS]
    if not heard:
        return None
    gate_lufs = mean_lufs(heard) + RELATIVE_GATE_LU
    return mean_lufs([each for each in heard if each > gate_lufs])
