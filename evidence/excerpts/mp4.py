"""Writing an MP4 in memory, with what players need first at its beginning."""

import io
from typing import Any

import av
from av.container import OutputContainer

from evidence.excerpts.protocol import MOST_CLIP_BYTES, TOO_LARGE


class _Bounded(io.BytesIO):
    def write(self, data: Any) -> int:
        if self.tell() + len(data) > MOST_CLIP_BYTES:
            raise MemoryError(TOO_LARGE)
        return super().write(data)


class _View:
    """The same bytes with a place of its own: ffmpeg reads what it wrote to move it."""

    def __init__(self, written: io.BytesIO) -> None:
        self._written = written
        self._place = 0

    def read(self, size: int) -> bytes:
        with self._written.getbuffer() as buffer:
            data = bytes(buffer[self._place : self._place + size])
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._place}
        self._place = offset + bases.get(whence, self._written.getbuffer().nbytes)
        return self._place

    def tell(self) -> int:
        return self._place

    def close(self) -> None:
        """Do nothing: the bytes belong to the writer."""


class Mp4Writer:
    """An MP4 of at most `MOST_CLIP_BYTES`."""

    def __init__(self) -> None:
        self._written = _Bounded()
        self.container: OutputContainer = av.open(
            self._written,
            "w",
            format="mp4",
            container_options={"movflags": "+faststart"},
            io_open=lambda url, flags, options: _View(self._written),
        )

    def finish(self) -> bytes:
        self.container.close()
        return self._written.getvalue()
