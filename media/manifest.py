"""A stream that is named by its manifest's own URL."""

import asyncio
from datetime import datetime

import httpx

from media.hls.errors import PlaylistError
from media.hls.playlist import MasterPlaylist, MediaPlaylist
from media.hls.renditions import Tracks, choose_renditions
from media.outbound.errors import AddressRefused, FetchError
from media.playlists import load_playlist
from media.sources import MediaUrls, Observation, SourceState
from monitors.detectors.media import Track
from monitors.polling import next_look_sec

ABSENT_STATUSES = frozenset({404, 410})

_CARRIED: dict[Tracks, frozenset[Track]] = {
    # A stream that claims a picture alone is still missed its sound.
    Tracks.PICTURE_AND_SOUND: frozenset({"video", "audio"}),
    Tracks.PICTURE_ONLY: frozenset({"video", "audio"}),
    Tracks.SOUND_ONLY: frozenset({"audio"}),
}


class ManifestSource:
    """An HLS stream behind a master or a media playlist.

    Args:
        url: of the playlist.
        client: fetches it.
        looks: each look whether the stream is live takes one of these, however many streams wait:
            a playlist may be large.
    """

    def __init__(
        self, url: str, client: httpx.AsyncClient, *, looks: asyncio.Semaphore | None = None
    ) -> None:
        self._url = url
        self._client = client
        self._looks = looks or asyncio.Semaphore()

    async def observe(self, *, afresh: bool = False) -> Observation:
        """Load the playlist, and of a master playlist the media playlist that is to be watched."""
        try:
            playlist = await self._load(self._url)
            if isinstance(playlist, MediaPlaylist):
                return _observed(playlist, MediaUrls(main=self._url))
            media = chosen_media(playlist)
            chosen = await self._load(media.main)
        except FetchError as error:
            return _not_loaded(error)
        except PlaylistError as error:
            return _failed("bad_playlist", str(error))
        if isinstance(chosen, MasterPlaylist):
            return _failed("bad_playlist", "the master playlist names a master playlist")
        return _observed(chosen, media)

    async def observe_status(self, *, urgent: bool = False) -> Observation:
        """Look as `observe` does: there is nothing cheaper."""
        async with self._looks:
            return await self.observe()

    def next_look_sec(
        self,
        seen: Observation,
        *,
        now: datetime,
        waiting_since: datetime,
        scheduled_start: datetime | None,
        chance: float,
    ) -> float:
        """Return the wait by the schedule (see `media.sources.Source`)."""
        return next_look_sec(
            now, waiting_since=waiting_since, scheduled_start=scheduled_start, chance=chance
        )

    async def _load(self, url: str) -> MasterPlaylist | MediaPlaylist:
        return await load_playlist(self._client, url)


def chosen_media(playlist: MasterPlaylist) -> MediaUrls:
    """Return where the rendition is that costs least to watch.

    Raises:
        NoVariant: the playlist names none.
    """
    choice = choose_renditions(playlist)
    carried = _CARRIED[choice.tracks]
    return MediaUrls(main=choice.url, main_tracks=carried, audio=choice.audio_url)


def _observed(playlist: MediaPlaylist, media: MediaUrls) -> Observation:
    if playlist.segments:
        return Observation(state=SourceState.LIVE, media=media)
    if playlist.ended:
        return Observation(
            state=SourceState.ENDED, reason="empty", message="the playlist has ended and is empty"
        )
    return Observation(
        state=SourceState.UPCOMING, reason="no_segment", message="no segment is published yet"
    )


def _not_loaded(error: FetchError) -> Observation:
    if isinstance(error, AddressRefused):
        return Observation(
            state=SourceState.UNAVAILABLE,
            reason=error.code,
            message=str(error),
            is_permanent=True,
        )
    if error.status in ABSENT_STATUSES:
        message = f"there is no manifest: it {error}"
        return Observation(state=SourceState.UPCOMING, reason=error.code, message=message)
    return _failed(error.code, f"the manifest cannot be loaded: {error}")


def _failed(reason: str, message: str) -> Observation:
    return Observation(
        state=SourceState.NOT_OBSERVED, reason=reason, message=message, is_fault=True
    )
