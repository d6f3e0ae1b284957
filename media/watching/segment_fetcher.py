"""Fetching one stream's segments, with what belongs before them, and whether one still grows."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AsyncExitStack

from media.decoding.errors import UndecodableSegment
from media.hls.playlist import Encryption, InitSegment, Part, Segment
from media.outbound.errors import FetchError, TooLarge
from media.outbound.fetching import Mirrors, fetch_segment
from media.outbound.stream_client import MediaClient
from media.watching.decryption import SegmentKeys, supported_key_uri
from media.watching.segment_memory import MemoryBudget
from monitors.measurement import SegmentMeasurement

RETRY_DELAYS_SEC = (0.5, 1.0)  # a segment may be a moment later than the playlist that names it
HURRIED_BELOW_SEC = 2.0
"""With a shorter target duration the delays are shorter in proportion, down to half: while segments
fail, a watch must not fall behind."""

RETRIED_CODES = frozenset(
    {"http_401", "http_403", "http_404", "http_5xx", "connection", "truncated"}
)
MIN_FETCH_SEC = 6.0
MAX_FETCH_SEC = 30.0
INIT_MAX_BYTES = 1024 * 1024
FIRST_EXPECTED_BYTES = 4 * 1024 * 1024
LEAST_EXPECTED_BYTES = 1024 * 1024
INITS_KEPT = 4  # those of video and audio, before and after a discontinuity


class SegmentFetcher:
    def __init__(self, client: MediaClient, *, max_bytes: int, memory: MemoryBudget) -> None:
        self._client = client
        self._max_bytes = max_bytes
        self._memory = memory
        self._expected_bytes = min(FIRST_EXPECTED_BYTES, max_bytes)
        self._keys = SegmentKeys(client)
        self.mirrors = Mirrors(client)
        self._inits: OrderedDict[InitSegment, bytes] = OrderedDict()
        self._retry_share = 1.0

    def keep_pace(self, target_duration_sec: float) -> float:
        """Retry as fast as a stream needs it; return how long fetching a segment may take."""
        self._retry_share = min(1.0, max(0.5, target_duration_sec / HURRIED_BELOW_SEC))
        return min(max(2 * target_duration_sec, MIN_FETCH_SEC), MAX_FETCH_SEC)

    def known_init(self, segment: Segment) -> bytes:
        """The initialization section of a segment that was just fetched."""
        return self._inits.get(segment.init, b"") if segment.init else b""

    async def whole(self, room: AsyncExitStack, segment: Segment, timeout_sec: float) -> bytes:
        """Return the segment behind its initialization section, decrypted; `room` has its size."""
        if segment.encryption:
            supported_key_uri(segment.encryption)
        init = await self._init_section(segment, timeout_sec)
        fetched = await self._fetch_into(room, segment, timeout_sec)
        return init + await self._decrypted(fetched, segment.encryption, segment, timeout_sec)

    async def _fetch_into(
        self, room: AsyncExitStack, segment: Segment, timeout_sec: float
    ) -> bytes:
        """Fetch when there is memory, which `room` holds from then on."""
        # First as much as the stream's last segments let expect; a larger segment gives that back
        # and is fetched again with memory for the largest.
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
        return await self.mirrors.fetch(
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
                self._client,
                part.uri,
                byte_range=part.byte_range,
                max_bytes=max_bytes - sum(map(len, fetched)),
                total_timeout_sec=timeout_sec,
            )
            fetched.append(part_bytes)
        return b"".join(fetched)

    async def _init_section(self, segment: Segment, timeout_sec: float) -> bytes:
        init = segment.init
        if init is None:
            return b""
        if init not in self._inits:
            fetched = await self.mirrors.fetch(
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


WHOLE_SHARE = 0.9
"""A whole segment has at least this share of its declared duration: packagers cut at keyframes, and
the duration in a template is that of the average segment."""

LONGEST_WAIT_SEC = 10.0
NOT_AGAIN_FOR = 10  # short segments of a stream, after one that was short and whole


class Growth:
    def __init__(self) -> None:
        self._whole_ones = 0

    def wait_sec(
        self, segment: Segment, found: SegmentMeasurement | UndecodableSegment
    ) -> float | None:
        """Return how long it takes until a segment should be whole; None where it is, or was."""
        # What is written in real time is whole when what is missing has passed.
        found_sec = _shortest_sec(found) if isinstance(found, SegmentMeasurement) else 0.0
        if not segment.may_grow or found_sec >= WHOLE_SHARE * segment.duration_sec:
            return None
        if self._whole_ones:
            self._whole_ones -= 1
            return None
        return min(segment.duration_sec - found_sec, LONGEST_WAIT_SEC)

    def note(self, *, has_grown: bool) -> None:
        self._whole_ones = 0 if has_grown else NOT_AGAIN_FOR


def _shortest_sec(found: SegmentMeasurement) -> float:
    """Return how much there is of each track; sound may lie behind all pictures."""
    tracks = ((found.has_video, found.video_sec), (found.has_audio, found.audio_sec))
    return min((length_sec for is_there, length_sec in tracks if is_there), default=0.0)
