"""Reads the body of an upload into a file: bounded in bytes and time."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from fastapi import Request

from api.body import check_announced, too_large
from api.errors import ValidationFailed

WRITE_BYTES: Final = 1 << 20
BODY_SEC: Final = 60
HEAD_BYTES: Final = 16


@dataclass(frozen=True)
class Spooled:
    """A body that has come whole.

    Attributes:
        path: the file that has it.
        head: its first bytes.
    """

    path: Path
    size_bytes: int
    sha256: str
    head: bytes


@asynccontextmanager
async def spooled(request: Request, *, most_bytes: int) -> AsyncIterator[Spooled]:
    """Read the body of a request into a file that is gone at the end of the context.

    Raises:
        BodyTooLarge: over `most_bytes`; no more than that is kept.
        ValidationFailed: it is compressed, or does not come within `BODY_SEC`.
        OSError: there is no room for it.
    """
    check_announced(request, most_bytes)
    with tempfile.NamedTemporaryFile(prefix="evidence-") as file:
        try:
            async with asyncio.timeout(BODY_SEC):
                body = await _written(request, file, most_bytes)
        except TimeoutError:
            raise ValidationFailed(f"body: did not come within {BODY_SEC} s") from None
        yield body


async def _written(request: Request, file: IO[bytes], most_bytes: int) -> Spooled:
    digest, size_bytes, head = hashlib.sha256(), 0, b""
    waiting = bytearray()
    async for chunk in request.stream():
        size_bytes += len(chunk)
        if size_bytes > most_bytes:
            raise too_large(most_bytes)
        head = (head + chunk)[:HEAD_BYTES] if len(head) < HEAD_BYTES else head
        digest.update(chunk)
        waiting += chunk
        if len(waiting) >= WRITE_BYTES:
            await asyncio.to_thread(file.write, waiting)
            waiting = bytearray()
    await asyncio.to_thread(file.write, waiting)
    await asyncio.to_thread(file.flush)
    return Spooled(Path(file.name), size_bytes, digest.hexdigest(), head)
