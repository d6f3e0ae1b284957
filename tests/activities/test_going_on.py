"""After an event the next watch goes on without asking for anything twice, on the same worker."""

import asyncio
import dataclasses
import json
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.declarations import WatchInput, WatchOutcome, WatchResult
from activities.recent_watches import MAX_KEPT, RecentWatch, RecentWatches
from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.outbound.stream_client import StreamClient
from media.watching import ResumeHint, SegmentProber
from monitors.config import MonitorConfig
from simulator.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, render
from tests.activities.watching import Worker, worker
from tests.testkit.engines import opened

SCENES = [("normal", 10.0), ("black", 2.0)]
"""The incident opens with the last segment, so that there is nothing left to do."""

CONFIG = MonitorConfig(
    blackout_threshold_sec=2,
    silence_threshold_sec=0,
    recovery_sec=1,
    check_interval_sec=60,
)

CHECKPOINT_SEC = 60.0
SOON_SEC = 3.0
DUE_SEC = SCENES[0][1]
"""A playlist of these segments is not due before this, however far apart looks may be."""


def on_air(origin: LiveOrigin) -> str:
    programme = render(Programme.of(SCENES, TINY))
    count = len(programme.segments)
    options = ChannelOptions(at_end=AtEnd.STALL, window_segments=count, backlog_segments=count)
    return origin.add("live", programme, options=options).url


async def watch(
    parts: Worker,
    url: str,
    state: dict[str, Any] | None,
    *,
    heartbeat: Any = None,
    checkpoint_sec: float = CHECKPOINT_SEC,
) -> WatchResult:
    environment = ActivityEnvironment()
    details = [heartbeat] if heartbeat else []
    environment.info = dataclasses.replace(environment.info, heartbeat_details=details)
    order = WatchInput(
        monitor_id="mon-1",
        stream_url=url,
        config=CONFIG,
        state=state,
        checkpoint_sec=checkpoint_sec,
    )
    async with asyncio.timeout(60):
        returned: WatchResult = await environment.run(
            parts.watching.watch_stream,
            WatchInput.model_validate_json(order.model_dump_json()),
        )
    return returned


def playlists(origin: LiveOrigin) -> list[float]:
    """Return when playlists were asked for."""
    return [each.at for each in origin.requests("live", ending=".m3u8")]


async def test_the_next_watch_of_the_same_state_asks_for_nothing_before_it_is_due() -> None:
    async with LiveOrigin() as origin, worker() as parts:
        url = on_air(origin)
        first = await watch(parts, url, None)
        assert first.outcome is WatchOutcome.EVENTS_READY
        asked = playlists(origin)
        state = json.loads(json.dumps(first.state))
        second = await watch(parts, url, state, checkpoint_sec=SOON_SEC)
        assert second.outcome is WatchOutcome.CHECKPOINT
        assert all(at - asked[-1] >= DUE_SEC for at in playlists(origin)[len(asked) :])
        segments = [each.path for each in origin.requests("live", ending=".ts")]
        assert len(segments) == len(set(segments)) == second.statistics.total_segments_analyzed


async def test_after_another_worker_it_finds_everything_anew() -> None:
    async with LiveOrigin() as origin, worker() as here, worker() as elsewhere:
        url = on_air(origin)
        first = await watch(here, url, None)
        second = await watch(elsewhere, url, first.state, checkpoint_sec=SOON_SEC)
        asked = playlists(origin)
        await watch(here, url, second.state, checkpoint_sec=SOON_SEC)
        assert len(playlists(origin)) >= len(asked) + 2


async def test_an_attempt_that_goes_on_from_a_heartbeat_finds_everything_anew() -> None:
    async with LiveOrigin() as origin, worker() as parts:
        url = on_air(origin)
        first = await watch(parts, url, None)
        asked = playlists(origin)
        await watch(parts, url, first.state, heartbeat=first.state, checkpoint_sec=SOON_SEC)
        assert len(playlists(origin)) >= len(asked) + 2


async def test_the_cache_of_watches_is_bounded_and_each_is_taken_once() -> None:
    async with media_client(OutboundGuard(True)) as shared, opened() as probe:
        client = StreamClient(shared)
        watch = RecentWatch(
            client, SegmentProber(client, probe, segment_max_bytes=1024), ResumeHint()
        )
        cache = RecentWatches()
        for number in range(MAX_KEPT + 10):
            cache.put(f"mon-{number}", {"number": number}, watch)
        assert len(cache) == MAX_KEPT
        assert cache.pop("mon-0", {"number": 0}) is None
        assert cache.pop("mon-500", {"number": 500}) is watch
        assert cache.pop("mon-500", {"number": 500}) is None
        assert cache.pop("mon-501", {"number": 7}) is None
        assert cache.pop("mon-501", {"number": 501}) is None
