"""What is measured of the sound of a segment, beside where it is silent.

Loudness is that of ITU-R BS.1770-5 Annex 1 and EBU Tech 3341.
"""

import math
from collections.abc import Collection, Sequence
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from monitors.sound import MOST_BLOCKS, MOST_CHANNELS

GATING_SEC = 0.4
GATING_BLOCKS = 4
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0

Level = Annotated[float, Field(ge=-200, le=200, allow_inf_nan=False)]
Levels = Annotated[list[Level], Field(max_length=MOST_BLOCKS)]


class SoundFigures(BaseModel, frozen=True):
    """Figures of one audio track of a segment, one a block.

    The blocks follow each other without a gap and share the time evenly. A list is empty where it
    was not measured, or makes no sense: a mono track has no left and right.
    """

    # the first sample, in seconds from the segment's first moment
    begins_sec: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    duration_sec: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0  # of all blocks
    channels: int = Field(ge=1, le=MOST_CHANNELS)
    sample_rate_hz: int = Field(ge=1, le=1_000_000)
    # RMS of each channel over the segment, in dBFS
    channels_dbfs: list[Level] = Field(default=[], max_length=MOST_CHANNELS)
    # RMS of the front channels
    left_dbfs: Levels = []
    right_dbfs: Levels = []
    # level of a line-up tone, where nothing else is heard; a full-scale sine is 0 (AES17). None
    # where anything else is heard.
    tone_dbfs: list[Level | None] = Field(default=[], max_length=MOST_BLOCKS)
    loudness_lufs: Levels = []  # ITU-R BS.1770, without gates
    true_peaks_dbtp: Levels = []  # ITU-R BS.1770 Annex 2
    # whether a run of full-scale samples ends in the block
    clipped: list[bool] = Field(default=[], max_length=MOST_BLOCKS)
    # of left and right over the latest 0.4 s, -1 to 1; None where it is quiet
    correlations: list[Level | None] = Field(default=[], max_length=MOST_BLOCKS)

    @property
    def blocks(self) -> int:
        return max(len(each) for each in self._lists())

    @model_validator(mode="after")
    def _of_one_length(self) -> Self:
        if len({len(each) for each in self._lists() if each}) > 1:
            raise ValueError("all figures must be of the same blocks")
        if len(self.left_dbfs) != len(self.right_dbfs):
            raise ValueError("left and right come together")
        if len(self.true_peaks_dbtp) != len(self.clipped):
            raise ValueError("peaks and clipping come together")
        return self

    def _lists(self) -> tuple[list[float] | list[float | None] | list[bool], ...]:
        return (
            self.left_dbfs,
            self.right_dbfs,
            self.tone_dbfs,
            self.loudness_lufs,
            self.true_peaks_dbtp,
            self.clipped,
            self.correlations,
        )


def power_of(lufs: float) -> float:
    return math.pow(10, lufs / 10)


def lufs_of(power: float) -> float:
    return 10 * math.log10(max(power, 1e-12))


def mean_lufs(blocks: Collection[float]) -> float:
    """Return the loudness of blocks of equal length together, ungated."""
    return lufs_of(sum(map(power_of, blocks)) / len(blocks))


def gating_blocks(tenths: Sequence[float]) -> list[float]:
    """Return the loudness of gating blocks, a new one every tenth of a second."""
    starts = range(len(tenths) - GATING_BLOCKS + 1)
    return [mean_lufs(tenths[start : start + GATING_BLOCKS]) for start in starts]


def integrated_lufs(gating: Sequence[float]) -> float | None:
    """Return the integrated loudness of gating blocks; None where all are below the gate."""
    heard = [each for each in gating if each > ABSOLUTE_GATE_LUFS]
    if not heard:
        return None
    gate_lufs = mean_lufs(heard) + RELATIVE_GATE_LU
    return mean_lufs([each for each in heard if each > gate_lufs])
