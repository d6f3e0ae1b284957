"""A YouTube video as the watch sees it: found once, then left alone while segments advance."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from media.hls.errors import PlaylistError
from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist
from media.outbound.errors import FetchError
from media.outbound.fetching import fetch_playlist
from media.outbound.stream_client import MediaClient
from media.sources.direct import ABSENT_STATUSES, media_of
from media.sources.source import MediaUrls, Observation, SourceState
from media.sources.youtube.poll_schedule import poll_delay_sec
from media.sources.youtube.site import BUSY
from media.sources.youtube.url_store import UrlStore
from media.sources.youtube.video_source import YouTubeSource

MOST_TRIED = 4
"""Renditions that are asked for, while those before are gone."""

REMEMBERED = 1000
ENDED_AGAIN_SEC = 30.0
LOOK_AGAIN_SEC = 60.0
OFFLINE_AGAIN_SEC = 20.0
"""Within the shortest live window: an encoder that reconnects loses no segment."""

OFFLINE_GRACE_SEC = 300.0
"""A live stream that goes offline may come back: the site itself waits for about a minute."""

SHORT_LIFE_SEC = 5.0
"""Media that is lost again so soon was never good: the next look waits longer."""

LOST_AGAIN_SEC = (0.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""Waits after the first, second, ... find in a row that was no good; the last repeats."""


@dataclass(frozen=True)
class _Found:
    """A find, when it was, and how many short-lived ones there were before it in a row."""

    seen: Observation
    at: datetime
    short_lived: int

    @property
    def wait_sec(self) -> float:
        """How long to wait before the next look, should this be lost."""
        return LOST_AGAIN_SEC[min(self.short_lived, len(LOST_AGAIN_SEC) - 1)]


class MediaCache:
    """Where the media of each video was found; of one worker, as the URLs are bound to its address.

    Args:
        kept: from before a restart; without it, they are in memory only, as they are signed.
    """

    def __init__(self, kept: UrlStore | None = None) -> None:
        self._found: OrderedDict[str, _Found] = OrderedDict()
        self._kept = kept

    def recall(self, video_id: str, now: datetime) -> Observation | None:
        """Return what was found, unless it has expired."""
        found = self._found.get(video_id)
        if found is None:
            return self._recall_kept(video_id, now)
        if found.seen.media is None:
            return None
        expires_at = found.seen.media.expires_at
        return None if expires_at and expires_at <= now else found.seen

    def refused(self, video_id: str, seen: Observation, now: datetime) -> Observation:
        """Return `seen` with the wait that media demands that could not even be loaded once.

        What was found before is kept: it may work on.
        """
        before = self._found.get(video_id) or _Found(seen, now, 0)
        found = replace(before, at=now, short_lived=max(1, _short_lived(before, now)))
        self._keep(video_id, found)
        return replace(seen, retry_after_sec=found.wait_sec)

    def remember(self, video_id: str, seen: Observation, now: datetime) -> Observation:
        """Keep what was seen, the oldest is forgotten when there are too many.

        Return it with the wait that it demands, should it be lost: looks must not chase each other
        where a video is live and its media refused.
        """
        before = self._found.get(video_id)
        found = _Found(seen, now, _short_lived(before, now))
        found = replace(found, seen=replace(seen, retry_after_sec=found.wait_sec))
        self._keep(video_id, found)
        if self._kept and seen.media and seen.state is SourceState.LIVE:
            self._kept.write(video_id, seen.media, now)
        return found.seen

    def _recall_kept(self, video_id: str, now: datetime) -> Observation | None:
        media = self._kept.read(video_id, now) if self._kept else None
        if media is None:
            return None
        found = _Found(Observation(state=SourceState.LIVE, media=media), now, 0)
        self._keep(video_id, found)
        return found.seen

    def _keep(self, video_id: str, found: _Found) -> None:
        self._found[video_id] = found
        self._found.move_to_end(video_id)
        while len(self._found) > REMEMBERED:
            self._found.popitem(last=False)


