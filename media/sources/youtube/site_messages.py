"""What the site's messages mean: the only place that branches on their text.

The messages are English because the resolvers ask for English.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from media.sources.source import SourceState

_MINUTE = 60


@dataclass(frozen=True)
class Meaning:
    """What a message means."""

    state: SourceState
    reason: str
    message: str
    # any of these in the site's message, normalised, has this meaning
    phrases: tuple[str, ...] = ()
    retry_after_sec: float | None = None

    @property
    def is_permanent(self) -> bool:
        return self.state is SourceState.UNAVAILABLE


def _not_observed(reason: str, message: str, again_sec: float | None, *phrases: str) -> Meaning:
    return Meaning(SourceState.NOT_OBSERVED, reason, message, phrases, again_sec)


def _unavailable(reason: str, message: str, *phrases: str) -> Meaning:
    return Meaning(SourceState.UNAVAILABLE, reason, message, phrases, 2 * _MINUTE)


BOT_CHECK = _not_observed(
    "bot_check",
    "YouTube asks this egress address to prove that it is no bot",
    None,
    "sign in to confirm you're not a bot",
    "captcha challenge",
    "your ip is likely being blocked",
)
RATE_LIMITED = _not_observed(
    "rate_limited",
    "YouTube limits the requests of this egress address",
    None,
    "content isn't available, try again later",
    "rate-limited by youtube",
    "http error 429",
    "429 client error",
    "too many requests",
)
CLIENT_BROKEN = _not_observed(
    "client_broken",
    "The extractor gets no media from YouTube; it may need an update",
    2 * _MINUTE,
    "not available on this app",
    "no video formats found",
    "failed to extract any player response",
    "player responses are invalid",
    "the page needs to be reloaded",
    "precondition check failed",
)
NETWORK = _not_observed("network", "YouTube cannot be reached", 30)
UNKNOWN = _not_observed("unknown_answer", "YouTube gives an answer that is not known", 2 * _MINUTE)

UPCOMING = Meaning(
    SourceState.UPCOMING,
    "upcoming",
    "The stream has not started",
    ("live event will begin in", "live event will begin shortly"),
)
PREMIERE = Meaning(
    SourceState.UPCOMING,
    "premiere",
    "The premiere has not started",
    ("premieres in", "premiere will begin shortly"),
)
OFFLINE = Meaning(SourceState.UPCOMING, "offline", "The stream is offline", ("offline.",))

ENDED = Meaning(
    SourceState.ENDED,
    "stream_ended",
    "The stream has ended",
    ("live event has ended", "live stream recording is not available"),
)
POST_LIVE = Meaning(SourceState.ENDED, "post_live", "The stream has ended a moment ago")
WAS_LIVE = Meaning(SourceState.ENDED, "was_live", "The stream has ended; its recording is there")
NOT_LIVE = Meaning(SourceState.ENDED, "not_live", "This is a video, not a live stream")

MEMBERS_ONLY = _unavailable(
    "members_only",
    "Only members of the channel may see it",
    "members-only content",
    "available to this channel's members on level",
)
PRIVATE = _unavailable("video_private", "The video is private", "private video", "video is private")
AGE_RESTRICTED = _unavailable(
    "age_restricted",
    "It needs an account of sufficient age",
    "confirm your age",
    "age-restricted",
    "inappropriate",
)
GEO_BLOCKED = _unavailable(
    "geo_blocked",
    "It is not available in the country of this egress address",
    "not made this video available in your country",
    "blocked it in your country",
    "not available in your country",
)
COPYRIGHT = _unavailable(
    "copyright", "It was taken down over copyright", "copyright claim", "on copyright grounds"
)
ACCOUNT_TERMINATED = _unavailable(
    "account_terminated",
    "The account behind it was terminated or closed",
    "account associated with this video has been",
)
REMOVED = _unavailable(
    "video_removed",
    "The video was removed",
    "removed by the uploader",
    "removed for violating",
    "isn't available anymore",
    "isn't available any more",
    "video unavailable. this video is not available",
)
UNAVAILABLE = _unavailable("video_unavailable", "YouTube has no such video", "video unavailable")
PAYMENT_REQUIRED = _unavailable(
    "payment_required",
    "It must be paid for",
    "requires payment",
    "only available to music premium members",
)
DRM_PROTECTED = _unavailable("drm_protected", "Its media is encrypted (DRM)", "drm protected")

TRANSIENT = (BOT_CHECK, RATE_LIMITED, CLIENT_BROKEN)
"""They say nothing of the video. They are matched first, as they may stand beside any other."""

VIDEO_MESSAGES = (
    UPCOMING,
    PREMIERE,
    ENDED,
    MEMBERS_ONLY,
    PRIVATE,
    AGE_RESTRICTED,
    GEO_BLOCKED,
    COPYRIGHT,
    ACCOUNT_TERMINATED,
    REMOVED,
    PAYMENT_REQUIRED,
    DRM_PROTECTED,
    UNAVAILABLE,
    OFFLINE,
)
"""In this order, because a longer message may contain a shorter one."""

BY_AVAILABILITY = {
    "private": PRIVATE,
    "subscriber_only": MEMBERS_ONLY,
    "premium_only": PAYMENT_REQUIRED,
    "needs_auth": AGE_RESTRICTED,
}
BY_LIVE_STATUS = {"post_live": POST_LIVE, "was_live": WAS_LIVE, "not_live": NOT_LIVE}
EGRESS_FAILURES = frozenset({BOT_CHECK.reason, RATE_LIMITED.reason})
"""Reasons that hold for every video seen from the same egress."""

NETWORK_FAILURES = frozenset({NETWORK.reason, "resolver_timeout"})
"""Reasons of every poll while the site cannot be reached."""

RESOLVER_FAILURES = frozenset(
    {CLIENT_BROKEN.reason, UNKNOWN.reason, "resolver_failed", "resolver_timeout"}
)
"""Reasons that are the resolver's: another one may see what this one does not."""


def find_meaning(texts: Iterable[str], table: Iterable[Meaning]) -> Meaning | None:
    """The first meaning of `table` that any of `texts` has."""
    normal = [text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower() for text in texts]
    for meaning in table:
        if any(phrase in text for phrase in meaning.phrases for text in normal):
            return meaning
    return None
