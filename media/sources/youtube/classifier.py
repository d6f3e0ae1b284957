"""From the resolution of a video to the state of its stream."""

import re
from datetime import UTC, datetime
from http import HTTPStatus

from media.sources.source import Observation, SourceState
from media.sources.youtube import site_messages
from media.sources.youtube.rendition_choice import rank_media
from media.sources.youtube.resolution import ResolvedVideo
from media.sources.youtube.resolver_options import PollDepth
from media.sources.youtube.site_messages import Meaning, find_meaning

_URL = re.compile(r"\w+://\S+")
_QUOTE_LENGTH = 200
_WITH_MEDIA = frozenset({"is_live", "post_live"})
"""Other HLS is a recording's."""


def classify(resolution: ResolvedVideo) -> Observation:
    """Return what a resolution says of the stream.

    What is served counts most. Then messages on the egress or the client, which may stand beside
    any state and say nothing of the stream; then messages on the video; then the live status,
    which alone is not to be trusted: members-only, geo-blocked and age-gated videos all say
    `was_live`, and a rate limit on the player API leaves `is_live` without formats.
    """
    ladder = rank_media(resolution) if resolution.live_status in _WITH_MEDIA else ()
    media = next(iter(ladder), None)
    if media and resolution.live_status == "is_live":
        return Observation(
            state=SourceState.LIVE, title=resolution.title, media=media, renditions=ladder
        )
    meaning = _meaning(resolution)
    if meaning is None:
        return Observation(state=SourceState.LIVE, title=resolution.title)
    return Observation(
        state=meaning.state,
        reason=meaning.reason,
        message=_message(meaning, resolution),
        is_permanent=meaning.is_permanent,
        title=resolution.title,
        starts_at=_moment(resolution.starts_at),
        media=media if meaning.state is SourceState.ENDED else None,
        renditions=ladder if meaning.state is SourceState.ENDED else (),
        retry_after_sec=meaning.retry_after_sec,
    )


def _meaning(resolution: ResolvedVideo) -> Meaning | None:
    """Return what a poll without media says; None for a status check that found it live."""
    return (
        _egress_failure(resolution)
        or find_meaning(resolution.reasons, site_messages.VIDEO_MESSAGES)
        or (None if _is_positive(resolution) else _without_message(resolution))
        or _by_positive_status(resolution)
    )


def _egress_failure(resolution: ResolvedVideo) -> Meaning | None:
    """Return what the reasons say of the way to the site.

    "Failed to extract any player response" remains when all clients fail, so the bad answers
    themselves count before it is taken for a broken client.
    """
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
    """Return the meaning of a resolution with neither media nor a known message."""
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
        return f"{meaning.message}: {_quotable(resolution.reasons[0])}"
    if resolution.exception and not resolution.reasons:
        return f"{meaning.message} ({resolution.exception})"
    return meaning.message


def _moment(unix_sec: float | None) -> datetime | None:
    return datetime.fromtimestamp(unix_sec, UTC) if unix_sec else None


def _quotable(text: str) -> str:
    """Return the beginning of `text` without URLs, which may be signed."""
    return _URL.sub("[URL]", text)[:_QUOTE_LENGTH].strip()
