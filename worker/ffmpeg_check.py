"""Whether an ffmpeg that the settings name can be used; asked once, at the start."""

import asyncio
import re
from pathlib import Path

from runtime.errors import StartError

LEAST_VERSION = 6
ANSWER_SEC = 20.0

_RELEASE = re.compile(rb"ffmpeg version n?(\d+)\.")


async def check_ffmpeg(path: Path) -> None:
    """Return when `path` is an ffmpeg that is new enough.

    Raises:
        StartError: it is none, or too old.
    """
    output = await _version_output(path)
    if not output.startswith(b"ffmpeg version "):
        raise StartError(f"FFMPEG_PATH: {path} is no ffmpeg")
    release = _RELEASE.match(output)
    # A build between two releases carries no number (N-118000-g...): it is taken as it is.
    if release and int(release[1]) < LEAST_VERSION:
        raise StartError(
            f"FFMPEG_PATH: {path} is ffmpeg {release[1].decode()}, {LEAST_VERSION} is needed"
        )


async def _version_output(path: Path) -> bytes:
    try:
        process = await asyncio.create_subprocess_exec(
            *(str(path), "-version"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise StartError(f"FFMPEG_PATH: {path} cannot be run: {error.strerror}") from None
    try:
        async with asyncio.timeout(ANSWER_SEC):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise StartError(f"FFMPEG_PATH: {path} gives no answer") from None
    return output
