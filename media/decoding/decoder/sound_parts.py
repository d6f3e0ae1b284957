"""What is heard in samples, whoever decoded them, and which part of a segment they fill."""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.faint_sound import FaintSound
from media.decoding.decoder.results import AudioFindings, Span
from media.decoding.decoder.silent_ranges import (
    DECODER_PRIMING_SEC,
    PRIMING_FRAMES,
    quiet_samples,
    quiet_stretches,
    silent_intervals,
)
from media.decoding.decoder.sound_blocks import SoundBlocks, SoundFormat, sound_figures
from monitors.sound import LONGEST_AHEAD_SEC, LONGEST_LEAD_SEC, SoundChecks

SAMPLES_AT_ONCE = 1 << 16


class SoundPart:
    """Sound of one format without a gap.

    Args:
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


GAP_MIN_SEC = 0.02  # timestamps are rounded; a frame of any codec that is lost leaves a longer gap


class Coverage(NamedTuple):
    """What samples fill, in seconds from the segment's first moment."""

    gaps: list[Span]  # stretches without samples, of the segment and of its lead
    lead_sec: float
    ahead_sec: float  # of samples behind its end
    total_sec: float


def coverage(filled: Iterable[Span], duration_sec: float) -> Coverage:
    """What `filled` covers of a segment; its spans may overlap and come in any order."""
    gaps: list[Span] = []
    filled = sorted(filled)
    first_sec = filled[0].start if filled else 0.0
    end_sec = min(0.0, max(first_sec, -LONGEST_LEAD_SEC))
    for start, end in [*filled, Span(duration_sec, duration_sec)]:
        start = min(start, duration_sec)
        if start - end_sec >= GAP_MIN_SEC:
            gaps.append(Span(end_sec, start))
        end_sec = max(end_sec, end)
    return Coverage(
        gaps=gaps,
        lead_sec=min(max(0.0, -first_sec), LONGEST_LEAD_SEC),
        ahead_sec=min(max(0.0, end_sec - duration_sec), LONGEST_AHEAD_SEC),
        total_sec=sum(end - start for start, end in filled),
    )


def zero_sec(filled: Sequence[Span], duration_sec: float, first_picture_sec: float | None) -> float:
    """Return the timestamp of a segment's first moment, as its sound has it.

    It is that of the first picture, as playlists count pictures. Sound alone, or sound whose
    timestamps have nothing to do with those of the pictures, counts from its own first sample.
    """
    first_sample_sec = min((start for start, _ in filled), default=0.0)
    if first_picture_sec is None:
        return first_sample_sec
    earliest_sec = first_picture_sec - LONGEST_LEAD_SEC
    latest_sec = first_picture_sec + max(duration_sec, LONGEST_LEAD_SEC)
    has_common_clock = any(a <= latest_sec and b >= earliest_sec for a, b in filled)
    return first_picture_sec if has_common_clock else first_sample_sec


def describe_sound(
    findings: AudioFindings,
    filled: Sequence[Span],
    quiet: Sequence[Span],
    duration_sec: float,
    first_picture_sec: float | None,
    priming_sec: float = DECODER_PRIMING_SEC,
) -> None:
    """Write down what was heard.

    Args:
        filled: where there are samples, in the container's time.
        quiet: where they are quiet, in the same time.
        priming_sec: see `silent_intervals`.
    """
    zero = zero_sec(filled, duration_sec, first_picture_sec)
    # A multiplexer may hold back the last sound before a gap until sound goes on: it is too old.
    heard = [Span(a - zero, b - zero) for a, b in filled if b - zero >= -LONGEST_LEAD_SEC]
    covered = coverage(heard, duration_sec)
    first_sec = min((start for start, _ in heard), default=0.0)
    stretches = [Span(a - zero, b - zero) for a, b in quiet]
    findings.silent = silent_intervals(stretches, duration_sec, first_sec, priming_sec)
    findings.audio_gaps = covered.gaps
    findings.audio_lead_sec = covered.lead_sec
    findings.audio_ahead_sec = covered.ahead_sec
    findings.audio_sec = covered.total_sec
    if filled and first_picture_sec is None:
        findings.audio_begins_sec = zero
