"""What is heard in samples, whoever decoded them."""

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.audio_coverage import describe_sound, zero_sec
from media.decoding.decoder.faint_sound import FaintSound
from media.decoding.decoder.results import AudioFindings, Span
from media.decoding.decoder.silent_ranges import (
    DECODER_PRIMING_SEC,
    PRIMING_FRAMES,
    quiet_samples,
    quiet_stretches,
)
from media.decoding.decoder.sound_blocks import SoundBlocks, SoundFormat, sound_figures
from monitors.sound import LONGEST_LEAD_SEC, SoundChecks

SAMPLES_AT_ONCE = 1 << 16


class SoundPart:
    """Sound of one format without a gap.

    Args:
        sound: its format.
        start_sec: of its first sample, in the container's time.
        silence_db: what stays under this level is quiet, in dBFS.
        checks: what is measured beside; None for nothing.
        most_blocks: that are measured, however long it is.
        frame_samples: how many samples its decoder gives at once.
    """

    def __init__(
        self,
        sound: SoundFormat,
        start_sec: float,
        silence_db: float,
        *,
        checks: SoundChecks | None = None,
        most_blocks: int = 0,
        frame_samples: int = sys.maxsize,
    ) -> None:
        self.start_sec = start_sec
        self.priming_sec = min(DECODER_PRIMING_SEC, PRIMING_FRAMES * frame_samples / sound.rate_hz)
        self.blocks: SoundBlocks | None = None
        if checks is not None and sound.can_be_measured and most_blocks > 0:
            self.blocks = SoundBlocks(sound, checks, most_blocks)
        self._rate_hz = sound.rate_hz
        self._silence_db = silence_db
        self._quiet: list[NDArray[np.bool_]] = []
        self._faint = FaintSound(silence_db, sound.rate_hz)
        self._samples = 0

    @property
    def duration_sec(self) -> float:
        return self._samples / self._rate_hz

    @property
    def span(self) -> Span:
        return Span(self.start_sec, self.start_sec + self.duration_sec)

    def add(self, samples: NDArray[np.floating]) -> None:
        """Take samples of shape (channels, n), full scale is 1."""
        are_first = not self._samples
        self._samples += samples.shape[1]
        quiet = quiet_samples(samples, self._silence_db, self._rate_hz, are_first=are_first)
        self._quiet.append(quiet)
        self._faint.add(samples, quiet)
        if self.blocks:
            self.blocks.add(samples)

    def add_all(self, samples: NDArray[np.floating]) -> None:
        """Take as many samples as there are, in pieces that bound the memory it takes."""
        for begin in range(0, samples.shape[1], SAMPLES_AT_ONCE):
            self.add(samples[:, begin : begin + SAMPLES_AT_ONCE])

    def stretches(self) -> list[Span]:
        """Return where it is quiet."""
        if not self._quiet:
            return []
        are_quiet = np.concatenate(self._quiet)
        for first, stop in self._faint.stretches():
            are_quiet[first:stop] = True
        quiet = quiet_stretches(are_quiet, self._rate_hz)
        return [Span(self.start_sec + start, self.start_sec + end) for start, end in quiet]


def describe_parts(
    findings: AudioFindings,
    parts: Sequence[SoundPart],
    duration_sec: float,
    first_picture_sec: float | None,
) -> None:
    """Write down what was heard; see `describe_sound`."""
    filled = [part.span for part in parts]
    quiet = [stretch for part in parts for stretch in part.stretches()]
    priming_sec = min(parts, key=lambda it: it.start_sec).priming_sec if parts else 0.0
    describe_sound(findings, filled, quiet, duration_sec, first_picture_sec, priming_sec)
    measured = [(part.blocks, part.duration_sec) for part in parts if part.blocks]
    findings.figures = sound_figures(measured)
    if findings.figures:
        zero = zero_sec(filled, duration_sec, first_picture_sec)
        begins_sec = min(start for start, _ in filled) - zero
        findings.figures["begins_sec"] = max(-LONGEST_LEAD_SEC, min(begins_sec, duration_sec))
