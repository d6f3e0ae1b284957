"""Fetching a playlist and reading it, without keeping other streams waiting."""

import asyncio

import httpx

from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist, MediaPlaylist
from media.outbound.fetching import fetch_playlist

LARGE_CHARS = 128 * 1024
"""Reading so much takes some 50 ms; anything larger is read in a thread, beside the event loop."""


async def load_playlist(client: httpx.AsyncClient, url: str) -> MasterPlaylist | MediaPlaylist:
    """Fetch and read a playlist.

    Raises:
        FetchError: see `media.outbound`.
        PlaylistError: see `media.hls.parser`.
    """
    fetched = await fetch_playlist(client, url)
    if len(fetched.text) <= LARGE_CHARS:
        return parse_playlist(fetched.text, fetched.final_url)
    return await asyncio.to_thread(parse_playlist, fetched.text, fetched.final_url)
