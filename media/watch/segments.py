"""Fetching and measuring one segment."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from media.hls.playlist import Encryption, InitSegment, Part, Segment
from media.outbound.errors import FetchError, TooLarge
from media.outbound.fetching import fetch_segment
from media.outbound.stream_client import MediaClient
from media.probe import Pace, Probe, UndecodableSegment
from media.watch.growth import Growth
from media.watch.keys import SegmentKeys, UnsupportedSegment, supported_key_uri
from media.watch.leads import Lead
from media.watch.memory import MemoryBudget
from media.watch.mirrors import Mirrors
from media.watch.recent import RecentSegments, name_of
from monitors.measurement import Glance, SegmentMeasurement

RETRY_DELAYS_SEC = (0.5, 1.0)
"""A segment may be a moment later than the playlist that names it."""

HURRIED_BELOW_SEC = 2.0
"""With a shorter target duration the delays are shorter in proportion, down to half: while segments
fail, a watch must not fall behind."""

RETRIED_CODES = frozenset(
    {"http_401", "http_403", "http_404", "http_5xx", "connection", "truncated"}
)
LOOK_BACK_SEC = 4.0
"""For a segment that was fetched before: what is published since waits for it."""

MIN_FETCH_SEC = 6.0
MAX_FETCH_SEC = 30.0
INIT_MAX_BYTES = 1024 * 1024
FIRST_EXPECTED_BYTES = 4 * 1024 * 1024
LEAST_EXPECTED_BYTES = 1024 * 1024
INITS_KEPT = 4
"""Of picture and sound, and of what comes after a discontinuity."""


@dataclass(frozen=True)
class SegmentSeen:
    """What became of one segment, for people who look on.

    Attributes:
        track: `main` or `audio`.
        measurement: None when it could not be fetched or decoded; `error` then says why.
        seen_at: when its playlist named it first.
        judged_at: when that became of it.
    """

    track: str
    segment: Segment
    measurement: SegmentMeasurement | None
    error: str | None
    seen_at: datetime
    judged_at: datetime


SegmentListener = Callable[[SegmentSeen], None]


@dataclass(frozen=True)
class _Partial:
    """A segment that was fetched before it was whole, as it seems."""

    size_bytes: int
    found: SegmentMeasurement | UndecodableSegment


class SegmentMeter:
    """Fetches the segments of one stream and has them measured."""

    def __init__(
        self,
        client: MediaClient,
        probe: Probe,
        *,
        segment_max_bytes: int,
        memory: MemoryBudget | None = None,
        recent: RecentSegments | None = None,
    ) -> None:
        """Prepare to measure.

        Args:
            client: fetches.
            probe: measures.
            segment_max_bytes: a larger segment is refused.
            memory: of all streams of this process; without it the stream has room of its own.
            recent: segments of all streams of this process; likewise.
        """
        self.client = client
        self._probe = probe
        self._max_bytes = segment_max_bytes
        self._memory = memory or MemoryBudget(2 * segment_max_bytes)
        self.recent = recent or RecentSegments()
        self._expected_bytes = min(FIRST_EXPECTED_BYTES, segment_max_bytes)
        self._keys = SegmentKeys(client)
        self._mirrors = Mirrors(client)
        self._growth = Growth()
        self._inits: OrderedDict[InitSegment, bytes] = OrderedDict()
        self._retry_share = 1.0
        self._turn = asyncio.Lock()
        self._pace = Pace()
        self._lead = Lead()

    async def measure(
        self,
        segment: Segment,
        *,
        target_duration_sec: float,
        silence_db: float,
        glance: Glance | None = None,
    ) -> SegmentMeasurement:
        """Fetch and measure `segment`.

        Args:
            segment: as its playlist names it.
            target_duration_sec: of its playlist; it bounds how long fetching may take.
            silence_db: sound that stays under this level is silence, in dBFS.
            glance: of the segments before; a segment whose picture can be judged later is kept.

        Raises:
            FetchError: it could not be fetched, though tried more than once.
            UndecodableSegment: it could not be decoded.
            UnsupportedSegment: it is encrypted in a way that not everybody can decrypt.
        """
        self._retry_share = min(1.0, max(0.5, target_duration_sec / HURRIED_BELOW_SEC))
        timeout_sec = min(max(2 * target_duration_sec, MIN_FETCH_SEC), MAX_FETCH_SEC)
        partial: _Partial | None = None
        while True:
            async with AsyncExitStack() as room:
                media = await self._whole(room, segment, timeout_sec)
                if partial is None or len(media) > partial.size_bytes:
                    found = await self._found(room, media, segment, silence_db, glance)
                else:
                    found = partial.found
                wait_sec = None if partial else self._growth.wait_sec(segment, found)
                if wait_sec is None:
                    if partial:
                        self._growth.note(has_grown=len(media) > partial.size_bytes)
                    return self._kept(media, segment, found, glance)
                partial = _Partial(len(media), found)
            await asyncio.sleep(wait_sec)

    async def _found(
        self,
        room: AsyncExitStack,
        media: bytes,
        segment: Segment,
        silence_db: float,
        glance: Glance | None,
    ) -> SegmentMeasurement | UndecodableSegment:
        """Have a segment measured, with what it may need of those before."""
        # One at a time: picture and sound of a stream must not take two turns from the others.
        await room.enter_async_context(self._turn)
        try:
            return await self._probe.measure(
                media,
                duration_sec=segment.duration_sec,
                silence_db=silence_db,
                pace=self._pace,
                glance=self._lead.with_lead(glance, segment),
            )
        except UndecodableSegment as error:
            return error

    def _kept(
        self,
        media: bytes,
        segment: Segment,
        found: SegmentMeasurement | UndecodableSegment,
        glance: Glance | None,
    ) -> SegmentMeasurement:
        """Keep a segment for the next, and until its picture is judged; return what was found.

        Raises:
            UndecodableSegment: nothing was.
        """
        init = self._inits.get(segment.init, b"") if segment.init else b""
        if isinstance(found, UndecodableSegment):
            self._lead.note(segment, media, init, None)
            raise found
        self._lead.note(segment, media, init, found)
        if glance is None or not glance.is_later(found):
            return found
        known = None if found.is_skimmed else found
        return found.kept(self.recent.keep(media, known))

    async def look_back(
        self, name: str, segment: Segment | None, duration_sec: float
    ) -> SegmentMeasurement | None:
        """Return what is in a skimmed segment; None where it cannot be had any more.

        Args:
            name: it was kept as.
            segment: where it may be fetched again; None when no playlist names it now.
            duration_sec: what its playlist said of it.
        """
        try:
            async with AsyncExitStack() as room:
                recent = self.recent.find(name)
                if recent and recent.measurement:
                    return recent.measurement
                media = recent.segment if recent else None
                if media is None and segment is not None:
                    async with asyncio.timeout(LOOK_BACK_SEC):
                        media = await self._whole(room, segment, MIN_FETCH_SEC)
                if media is None or name_of(media) != name:
                    return None
                await room.enter_async_context(self._turn)
                return await self._probe.measure(
                    media,
                    duration_sec=duration_sec,
                    silence_db=0.0,
                    pace=self._pace,
                    glance=self._lead.with_sets(),
                )
        except (FetchError, TimeoutError, UndecodableSegment, UnsupportedSegment):
            return None

    async def _whole(self, room: AsyncExitStack, segment: Segment, timeout_sec: float) -> bytes:
        """Return the segment behind its initialization section, decrypted; `room` has its size."""
        if segment.encryption:
            supported_key_uri(segment.encryption)
        init = await self._init_section(segment, timeout_sec)
        fetched = await self._fetch_into(room, segment, timeout_sec)
        return init + await self._decrypted(fetched, segment.encryption, segment, timeout_sec)

    async def _fetch_into(
        self, room: AsyncExitStack, segment: Segment, timeout_sec: float
    ) -> bytes:
        """Fetch when there is memory, which `room` holds from then on.

        First as much as the stream's last segments let expect; a larger segment gives that back
        and is fetched again with memory for the largest.
        """
        for size_bytes in dict.fromkeys((self._expected_bytes, self._max_bytes)):
            async with AsyncExitStack() as attempt:
                reserved = await attempt.enter_async_context(self._memory.reserved(size_bytes))
                try:
                    media = await self._fetch(segment, timeout_sec, size_bytes)
                except TooLarge:
                    if size_bytes == self._max_bytes:
                        raise
                    continue
                reserved.shrink(len(media))
                self._expect(len(media))
                room.push_async_exit(attempt.pop_all())
                return media
        raise AssertionError("the last size is the largest")

    def _expect(self, size_bytes: int) -> None:
        """Expect twice the size of the last segment, or nearly what was expected of that."""
        expected = max(2 * size_bytes, self._expected_bytes * 9 // 10, LEAST_EXPECTED_BYTES)
        self._expected_bytes = min(expected, self._max_bytes)

    async def _fetch(self, segment: Segment, timeout_sec: float, max_bytes: int) -> bytes:
        for delay_sec in RETRY_DELAYS_SEC:
            try:
                return await self._fetch_once(segment, timeout_sec, max_bytes)
            except FetchError as error:
                if error.code not in RETRIED_CODES:
                    raise
            await asyncio.sleep(self._retry_share * delay_sec)
        return await self._fetch_once(segment, timeout_sec, max_bytes)

    async def _fetch_once(self, segment: Segment, timeout_sec: float, max_bytes: int) -> bytes:
        if segment.is_piece:
            return await self._fetch_parts(segment.parts, timeout_sec, max_bytes)
        return await self._mirrors.fetch(
            (segment.uri, *segment.mirrors),
            byte_range=segment.byte_range,
            max_bytes=max_bytes,
            total_timeout_sec=timeout_sec,
        )

    async def _fetch_parts(
        self, parts: Sequence[Part], timeout_sec: float, max_bytes: int
    ) -> bytes:
        """Fetch one after the other: in a piece of a second there are few."""
        fetched: list[bytes] = []
        for part in parts:
            part_bytes = await fetch_segment(
                self.client,
                part.uri,
                byte_range=part.byte_range,
                max_bytes=max_bytes - sum(map(len, fetched)),
                total_timeout_sec=timeout_sec,
            )
            fetched.append(part_bytes)
        return b"".join(fetched)

    async def _init_section(self, segment: Segment, timeout_sec: float) -> bytes:
        """Return what belongs before the segment (EXT-X-MAP); fetched when it changes."""
        init = segment.init
        if init is None:
            return b""
        if init not in self._inits:
            fetched = await self._mirrors.fetch(
                (init.uri, *init.mirrors),
                byte_range=init.byte_range,
                max_bytes=INIT_MAX_BYTES,
                total_timeout_sec=timeout_sec,
            )
            self._inits[init] = await self._decrypted(
                fetched, init.encryption, segment, timeout_sec
            )
            while len(self._inits) > INITS_KEPT:
                self._inits.popitem(last=False)
        return self._inits[init]

    async def _decrypted(
        self, data: bytes, encryption: Encryption | None, segment: Segment, timeout_sec: float
    ) -> bytes:
        return await self._keys.decrypted(
            data, encryption, sequence=segment.sequence, timeout_sec=timeout_sec
        )
