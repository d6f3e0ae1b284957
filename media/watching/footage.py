"""Keeps what may become evidence: the latest picture and the segments around a fault."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from media.hls.playlist import Segment
from media.watching.faults_begun import faults_begun
from media.watching.segment_memory import SegmentCache
from media.watching.state import AUDIO, WatchState, is_additional
from monitors.evidence import EvidenceLevel
from monitors.incidents import IncidentOpened, IncidentRef
from monitors.measurement import CachedSegment

DEFAULT_PICTURE_SEC = 60.0  # time between two pictures of a stream while nobody looks
BEFORE_SEC = 5.0  # a clip begins this long before its fault
MOST_CLIP_SEC = 120.0  # a clip covers this much from the start of the fault, plus its end
MOST_HANDED_OUT_EARLY = 20

CLIP_LEVELS = frozenset({EvidenceLevel.CLIP, EvidenceLevel.CAPSULE})


@dataclass(frozen=True)
class PlacedSegment:
    """`starts_at` is the wall clock of its first moment."""

    segment: Segment
    starts_at: datetime

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(seconds=self.segment.duration_sec)


@dataclass(frozen=True)
class KeptSegment(PlacedSegment):
    """A segment that an incident may need."""

    # its bytes behind its initialization section (`init_bytes`), decrypted, while the cache has
    # room
    held: CachedSegment
    init_bytes: int


@dataclass(frozen=True)
class Picture:
    """A JPEG of a stream and when it was on air."""

    jpeg: bytes = field(repr=False)
    taken_at: datetime


@dataclass(frozen=True)
class Excerpt:
    """The segments that were kept, by track, and whether some that belong to them are gone."""

    tracks: Mapping[str, tuple[KeptSegment, ...]] = field(default_factory=dict)
    is_cut: bool = False


class Footage:
    """Keeps the segments of one stream that an incident may need, and hands out its pictures.

    Args:
        on_told_before: takes an incident that another worker told, whose evidence may be missing,
            and what there is of it.
        on_early: takes a fault that may become an incident soon, and what there is of it.
    """

    def __init__(
        self,
        cache: SegmentCache | None = None,
        on_picture: Callable[[Picture], None] | None = None,
        on_told_before: Callable[[IncidentOpened, Excerpt], None] | None = None,
        on_early: Callable[[IncidentRef, Excerpt], None] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache or SegmentCache()
        self._on_picture = on_picture
        self._on_told_before = on_told_before
        self._on_early = on_early
        self._clock = clock
        self._kept: dict[str, list[KeptSegment]] = {}
        self._pictured: float | None = None
        self.level = EvidenceLevel.NONE  # what evidence the stream's monitor wants
        # whether footage from before this worker's watch was fetched
        self.has_old_footage = False
        # faults that were handed out half way, the latest ones
        self.handed_out_early: dict[IncidentRef, None] = {}
        self.picture_interval_sec = DEFAULT_PICTURE_SEC

    def wants_picture(self) -> bool:
        """Whether the next segment's keyframe is wanted as a picture."""
        if self._on_picture is None or self.level is EvidenceLevel.NONE:
            return False
        return self._pictured is None or (
            self._clock() - self._pictured >= self.picture_interval_sec
        )

    def show(self, jpeg: bytes, taken_at: datetime) -> None:
        self._pictured = self._clock()
        if self._on_picture:
            self._on_picture(Picture(jpeg, taken_at))

    def keep(
        self, track: str, segment: Segment, starts_at: datetime, media: bytes, init_bytes: int
    ) -> None:
        """Keep the bytes of a segment, for as long as `forget_unneeded` leaves them."""
        if self.level is EvidenceLevel.NONE:
            self._kept.clear()
            return
        if is_additional(track) or (track == AUDIO and self.level not in CLIP_LEVELS):
            return  # no picture and no clip has any of it
        held = self._cache.put(media)
        kept = self._kept.setdefault(track, [])
        kept.append(KeptSegment(segment, starts_at, held, init_bytes))

    def forget_unneeded(self, state: WatchState) -> None:
        """Let go of the segments that no incident can need, as far as is known of the stream."""
        drafted = [it.incident.started_at for it in state.pending_events if it.incident]
        moments = [*faults_begun(state), *drafted]
        deferred = (it.detectors.video.deferred_from for it in state.tracks.values())
        unjudged_from = min((it.starts_at for it in deferred if it), default=None)
        for name, kept in self._kept.items():
            if self.level in CLIP_LEVELS:
                needed = _of_clips(kept, moments, unjudged_from)
            else:
                needed = _of_pictures(kept, moments, unjudged_from)
            self._kept[name] = needed

    def hand_out_early(self, faults: Iterable[IncidentRef]) -> None:
        """Hand out what there is of faults that are half way to their alert, once of each."""
        if self._on_early is None or self.level is EvidenceLevel.NONE:
            return
        for each in faults:
            if each not in self.handed_out_early:
                self.handed_out_early[each] = None
                self._on_early(each, self.excerpt(each.started_at))
        while len(self.handed_out_early) > MOST_HANDED_OUT_EARLY:
            del self.handed_out_early[next(iter(self.handed_out_early))]

    def forget(self, track: str) -> None:
        self._kept.pop(track, None)

    def take_over(self, told: Iterable[IncidentOpened]) -> None:
        """Hand out what there is of incidents that another worker `told`."""
        self.has_old_footage = True
        if self._on_told_before is None:
            return
        for each in told:
            self._on_told_before(each, self.excerpt(each.started_at))

    def excerpt(self, since: datetime) -> Excerpt:
        """What is kept of a fault that began at `since`."""
        begin = since - timedelta(seconds=BEFORE_SEC)
        tracks, is_cut = {}, False
        for name, kept in self._kept.items():
            wanted = [each for each in kept if each.ends_at > begin]
            there = tuple(each for each in wanted if each.held.media is not None)
            ends_at = wanted[-1].ends_at if wanted else since
            is_cut |= len(there) < len(wanted) or (ends_at - since).total_seconds() > MOST_CLIP_SEC
            is_cut |= self.level in CLIP_LEVELS and _has_hole(wanted)
            tracks[name] = there
        return Excerpt(tracks, is_cut)


