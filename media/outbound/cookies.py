"""Cookies that one answer of a stream sets and the next request of the same stream must carry.

Some sites hand out a session with the master playlist and refuse segments without it. The cookies
of a stream stay in the memory of the process that watches it, and nobody else's stream sees them.
"""

import contextlib
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any

MAX_COOKIES = 50
MAX_BYTES = 16 * 1024
"""Of all names and values: twice what common servers take in the head of a request."""

_Key = tuple[str, str, str]


class StreamCookies(CookieJar):
    """The cookies of one stream, by the rules of RFC 6265; the oldest make room for new ones."""

    def __init__(self) -> None:
        # Strict: a site in co.uk sets no cookie for all of co.uk.
        super().__init__(DefaultCookiePolicy(strict_domain=True))
        self._sizes: dict[_Key, int] = {}

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep what an answer sets, unless that is more than there is room for."""
        told = response.info().get_all("Set-Cookie", [])
        if sum(map(len, told)) <= MAX_BYTES:
            super().extract_cookies(response, request)

    def set_cookie(self, cookie: Cookie) -> None:
        """Keep a cookie; forget others until there is room."""
        super().set_cookie(cookie)
        key = cookie.domain, cookie.path, cookie.name
        self._sizes.pop(key, None)
        self._sizes[key] = len(cookie.name) + len(cookie.value or "")
        while len(self._sizes) > MAX_COOKIES or sum(self._sizes.values()) > MAX_BYTES:
            oldest = next(iter(self._sizes))
            del self._sizes[oldest]
            with contextlib.suppress(KeyError):  # it has expired
                self.clear(*oldest)
