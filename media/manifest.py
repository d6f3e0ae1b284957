"""A stream that is named by its manifest's own URL."""

import httpx

from media.hls.errors import PlaylistError
from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist, MediaPlaylist
from media.hls.renditions import Tracks, choose_renditions
from media.outbound.errors import AddressRefused, FetchError
from media.outbound.fetching import fetch_playlist
from media.sources import MediaUrls, Observation, SourceState
from monitors.detectors.media import Track

ABSENT_STATUSES = frozenset({404, 410})

_CARRIED: dict[Tracks, frozenset[Track]] = {
    # A stream that claims a picture alone is still missed its sound.
    Tracks.PICTURE_AND_SOUND: frozenset({"video", "audio"}),
    Tracks.PICTURE_ONLY: frozenset({"video", "audio"}),
    Tracks.SOUND_ONLY: frozenset({"audio"}),
}


class ManifestSource:
    """An HLS stream behind a master or a media playlist."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client

    async def observe(self) -> Observation:
        """Load the playlist, and of a master playlist the media playlist that is to be watched."""
        try:
            playlist, url = await self._load(self._url)
            if isinstance(playlist, MediaPlaylist):
                return _observed(playlist, MediaUrls(main=url))
            choice = choose_renditions(playlist)
            media = MediaUrls(
                main=choice.url, main_tracks=_CARRIED[choice.tracks], audio=choice.audio_url
            )
            chosen, _ = await self._load(choice.url)
        except FetchError as error:
            return _not_loaded(error)
        except PlaylistError as error:
            return _not_observed("bad_playlist", str(error))
        if isinstance(chosen, MasterPlaylist):
            return _not_observed("bad_playlist", "the master playlist names a master playlist")
        return _observed(chosen, media)

    async def _load(self, url: str) -> tuple[MasterPlaylist | MediaPlaylist, str]:
        fetched = await fetch_playlist(self._client, url)
        return parse_playlist(fetched.text, fetched.final_url), url


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
    return _not_observed(error.code, f"the manifest cannot be loaded: {error}")


def _not_observed(reason: str, message: str) -> Observation:
    return Observation(state=SourceState.NOT_OBSERVED, reason=reason, message=message)
