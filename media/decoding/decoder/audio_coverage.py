"""Which part of a segment its sound fills."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from media.decoding.decoder.results import AudioFindings, Span
from media.decoding.decoder.silent_ranges import DECODER_PRIMING_SEC, silent_intervals
from monitors.sound import LONGEST_AHEAD_SEC, LONGEST_LEAD_SEC

GAP_MIN_SEC = 0.02
"""Timestamps are rounded; a frame of any codec that is lost leaves a longer gap."""


class Coverage(NamedTuple):
    """What samples fill, in seconds from the segment's first moment.

    Attributes:
        gaps: stretches without samples, of the segment and of its lead.
        lead_sec: of samples before its first moment.
        ahead_sec: of samples behind its end.
        total_sec: of all samples, wherever they lie.
    """

    gaps: list[Span]
    lead_sec: float
    ahead_sec: float
    total_sec: float


def coverage(filled: Iterable[Span], duration_sec: float) -> Coverage:
    """Return what `filled` covers of a segment; its spans may overlap and come in any order."""
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
        findings: are completed.
        filled: where there are samples, in the container's time.
        quiet: where they are quiet, in the same time.
        duration_sec: of the segment.
        first_picture_sec: time of its first picture; None without one.
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
