"""Watching one stream until something happens."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from media.sources import MediaUrls, Observation, Source, SourceState
from media.watch.segments import SegmentListener, SegmentMeter
from media.watch.state import AUDIO, MAIN, WatchState
from media.watch.track import PlaylistLost, TrackFollower
from monitors.config import MonitorConfig
from monitors.detectors.elapsed import Elapsed
from monitors.events import EndReason

LOOK_AGAIN_SEC = 2.0
MANIFEST_GONE_SEC = 90.0
"""A manifest that is gone this long ended its stream; an encoder comes back sooner."""

NOT_LIVE_LOOKS = 2
"""The source must say so this often in a row: never an end on a single bad answer."""


class StreamUnavailable(Exception):
    """The stream can never be watched; `reason` is a stable word, the message plain words."""

    def __init__(self, observation: Observation) -> None:
        super().__init__(observation.message)
        self.reason = observation.reason


class StreamWatch:
    """Watches one stream, from where `state` says, and keeps `state` current."""

    def __init__(
        self,
        source: Source,
        state: WatchState,
        *,
        config: MonitorConfig,
        meter: SegmentMeter,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_segment: SegmentListener | None = None,
    ) -> None:
        self._source = source
        self._state = state
        self._config = config
        self._meter = meter
        self._now = now
        self._on_segment = on_segment
        self._something_happened = asyncio.Event()

    async def run(self) -> EndReason | None:
        """Watch until the stream ends (then the reason) or `state.happened` has something to tell.

        Cancelling at any moment leaves `state` consistent.

        Raises:
            StreamUnavailable: the source says so, for good.
        """
        while not self._state.happened:
            observation = await self._source.observe()
            ended = self._judge(observation)
            if observation.media:
                ended = await self._follow(observation.media)
            if ended:
                return ended
            if not self._state.happened:
                await asyncio.sleep(max(LOOK_AGAIN_SEC, observation.look_again_sec or 0.0))
        return None

    def _judge(self, observation: Observation) -> EndReason | None:
        state = self._state
        if observation.state is SourceState.UNAVAILABLE and observation.is_permanent:
            raise StreamUnavailable(observation)
        if observation.state is SourceState.LIVE:
            return None
        if observation.state is SourceState.ENDED:
            state.not_live += 1
            is_over = state.not_live >= NOT_LIVE_LOOKS
            return EndReason.STREAM_NO_LONGER_LIVE if is_over else None
        if observation.state is SourceState.UPCOMING:
            return self._judge_absence()
        self._cannot_see(observation)
        return None

    def _judge_absence(self) -> EndReason | None:
        """Count the time that the manifest is gone: first suspended, in the end over."""
        state, at = self._state, self._now()
        state.gone = state.gone or Elapsed.since(at)
        gone_sec = state.gone.until(at)
        state.note(state.pace.observed(False, at, state.target_duration_sec, self._config), at)
        return EndReason.MANIFEST_GONE if gone_sec >= MANIFEST_GONE_SEC else None

    def _cannot_see(self, observation: Observation) -> None:
        state, at = self._state, self._now()
        state.unknown_because = observation.message
        error = f"source: {observation.message}"
        state.note(state.errors.failed(error, at, self._config), at)

    async def _follow(self, media: MediaUrls) -> EndReason | None:
        """Follow the playlists until they end or one is lost, or something happens."""
        self._something_happened.clear()
        urls = self._take_up(media)
        following = asyncio.create_task(self._follow_all(urls))
        happened = asyncio.create_task(self._something_happened.wait())
        try:
            await asyncio.wait([following, happened], return_when=asyncio.FIRST_COMPLETED)
            return following.result() if following.done() else None
        finally:
            await _cancel(following, happened)

    async def _follow_all(self, urls: dict[str, str]) -> EndReason | None:
        ended: EndReason | None = EndReason.ENDLIST_DETECTED
        try:
            async with asyncio.TaskGroup() as followers:
                for name, url in urls.items():
                    followers.create_task(self._follower(name, url).follow())
        except* PlaylistLost:
            ended = None
        return ended

    def _follower(self, name: str, url: str) -> TrackFollower:
        return TrackFollower(
            name,
            url,
            state=self._state,
            config=self._config,
            meter=self._meter,
            now=self._now,
            on_change=self._something_happened.set,
            on_segment=self._on_segment,
        )

    def _take_up(self, media: MediaUrls) -> dict[str, str]:
        """Fit the state to where the media is now and what it carries; return URLs by track."""
        state = self._state
        if state.broadcast != media.broadcast:
            state.begin_broadcast(media.broadcast)
        if media.audio is None:
            state.carry({MAIN: media.main_tracks})
            urls = {MAIN: media.main}
        else:
            state.carry({MAIN: media.main_tracks - {"audio"}, AUDIO: frozenset({"audio"})})
            urls = {MAIN: media.main, AUDIO: media.audio}
        for name, url in urls.items():
            state.tracks[name].read_from(url)
        return urls


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
