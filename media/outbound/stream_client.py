"""Fetching for one stream: with its own request headers and cookies, through the shared client."""

from collections.abc import Mapping
from typing import Protocol

import httpx

from media.outbound.cookies import StreamCookies
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
    """Adds a stream's request headers and cookies to each request, whatever it is for.

    As browsers and curl do, what may be a secret (Authorization, Cookie, and all that is not in
    `SENT_EVERYWHERE`) goes to the origin of the stream's URL alone: its scheme, host and port, or
    the same host after a redirect from http to https. A playlist may name segments anywhere.
    Cookies that answers set go back by their own rules; see `media.outbound.cookies`.

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
        self._cookies = httpx.Cookies(StreamCookies())

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
        request = self._client.build_request(method, url, headers={**ours, **headers})
        self._add_cookies(request)
        return request

    def _add_cookies(self, request: httpx.Request) -> None:
        given = request.headers.pop("cookie", None)
        self._cookies.set_cookie_header(request)
        if given:
            kept = request.headers.get("cookie")
            request.headers["cookie"] = f"{given}; {kept}" if kept else given

    async def send(
        self, request: httpx.Request, *, stream: bool, follow_redirects: bool
    ) -> httpx.Response:
        """Send a request that `build_request` returned."""
        response = await self._client.send(
            request, stream=stream, follow_redirects=follow_redirects
        )
        self._cookies.extract_cookies(response)
        return response


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
