"""A player without a picture: it reads playlists with the project's own parser."""

from collections.abc import Sequence

import httpx

from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist, MediaPlaylist
from simulator.youtube import Video


async def fetch_master(client: httpx.AsyncClient, video: Video) -> MasterPlaylist:
    """Fetch what the site gives out at this moment."""
    url = video.look("IOS").manifest_url
    assert url
    playlist = parse_playlist((await fetch(client, url)).text, url)
    assert isinstance(playlist, MasterPlaylist)
    return playlist


async def lowest_url(client: httpx.AsyncClient, video: Video) -> str:
    """Return the first variant's media playlist."""
    return (await fetch_master(client, video)).variants[0].uri


async def fetch_media(client: httpx.AsyncClient, url: str) -> MediaPlaylist:
    """Fetch a media playlist."""
    playlist = parse_playlist((await fetch(client, url)).text, url)
    assert isinstance(playlist, MediaPlaylist)
    return playlist


async def fetch(client: httpx.AsyncClient, url: str) -> httpx.Response:
    """Fetch a URL; raises `httpx.HTTPStatusError` when it is refused."""
    return (await client.get(url)).raise_for_status()


def sequences(playlist: MediaPlaylist) -> Sequence[int]:
    """Return the media sequences that are listed."""
    return [segment.sequence for segment in playlist.segments]
