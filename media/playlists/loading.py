"""Fetching a playlist or manifest and reading it, without keeping other streams waiting."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from pydantic import BaseModel, Field, ValidationError

from media.dash.mpd_parser import is_manifest
from media.dash.to_hls import TrackPlaylist, read_manifest
from media.hls.errors import PlaylistError, PlaylistTooLarge
from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist, MediaPlaylist
from media.hls.variables import imported_by
from media.outbound.bodies import room_for_large
from media.outbound.errors import FetchTimeout, TooLarge
from media.outbound.fetching import (
    PLAYLIST_MAX_BYTES,
    PLAYLIST_TIMEOUT_SEC,
    FetchedPlaylist,
    Mirrors,
    fetch_playlist,
)
from media.outbound.stream_client import MediaClient
from media.playlists.live_edge import published
from media.processes.run_once import Finished, Limits, ProcessFailed, run_bounded

LARGE_CHARS = 128 * 1024  # some milliseconds; anything larger is read beside the event loop
LARGE_MAX_BYTES = 8 * 1024 * 1024  # a day of 2 s segments
LARGE_AT_ONCE = 4  # playlists over `LARGE_CHARS` that are read at the same time: some 24 MiB each
LARGE_MANIFEST_CHARS = 64 * 1024  # less takes at most 50 ms, crafted or not, and 5 as a rule
MEBI = 1024 * 1024
MANIFEST_LIMITS = Limits(wall_sec=30, cpu_sec=10, memory_bytes=320 * MEBI, output_bytes=16 * MEBI)
"""A day of segments of 2 s in a timeline of 7 MiB takes 190 MiB."""

MANIFESTS_AT_ONCE = 2
MAX_WAIT_SEC = 15.0

_ERRORS = {kind.__name__: kind for kind in PlaylistError.__subclasses__()}


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
    async with _playlist_slots.slot():
        return await asyncio.to_thread(parse)


class ReadingSlots:
    """Bounds how many large playlists a process reads at once, whichever streams they belong to."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            WeakKeyDictionary()
        )

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        free = self._by_loop.setdefault(loop, asyncio.Semaphore(self._at_once))
        try:
            async with asyncio.timeout(MAX_WAIT_SEC):
                await free.acquire()
        except TimeoutError:
            raise FetchTimeout("too many large playlists are being read") from None
        try:
            yield
        finally:
            free.release()


_playlist_slots = ReadingSlots(LARGE_AT_ONCE)
_manifest_slots = ReadingSlots(MANIFESTS_AT_ONCE)


class _Answer(BaseModel):
    """What `media.dash.__main__` says: a playlist or an error, and the processor time it took."""

    read_sec: float = Field(default=0.0, ge=0)
    master: MasterPlaylist | None = None
    track: TrackPlaylist | None = None
    error: str = ""
    message: str = ""


async def read_beside(
    text: str, final_url: str, *, url: str, limits: Limits = MANIFEST_LIMITS
) -> tuple[MasterPlaylist | TrackPlaylist, float]:
    """Do as `media.dash.to_hls.read_manifest` does, now; also return the processor time it took."""
    now = datetime.now(UTC)
    if len(text) <= LARGE_MANIFEST_CHARS:
        began_sec = time.thread_time()
        read = read_manifest(text, final_url, url=url, now=now)
        return read, time.thread_time() - began_sec
    head = json.dumps({"final_url": final_url, "url": url, "now": now.isoformat()})
    async with _manifest_slots.slot():
        return _read_answer(await _run(f"{head}\n{text}".encode(), limits))


async def _run(stdin: bytes, limits: Limits) -> Finished:
    # Without site: it imports nothing that is installed, and starts sooner.
    command = (sys.executable, "-P", "-S", "-m", "media.dash")
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    try:
        return await run_bounded(command, stdin=stdin, limits=limits, env={"PYTHONPATH": path})
    except ProcessFailed as error:
        raise PlaylistTooLarge(f"the manifest is large and cannot be read: {error}") from None


def _read_answer(finished: Finished) -> tuple[MasterPlaylist | TrackPlaylist, float]:
    try:
        answer = _Answer.model_validate_json(finished.stdout)
    except ValidationError:
        raise PlaylistTooLarge(
            f"the manifest takes too much time or memory (exit code {finished.returncode})"
        ) from None
    if read := answer.track or answer.master:
        return read, answer.read_sec
    raise _ERRORS.get(answer.error, PlaylistError)(answer.message)
