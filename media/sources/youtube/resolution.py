"""One poll of a video through a resolver: the request, what it found, and how it fails."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from media.sources.youtube.resolver_options import PollDepth, Resolver


class ResolverFailed(Exception):
    """A poll came to no end. The message quotes no resolver, whose text may hold a signed URL."""

    reason = "resolver_failed"


class ResolverTimedOut(ResolverFailed):
    """A poll took longer than it may, and was killed."""

    reason = "resolver_timeout"


@dataclass(frozen=True)
class ResolveRequest:
    resolver: Resolver
    depth: PollDepth
    video_id: str

    @property
    def watch_url(self) -> str:
        return f"https://www.youtube.com/watch?v={self.video_id}"

    @property
    def expected_requests(self) -> int:
        """How many HTTP requests the poll makes, at most as a rule."""
        if self.resolver is Resolver.STREAMLINK:
            return 3
        return 1 if self.depth is PollDepth.STATUS else 6


@dataclass(frozen=True, kw_only=True)
class Format:
    """A rendition, in yt-dlp's words."""

    format_id: str
    protocol: str
    url: str = field(repr=False)  # its media playlist; signed
    # the master playlist that named it; signed
    manifest_url: str | None = field(default=None, repr=False)
    has_video: bool = True
    has_audio: bool = True
    height: int = 0
    bandwidth: int = 0  # bits per second; 0 where it is unknown
    language_preference: int = -1  # higher is nearer to the original language
    # audio that a player does not take by itself (a description, a translation)
    is_alternate: bool = False


@dataclass(frozen=True, kw_only=True)
class ResolvedVideo:
    """What a resolver found."""

    resolver: Resolver
    depth: PollDepth
    # yt-dlp's word for it; `is_live` from streamlink; None when it is unknown
    live_status: str | None = None
    availability: str | None = None  # yt-dlp's word for who may see it
    media_type: str | None = None  # `livestream`, or `video` for a premiere
    title: str | None = None
    starts_at: float | None = None
    reasons: tuple[str, ...] = ()  # what the site says of the video, where there is no media
    warnings: tuple[str, ...] = ()  # what went wrong with single clients; may contain URLs
    # type of the error that ended the poll. Its text is in `reasons` when the resolver knows that
    # error, else in `warnings`, as it says nothing of the video.
    exception: str | None = None
    countries: tuple[str, ...] = ()  # where the video may be seen, when it is geo-blocked
    requests: int = 0
    unanswered: int = 0  # of these, how many got no answer at all
    http_statuses: tuple[int, ...] = ()  # of these, the bad answers
    formats: tuple[Format, ...] = field(default=(), repr=False)
    # a master playlist, where the formats are not known; signed
    master_url: str | None = field(default=None, repr=False)


def read_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `ResolvedVideo` in yt-dlp's info dictionary."""
    return {
        "live_status": clean_text(info.get("live_status")),
        "availability": clean_text(info.get("availability")),
        "media_type": clean_text(info.get("media_type")),
        # Processing adds the time to the title of a live stream, and keeps the full one apart.
        "title": clean_text(info.get("fulltitle") or info.get("title")),
        "starts_at": info.get("release_timestamp"),
        "formats": tuple(read_formats(info.get("formats") or ())),
    }


def read_formats(formats: Iterable[Mapping[str, Any]]) -> Iterable[Format]:
    """Without storyboards, which have neither video nor sound."""
    for one in formats:
        if one.get("url") and not (one.get("vcodec") == one.get("acodec") == "none"):
            yield _format(one)


def _format(one: Mapping[str, Any]) -> Format:
    return Format(
        format_id=str(one.get("format_id") or ""),
        protocol=str(one.get("protocol") or ""),
        url=str(one["url"]),
        manifest_url=clean_text(one.get("manifest_url")),
        has_video=one.get("vcodec") != "none",
        has_audio=one.get("acodec") != "none",
        height=int(one.get("height") or 0),
        bandwidth=round(1000 * float(one.get("tbr") or 0)),
        language_preference=int(one.get("language_preference") or -1),
        is_alternate=int(one.get("source_preference") or 0) <= -2,
    )


def clean_text(value: Any) -> str | None:
    """Return what a site says, with halves of surrogate pairs replaced: nothing can store them."""
    return None if value is None else str(value).encode(errors="replace").decode()
