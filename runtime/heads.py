"""HTTP as uvicorn speaks it, with a bound on what a client sends before a body.

httptools keeps all of it in memory and sets no limit. Anybody may connect: a key is looked for only
when the head is complete.
"""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 64 * 1024
"""Of the request line and the headers; what comes in one read may be more."""


class BoundedHeads(HttpToolsProtocol):
    """Answers 400 to a head that does not end, and passes over what follows a body as headers."""

    _is_in_head = False
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Read what came, unless the head is too long with it."""
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.send_400_response("The headers are too long.")

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Count no more: bodies have bounds of their own."""
        self._is_in_head = False
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, but none that comes after a body."""
        if self._is_in_head:
            super().on_header(name, value)
