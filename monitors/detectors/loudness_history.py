"""The loudness of the latest sound, in blocks that do not depend on how it is cut."""

import struct
from collections.abc import Iterator

from pydantic import BaseModel

from monitors.loudness import (
    GATING_BLOCKS,
    GATING_SEC,
    integrated_lufs,
    lufs_of,
    mean_lufs,
    power_of,
)
from monitors.measurement import Base64
from monitors.sound import BLOCK_SEC

SHORT_TERM_BLOCKS = 30
"""Three seconds (EBU Tech 3341)."""

ROUNDING_SEC = 1e-6
BYTES = 2


class LoudnessHistory(BaseModel):
    """A few kilobytes for the longest window.

    Gating blocks do not overlap, unlike those of the standard: four times as many would have to be
    kept, and over minutes the result is the same within 0.1 LU.

    Attributes:
        filling_sec: of the tenth of a second that is not complete.
        filling_power: its power, times its length.
        tenths: the latest three seconds, in LUFS.
        pending: how many of these belong to no gating block yet.
        gating: loudness of each gating block in the window, in hundredths of LU, 16 bits each.
    """

    filling_sec: float = 0.0
    filling_power: float = 0.0
    tenths: list[float] = []
    pending: int = 0
    gating: Base64 = b""

    def add(self, lufs: float, duration_sec: float, window_sec: float) -> Iterator[float]:
        """Take sound of one loudness; yield at each gating block how much of it is left behind."""
        power = power_of(lufs)
        while self.filling_sec + duration_sec >= BLOCK_SEC - ROUNDING_SEC:
            taken_sec = BLOCK_SEC - self.filling_sec
            duration_sec = max(0.0, duration_sec - taken_sec)
            self._add_tenth(lufs_of((self.filling_power + taken_sec * power) / BLOCK_SEC))
            if self.pending == GATING_BLOCKS:
                self._add_gating_block(window_sec)
                yield duration_sec
        self.filling_sec += duration_sec
        self.filling_power += duration_sec * power

    def _add_tenth(self, lufs: float) -> None:
        self.filling_sec = self.filling_power = 0.0
        self.tenths = [*self.tenths[1 - SHORT_TERM_BLOCKS :], round(lufs, 2)]
        self.pending += 1

    def _add_gating_block(self, window_sec: float) -> None:
        block = struct.pack("<h", round(100 * mean_lufs(self.tenths[-GATING_BLOCKS:])))
        self.gating = (self.gating + block)[-BYTES * _blocks_in(window_sec) :]
        self.pending = 0

    def integrated_lufs(self, window_sec: float) -> float | None:
        """Return the loudness of the window; None where it is not full, or silent."""
        count = _blocks_in(window_sec)
        if len(self.gating) < BYTES * count:
            return None
        return integrated_lufs([each / 100 for (each,) in struct.iter_unpack("<h", self.gating)])

    @property
    def momentary_lufs(self) -> float | None:
        latest = self.tenths[-GATING_BLOCKS:]
        return mean_lufs(latest) if len(latest) == GATING_BLOCKS else None

    @property
    def short_term_lufs(self) -> float | None:
        return mean_lufs(self.tenths) if len(self.tenths) == SHORT_TERM_BLOCKS else None


def _blocks_in(window_sec: float) -> int:
    return max(1, round(window_sec / GATING_SEC))
