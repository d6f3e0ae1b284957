"""A YouTube video as a source: resolved once, then left alone while segments advance."""

from dataclasses import replace
from datetime import UTC, datetime

from media.hls.errors import PlaylistError
from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist
from media.outbound.errors import FetchError
from media.outbound.fetching import fetch_playlist
from media.outbound.stream_client import MediaClient
from media.sources.direct import ABSENT_STATUSES, media_of
from media.sources.source import MediaUrls, Observation, SourceState
from media.sources.youtube.media_cache import MediaCache
from media.sources.youtube.resolver_options import PollDepth
from media.sources.youtube.site import BUSY, YouTubeSite

MAX_RENDITIONS_TRIED = 4  # renditions whose playlists are loaded, while those before are gone
ENDED_AGAIN_SEC = 30.0
LOOK_AGAIN_SEC = 60.0
OFFLINE_AGAIN_SEC = 20.0  # within the shortest live window: a reconnecting encoder loses nothing
OFFLINE_GRACE_SEC = 300.0  # a stream may come back: the site itself waits for about a minute


class YouTubeSource:
    """One video; see `media.sources.source.Source`."""

    def __init__(
        self, video_id: str, site: YouTubeSite, client: MediaClient, cache: MediaCache
    ) -> None:
        self._video_id = video_id
        self._site = site
        self._client = client
        self._cache = cache

    async def observe(self, *, refresh: bool = False) -> Observation:
        """Return what was found before, or ask the site."""
        known = None if refresh else self._cache.recall(self._video_id, datetime.now(UTC))
        if known:
            return known
        seen = _with_retry_after(await self._site.observe(self._video_id, PollDepth.MEDIA))
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
            return self._cache.refused(self._video_id, failed, datetime.now(UTC))
        return self._cache.remember(self._video_id, seen, datetime.now(UTC))

    async def observe_status(self, *, priority: bool = False) -> Observation:
        """Ask the site, in one request where it allows that."""
        return _with_retry_after(
            await self._site.observe(self._video_id, PollDepth.STATUS, background=not priority)
        )

    def poll_delay_sec(
        self,
        seen: Observation,
        *,
        now: datetime,
        waiting_since: datetime,
        scheduled_start: datetime | None,
        chance: float,
    ) -> float:
        failed = seen.state is SourceState.NOT_OBSERVED
        return poll_delay_sec(
            now=now,
            scheduled_start=scheduled_start,
            site_start=seen.starts_at,
            chance=chance,
            retry_after_sec=seen.retry_after_sec if failed else None,
        )

    async def _first_that_loads(self, seen: Observation, preferred: MediaUrls) -> Observation:
        """Return `seen` with media whose playlist is there."""
        # Only a rendition that is gone is passed over: a refusal holds for all of them.
        passed_over: dict[str, str] = {}
        first_error: FetchError | None = None
        for media in (seen.renditions or (preferred,))[:MAX_RENDITIONS_TRIED]:
            try:
                ladder = await self._renditions(media)
            except FetchError as error:
                if error.status not in ABSENT_STATUSES:
                    raise
                first_error = first_error or error
                passed_over[media.rendition] = error.code
            else:
                renditions = ladder if len(ladder) > 1 else seen.renditions
                return replace(
                    seen, media=ladder[0], renditions=renditions, passed_over=passed_over
                )
        assert first_error is not None  # noqa: S101  # at least one was tried
        raise first_error

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


def _with_retry_after(seen: Observation) -> Observation:
    if seen.state is SourceState.LIVE or seen.reason == BUSY:
        return seen
    if seen.state is SourceState.UPCOMING:
        return replace(seen, retry_after_sec=OFFLINE_AGAIN_SEC, grace_sec=OFFLINE_GRACE_SEC)
    least_sec = ENDED_AGAIN_SEC if seen.state is SourceState.ENDED else LOOK_AGAIN_SEC
    return replace(seen, retry_after_sec=max(least_sec, seen.retry_after_sec or 0.0))


_FAR_SHARE = 0.2
_FAR_MIN_SEC = 5 * 60.0
_FAR_MAX_SEC = 15 * 60.0
_NEAR_SEC = 5 * 60.0
_CLOSE_SEC = 60.0
_WAITS_BEFORE = (60.0, 30.0)
_LATE_WAITS = ((10 * 60.0, 10.0), (60 * 60.0, 30.0), (6 * 3600.0, 120.0))  # up to a lateness
_VERY_LATE_SEC = _FAR_MIN_SEC
_UNKNOWN_START_SEC = 60.0
_USER_START_HOLDS_SEC = 5 * 60.0
_JITTER = 0.2


def poll_delay_sec(
    *,
    now: datetime,
    scheduled_start: datetime | None,
    site_start: datetime | None,
    chance: float,
    retry_after_sec: float | None = None,
) -> float:
    """Return the wait until the next poll of a video that is not live yet.

    Every 5 to 15 minutes while the start is far, never jumping over the fifth minute before it;
    then every 60 s, in the last minute every 30 s, and every 10 s when it is late, slower the later
    it is. Without any start it is a minute.

    Args:
        scheduled_start: what the user expects.
        site_start: what the site says. It counts where it is given: broadcasters reschedule.
            The user's start counts too, until five minutes after it.
        chance: a random number from 0 to 1, which varies the wait by 20 % either way.
    """
    waits = [
        _plain_wait_sec((start - now).total_seconds())
        for start in _starts(now, scheduled_start, site_start)
    ]
    wait = min(waits, default=_UNKNOWN_START_SEC) * (1 + _JITTER * (2 * chance - 1))
    return max(wait, retry_after_sec or 0.0)


def _starts(now: datetime, scheduled: datetime | None, site: datetime | None) -> list[datetime]:
    if scheduled and site:
        is_stale = (now - scheduled).total_seconds() > _USER_START_HOLDS_SEC
        return [site] if is_stale else [site, scheduled]
    return [start for start in (scheduled, site) if start]


def _plain_wait_sec(ahead_sec: float) -> float:
    if ahead_sec > _NEAR_SEC:
        far = min(_FAR_MAX_SEC, max(_FAR_MIN_SEC, ahead_sec * _FAR_SHARE))
        # Divided by the longest jitter, so that the near time begins with a poll.
        return max(min(far, (ahead_sec - _NEAR_SEC) / (1 + _JITTER)), _WAITS_BEFORE[1])
    if ahead_sec > 0:
        return _WAITS_BEFORE[0] if ahead_sec > _CLOSE_SEC + _WAITS_BEFORE[0] else _WAITS_BEFORE[1]
    for lateness_sec, wait_sec in _LATE_WAITS:
        if -ahead_sec < lateness_sec:
            return wait_sec
    return _VERY_LATE_SEC
