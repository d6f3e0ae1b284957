"""What the site says about a video in each state, word for word. Pure.

Web clients get a reason and a subreason in an error screen; apps and televisions one sentence.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

WEB_CLIENTS = frozenset({"WEB", "MWEB", "WEB_EMBEDDED_PLAYER", "WEB_REMIX", "WEB_CREATOR"})
SUBSTITUTE_ID = "aQvGIIdgFDM"
"""The video that the site hands to clients it distrusts, whatever they asked for."""


class VideoState(StrEnum):
    UPCOMING = "upcoming"
    PREMIERE = "premiere"
    OFFLINE = "offline"
    LIVE = "live"
    LIVE_BUT_SAID_TO_BE_OVER = "live_but_said_to_be_over"  # playable with a reason not to be
    POST_LIVE = "post_live"  # just over, its recording not yet made
    POST_LIVE_DVR = "post_live_dvr"  # the same, and the end of it can still be played
    ENDED = "ended"  # over, with a recording
    ENDED_WITHOUT_RECORDING = "ended_without_recording"
    PRIVATE = "private"
    MEMBERS_ONLY = "members_only"
    MEMBERS_LEVEL = "members_level"
    AGE_GATED = "age_gated"
    GEO_BLOCKED = "geo_blocked"
    REMOVED_BY_UPLOADER = "removed_by_uploader"
    REMOVED_FOR_VIOLATION = "removed_for_violation"
    ACCOUNT_TERMINATED = "account_terminated"
    COPYRIGHT = "copyright"
    UNAVAILABLE = "unavailable"
    GONE = "gone"
    RATE_LIMITED = "rate_limited"  # the session, not the video
    BOT_CHECK = "bot_check"
    CAPTCHA = "captcha"
    NOT_ON_THIS_APP = "not_on_this_app"
    NO_FORMATS = "no_formats"  # playable, says the site, and names no media
    WRONG_VIDEO = "wrong_video"  # the answer is about `SUBSTITUTE_ID`


@dataclass(frozen=True)
class Wording:
    """How a state is told."""

    status: str
    reason: str | None = None
    subreason: str | None = None
    app: str | None = None  # the reason where it differs for apps and televisions
    has_details: bool = True  # whether title and flags are told too
    screen: tuple[tuple[str, Any], ...] = ()  # further entries of the error screen
    marks: tuple[tuple[str, Any], ...] = ()  # further entries of the playability status


def _unavailable(status: str, subreason: str, *, has_details: bool = False) -> Wording:
    return Wording(status, "Video unavailable", subreason, subreason, has_details)


_LOGIN = "LOGIN_REQUIRED"
_PLAYABLE = Wording("OK")
_WORDINGS = {
    VideoState.LIVE: _PLAYABLE,
    VideoState.LIVE_BUT_SAID_TO_BE_OVER: Wording("OK", "This live event has ended."),
    VideoState.ENDED: _PLAYABLE,
    VideoState.POST_LIVE_DVR: _PLAYABLE,
    VideoState.NO_FORMATS: _PLAYABLE,
    VideoState.WRONG_VIDEO: _PLAYABLE,
    VideoState.OFFLINE: Wording("LIVE_STREAM_OFFLINE", "Offline."),
    VideoState.POST_LIVE: Wording("LIVE_STREAM_OFFLINE", "This live event has ended."),
    VideoState.ENDED_WITHOUT_RECORDING: Wording(
        "UNPLAYABLE", "This live stream recording is not available."
    ),
    VideoState.PRIVATE: Wording(
        _LOGIN,
        "Private video",
        "Sign in if you've been granted access to this video",
        "This is a private video. Please sign in to verify that you may see it.",
        has_details=False,
    ),
    VideoState.MEMBERS_ONLY: Wording(
        "UNPLAYABLE",
        "Join this channel to get access to members-only content like this video, and other "
        "exclusive perks.",
    ),
    VideoState.MEMBERS_LEVEL: Wording(
        "UNPLAYABLE",
        "This video is available to this channel's members on level: Supporter (or any higher "
        "level). Join this channel to get access to members-only content and other exclusive "
        "perks.",
    ),
    VideoState.AGE_GATED: Wording(
        _LOGIN,
        "Sign in to confirm your age",
        "This video may be inappropriate for some users.",
        "This video may be inappropriate for some users. Sign in to confirm your age.",
        marks=(("desktopLegacyAgeGateReason", 1),),
    ),
    VideoState.GEO_BLOCKED: _unavailable(
        "UNPLAYABLE",
        "The uploader has not made this video available in your country",
        has_details=True,
    ),
    VideoState.REMOVED_BY_UPLOADER: _unavailable(
        "ERROR", "This video has been removed by the uploader"
    ),
    VideoState.REMOVED_FOR_VIOLATION: Wording(
        "ERROR",
        "This video has been removed for violating YouTube's Terms of Service",
        has_details=False,
    ),
    VideoState.ACCOUNT_TERMINATED: _unavailable(
        "ERROR",
        "This video is no longer available because the YouTube account associated with this "
        "video has been terminated.",
    ),
    VideoState.COPYRIGHT: _unavailable(
        "ERROR", "This video is no longer available due to a copyright claim by Example Records"
    ),
    VideoState.UNAVAILABLE: _unavailable("ERROR", "This video is not available"),
    VideoState.GONE: Wording("ERROR", "This video isn't available anymore", has_details=False),
    VideoState.RATE_LIMITED: Wording(
        "UNPLAYABLE", "This content isn't available, try again later.", has_details=False
    ),
    # The apostrophe is typographic on the site.
    VideoState.BOT_CHECK: Wording(
        _LOGIN,
        "Sign in to confirm you\N{RIGHT SINGLE QUOTATION MARK}re not a bot",
        "This helps protect our community. Learn more",
        has_details=False,
    ),
    VideoState.CAPTCHA: Wording(
        "UNPLAYABLE",
        "Video unavailable",
        has_details=False,
        screen=(("playerCaptchaViewModel", {"captchaType": "RECAPTCHA"}),),
    ),
    VideoState.NOT_ON_THIS_APP: Wording(
        "ERROR",
        "The following content is not available on this app",
        "Watch this content on the latest version of YouTube.",
        "The following content is not available on this app. "
        "Watch this content on the latest version of YouTube.",
    ),
}


def wording(state: VideoState, *, starts_in_sec: float) -> Wording:
    """Return how a state is told; `starts_in_sec` is for those that wait for their start."""
    if state is VideoState.UPCOMING:
        return Wording("LIVE_STREAM_OFFLINE", f"This live event will begin {_in(starts_in_sec)}.")
    if state is VideoState.PREMIERE:
        late = starts_in_sec <= 0
        text = "Premiere will begin shortly" if late else f"Premieres {_in(starts_in_sec)}"
        return Wording("LIVE_STREAM_OFFLINE", text)
    return _WORDINGS[state]


def playability_status(told: Wording, *, client: str) -> dict[str, Any]:
    """Return `playabilityStatus` for a client, named as in `context.client.clientName`."""
    is_web = client in WEB_CLIENTS
    status: dict[str, Any] = {"status": told.status, "playableInEmbed": True, **dict(told.marks)}
    if told.reason:
        status["reason"] = told.reason if is_web else told.app or told.reason
    if is_web and told.reason and told.subreason:
        message = {
            "reason": {"simpleText": told.reason},
            "subreason": {"simpleText": told.subreason},
        }
        status["errorScreen"] = {"playerErrorMessageRenderer": message, **dict(told.screen)}
    elif told.screen:
        status["errorScreen"] = dict(told.screen)
    return status


def _in(sec: float) -> str:
    """Word a span of time as the site's countdown does."""
    if sec <= 0:
        return "in a few moments"
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if (count := int(sec // length)) > 0:
            return f"in {count} {unit}{'s' if count > 1 else ''}"
    return f"in {max(1, int(sec))} seconds"
