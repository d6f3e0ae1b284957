"""What a look at YouTube means: from what was found to the state of the stream."""

import re
from datetime import UTC, datetime
from http import HTTPStatus

from media.sources.source import Observation, SourceState
from media.sources.youtube import site_messages
from media.sources.youtube.rendition_choice import rank_media
from media.sources.youtube.resolution import Resolution
from media.sources.youtube.resolver_options import Depth
from media.sources.youtube.site_messages import Meaning, find_meaning

_URL = re.compile(r"\w+://\S+")
_QUOTE_LENGTH = 200
_WITH_MEDIA = frozenset({"is_live", "post_live"})
"""Other HLS is a recording's."""


def classify(finding: Resolution) -> Observation:
    """Judge one look.

    What is served counts most. Then messages on the egress or the client, which may stand beside
    any state and say nothing of the stream; then messages on the video; then the live status,
    which alone is not to be trusted: members-only, geo-blocked and age-gated videos all say
    `was_live`, and a rate limit on the player API leaves `is_live` without formats.
    """
    ladder = rank_media(finding) if finding.live_status in _WITH_MEDIA else ()
    media = next(iter(ladder), None)
    if media and finding.live_status == "is_live":
        return Observation(
            state=SourceState.LIVE, title=finding.title, media=media, renditions=ladder
        )
    meaning = _meaning(finding)
    if meaning is None:
        return Observation(state=SourceState.LIVE, title=finding.title)
    return Observation(
        state=meaning.state,
        reason=meaning.reason,
        message=_message(meaning, finding),
        is_permanent=meaning.is_permanent,
        title=finding.title,
        starts_at=_moment(finding.starts_at),
        media=media if meaning.state is SourceState.ENDED else None,
        renditions=ladder if meaning.state is SourceState.ENDED else (),
        retry_after_sec=meaning.retry_after_sec,
    )


def _meaning(finding: Resolution) -> Meaning | None:
    """Return what a look without media says; None for a status check that found it live."""
    return (
        _of_the_egress(finding)
        or find_meaning(finding.reasons, site_messages.TELLING)
        or (None if _is_positive(finding) else _without_word(finding))
        or _by_positive_status(finding)
    )


def _of_the_egress(finding: Resolution) -> Meaning | None:
    """Return what the reasons say of the way to the site.

    "Failed to extract any player response" is what remains of any trouble with all clients, so the
    bad answers themselves are looked at before it is taken for a broken client.
    """
    said = find_meaning(finding.reasons, site_messages.TRANSIENT)
    if said is site_messages.CLIENT_BROKEN:
        return _of_the_answers(finding) or said
    return said


def _of_the_answers(finding: Resolution) -> Meaning | None:
    if HTTPStatus.TOO_MANY_REQUESTS in finding.http_statuses:
        return site_messages.RATE_LIMITED
    warned = find_meaning(finding.warnings, (site_messages.BOT_CHECK, site_messages.RATE_LIMITED))
    if warned:
        return warned
    server_errors = sum(status >= 500 for status in finding.http_statuses)
    if 0 < finding.requests == finding.unanswered + server_errors:
        return site_messages.NETWORK
    return None


def _is_positive(finding: Resolution) -> bool:
    """Tell whether the live status can be believed whatever else went wrong."""
    if finding.live_status == "is_live":
        return finding.depth is Depth.STATUS
    return finding.live_status == "is_upcoming"


def _by_positive_status(finding: Resolution) -> Meaning | None:
    if finding.live_status == "is_live":
        return None
    is_premiere = finding.media_type not in (None, "livestream")
    return site_messages.PREMIERE if is_premiere else site_messages.UPCOMING


def _without_word(finding: Resolution) -> Meaning:
    """Judge a look that neither found the stream nor was told why in known words."""
    troubled = _of_the_answers(finding)
    if troubled:
        return troubled
    if finding.live_status == "is_live":
        return site_messages.CLIENT_BROKEN
    if finding.exception and not finding.reasons:
        return site_messages.CLIENT_BROKEN
    if finding.reasons:
        return site_messages.UNKNOWN
    closed = site_messages.BY_AVAILABILITY.get(finding.availability or "")
    if closed and not finding.formats:
        return closed
    return site_messages.BY_LIVE_STATUS.get(finding.live_status or "", site_messages.CLIENT_BROKEN)


def _message(meaning: Meaning, finding: Resolution) -> str:
    if meaning is site_messages.GEO_BLOCKED and finding.countries:
        return f"{meaning.message}; only in: {', '.join(finding.countries)}"
    if meaning is site_messages.UNKNOWN:
        return f"{meaning.message}: {_quotable(finding.reasons[0])}"
    if finding.exception and not finding.reasons:
        return f"{meaning.message} ({finding.exception})"
    return meaning.message


def _moment(unix_sec: float | None) -> datetime | None:
    return datetime.fromtimestamp(unix_sec, UTC) if unix_sec else None


def _quotable(text: str) -> str:
    """Return the beginning of `text` without URLs, which may be signed."""
    return _URL.sub("[URL]", text)[:_QUOTE_LENGTH].strip()
