"""What a watch judged lately, and from which state, so that a replay can judge it again.

The journal of a stream consists of legs. Each begins with the state as it was, and then has every
step that was taken, with the segments that were measured for it. What changed the state beside
steps (a new URL, media that was missed) is kept as the difference that it made. So a replay can
begin with any leg, and the oldest ones go: in the end an incident is judged from a later state on.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pydantic_core import to_json

from media.hls.playlist import MediaPlaylist, Segment
from media.watching.faults_begun import faults_begun
from media.watching.segment_memory import SegmentCache
from media.watching.snapshots import Snapshot, differences
from media.watching.state import WatchState
from media.watching.steps import STEPS, MediaStep, Step
from monitors.config import MonitorConfig
from monitors.events import EventDraft, is_opening
from monitors.measurement import CachedSegment, ProbeContext

LEG = timedelta(seconds=5)
BEFORE_FAULT = timedelta(seconds=5)  # the journal reaches back so long before what may become one
MOST_BYTES = 1024 * 1024  # of one stream, without its segments, which are in the cache
MOST_ENTRY_BYTES = 256 * 1024
"""A segment with a larger measurement was made to be one: a new journal begins after it. A
larger playlist is left out."""

PLAYLIST_SEGMENTS = 30  # the newest ones of each playlist are kept
MOST_UNCLAIMED = 64
MOST_EXCERPTS = 4
NOTHING = b"[]"


@dataclass(frozen=True, slots=True)
class Probed:
    """A segment as a probe was given it."""

    held: CachedSegment  # its bytes behind its initialization section, while the cache has room
    init_bytes: int
    duration_sec: float
    silence_db: float
    context: ProbeContext | None  # but for the lead
    lead: CachedSegment | None = None
    undecodable: str | None = None  # why it could not be decoded


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step."""

    at: datetime
    # wall clock of the first moment of its media; None where it is of none
    starts_at: datetime | None
    changes: bytes  # JSON of what changed the state since the step before
    step: bytes  # as JSON
    # what its measurements are of, in their order; None: of no segment
    probed: tuple[Probed | None, ...]
    drafts: tuple[EventDraft, ...]  # events that it drafted

    @property
    def size_bytes(self) -> int:
        return len(self.changes) + len(self.step)


@dataclass(frozen=True, slots=True)
class PlaylistRead:
    at: datetime
    track: str
    playlist: MediaPlaylist = field(repr=False)

    @property
    def size_bytes(self) -> int:
        segments = self.playlist.with_partial
        return 200 * (1 + len(segments)) + sum(map(_text_size, segments))


Entry = StepTaken | PlaylistRead


@dataclass(slots=True)
class Leg:
    """A stretch of the journal."""

    before: Snapshot  # the state at its beginning
    began_at: datetime
    # wall clock of the first moment of its media; None while it has none
    starts_at: datetime | None = None
    entries: list[Entry] = field(default_factory=list)
    size_bytes: int = 0

    @property
    def since(self) -> datetime:
        """The first moment that it tells of."""
        return self.starts_at or self.began_at

    def add(self, entry: Entry) -> None:
        if isinstance(entry, StepTaken):
            self.starts_at = self.starts_at or entry.starts_at
        self.entries.append(entry)
        self.size_bytes += entry.size_bytes


@dataclass(frozen=True)
class JournalExcerpt:
    """What led from the state `before` to one event; the last of `entries` drafted it."""

    config: MonitorConfig
    before: Snapshot
    entries: tuple[Entry, ...]
    draft: EventDraft


