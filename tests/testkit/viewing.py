"""Watching channels of the live origin as the activity does it, and remembering what was seen."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from media.decoding.probe import Probe
from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.sources.direct import ManifestSource
from media.sources.source import Source
from media.watching import (
    ResumeHint,
    SegmentCache,
    SegmentProber,
    SegmentSeen,
    StreamWatch,
    WatchState,
)
from monitors.config import MonitorConfig
from monitors.events import EndReason, EventDraft
from simulator.origin import TINY, Clock, Programme, render
from simulator.origin.clock import as_datetime
from tests.testkit.engines import opened

SEGMENT_MAX_BYTES = 1024 * 1024
PATIENCE_SEC = 90
TOUCHY = MonitorConfig(
    blackout_threshold_sec=3, silence_threshold_sec=3, freeze_threshold_sec=4, recovery_sec=1.5
)


@dataclass
class Studio:
    """What every watch needs; `now` is the origin's clock, which may run faster than ours."""

    client: httpx.AsyncClient
    probe: Probe
    clock: Clock

    def now(self) -> datetime:
        return as_datetime(self.clock.now())


@contextlib.asynccontextmanager
async def studio(clock: Clock, *, skims: bool = True) -> AsyncIterator[Studio]:
    guard = OutboundGuard(allow_private_networks=True)
    async with media_client(guard) as client, opened(with_loudness=not skims) as probe:
        await _warm_up(probe)
        yield Studio(client, probe, clock)


async def _warm_up(probe: Probe) -> None:
    """Have the decoders started before anything is on air: a busy machine takes seconds for it."""
    segment = render(Programme.of([("normal", 1.0)], TINY)).segments[0]
    measured = (
        probe.measure(segment.data, duration_sec=1.0, silence_db=-50)
        for _ in range(os.cpu_count() or 1)
    )
    await asyncio.gather(*measured)


@dataclass
class Viewer:
    """Watches one stream to its end, or until told to stop.

    Attributes:
        told: what happened, as far as it was told.
        hint: goes from one look to the next, as it does on one worker.
        seen: the segments, measured or failed, in order.
    """

    studio: Studio
    source: Source
    config: MonitorConfig = TOUCHY
    state: WatchState = field(default_factory=WatchState)
    told: list[EventDraft] = field(default_factory=list)
    seen: list[SegmentSeen] = field(default_factory=list)
    ended: EndReason | None = None
    hint: ResumeHint = field(default_factory=ResumeHint)
    cache: SegmentCache = field(default_factory=SegmentCache)

    @classmethod
    def of(cls, studio: Studio, url: str, config: MonitorConfig = TOUCHY) -> "Viewer":
        return cls(studio, ManifestSource(url, studio.client), config)

    async def look(self) -> None:
        """Watch until something happens, and tell it."""
        prober = SegmentProber(
            self.studio.client,
            self.studio.probe,
            segment_max_bytes=SEGMENT_MAX_BYTES,
            cache=self.cache,
        )
        watch = StreamWatch(
            self.source,
            self.state,
            config=self.config,
            prober=prober,
            now=self.studio.now,
            on_segment=self.seen.append,
            hint=self.hint,
        )
        self.ended = await watch.run()
        self.told += self.state.pending_events
        self.state.pending_events.clear()

    async def to_the_end(self) -> "Viewer":
        async with asyncio.timeout(PATIENCE_SEC):
            while self.ended is None:
                await self.look()
        return self

    async def until(self, condition: Callable[["Viewer"], bool]) -> "Viewer":
        """Watch until a condition holds, judged on the quiet."""
        watching = asyncio.create_task(self.to_the_end())
        try:
            async with asyncio.timeout(PATIENCE_SEC):
                while not condition(self) and not watching.done():
                    await asyncio.sleep(0.02)
            if watching.done():
                watching.result()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        return self

    @property
    def types(self) -> list[str]:
        return [happening.event_type.value for happening in self.told]

    def sequences(self, track: str = "main") -> list[int]:
        return [each.segment.sequence for each in self.seen if each.track == track]

    def failed(self) -> list[int]:
        return [each.segment.sequence for each in self.seen if each.error]

    def data(self, event_type: str) -> dict[str, Any]:
        """Return the data of the only event of a type."""
        (found,) = [each for each in self.told if each.event_type.value == event_type]
        return found.data


async def together(viewers: Mapping[str, Awaitable[Viewer]]) -> dict[str, Viewer]:
    """Watch all at the same time."""
    results: Sequence[Viewer] = await asyncio.gather(*viewers.values())
    return dict(zip(viewers, results, strict=True))


def moment(text: str) -> float:
    """Return unix seconds of a timestamp in an event's data."""
    return datetime.fromisoformat(text).timestamp()
