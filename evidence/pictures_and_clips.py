"""The pictures and the clip of an incident."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from evidence.case import LOST, Case
from evidence.collector import Collected
from evidence.excerpt_maker import ExcerptMaker
from evidence.excerpts.protocol import NO_PICTURE, NothingMade, Piece
from monitors.evidence import EvidenceItem, EvidenceKind, EvidenceMoment

MOST_CLIP_BYTES = 56 * 1024 * 1024  # of its segments, so that the clip has room for its tables

MOST_CLIP_PIECES = 400
NEAR_SEC = 0.01
PIECES_OF_PICTURES = 3

MEMORY = "memory"  # nothing is left of the segments: there was no room for them

CUT = "cut"  # some of its segments are missing, or were too costly to encode again

NO_MEDIA = "no_media"


@dataclass(frozen=True)
class IncidentPictures:
    kind: ClassVar = EvidenceKind.PICTURE
    maker: ExcerptMaker

    async def collect(self, case: Case) -> AsyncIterator[Collected]:
        found: dict[EvidenceMoment | None, bytes | None] = {}
        pieces = near_moment(case.pieces(), case.moment_sec)
        late_sec = max(0.0, pieces[0].starts_sec) if pieces else 0.0
        taken_at = case.incident.started_at + timedelta(seconds=late_sec)
        reason = _why_nothing(case, NO_PICTURE)
        if pieces:
            try:
                made = await self.maker.pictures(pieces, case.moment_sec)
                found[EvidenceMoment.LAST_GOOD] = made.last_good
                found[EvidenceMoment.FIRST_FAULTY] = made.first_faulty
                reason = LOST if late_sec and not case.excerpt.is_cut else NO_PICTURE
            except NothingMade as nothing:
                reason = nothing.reason
        for item in case.items_of(self.kind):
            picture = found.get(item.moment) or b""
            is_unseen = case.is_of_stream and item.moment is EvidenceMoment.FIRST_FAULTY
            why = None if picture else NO_PICTURE if is_unseen else reason
            yield Collected(item, taken_at, picture, why)


@dataclass(frozen=True)
class IncidentClip:
    kind: ClassVar = EvidenceKind.CLIP
    maker: ExcerptMaker

    async def collect(self, case: Case) -> AsyncIterator[Collected]:
        kept = case.pieces()
        pieces = fitting(kept)
        is_cut = case.is_cut or len(pieces) < len(kept)
        clip: bytes = b""
        reason: str | None = _why_nothing(case, NO_MEDIA)
        if pieces:
            try:
                made = await self.maker.clip(pieces)
                clip, reason = made.mp4, CUT if is_cut or made.is_cut else None
            except NothingMade as nothing:
                reason = nothing.reason
        yield Collected(EvidenceItem(self.kind), case.begins_at, clip, reason)


def _why_nothing(case: Case, otherwise: str) -> str:
    return MEMORY if case.is_cut else otherwise


def near_moment(pieces: Sequence[Piece], moment_sec: float) -> list[Piece]:
    """Return the segments with pictures that hold a moment, or come just before it.

    Where nothing is there of the moment, the segment behind it comes, too.
    """
    pictured = sorted((it for it in pieces if not it.is_audio), key=lambda each: each.starts_sec)
    before = [each for each in pictured if each.starts_sec <= moment_sec + NEAR_SEC]
    is_hole = not before or before[-1].ends_sec <= moment_sec + NEAR_SEC
    behind = pictured[len(before) : len(before) + 1] if is_hole else []
    return before[-PIECES_OF_PICTURES:] + behind


def fitting(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the first segments, as many as fit into a clip."""
    taken, size = list[Piece](), 0
    for piece in sorted(pieces, key=lambda each: each.starts_sec)[:MOST_CLIP_PIECES]:
        size += len(piece.media)
        if size > MOST_CLIP_BYTES:
            break
        taken.append(piece)
    return taken
