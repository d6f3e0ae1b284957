"""Fetching and measuring one segment."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from media.decoding.decode_slots import DecodeUsage
from media.decoding.errors import UndecodableSegment
from media.decoding.probe import Probe
from media.hls.playlist import Segment
from media.outbound.stream_client import MediaClient
from media.watching.footage import Footage
from media.watching.preroll import Lead
from media.watching.replay_journal import Journal
from media.watching.segment_fetcher import Growth, SegmentFetcher
from media.watching.segment_memory import MemoryBudget, SegmentCache
from monitors.measurement import ProbeContext, ReferenceSlates, SegmentMeasurement


@dataclass(frozen=True)
class SegmentSeen:
    """What became of one segment."""

    track: str
    segment: Segment
    # None when it could not be fetched or decoded; `error` then says why
    measurement: SegmentMeasurement | None
    error: str | None
    seen_at: datetime  # when its playlist named it first
    judged_at: datetime  # when it was measured, or had failed


SegmentListener = Callable[[SegmentSeen], None]


@dataclass(frozen=True)
class _Partial:
    """A segment that seems to have been fetched before it was whole."""

    size_bytes: int
    answer: "_Answer"


class _Answer(NamedTuple):
    """What a probe answered, and the context it was given."""

    found: SegmentMeasurement | UndecodableSegment
    context: ProbeContext | None


class SegmentProber:
    """Fetches the segments of one stream and has them measured."""

    def __init__(
        self,
        client: MediaClient,
        probe: Probe,
        *,
        segment_max_bytes: int,
        memory: MemoryBudget | None = None,
        cache: SegmentCache | None = None,
        slates: Callable[[], ReferenceSlates | None] = lambda: None,
        journal: Journal | None = None,
        footage: Footage | None = None,
    ) -> None:
        """Prepare to measure; without memory, cache or footage the stream has its own."""
        self.client = client
        self._probe = probe
        self._max_bytes = segment_max_bytes
        self._memory = memory or MemoryBudget(2 * segment_max_bytes)
        self._fetcher = SegmentFetcher(client, max_bytes=segment_max_bytes, memory=self._memory)
        self.mirrors = self._fetcher.mirrors
        self.cache = cache or SegmentCache()
        self._slates = slates
        self.journal = journal
        self.footage = footage or Footage()
        self._growth = Growth()
        self._turn = asyncio.Lock()
        self._usage = DecodeUsage()
        self._lead = Lead()

    def apart(self) -> "SegmentProber":
        """Return a prober for other renditions, within the same memory.

        It learns parameter sets, sizes and mirrors apart from this one.
        """
        other = SegmentProber(
            self.client,
            self._probe,
            segment_max_bytes=self._max_bytes,
            memory=self._memory,
            cache=self.cache,
            slates=self._slates,
        )
        other._turn, other._usage = self._turn, self._usage
        return other

    async def measure(
        self,
        segment: Segment,
        *,
        target_duration_sec: float,
        silence_db: float,
        context: ProbeContext | None = None,
        keep: Callable[[bytes, int], None] = lambda media, init_bytes: None,
    ) -> SegmentMeasurement:
        """Fetch and measure `segment`.

        Args:
            target_duration_sec: of its playlist; it bounds how long fetching may take.
            context: how closely to look; a segment that is skimmed goes into the cache.
            keep: is given the segment's bytes and the size of the initialization section there.

        Raises:
            FetchError: it could not be fetched, though tried more than once.
            UndecodableSegment: it could not be decoded.
            UnsupportedSegment: it is encrypted in a way that only licensed players can decrypt.
        """
        timeout_sec = self._fetcher.keep_pace(target_duration_sec)
        partial: _Partial | None = None
        while True:
            async with AsyncExitStack() as room:
                media = await self._fetcher.whole(room, segment, timeout_sec)
                if partial is None or len(media) > partial.size_bytes:
                    answer = await self._ask(room, media, segment, silence_db, context)
                else:
                    answer = partial.answer
                wait_sec = None if partial else self._growth.wait_sec(segment, answer.found)
                if wait_sec is None:
                    if partial:
                        self._growth.note(has_grown=len(media) > partial.size_bytes)
                    keep(media, len(self._fetcher.known_init(segment)))
                    return self._cached(media, segment, silence_db, answer)
                partial = _Partial(len(media), answer)
            await asyncio.sleep(wait_sec)

    async def _ask(
        self,
        room: AsyncExitStack,
        media: bytes,
        segment: Segment,
        silence_db: float,
        context: ProbeContext | None,
    ) -> _Answer:
        # One at a time: picture and sound of a stream must not take two turns from the others.
        await room.enter_async_context(self._turn)
        context = self._with_slates(self._lead.with_lead(context, segment))
        try:
            found = await self._probe.measure(
                media,
                duration_sec=segment.duration_sec,
                silence_db=silence_db,
                usage=self._usage,
                context=context,
            )
        except UndecodableSegment as error:
            return _Answer(error, context)
        return _Answer(found, context)

    def _with_slates(self, context: ProbeContext | None) -> ProbeContext | None:
        slates = self._slates()
        if slates is None:
            return context
        return (context or ProbeContext()).model_copy(update={"slates": slates})

    def _cached(
        self, media: bytes, segment: Segment, silence_db: float, answer: _Answer
    ) -> SegmentMeasurement:
        """Return what was found; keep the segment for the next, and for later if it was skimmed."""
        found, init = answer.found, self._fetcher.known_init(segment)
        measured = found if isinstance(found, SegmentMeasurement) else None
        self._lead.note(segment, media, init, measured)
        if measured and measured.is_skimmed:
            found = measured.model_copy(update={"cached": self.cache.put(media)})
        if self.journal:
            self.journal.note_probed(
                found,
                media,
                init_bytes=len(init),
                duration_sec=segment.duration_sec,
                silence_db=silence_db,
                context=answer.context,
            )
        if isinstance(found, UndecodableSegment):
            raise found
        return found

    async def fetch(self, segment: Segment, target_duration_sec: float) -> tuple[bytes, int]:
        """Return a segment behind its initialization section, and the size of that."""
        timeout_sec = self._fetcher.keep_pace(target_duration_sec)
        async with AsyncExitStack() as room:
            media = await self._fetcher.whole(room, segment, timeout_sec)
        return media, len(self._fetcher.known_init(segment))

    async def measure_again(self, skimmed: SegmentMeasurement) -> SegmentMeasurement | None:
        """Measure every frame of a skimmed segment; None where the cache has lost it."""
        if not skimmed.is_skimmed:
            return skimmed
        media = skimmed.cached.media if skimmed.cached else None
        if media is None:
            return None
        async with self._turn:
            context = self._with_slates(self._lead.with_sets())
            try:
                found = await self._probe.measure(
                    media,
                    duration_sec=skimmed.duration_sec,
                    silence_db=0.0,
                    usage=self._usage,
                    context=context,
                )
            except UndecodableSegment:
                return None
        if self.journal:
            self.journal.note_probed(
                found,
                media,
                init_bytes=0,
                duration_sec=skimmed.duration_sec,
                silence_db=0.0,
                context=context,
            )
        return found
