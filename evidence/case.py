"""What is known of an incident whose evidence is to be collected."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from evidence.excerpts.protocol import Piece
from media.watching.footage import Excerpt, KeptSegment
from media.watching.replay_journal import JournalExcerpt
from media.watching.state import AUDIO, MAIN
from monitors.evidence import EvidenceItem, EvidenceKind, EvidenceLevel, evidence_items
from monitors.incidents import IncidentRef
from monitors.status import STREAM_KINDS

LOST = "lost"  # the worker that watched the beginning is gone, and what it kept with it

AFTER_ALL_SEC = 1e9
ROUNDING = timedelta(milliseconds=10)


@dataclass(frozen=True)
class Case:
    """An incident that was just opened."""

    monitor_id: str
    incident: IncidentRef
    level: EvidenceLevel  # what evidence its monitor wants
    alert_at: datetime
    excerpt: Excerpt  # what is kept of its stream
    journal: JournalExcerpt | None = None  # what led to its event; None where nobody knows
    stream_url: str = field(default="", repr=False)
    # stable word for why nothing can be collected; None where something can
    failure: str | None = None
    # it is a fault that may become an incident; what cannot be made is not missed
    is_early: bool = False
    # what is to be collected, as far as `level` includes it
    kinds: frozenset[EvidenceKind] = frozenset(EvidenceKind)

    @property
    def incident_id(self) -> str:
        return self.incident.id_in(self.monitor_id)

    @property
    def items(self) -> tuple[EvidenceItem, ...]:
        return tuple(each for each in evidence_items(self.level) if each.kind in self.kinds)

    def items_of(self, kind: EvidenceKind) -> list[EvidenceItem]:
        return [each for each in self.items if each.kind is kind]

    def id_of(self, item: EvidenceItem) -> str:
        return item.id_of(self.incident_id, self.incident.started_at)

    @property
    def is_of_stream(self) -> bool:
        """Whether it is one of the stream, not of its media: nothing can be seen of its fault."""
        return self.incident.kind in STREAM_KINDS

    def pieces(self) -> list[Piece]:
        """Return what is kept of picture and first sound, on a clock that the fault begins at 0."""
        main, audio = (self.excerpt.tracks.get(name, ()) for name in (MAIN, AUDIO))
        return [*self._pieces(main, is_audio=False), *self._pieces(audio, is_audio=True)]

    def _pieces(self, kept: Iterable[KeptSegment], *, is_audio: bool) -> Iterator[Piece]:
        for _, same in groupby(kept, key=lambda each: each.segment.sequence):
            parts = [(each, each.held.media) for each in same if each.held.media is not None]
            if not parts:
                continue
            first, media = parts[0]
            # Behind the first part of a segment, the initialization section is not repeated.
            media += b"".join(more[each.init_bytes :] for each, more in parts[1:])
            starts_sec = (first.starts_at - self.incident.started_at).total_seconds()
            duration_sec = sum(each.segment.duration_sec for each, _ in parts)
            yield Piece(media, starts_sec, duration_sec, is_audio)

    @property
    def moment_sec(self) -> float:
        """The moment that parts good from faulty pictures, on the clock of the pieces."""
        return AFTER_ALL_SEC if self.is_of_stream else 0.0

    @property
    def is_cut(self) -> bool:
        """Whether some of its segments are not there, or its beginning was not watched."""
        starts = [each.starts_at for kept in self.excerpt.tracks.values() for each in kept]
        first = min(starts, default=None)
        begins_late = first is None or first > self.incident.started_at + ROUNDING
        return self.excerpt.is_cut or (begins_late and not self.is_of_stream)

    @property
    def begins_at(self) -> datetime:
        starts = [each.starts_at for kept in self.excerpt.tracks.values() for each in kept]
        return min(starts, default=self.incident.started_at)
