"""The detectors of how the sound is: tone, lost channel, loudness, clipping, phase."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, Field

from monitors.config import Expect, Thresholds
from monitors.detectors.block_detectors import (
    ClippingDetector,
    PhaseDetector,
    SoundDetector,
    ToneDetector,
)
from monitors.detectors.channel_loss import ChannelLossDetector
from monitors.detectors.loudness_detector import LoudnessDetector
from monitors.detectors.stream_time import SegmentPosition
from monitors.incidents import IncidentChange
from monitors.measurement import AudioMeasurement
from monitors.reports import SoundLevels
from monitors.sound import SoundChecks
from monitors.sound_figures import SoundFigures
from monitors.status import Health, IncidentKind


def sound_checks(thresholds: Thresholds) -> SoundChecks:
    """Return what has to be measured for the detectors that are off by default."""
    checks = SoundChecks(0)
    if thresholds.expect is Expect.VIDEO:
        return checks
    if thresholds.loudness_target_lufs is not None:
        checks |= SoundChecks.LOUDNESS
    if thresholds.true_peak_max_dbtp is not None and thresholds.clipping_threshold_sec > 0:
        checks |= SoundChecks.PEAKS
    if thresholds.phase_threshold_sec > 0:
        checks |= SoundChecks.PHASE
    return checks


class SoundDetectors(BaseModel):
    """The detectors of the first audio track; `levels` are those of the latest segment."""

    tone: ToneDetector = Field(default_factory=ToneDetector)
    channels: ChannelLossDetector = Field(default_factory=ChannelLossDetector)
    loudness: LoudnessDetector = Field(default_factory=LoudnessDetector)
    clipping: ClippingDetector = Field(default_factory=ClippingDetector)
    phase: PhaseDetector = Field(default_factory=PhaseDetector)
    levels: SoundLevels = Field(default_factory=SoundLevels)

    def follow(
        self, sound: AudioMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        figures = sound.figures
        if thresholds.expect is Expect.VIDEO:
            return self.end(position.starts_at)
        if figures is None or not figures.blocks:
            self._skip(position.duration_sec, self._detectors()[1:])
            if figures:  # of a mono track that is not checked for anything
                self._note_levels(figures)
            return self.tone.miss(position, thresholds)
        changes = [
            *self.tone.follow(figures, position, thresholds),
            *self.channels.follow(figures, position, thresholds),
            *self.loudness.follow(figures, position, thresholds),
            *self.clipping.follow(figures, position, thresholds),
            *self.phase.follow(figures, position, thresholds),
        ]
        self._note_levels(figures)
        return changes

    def _note_levels(self, figures: SoundFigures) -> None:
        self.levels = SoundLevels(
            momentary_lufs=_rounded(self.loudness.history.momentary_lufs),
            short_term_lufs=_rounded(self.loudness.history.short_term_lufs),
            true_peak_dbtp=_rounded(max(figures.true_peaks_dbtp, default=None)),
            channels_dbfs=figures.channels_dbfs,
        )

    def skip(self, duration_sec: float) -> None:
        self._skip(duration_sec, self._detectors())

    def _skip(self, duration_sec: float, detectors: Iterable[SoundDetector]) -> None:
        self.levels = SoundLevels()
        for each in detectors:
            each.faults.skip(duration_sec)

    def end(self, at: datetime) -> list[IncidentChange]:
        """End what is open: the track is gone."""
        self.levels = SoundLevels()
        return [change for each in self._detectors() for change in each.end(at)]

    def conditions(self) -> list[tuple[IncidentKind, Health]]:
        return [(each.kind, each.faults.health()) for each in self._detectors()]

    def _detectors(self) -> tuple[SoundDetector, ...]:
        return (self.tone, self.channels, self.loudness, self.clipping, self.phase)


def _rounded(level: float | None) -> float | None:
    return None if level is None else round(level, 1)
