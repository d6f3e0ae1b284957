"""Which source a stream URL means."""

import httpx

from media.manifest import ManifestSource
from media.sources import Source


class SourceFinder:
    """Makes the source that a stream URL means."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    def find(self, stream_url: str) -> Source:
        """Return the source of `stream_url`."""
        return ManifestSource(stream_url, self._client)