def _has_hole(kept: Sequence[KeptSegment]) -> bool:
    numbers = [each.segment.sequence for each in kept]
    return any(later - earlier > 1 for earlier, later in pairwise(numbers))


def _of_clips(
    kept: Sequence[KeptSegment], begun: Sequence[datetime], unjudged_from: datetime | None
) -> list[KeptSegment]:
    """Return the segments of clips, and the latest ones, behind which a fault may begin."""
    if not kept:
        return []
    newest = kept[-1].ends_at
    windows = [(each, each + timedelta(seconds=MOST_CLIP_SEC)) for each in begun]
    windows.append((min(newest, unjudged_from or newest), newest))
    before = timedelta(seconds=BEFORE_SEC)
    return [
        each
        for each in kept
        if any(begin - before < each.ends_at and each.starts_at <= end for begin, end in windows)
    ]


def _of_pictures(
    kept: Sequence[KeptSegment], begun: Sequence[datetime], unjudged_from: datetime | None
) -> list[KeptSegment]:
    """Return the segments that hold first moments, those just before them, and the latest one."""
    last = len(kept) - 1
    needed = {last} | _places_near(kept, begun)
    if unjudged_from:
        needed |= {*range(_place_of(kept, unjudged_from) - 1, last)}
    # Of a segment that was measured in pieces, all of them: its keyframe may be in the first.
    numbers = {each.segment.sequence for place, each in enumerate(kept) if place in needed}
    return [each for each in kept if each.segment.sequence in numbers]


def near_moments(
    segments: Sequence[PlacedSegment], moments: Iterable[datetime]
) -> list[PlacedSegment]:
    """The segments that hold moments, and those just before them."""
    near = _places_near(segments, moments)
    return [each for place, each in enumerate(segments) if place in near]


def _places_near(segments: Sequence[PlacedSegment], moments: Iterable[datetime]) -> set[int]:
    places = {_place_of(segments, each) for each in moments}
    return places | {place - 1 for place in places}


def _place_of(kept: Sequence[PlacedSegment], moment: datetime) -> int:
    """Return the index of the segment that contains `moment`, or len(kept) if it is yet to come."""
    places = (place for place, each in enumerate(kept) if each.ends_at > moment)
    return next(places, len(kept))
