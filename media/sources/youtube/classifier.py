"""From the resolution of a video to the state of its stream, and to its media."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import unquote

from media.hls.selection import SPLIT_COST_BPS
from media.sources.source import MediaUrls, Observation, SourceState
from media.sources.youtube import site_messages
from media.sources.youtube.resolution import Format, ResolvedVideo
from media.sources.youtube.resolver_options import PollDepth
from media.sources.youtube.site_messages import Meaning, find_meaning
from monitors.measurement import Track

_URL = re.compile(r"\w+://\S+")
_QUOTE_LENGTH = 200
_WITH_MEDIA = frozenset({"is_live", "post_live"})  # other HLS is a recording's


def classify(resolution: ResolvedVideo) -> Observation:
    """Return what a resolution says of the stream."""
    # What is served counts most. Then messages on the egress or the client, which may stand beside
    # any state and say nothing of the stream; then messages on the video; then the live status,
    # which alone is not to be trusted: members-only, geo-blocked and age-gated videos all say
    # `was_live`, and a rate limit on the player API leaves `is_live` without formats.
    ladder = rank_media(resolution) if resolution.live_status in _WITH_MEDIA else ()
    media = next(iter(ladder), None)
    if media and resolution.live_status == "is_live":
        return Observation(
            state=SourceState.LIVE, title=resolution.title, media=media, renditions=ladder
        )
    meaning, starts_sec = _meaning(resolution), resolution.starts_at
    if meaning is None:
        return Observation(state=SourceState.LIVE, title=resolution.title)
    return Observation(
        state=meaning.state,
        reason=meaning.reason,
        message=_message(meaning, resolution),
        is_permanent=meaning.is_permanent,
        title=resolution.title,
        starts_at=datetime.fromtimestamp(starts_sec, UTC) if starts_sec else None,
        media=media if meaning.state is SourceState.ENDED else None,
        renditions=ladder if meaning.state is SourceState.ENDED else (),
        retry_after_sec=meaning.retry_after_sec,
    )


def _meaning(resolution: ResolvedVideo) -> Meaning | None:
    """What a poll without media says; None for a status check that found it live."""
    return (
        _egress_failure(resolution)
        or find_meaning(resolution.reasons, site_messages.VIDEO_MESSAGES)
        or (None if _is_positive(resolution) else _without_message(resolution))
        or _by_positive_status(resolution)
    )


def _egress_failure(resolution: ResolvedVideo) -> Meaning | None:
    """Return what the reasons say of the way to the site."""
    # "Failed to extract any player response" remains when all clients fail, so the bad answers
    # themselves count before it is taken for a broken client.
    said = find_meaning(resolution.reasons, site_messages.TRANSIENT)
    if said is site_messages.CLIENT_BROKEN:
        return _failure_of_answers(resolution) or said
    return said


def _failure_of_answers(resolution: ResolvedVideo) -> Meaning | None:
    if HTTPStatus.TOO_MANY_REQUESTS in resolution.http_statuses:
        return site_messages.RATE_LIMITED
    refusals = (site_messages.BOT_CHECK, site_messages.RATE_LIMITED)
    if refusal := find_meaning(resolution.warnings, refusals):
        return refusal
    server_errors = sum(status >= 500 for status in resolution.http_statuses)
    if 0 < resolution.requests == resolution.unanswered + server_errors:
        return site_messages.NETWORK
    return None


def _is_positive(resolution: ResolvedVideo) -> bool:
    """Return whether the live status can be believed whatever else went wrong."""
    if resolution.live_status == "is_live":
        return resolution.depth is PollDepth.STATUS
    return resolution.live_status == "is_upcoming"


def _by_positive_status(resolution: ResolvedVideo) -> Meaning | None:
    if resolution.live_status == "is_live":
        return None
    is_premiere = resolution.media_type not in (None, "livestream")
    return site_messages.PREMIERE if is_premiere else site_messages.UPCOMING


def _without_message(resolution: ResolvedVideo) -> Meaning:
    if failure := _failure_of_answers(resolution):
        return failure
    if resolution.live_status == "is_live":
        return site_messages.CLIENT_BROKEN
    if resolution.exception and not resolution.reasons:
        return site_messages.CLIENT_BROKEN
    if resolution.reasons:
        return site_messages.UNKNOWN
    closed = site_messages.BY_AVAILABILITY.get(resolution.availability or "")
    if closed and not resolution.formats:
        return closed
    return site_messages.BY_LIVE_STATUS.get(
        resolution.live_status or "", site_messages.CLIENT_BROKEN
    )


def _message(meaning: Meaning, resolution: ResolvedVideo) -> str:
    if meaning is site_messages.GEO_BLOCKED and resolution.countries:
        return f"{meaning.message}; only in: {', '.join(resolution.countries)}"
    if meaning is site_messages.UNKNOWN:
        said = _URL.sub("[URL]", resolution.reasons[0])  # which may be signed
        return f"{meaning.message}: {said[:_QUOTE_LENGTH].strip()}"
    if resolution.exception and not resolution.reasons:
        return f"{meaning.message} ({resolution.exception})"
    return meaning.message


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
    if url := resolution.master_url:
        return (
            MediaUrls(main=url, broadcast=broadcast_of(url), expires_at=earliest_expiry([url])),
        )
    return ()


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
