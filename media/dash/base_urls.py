"""Where a presentation's files are: BaseURL elements, level by level (ISO/IEC 23009-1, 5.6)."""

from dataclasses import dataclass

from media.dash.document import MAX_VALUE_CHARS, Element
from media.hls.errors import PlaylistTooLarge
from media.hls.tags import integer
from media.hls.uris import absolute_url

MAX_ALTERNATIVES = 4
"""More are left out: each level may multiply them."""


@dataclass(frozen=True, slots=True)
class BaseUrls:
    """Alternatives that lead to the same files, in the order in which they are to be tried."""

    urls: tuple[str, ...]

    def inside(self, element: Element) -> "BaseUrls":
        """Return those that hold inside of `element`.

        Each of its own is an alternative; where they carry priorities (DVB-DASH 10.8.2), the
        lowest is tried first. Relative ones are resolved against each outer one, the preferred
        outer one first.

        Raises:
            PlaylistTooLarge: one is too long.
        """
        own = sorted(element.all("BaseURL")[:MAX_ALTERNATIVES], key=_priority)
        texts = [text for it in own if (text := it.text.strip())]
        if not texts:
            return self
        resolved = (absolute_url(outer, text) for outer in self.urls for text in texts)
        urls = tuple(dict.fromkeys(resolved))[:MAX_ALTERNATIVES]
        if max(map(len, urls)) > MAX_VALUE_CHARS:
            raise PlaylistTooLarge(f"a base URL has over {MAX_VALUE_CHARS} characters")
        return BaseUrls(urls)


def _priority(base_url: Element) -> int:
    told = integer(base_url.get("priority") or "")
    return 1 if told is None else told
