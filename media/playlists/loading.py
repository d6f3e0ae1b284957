"""Fetching a playlist or manifest and reading it, without keeping other streams waiting."""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass

from media.dash.mpd_parser import is_manifest
from media.dash.to_hls import TrackPlaylist
from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist, MediaPlaylist
from media.hls.variables import imported_by
from media.outbound.bodies import room_for_large
from media.outbound.errors import TooLarge
from media.outbound.fetching import (
    PLAYLIST_MAX_BYTES,
    PLAYLIST_TIMEOUT_SEC,
    FetchedPlaylist,
    Mirrors,
    fetch_playlist,
)
from media.outbound.stream_client import MediaClient
from media.playlists.live_edge import published
from media.playlists.manifests import ReadingSlots, read_beside

LARGE_CHARS = 128 * 1024  # some milliseconds; anything larger is read beside the event loop
LARGE_MAX_BYTES = 8 * 1024 * 1024  # a day of 2 s segments
LARGE_AT_ONCE = 4  # playlists over `LARGE_CHARS` that are read at the same time: some 24 MiB each
_slots = ReadingSlots(LARGE_AT_ONCE)  # of the process, whichever streams use them


@dataclass(frozen=True, slots=True)
class LoadedPlaylist:
    """A playlist, or a DASH manifest as the playlist that says the same."""

    playlist: MasterPlaylist | MediaPlaylist
    read_sec: float = 0.0  # processor time that reading took
    is_large: bool = False  # whether it has over `PLAYLIST_MAX_BYTES`


async def load_playlist(client: MediaClient, url: str) -> MasterPlaylist | MediaPlaylist:
    return (await load_again(client, url)).playlist


async def load_again(
    client: MediaClient,
    url: str,
    *,
    known: Collection[str] = (),
    previous: MediaPlaylist | None = None,
    is_large: bool = False,
    timeout_sec: float = PLAYLIST_TIMEOUT_SEC,
    mirrors: Mirrors | None = None,
) -> LoadedPlaylist:
    """Fetch and read a playlist that may have been loaded before.

    Args:
        url: of a playlist, a manifest, or one of its tracks (`media.dash.presentation.Track`).
        known: identities of segments that were seen before.
        is_large: it was large before. Otherwise that is found out by one more request.
    """
    mirrors = mirrors or Mirrors(client)
    if not is_large:
        try:
            fetched = await fetch_playlist(client, url, total_timeout_sec=timeout_sec)
            read, read_sec = await _read(fetched, url, previous)
        except TooLarge:
            is_large = True
    if is_large:
        async with room_for_large() as room:
            fetched = await fetch_playlist(
                client, url, max_bytes=LARGE_MAX_BYTES, total_timeout_sec=timeout_sec, room=room
            )
            read, read_sec = await _read(fetched, url, previous)
            is_large = len(fetched.text) > PLAYLIST_MAX_BYTES
    if isinstance(read, TrackPlaylist):  # this asks other servers: without the room
        read = await published(mirrors, read, known)
    return LoadedPlaylist(read, read_sec, is_large)


async def _read(
    fetched: FetchedPlaylist, url: str, previous: MediaPlaylist | None
) -> tuple[MasterPlaylist | MediaPlaylist | TrackPlaylist, float]:
    if is_manifest(fetched.text):
        return await read_beside(fetched.text, fetched.final_url, url=url)
    return await _read_hls(fetched, url, previous)


async def _read_hls(
    fetched: FetchedPlaylist, url: str, previous: MediaPlaylist | None
) -> tuple[MasterPlaylist | MediaPlaylist, float]:
    def parse() -> tuple[MasterPlaylist | MediaPlaylist, float]:
        began_sec, variables = time.thread_time(), imported_by(url)
        playlist = parse_playlist(
            fetched.text, fetched.final_url, imported=variables, previous=previous
        )
        return playlist, time.thread_time() - began_sec

    if len(fetched.text) <= LARGE_CHARS:
        return parse()
    async with _slots.slot():
        return await asyncio.to_thread(parse)
