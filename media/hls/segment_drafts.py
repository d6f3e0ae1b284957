"""Segments while their playlist is still being read: what later lines decide is still open."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from media.hls.playlist import ByteRange, Encryption, InitSegment, Part, Segment

MAX_DURATION_SEC = 3_600.0


@dataclass(slots=True)
class SegmentDraft:
    """A segment without its numbers.

    Attributes:
        duration_sec: None where EXTINF is absurd.
        discontinuities: EXT-X-DISCONTINUITY tags up to and including its own.
    """

    uri: str = ""
    duration_sec: float | None = None
    title: str = ""
    byte_range: ByteRange | None = None
    init: InitSegment | None = None
    encryption: Encryption | None = None
    program_date_time: datetime | None = None
    discontinuity: bool = False
    discontinuities: int = 0
    gap: bool = False
    parts: tuple[Part, ...] = ()


def is_sane_duration(duration_sec: float) -> bool:
    """Return whether a segment may be that long."""
    return 0 < duration_sec <= MAX_DURATION_SEC


def date_drafts(drafts: Sequence[SegmentDraft], starts_at: datetime | None = None) -> None:
    """Give segments without EXT-X-PROGRAM-DATE-TIME the date that their neighbours imply.

    RFC 8216 4.3.2.6 and 6.3.3: forward from each tag, and backward from the first one. Never
    across a discontinuity, after which time may go anywhere, nor over a duration nobody knows.

    Args:
        drafts: in the playlist's order.
        starts_at: where the segments before them end, if that is known.
    """
    if drafts and drafts[0].program_date_time is None and not drafts[0].discontinuity:
        drafts[0].program_date_time = starts_at
    for previous, draft in pairwise(drafts):
        if draft.program_date_time is None and not draft.discontinuity:
            draft.program_date_time = _shifted(previous.program_date_time, previous.duration_sec)
    _date_backward(drafts)


def _date_backward(drafts: Sequence[SegmentDraft]) -> None:
    dated = (index for index, draft in enumerate(drafts) if draft.program_date_time)
    for index in range(next(dated, 0), 0, -1):
        draft, following = drafts[index - 1], drafts[index]
        if following.discontinuity or draft.duration_sec is None:
            return
        draft.program_date_time = _shifted(following.program_date_time, -draft.duration_sec)


def _shifted(moment: datetime | None, by_sec: float | None) -> datetime | None:
    if moment is None or by_sec is None:
        return None
    return moment + timedelta(seconds=by_sec)


def finish_drafts(
    drafts: Iterable[SegmentDraft],
    *,
    first_sequence: int,
    first_discontinuity: int,
    target_sec: float,
) -> tuple[Segment, ...]:
    """Number the segments; one whose duration nobody knows gets `target_sec`."""
    return tuple(
        Segment(
            uri=draft.uri,
            sequence=sequence,
            duration_sec=target_sec if draft.duration_sec is None else draft.duration_sec,
            discontinuity_sequence=first_discontinuity + draft.discontinuities,
            duration_declared=draft.duration_sec is not None,
            byte_range=draft.byte_range,
            init=draft.init,
            program_date_time=draft.program_date_time,
            discontinuity=draft.discontinuity,
            gap=draft.gap,
            encryption=draft.encryption,
            title=draft.title,
            parts=draft.parts,
        )
        for sequence, draft in enumerate(drafts, start=first_sequence)
    )