def _short_lived(before: _Found | None, now: datetime) -> int:
    if before is None:
        return 0
    lived_sec = (now - before.at).total_seconds() - before.wait_sec
    return before.short_lived + 1 if lived_sec < SHORT_LIFE_SEC else 0


class YouTubeStream:
    """One video; see `media.sources.source.Source`."""

    def __init__(
        self, video_id: str, source: YouTubeSource, client: MediaClient, found: MediaCache
    ) -> None:
        self._video_id = video_id
        self._source = source
        self._client = client
        self._found = found

    async def observe(self, *, refresh: bool = False) -> Observation:
        """Return what was found before, or look."""
        known = None if refresh else self._found.recall(self._video_id, datetime.now(UTC))
        if known:
            return known
        seen = _politely(await self._source.observe())
        if seen.media is None:
            return seen
        try:
            seen = await self._first_that_loads(seen, seen.media)
        except (FetchError, PlaylistError) as error:
            if seen.state is SourceState.ENDED:
                return replace(seen, media=None)
            failed = Observation(
                state=SourceState.NOT_OBSERVED,
                reason="no_playlist",
                message=f"the stream's playlist cannot be loaded: {error}",
                title=seen.title,
                is_fault=True,
            )
            return self._found.refused(self._video_id, failed, datetime.now(UTC))
        return self._found.remember(self._video_id, seen, datetime.now(UTC))

    async def observe_status(self, *, priority: bool = False) -> Observation:
        """Ask in one request where the site lets us."""
        return _politely(await self._source.observe_status(priority=priority))

    def poll_delay_sec(
        self,
        seen: Observation,
        *,
        now: datetime,
        waiting_since: datetime,
        scheduled_start: datetime | None,
        chance: float,
    ) -> float:
        """Return the wait by the schedule, as the site will bear it."""
        return poll_delay_sec(
            now=now,
            scheduled_start=scheduled_start,
            site_start=seen.starts_at,
            chance=chance,
            demanded_sec=seen.retry_after_sec if seen.state is SourceState.NOT_OBSERVED else None,
        )

    async def _first_that_loads(self, seen: Observation, preferred: MediaUrls) -> Observation:
        """Return `seen` with media whose playlist is there.

        Only one that is gone is passed over: what is refused is so for all of them.

        Raises:
            FetchError, PlaylistError: what was said of the preferred one.
        """
        passed_over: dict[str, str] = {}
        gone: FetchError | None = None
        for media in (seen.renditions or (preferred,))[:MOST_TRIED]:
            try:
                ladder = await self._renditions(media)
            except FetchError as error:
                if error.status not in ABSENT_STATUSES:
                    raise
                gone = gone or error
                passed_over[media.rendition] = error.code
            else:
                told = ladder if len(ladder) > 1 else seen.renditions
                return replace(seen, media=ladder[0], renditions=told, passed_over=passed_over)
        assert gone is not None  # noqa: S101  # at least one was asked for
        raise gone

    async def _renditions(self, media: MediaUrls) -> tuple[MediaUrls, ...]:
        """Return the media playlists behind `media.main` where that is a master playlist."""
        fetched = await fetch_playlist(self._client, media.main)
        playlist = parse_playlist(fetched.text, fetched.final_url)
        if not isinstance(playlist, MasterPlaylist):
            return (media,)
        return tuple(
            replace(each, broadcast=media.broadcast, expires_at=media.expires_at)
            for each in media_of(playlist)
        )


def _politely(seen: Observation) -> Observation:
    if seen.state is SourceState.LIVE or seen.reason == BUSY:
        return seen
    if seen.state is SourceState.UPCOMING:
        return replace(seen, retry_after_sec=OFFLINE_AGAIN_SEC, grace_sec=OFFLINE_GRACE_SEC)
    least_sec = ENDED_AGAIN_SEC if seen.state is SourceState.ENDED else LOOK_AGAIN_SEC
    return replace(seen, retry_after_sec=max(least_sec, seen.retry_after_sec or 0.0))
