"""Fetching for one stream: with its own request headers, through the client that all share."""

from collections.abc import Mapping
from typing import Protocol

import httpx

from monitors.stream_url import DEFAULT_PORTS

SENT_EVERYWHERE = frozenset({"accept", "accept-language", "dnt", "origin", "referer", "user-agent"})
"""Headers that say who asks. All others may be secrets of one site."""


class MediaClient(Protocol):
    """What playlists and segments are fetched with: `httpx.AsyncClient`, or one of a stream."""

    def build_request(
        self, method: str, url: httpx.URL, *, headers: Mapping[str, str]
    ) -> httpx.Request:
        """Return the request, with what the client adds to `headers`."""
        ...

    async def send(
        self, request: httpx.Request, *, stream: bool, follow_redirects: bool
    ) -> httpx.Response:
        """Send it."""
        ...


class StreamClient:
    """Adds a stream's request headers to each request, redirects, keys and segments included.

    As browsers and curl do, what may be a secret (Authorization, Cookie, and all that is not in
    `SENT_EVERYWHERE`) goes to the origin of the stream's URL alone: its scheme, host and port, or
    the same host after a redirect from http to https. A playlist may name segments anywhere.

    Args:
        client: sends, for all streams.
        stream_url: whose origin the headers were given for.
        request_headers: by name.
    """

    def __init__(
        self,
        client: MediaClient,
        stream_url: str,
        request_headers: Mapping[str, str] | None = None,
    ) -> None:
        self._client = client
        self._home = httpx.URL(stream_url)
        self.request_headers: Mapping[str, str] = request_headers or {}

    def build_request(
        self, method: str, url: httpx.URL, *, headers: Mapping[str, str]
    ) -> httpx.Request:
        """Return the request with the stream's headers; those that it needs itself come first."""
        is_home = is_same_origin(self._home, url)
        ours = {
            name: value
            for name, value in self.request_headers.items()
            if is_home or name.lower() in SENT_EVERYWHERE
        }
        return self._client.build_request(method, url, headers={**ours, **headers})

    async def send(
        self, request: httpx.Request, *, stream: bool, follow_redirects: bool
    ) -> httpx.Response:
        """Send a request that `build_request` returned."""
        return await self._client.send(request, stream=stream, follow_redirects=follow_redirects)


def is_same_origin(home: httpx.URL, url: httpx.URL) -> bool:
    """Return whether `url` may have the secrets of `home`."""
    if home.host != url.host:
        return False
    if (home.scheme, _port(home)) == (url.scheme, _port(url)):
        return True
    is_upgrade = (home.scheme, url.scheme) == ("http", "https")
    return is_upgrade and (_port(home), _port(url)) == (80, 443)


def _port(url: httpx.URL) -> int | None:
    return url.port or DEFAULT_PORTS.get(url.scheme)
