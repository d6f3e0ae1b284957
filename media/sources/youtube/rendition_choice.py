"""Which of the renditions that a resolver found is watched, and what its URLs say."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import unquote

from media.hls.selection import SPLIT_COST_BPS
from media.sources.source import MediaUrls
from media.sources.youtube.resolution import Format, ResolvedVideo
from monitors.measurement import Track

_EXPIRE = re.compile(r"[/?&]expire[/=](\d{9,11})(?![0-9])")
_BROADCAST = re.compile(r"/id/([\w%~-]+\.\d+)(?=/|$)")
_UNKNOWN = 1 << 60
MAX_ID_CHARS = 64
_VIDEO: frozenset[Track] = frozenset({"video"})
_WHOLE: frozenset[Track] = frozenset({"video", "audio"})


def rank_media(resolution: ResolvedVideo) -> tuple[MediaUrls, ...]:
    """Return where the HLS renditions with video and sound are, the cheapest first.

    Where only a master playlist is known, that is returned: who loads it chooses.
    """
    hls = [one for one in resolution.formats if one.protocol.startswith("m3u8")]
    pairs = [pair for video in hls if video.has_video for pair in _with_sound(video, hls)]
    pairs = pairs or [(one, None) for one in hls if one.has_video]
    if pairs:
        ranked: dict[str, MediaUrls] = {}
        for media in (_media_urls(*pair) for pair in sorted(pairs, key=_cost)):
            ranked.setdefault(media.rendition, media)  # two clients may name the same one
        return tuple(ranked.values())
    return (_master(resolution.master_url),) if resolution.master_url else ()


def _master(url: str) -> MediaUrls:
    return MediaUrls(main=url, broadcast=broadcast_of(url), expires_at=earliest_expiry([url]))


def _with_sound(video: Format, formats: Sequence[Format]) -> Iterable[tuple[Format, Format | None]]:
    """Return `video` with its sound: its own, or the best fitting of the same master playlist."""
    if video.has_audio:
        return [(video, None)]
    sounds = [
        one
        for one in formats
        if one.has_audio and not one.has_video and one.manifest_url == video.manifest_url
    ]
    return [(video, min(sounds, key=_sound_rank))] if sounds else []


def _sound_rank(sound: Format) -> tuple[int, bool, str]:
    return -sound.language_preference, sound.is_alternate, sound.format_id


def _cost(pair: tuple[Format, Format | None]) -> tuple[int, int]:
    video, audio = pair
    bandwidth = video.bandwidth or _UNKNOWN
    return bandwidth + (SPLIT_COST_BPS if audio else 0), video.height or _UNKNOWN


def _media_urls(video: Format, audio: Format | None) -> MediaUrls:
    urls = [one.url for one in (video, audio) if one]
    return MediaUrls(
        main=video.url,
        # Where there is no sound at all, it is missed.
        main_tracks=_VIDEO if audio else _WHOLE,
        declared=_WHOLE,
        audio=audio.url if audio else None,
        broadcast=broadcast_of(video.url),
        expires_at=earliest_expiry(urls),
        rendition=f"itag {video.format_id}"[:MAX_ID_CHARS],
        rendition_name=_name(video),
    )


def _name(video: Format) -> str:
    size = f"{video.height}p" if video.height else "picture"
    rate = f" {video.bandwidth / 1000:.0f} kbit/s" if video.bandwidth else ""
    return f"{size}{rate} (itag {video.format_id})"


def earliest_expiry(urls: Iterable[str]) -> datetime | None:
    """Return when the first of `urls` expires, by `/expire/UNIX_SECONDS/` in their paths."""
    found = [int(match[1]) for url in urls if (match := _EXPIRE.search(url))]
    return datetime.fromtimestamp(min(found), UTC) if found else None


def broadcast_of(url: str) -> str | None:
    """Return the broadcast that `url` belongs to (`VIDEO.N` of its path's `/id/VIDEO.N/`)."""
    match = _BROADCAST.search(unquote(url))
    return match[1] if match else None
