"""Reads the body of an upload, a large one into a file: bounded in bytes and time."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from fastapi import Request

from api.body import check_announced, read_body, too_large
from api.errors import ValidationFailed

WRITE_BYTES: Final = 1 << 20  # what may not be larger needs no file
BODY_SEC: Final = 60
HEAD_BYTES: Final = 16


@dataclass(frozen=True)
class Spooled:
    """A body that has come whole: its bytes, or the file that has them, and its first bytes."""

    content: bytes | Path
    size_bytes: int
    sha256: str
    head: bytes

    @property
    def path(self) -> Path:
        assert isinstance(self.content, Path)  # noqa: S101
        return self.content


@asynccontextmanager
async def spooled(request: Request, *, most_bytes: int) -> AsyncIterator[Spooled]:
    """Read the body of a request, where it may be large into a file, which is gone at the end.

    Raises:
        BodyTooLarge: over `most_bytes`; no more than that is kept.
        ValidationFailed: it is compressed, or does not come within `BODY_SEC`.
        OSError: there is no room for it.
    """
    with ExitStack() as stack:
        try:
            async with asyncio.timeout(BODY_SEC):
                body = await _read(request, stack, most_bytes)
        except TimeoutError:
            raise ValidationFailed(f"body: did not come within {BODY_SEC} s") from None
        yield body


async def _read(request: Request, stack: ExitStack, most_bytes: int) -> Spooled:
    if most_bytes <= WRITE_BYTES:
        body = await read_body(request, most_bytes=most_bytes)
        return Spooled(body, len(body), hashlib.sha256(body).hexdigest(), body[:HEAD_BYTES])
    check_announced(request, most_bytes)
    file = tempfile.NamedTemporaryFile(prefix="evidence-", buffering=0)  # noqa: SIM115
    stack.enter_context(file)
    return await _written(request, file, most_bytes)


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
    return Spooled(Path(file.name), size_bytes, digest.hexdigest(), head)
