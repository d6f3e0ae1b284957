"""Running live sources: a folder each, and the processes that fill it."""

import asyncio
import contextlib
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import imageio_ffmpeg

from benchmarks.field.programme import base_file
from benchmarks.field.recipes import Recipe

INTERLEAVE_USEC = 200_000
"""How long the muxer waits for a track that has stopped: a live encoder does not wait either."""


def ffmpeg_command(recipe: Recipe, cache: Path) -> list[str]:
    """Return the command that plays the programme in real time into the current folder."""
    return [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", "-nostdin", "-re"),
        *("-i", str(base_file(cache, recipe.codecs)), "-c", "copy"),
        *("-max_interleave_delta", str(INTERLEAVE_USEC), *recipe.options, recipe.output),
    ]


@asynccontextmanager
async def running(command: Sequence[str], folder: Path) -> AsyncIterator[Process]:
    """Run a source in `folder`; end it with the context. What it says is in `source.log`."""
    with (folder / "source.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
