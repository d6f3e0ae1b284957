"""What a resolver found out about a page."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Looked:
    """One look: the answer, the warnings and errors, and what was raised.

    Attributes:
        countries: of a `GeoRestrictedError`.
    """

    info: dict[str, Any] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    raised: str | None = None
    countries: list[str] | None = None

    @property
    def said(self) -> str:
        """All messages in one, in lower case and with plain apostrophes."""
        text = "\n".join([*self.messages, self.raised or ""])
        return text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower()

    @property
    def itags(self) -> set[str]:
        """Numbers of the formats that yt-dlp found."""
        return {each["format_id"] for each in self.info.get("formats") or ()}

    def url_of(self, itag: str) -> str:
        """Return the media playlist of a format that yt-dlp found."""
        return next(str(each["url"]) for each in self.info["formats"] if each["format_id"] == itag)


def page(video: str) -> str:
    """Return the page of a video id; a URL stays as it is."""
    return video if "/" in video else f"https://www.youtube.com/watch?v={video}"
