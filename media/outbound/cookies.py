"""Cookies that one answer of a stream sets and the next request of the same stream must carry.

Some sites hand out a session with the master playlist and refuse segments without it. The cookies
of a stream stay in the memory of the process that watches it, and nobody else's stream sees them.
"""

from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any

MAX_COOKIES = 50
MAX_BYTES = 16 * 1024
"""Of all that cookies say: twice what common servers take in the head of a request."""


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
        """Keep a cookie, as the newest one."""
        super().set_cookie(cookie)
        self._taken.append(cookie)

    def _make_room(self) -> None:
        self.clear_expired_cookies()
        alive = set(self)
        kept = [each for each in self._taken if each in alive]
        while len(kept) > MAX_COOKIES or sum(map(_size, kept)) > MAX_BYTES:
            del kept[0]
        # A jar remembers domains and paths without cookies, so it is filled anew.
        self.clear()
        self._taken.clear()
        for cookie in kept:
            self.set_cookie(cookie)


def _size(cookie: Cookie) -> int:
    """Return the length of its name and value, of its domain, path and all other attributes."""
    return sum(len(str(each)) for each in vars(cookie).values() if each)
