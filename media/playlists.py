"""Fetching a playlist or manifest and reading it, without keeping other streams waiting."""

import asyncio
from collections.abc import Collection

from media.dash.parser import is_manifest
from media.dash.playlists import TrackPlaylist
from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist, MediaPlaylist
from media.live_edge import published
from media.outbound.fetching import fetch_playlist
from media.outbound.stream_client import MediaClient
from media.reading import read_beside

LARGE_CHARS = 128 * 1024
"""Reading so much takes some 50 ms; anything larger is read in a thread, beside the event loop."""


async def load_playlist(
    client: MediaClient, url: str, *, known: Collection[str] = ()
) -> MasterPlaylist | MediaPlaylist:
    """Fetch and read a playlist, or a DASH manifest as the playlist that says the same.

    Args:
        client: fetches.
        url: of a playlist, a manifest, or one of its tracks (`media.dash.playlists.Track`).
        known: identities of segments that were seen before.

    Raises:
        FetchError: see `media.outbound`.
        PlaylistError: see `media.hls.parser`.
    """
    fetched = await fetch_playlist(client, url)
    if is_manifest(fetched.text):
        read = await read_beside(fetched.text, fetched.final_url, url=url)
        return await published(client, read, known) if isinstance(read, TrackPlaylist) else read
    if len(fetched.text) <= LARGE_CHARS:
        return parse_playlist(fetched.text, fetched.final_url)
    return await asyncio.to_thread(parse_playlist, fetched.text, fetched.final_url)
