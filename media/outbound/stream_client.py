"""Requests of one stream: its own request headers and cookies, through the shared client."""

from collections.abc import Mapping
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any, Protocol

import httpx

from media.outbound.pools import STREAM
from monitors.stream_url import DEFAULT_PORTS

MAX_COOKIES = 50
MAX_BYTES = 16 * 1024  # all together: twice what common servers take in the head of a request


class StreamCookies(CookieJar):
    """The cookies of one stream, by the rules of RFC 6265; the oldest make room for new ones."""

    def __init__(self) -> None:
        # Strict: a site in co.uk sets no cookie for all of co.uk.
        super().__init__(DefaultCookiePolicy(strict_domain=True))
        self._taken: list[Cookie] = []

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep what an answer sets, unless that is more than there is room for."""
        told = response.info().get_all("Set-Cookie", [])
        if 0 < len(told) <= MAX_COOKIES and sum(map(len, told)) <= MAX_BYTES:
            super().extract_cookies(response, request)
            self._make_room()

    def set_cookie(self, cookie: Cookie) -> None:
        super().set_cookie(cookie)
        self._taken.append(cookie)

    def _make_room(self) -> None:
        self.clear_expired_cookies()
        alive = set(self)
        kept = [each for each in self._taken if each in alive]
        while len(kept) > MAX_COOKIES or sum(map(_size, kept)) > MAX_BYTES:
            del kept[0]
        # A jar remembers domains and paths without cookies, so it is refilled.
        self.clear()
        self._taken.clear()
        for cookie in kept:
            self.set_cookie(cookie)


def _size(cookie: Cookie) -> int:
    """Its name and value, its domain, path and all other attributes."""
    return sum(len(str(each)) for each in vars(cookie).values() if each)


CREDENTIALS = frozenset({"authorization", "cookie"})  # do not follow a redirect to another origin
REDIRECTED_FROM = "redirected_from"  # extension of a request: the URL whose redirects lead to it


class MediaClient(Protocol):
    """What playlists and segments are fetched with: `httpx.AsyncClient`, or one of a stream."""

    def build_request(
        self,
        method: str,
        url: httpx.URL,
        *,
        headers: Mapping[str, str],
        extensions: dict[str, Any] | None = None,
    ) -> httpx.Request: ...

    async def send(
        self, request: httpx.Request, *, stream: bool, follow_redirects: bool
    ) -> httpx.Response: ...


class StreamClient:
    """Adds a stream's request headers and cookies to each request, whatever it is for.

    A stream's playlists may name media on any host, so its headers go to all of them. A redirect to
    another origin leaves `CREDENTIALS` behind, as it does in browsers and curl. Cookies go back by
    their own rules.
    """

    def __init__(
        self, client: MediaClient, request_headers: Mapping[str, str] | None = None
    ) -> None:
        self._client = client
        self.request_headers: Mapping[str, str] = request_headers or {}
        self._jar = StreamCookies()
        self._cookies = httpx.Cookies(self._jar)
        self._extensions = {STREAM: object()}

    def build_request(
        self,
        method: str,
        url: httpx.URL,
        *,
        headers: Mapping[str, str],
        extensions: dict[str, Any] | None = None,
    ) -> httpx.Request:
        """Return the request with the stream's headers; those that it needs itself come first."""
        first = (extensions or {}).get(REDIRECTED_FROM, url)
        left_behind = frozenset() if is_same_origin(first, url) else CREDENTIALS
        ours = {
            name: value
            for name, value in self.request_headers.items()
            if name.lower() not in left_behind
        }
        request = self._client.build_request(
            method, url, headers={**ours, **headers}, extensions=self._extensions
        )
        self._add_cookies(request)
        return request

    def _add_cookies(self, request: httpx.Request) -> None:
        if not len(self._jar):
            return
        given = request.headers.pop("cookie", None)
        self._cookies.set_cookie_header(request)
        if given:
            kept = request.headers.get("cookie")
            request.headers["cookie"] = f"{given}; {kept}" if kept else given

    async def send(
        self, request: httpx.Request, *, stream: bool, follow_redirects: bool
    ) -> httpx.Response:
        response = await self._client.send(
            request, stream=stream, follow_redirects=follow_redirects
        )
        if "set-cookie" in response.headers:
            self._cookies.extract_cookies(response)
        return response


def is_same_origin(home: httpx.URL, url: httpx.URL) -> bool:
    """Return whether a redirect from `home` to `url` may carry credentials."""
    if home.host != url.host:
        return False
    if (home.scheme, _port(home)) == (url.scheme, _port(url)):
        return True
    is_upgrade = (home.scheme, url.scheme) == ("http", "https")
    return is_upgrade and (_port(home), _port(url)) == (80, 443)


def _port(url: httpx.URL) -> int | None:
    return url.port or DEFAULT_PORTS.get(url.scheme)
