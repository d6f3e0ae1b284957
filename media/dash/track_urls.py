"""What one playlist is read from: a representation, as a URL names it."""

from typing import NamedTuple
from urllib.parse import quote, unquote, urldefrag

from media.dash.presentation import Content


class Track(NamedTuple):
    """A representation as a URL's fragment names it: `video=ID`.

    In a period that has none of that id, the cheapest one with the same content stands for it.
    """

    content: Content
    id: str

    def url(self, manifest_url: str) -> str:
        """Return the URL that names it."""
        return f"{urldefrag(manifest_url).url}#{self.content}={quote(self.id, safe='')}"

    @classmethod
    def named_by(cls, url: str) -> "Track | None":
        """Return the track that a URL names, None where it is the whole manifest's."""
        content, equals, name = urldefrag(url).fragment.partition("=")
        if not equals or content not in list(Content):
            return None
        return cls(Content(content), unquote(name))
