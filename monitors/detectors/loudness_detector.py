"""Whether the loudness leaves its target: over a long window, or by much for a short time."""

import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from pydantic import BaseModel, Field

from monitors.config import Thresholds
from monitors.detectors.block_detectors import SoundDetector
from monitors.detectors.fault_detector import FaultRule
from monitors.detectors.stream_time import Condition, SegmentPosition, Stretch, reached
from monitors.incidents import Detail, IncidentChange
from monitors.measurement import Base64
from monitors.sound import BLOCK_SEC
from monitors.sound_figures import (
    GATING_BLOCKS,
    GATING_SEC,
    SoundFigures,
    integrated_lufs,
    lufs_of,
    mean_lufs,
    power_of,
)
from monitors.status import IncidentKind

MUCH_TOO_LOUD_LU = 8.0
MUCH_TOO_LOUD_SEC = 10.0
"""The short-term loudness may be that much above the target for less than this."""

LOOKS_A_WINDOW = 100
"""A long window is judged as often, while it passes, as a short one: it costs no more."""

SHORT_TERM_BLOCKS = 30  # three seconds (EBU Tech 3341)

ROUNDING_SEC = 1e-6
BYTES = 2

TOO_LOUD, TOO_QUIET, SHORT_TERM = "too_loud", "too_quiet", "short_term_too_loud"


class LoudnessHistory(BaseModel):
    """A few kilobytes for the longest window.

    Gating blocks do not overlap, unlike those of the standard: four times as many would have to be
    kept, and over minutes the result is the same within 0.1 LU.
    """

    filling_sec: float = 0.0  # of the tenth of a second that is not complete
    filling_power: float = 0.0  # its power, times its length
    tenths: list[float] = []  # the latest three seconds, in LUFS
    pending: int = 0  # how many of these belong to no gating block yet
    # loudness of each gating block in the window, in hundredths of LU, 16 bits each
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


class _Excess(NamedTuple):
    """How the target is missed: since when, in seconds, and by which figure."""

    reason: str
    since_sec: float
    lufs: float


class LoudnessDetector(SoundDetector):
    """The fault logic for loudness."""

    kind: ClassVar[IncidentKind] = IncidentKind.LOUDNESS
    history: LoudnessHistory = Field(default_factory=LoudnessHistory)
    looked_sec: float = 0.0  # since the window was judged last
    integrated_lufs: float | None = None  # of the window then; None where it was not full
    much_too_loud_sec: float = 0.0  # how long the short-term loudness has been far above the target

    def follow(
        self, figures: SoundFigures, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        if thresholds.loudness_target_lufs is None or not figures.loudness_lufs:
            return self.end(position.starts_at)
        changes: list[IncidentChange | None] = []
        block_sec = figures.duration_sec / len(figures.loudness_lufs)
        begins_at = position.wall_clock(figures.begins_sec)
        for number, lufs in enumerate(figures.loudness_lufs, 1):
            window_sec = thresholds.loudness_window_sec
            for left_sec in self.history.add(lufs, block_sec, window_sec):
                at = begins_at + timedelta(seconds=number * block_sec - left_sec)
                changes.append(self._step(at, position, thresholds))
        return [each for each in changes if each]

    def end(self, at: datetime) -> list[IncidentChange]:
        """End what is open, and forget what was heard."""
        self.history, self.integrated_lufs = LoudnessHistory(), None
        self.much_too_loud_sec = self.looked_sec = 0.0
        return super().end(at)

    def _step(
        self, at: datetime, position: SegmentPosition, thresholds: Thresholds
    ) -> IncidentChange | None:
        """Judge one gating block that ends at wall clock `at`."""
        excess = self._excess(thresholds)
        step_sec = GATING_SEC
        if excess:
            self.details = _details(excess, thresholds)
            step_sec = GATING_SEC if self.faults.fault else excess.since_sec
        stretch = Stretch(
            Condition.FAULTY if excess else Condition.GOOD,
            step_sec,
            at - timedelta(seconds=step_sec),
            reason=excess.reason if excess else None,
        )
        rule = FaultRule(
            kind=self.kind,
            threshold_sec=step_sec,  # what is known to be in excess is an incident at once
            recovery_sec=thresholds.recovery_sec,
            position=position,
            details=self.details,
        )
        return self.faults.step(stretch, rule)

    def _excess(self, thresholds: Thresholds) -> _Excess | None:
        target_lufs = thresholds.loudness_target_lufs or 0.0
        short_lufs = self.history.short_term_lufs
        is_much = short_lufs is not None and short_lufs > target_lufs + MUCH_TOO_LOUD_LU
        self.much_too_loud_sec = self.much_too_loud_sec + GATING_SEC if is_much else 0.0
        integrated_lufs = self._look(thresholds.loudness_window_sec)
        if integrated_lufs is not None:
            over_lu = round(integrated_lufs, 1) - target_lufs
            if abs(over_lu) > thresholds.loudness_tolerance_lu:
                reason = TOO_LOUD if over_lu > 0 else TOO_QUIET
                return _Excess(reason, thresholds.loudness_window_sec, integrated_lufs)
        if short_lufs is not None and reached(self.much_too_loud_sec, MUCH_TOO_LOUD_SEC):
            return _Excess(SHORT_TERM, self.much_too_loud_sec, short_lufs)
        return None

    def _look(self, window_sec: float) -> float | None:
        """Return the loudness of the window, as it was known shortly before."""
        self.looked_sec += GATING_SEC
        if self.integrated_lufs is None or reached(self.looked_sec, window_sec / LOOKS_A_WINDOW):
            self.looked_sec = 0.0
            self.integrated_lufs = self.history.integrated_lufs(window_sec)
        return self.integrated_lufs


def _details(excess: _Excess, thresholds: Thresholds) -> dict[str, Detail]:
    figure = "short_term_lufs" if excess.reason == SHORT_TERM else "loudness_lufs"
    return {
        figure: round(excess.lufs, 1),
        "target_lufs": thresholds.loudness_target_lufs or 0.0,
        "tolerance_lu": float(thresholds.loudness_tolerance_lu),
        "window_sec": float(thresholds.loudness_window_sec),
    }
