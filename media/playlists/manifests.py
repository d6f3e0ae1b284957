"""Reading DASH manifests: the large ones in a process that may die."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from pydantic import BaseModel, Field, ValidationError

from media.dash.to_hls import TrackPlaylist, read_manifest
from media.hls.errors import PlaylistError, PlaylistTooLarge
from media.hls.playlist import MasterPlaylist
from media.outbound.errors import FetchTimeout
from media.processes.run_once import Finished, Limits, ProcessFailed, run_bounded

LARGE_CHARS = 64 * 1024  # reading less takes at most 50 ms, crafted or not, and 5 as a rule
MEBI = 1024 * 1024
LIMITS = Limits(wall_sec=30, cpu_sec=10, memory_bytes=320 * MEBI, output_bytes=16 * MEBI)
"""A day of segments of 2 s in a timeline of 7 MiB takes 190 MiB."""

AT_ONCE = 2
MAX_WAIT_SEC = 15.0

_ERRORS = {kind.__name__: kind for kind in PlaylistError.__subclasses__()}


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


_slots = ReadingSlots(AT_ONCE)


class _Answer(BaseModel):
    """What `media.dash.__main__` says: a playlist or an error, and the processor time it took."""

    read_sec: float = Field(default=0.0, ge=0)
    master: MasterPlaylist | None = None
    track: TrackPlaylist | None = None
    error: str = ""
    message: str = ""


async def read_beside(
    text: str, final_url: str, *, url: str, limits: Limits = LIMITS
) -> tuple[MasterPlaylist | TrackPlaylist, float]:
    """Do as `media.dash.to_hls.read_manifest` does, now; also return the processor time it took."""
    now = datetime.now(UTC)
    if len(text) <= LARGE_CHARS:
        began_sec = time.thread_time()
        read = read_manifest(text, final_url, url=url, now=now)
        return read, time.thread_time() - began_sec
    head = json.dumps({"final_url": final_url, "url": url, "now": now.isoformat()})
    async with _slots.slot():
        return _read(await _run(f"{head}\n{text}".encode(), limits))


async def _run(stdin: bytes, limits: Limits) -> Finished:
    # Without site: it imports nothing that is installed, and starts sooner.
    command = (sys.executable, "-P", "-S", "-m", "media.dash")
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    try:
        return await run_bounded(command, stdin=stdin, limits=limits, env={"PYTHONPATH": path})
    except ProcessFailed as error:
        raise PlaylistTooLarge(f"the manifest is large and cannot be read: {error}") from None


def _read(finished: Finished) -> tuple[MasterPlaylist | TrackPlaylist, float]:
    try:
        answer = _Answer.model_validate_json(finished.stdout)
    except ValidationError:
        raise PlaylistTooLarge(
            f"the manifest takes too much time or memory (exit code {finished.returncode})"
        ) from None
    if read := answer.track or answer.master:
        return read, answer.read_sec
    raise _ERRORS.get(answer.error, PlaylistError)(answer.message)
