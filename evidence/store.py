"""Where the files of evidence lie: a folder, or a bucket.

A bucket's client reads its own environment (`AWS_ACCESS_KEY_ID`, `GOOGLE_APPLICATION_CREDENTIALS`,
`AZURE_STORAGE_ACCOUNT_NAME`, …), and the credentials of the machine.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

if TYPE_CHECKING:
    from obstore.store import ObjectStore

BUCKET: Final = re.compile(r"(?:s3|gs|az)://[^/]+(?:/.*)?")
NO_STORE: Final = "none"
PIECE_BYTES: Final = 256 * 1024
PARTS_AT_ONCE: Final = 2
CONNECT_SEC: Final = 5
ANSWER_SEC: Final = 60
RETRY_SEC: Final = 15

# EDQUOT and ENOSPC, as Rust writes them.
_FULL = re.compile(r"os error (?:28|122)\b")


class StoreFailed(Exception):
    """A file cannot be kept or read now: `store_full`, `store_unavailable`, `no_store`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class FileMissing(Exception):
    """The store has no such file."""


class FileStore:
    """Keeps files by name; a file is there whole or not at all. Without a store it has none."""

    def __init__(self, store: "ObjectStore | None") -> None:
        self._store = store

    async def put(self, name: str, content: bytes | Path) -> None:
        """Keep a file, in place of one of that name; raise `StoreFailed` where it is not kept."""
        if self._store is None:
            raise StoreFailed("no_store", "EVIDENCE_STORE is none")
        try:
            with _translated():
                await obstore.put_async(self._store, name, content, max_concurrency=PARTS_AT_ONCE)
        except FileMissing as error:  # the bucket is meant
            raise StoreFailed("store_unavailable", str(error).partition("\n")[0]) from None

    async def pieces(self, name: str, *, start: int, end: int) -> AsyncIterator[bytes]:
        """Return the bytes of a file from `start` to before `end`, piece by piece.

        Raises:
            FileMissing: there is none.
            StoreFailed: the store does not answer; also while the pieces are read.
        """
        if self._store is None:
            raise FileMissing(name)
        with _translated():
            found = await obstore.get_async(self._store, name, options={"range": (start, end)})
        return _pieces(found.stream(min_chunk_size=PIECE_BYTES))

    async def delete(self, name: str) -> None:
        """Remove a file, if it is there; after `StoreFailed` it still may be."""
        if self._store is None:
            return
        try:
            with _translated():
                await obstore.delete_async(self._store, name)
        except FileMissing:
            pass


def open_file_store(location: str) -> FileStore:
    """Open the store of `EVIDENCE_STORE`; nothing is asked yet of a bucket.

    Raises:
        ValueError: no folder that can be made, or no bucket.
    """
    if location == NO_STORE:
        return FileStore(None)
    if "://" not in location:
        return FileStore(_folder(Path(location)))
    if not BUCKET.fullmatch(location):
        raise ValueError(
            "must be a folder, s3://BUCKET/PREFIX, gs://BUCKET, az://CONTAINER, or none"
        )
    return FileStore(_bucket(location))


def _folder(path: Path) -> "ObjectStore":
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"cannot use {path}: {error.strerror}") from None
    return LocalStore(path.absolute(), automatic_cleanup=True)


def _bucket(url: str) -> "ObjectStore":
    options: dict[str, Any] = {
        "client_options": {
            "connect_timeout": timedelta(seconds=CONNECT_SEC),
            "timeout": timedelta(seconds=ANSWER_SEC),
            "allow_http": True,  # of a store beside us; the operator names it
        },
        "retry_config": {"max_retries": 3, "retry_timeout": timedelta(seconds=RETRY_SEC)},
    }
    if url.startswith("s3://"):  # one file at a time is removed, and not every store knows the call
        options["disable_bulk_delete"] = True
    try:
        store: ObjectStore = from_url(url, **options)
    except BaseError as error:
        raise ValueError(str(error).partition("\n")[0]) from None
    return store


async def _pieces(stream: Any) -> AsyncIterator[bytes]:
    with _translated():
        async for piece in stream:
            yield bytes(piece)


@contextmanager
def _translated() -> Iterator[None]:
    """Translate what the library raises: `BaseError` and, for files, exceptions of Python."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileMissing(str(error)) from None
    except (BaseError, OSError) as error:
        message = str(error).partition("\n")[0]
        is_full = _FULL.search(message) is not None
        raise StoreFailed("store_full" if is_full else "store_unavailable", message) from None