class Journal:
    """Keeps the journal of one stream, from one watch to the next on the same worker."""

    def __init__(self, cache: SegmentCache) -> None:
        self._cache = cache
        self._legs: deque[Leg] = deque()
        self._config: MonitorConfig | None = None
        self._after: Snapshot | None = None
        self._excerpts: deque[JournalExcerpt] = deque(maxlen=MOST_EXCERPTS)
        self._unclaimed: OrderedDict[int, tuple[object, Probed]] = OrderedDict()

    def note_probed(
        self,
        found: object,
        media: bytes,
        *,
        init_bytes: int,
        duration_sec: float,
        silence_db: float,
        context: ProbeContext | None,
    ) -> None:
        """Remember what a probe was given, until a step claims what it `found`."""
        lead = self._cache.put(context.lead) if context and context.lead else None
        self._unclaimed[id(found)] = (
            found,
            Probed(
                held=self._cache.put(media),
                init_bytes=init_bytes,
                duration_sec=duration_sec,
                silence_db=silence_db,
                context=context and context.model_copy(update={"lead": b"", "with_picture": False}),
                lead=lead,
                undecodable=str(found) if isinstance(found, Exception) else None,
            ),
        )
        if len(self._unclaimed) > MOST_UNCLAIMED:
            self._unclaimed.popitem(last=False)

    def note_playlist(self, track: str, playlist: MediaPlaylist, at: datetime) -> None:
        read = PlaylistRead(at, track, _newest(playlist))
        if self._legs and read.size_bytes <= MOST_ENTRY_BYTES:
            self._legs[-1].add(read)

    @contextmanager
    def recorded(
        self, step: Step, state: WatchState, config: MonitorConfig, found: Sequence[object] = ()
    ) -> Iterator[None]:
        """Record a step, which claims what was `found`; it is applied while the context is open."""
        leg, changes = self._leg_for(Snapshot(state), config, step.at)
        starts_at = step.position.starts_at if isinstance(step, MediaStep) else None
        drafted = len(state.pending_events)
        probed = tuple(self._unclaimed.pop(id(each), (None, None))[1] for each in found)
        yield
        drafts = tuple(state.pending_events[drafted:])
        text = STEPS.dump_json(step)
        if len(text) > MOST_ENTRY_BYTES:
            self._legs.clear()
            return
        leg.add(StepTaken(step.at, starts_at, changes, text, probed, drafts))
        self._keep(drafts)
        self._after = Snapshot(state)
        if leg is not self._legs[0]:
            self._forget(faults_begun(state))

    def _keep(self, drafts: Iterable[EventDraft]) -> None:
        """Keep what led to events, until somebody asks: legs are forgotten when they are told."""
        for draft in drafts:
            if draft.incident and is_opening(draft.event_type):
                excerpt = self._excerpt_of(draft, draft.incident.started_at)
                self._excerpts += [excerpt] if excerpt else []

    def _forget(self, begun: Sequence[datetime]) -> None:
        """Let go of what no incident can need."""
        needed_from = min([self._legs[-1].since, *begun]) - BEFORE_FAULT
        while len(self._legs) > 1 and self._may_go(needed_from):
            self._legs.popleft()

    def excerpt(self, draft: EventDraft) -> JournalExcerpt | None:
        """Return, once, what led to an event that opens an incident; None where nobody knows."""
        for place, each in enumerate(self._excerpts):
            if (each.draft.timestamp, each.draft.incident) == (draft.timestamp, draft.incident):
                del self._excerpts[place]
                return each
        return None

    def _excerpt_of(self, draft: EventDraft, began_at: datetime) -> JournalExcerpt | None:
        if self._config is None:
            return None
        legs, first = list(self._legs), 0
        for number, leg in enumerate(legs):
            if leg.since <= began_at - BEFORE_FAULT:
                first = number
        entries = [entry for leg in legs[first:] for entry in leg.entries]
        if isinstance(entries[0], StepTaken):  # the state before it has these changes
            entries[0] = replace(entries[0], changes=NOTHING)
        return JournalExcerpt(self._config, legs[first].before, tuple(entries), draft)

    def _leg_for(self, before: Snapshot, config: MonitorConfig, at: datetime) -> tuple[Leg, bytes]:
        """Return the leg that a step belongs to, and what changed since the step before."""
        if config != self._config or self._after is None:
            self._config = config
            self._legs.clear()
        changes = NOTHING
        if self._legs and self._after and before != self._after:
            changes = to_json([*differences(self._after.content(), before.content())])
        if not self._legs or abs(at - self._legs[-1].began_at) >= LEG:
            self._legs.append(Leg(before, at))
        return self._legs[-1], changes

    def _may_go(self, needed_from: datetime) -> bool:
        size_bytes = sum(leg.size_bytes for leg in self._legs)
        return self._legs[1].since <= needed_from or size_bytes > MOST_BYTES


def _text_size(segment: Segment) -> int:
    """A stranger's URLs may be long."""
    uris = [segment.uri, *segment.mirrors, *(part.uri for part in segment.parts)]
    uris += [it.uri or "" for it in (segment.init, segment.encryption) if it]
    return sum(map(len, uris)) + 100 * len(segment.parts)


def _newest(playlist: MediaPlaylist) -> MediaPlaylist:
    excess = max(0, len(playlist.segments) - PLAYLIST_SEGMENTS)
    return replace(
        playlist,
        media_sequence=playlist.media_sequence + excess,
        segments=playlist.segments[excess:],
    )
