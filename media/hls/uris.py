"""Resolving the URIs of a playlist or manifest, with a bound for what they become together.

A relative URI is as long as the URL that it is relative to: a few hundred kilobytes of playlist
behind a long URL would become a gigabyte.
"""

from urllib.parse import urljoin

from media.hls.errors import PlaylistTooLarge

MAX_URLS_CHARS = 8 * 1024 * 1024
"""Of all of one playlist: as much as its text may have."""


class UriResolver:
    """Resolves what one playlist or manifest names."""

    def __init__(self) -> None:
        self._room_chars = MAX_URLS_CHARS

    def resolve(self, base_url: str, uri: str) -> str:
        """Return the URL that `uri` means beside `base_url`.

        Raises:
            PlaylistTooLarge: all of them together are too long.
        """
        url = absolute_url(base_url, uri)
        self._room_chars -= len(url)
        if self._room_chars < 0:
            raise PlaylistTooLarge(f"its URLs have over {MAX_URLS_CHARS} characters")
        return url


def absolute_url(base_url: str, uri: str) -> str:
    """Resolve `uri` (RFC 3986 5); text that is no URI is returned as it stands."""
    if uri.startswith(("http://", "https://")):
        return uri
    try:
        return urljoin(base_url, uri)
    except ValueError:
        return uri
