"""What each answer of the site is taken for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.sources.source import SourceState
from media.sources.youtube.classifier import classify
from media.sources.youtube.resolution import Format, ResolvedVideo
from media.sources.youtube.resolver_options import PollDepth, Resolver

LIVE, UPCOMING, ENDED = SourceState.LIVE, SourceState.UPCOMING, SourceState.ENDED
UNAVAILABLE, NOT_OBSERVED = SourceState.UNAVAILABLE, SourceState.NOT_OBSERVED

MUXED = Format(format_id="91", protocol="m3u8_native", url="https://m.example/91/index.m3u8")
NO_PLAYER = "Failed to extract any player response"


def resolution(depth: PollDepth = PollDepth.MEDIA, **fields: Any) -> ResolvedVideo:
    return ResolvedVideo(resolver=Resolver.YTDLP, depth=depth, **fields)


SAID = [
    ("Sign in to confirm you\u2019re not a bot. This helps protect our community", "bot_check"),
    ("Sign in to confirm you're not a bot. Use --cookies", "bot_check"),
    ("Video unavailable. YouTube is requiring a captcha challenge before playback", "bot_check"),
    ("All player responses are invalid. Your IP is likely being blocked by Youtube", "bot_check"),
    ("This content isn't available, try again later. The current session has been", "rate_limited"),
    ("Unable to download webpage: HTTP Error 429: Too Many Requests", "rate_limited"),
    ("Unable to open URL: x (429 Client Error: Too Many Requests for url: x)", "rate_limited"),
    ("The following content is not available on this app. Watch this", "client_broken"),
    ("No video formats found!", "client_broken"),
    (NO_PLAYER, "client_broken"),
    ("This live event will begin in 2 hours.", "upcoming"),
    ("LIVE_STREAM_OFFLINE: This live event will begin in a few moments.", "upcoming"),
    ("Premieres in 3 days", "premiere"),
    ("Premiere will begin shortly", "premiere"),
    ("Offline.", "offline"),
    ("This live event has ended.", "stream_ended"),
    ("This live stream recording is not available.", "stream_ended"),
    ("Join this channel to get access to members-only content like this", "members_only"),
    ("This video is available to this channel's members on level: Gold", "members_only"),
    ("Private video. Sign in if you've been granted access to this video", "video_private"),
    ("Sign in to confirm your age. This video may be inappropriate", "age_restricted"),
    ("The uploader has not made this video available in your country", "geo_blocked"),
    (
        "Video unavailable. The uploader has not made this video available in your country",
        "geo_blocked",
    ),
    ("Video unavailable. This video has been removed by the uploader", "video_removed"),
    ("This video has been removed for violating YouTube's Terms of Service", "video_removed"),
    ("This video isn't available anymore", "video_removed"),
    ("Video unavailable. This video is not available", "video_removed"),
    ("This video is no longer available due to a copyright claim by X", "copyright"),
    (
        "Video unavailable. This video is no longer available because the YouTube account "
        "associated with this video has been terminated.",
        "account_terminated",
    ),
    ("Video unavailable", "video_unavailable"),
    ("requires payment", "payment_required"),
    ("This video is DRM protected", "drm_protected"),
]
STATES = {
    "bot_check": NOT_OBSERVED,
    "rate_limited": NOT_OBSERVED,
    "client_broken": NOT_OBSERVED,
    "upcoming": UPCOMING,
    "premiere": UPCOMING,
    "offline": UPCOMING,
    "stream_ended": ENDED,
}


@pytest.mark.parametrize("depth", PollDepth)
@pytest.mark.parametrize("live_status", ["was_live", None])
@pytest.mark.parametrize(("text", "reason"), SAID)
def test_what_the_site_says_decides_and_was_live_does_not(
    text: str, reason: str, live_status: str | None, depth: PollDepth
) -> None:
    seen = classify(resolution(depth, reasons=(text,), live_status=live_status))
    assert seen.reason == reason
    assert seen.state is STATES.get(reason, UNAVAILABLE)
    assert seen.is_permanent == (seen.state is UNAVAILABLE)
    assert seen.message


@pytest.mark.parametrize(
    ("fields", "state", "reason"),
    [
        pytest.param({"formats": (MUXED,)}, LIVE, "", id="live-with-media"),
        pytest.param(
            {"formats": (MUXED,), "warnings": ("HTTP Error 429",), "http_statuses": (429,)},
            LIVE,
            "",
            id="media-counts-more-than-a-client-that-is-rate-limited",
        ),
        pytest.param({}, NOT_OBSERVED, "client_broken", id="live-without-formats"),
        pytest.param(
            {"http_statuses": (403,)}, NOT_OBSERVED, "client_broken", id="403-on-the-master"
        ),
        pytest.param(
            {"http_statuses": (429,), "requests": 4}, NOT_OBSERVED, "rate_limited", id="429-on-api"
        ),
        pytest.param(
            {"reasons": ("This live event has ended.",)}, ENDED, "stream_ended", id="said-to-end"
        ),
    ],
)
def test_a_live_video_is_live_only_with_media(
    fields: dict[str, Any], state: SourceState, reason: str
) -> None:
    seen = classify(resolution(live_status="is_live", **fields))
    assert (seen.state, seen.reason) == (state, reason)
    assert (seen.media is not None) == (state is LIVE)


def test_a_status_check_finds_it_live_without_media() -> None:
    seen = classify(resolution(PollDepth.STATUS, live_status="is_live", title="News"))
    assert (seen.state, seen.reason, seen.media, seen.title) == (LIVE, "", None, "News")


@pytest.mark.parametrize(
    ("live_status", "state", "reason"),
    [
        ("is_upcoming", UPCOMING, "upcoming"),
        ("post_live", ENDED, "post_live"),
        ("was_live", ENDED, "was_live"),
        ("not_live", ENDED, "not_live"),
        (None, NOT_OBSERVED, "client_broken"),
    ],
)
def test_the_live_status_decides_when_nothing_else_is_said(
    live_status: str | None, state: SourceState, reason: str
) -> None:
    seen = classify(resolution(live_status=live_status))
    assert (seen.state, seen.reason) == (state, reason)


@pytest.mark.parametrize(
    ("availability", "reason"),
    [
        ("private", "video_private"),
        ("subscriber_only", "members_only"),
        ("premium_only", "payment_required"),
        ("needs_auth", "age_restricted"),
    ],
)
def test_a_recording_that_not_everybody_may_see_is_no_end(availability: str, reason: str) -> None:
    seen = classify(resolution(live_status="was_live", availability=availability))
    assert (seen.state, seen.reason) == (UNAVAILABLE, reason)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"http_statuses": (429, 429), "requests": 3}, "rate_limited", id="429"),
        pytest.param({"requests": 4, "unanswered": 4}, "network", id="no-answers"),
        pytest.param({"requests": 2, "http_statuses": (503, 500)}, "network", id="server-errors"),
        pytest.param({"requests": 4, "unanswered": 1}, "client_broken", id="one-of-four"),
        pytest.param(
            {"warnings": ("Sign in to confirm you're not a bot",)}, "bot_check", id="bot-warning"
        ),
    ],
)
def test_no_player_response_is_what_remains_of_any_trouble(
    fields: dict[str, Any], reason: str
) -> None:
    seen = classify(resolution(reasons=(NO_PLAYER,), exception="ExtractorError", **fields))
    assert (seen.state, seen.reason) == (NOT_OBSERVED, reason)


def test_one_clients_warning_says_nothing_of_the_video() -> None:
    warned = resolution(
        PollDepth.STATUS, live_status="is_live", warnings=("[youtube] x: Private video",)
    )
    assert classify(warned).state is LIVE


def test_an_unknown_error_of_the_resolver_observes_nothing() -> None:
    seen = classify(resolution(exception="KeyError", warnings=("Private video",)))
    assert (seen.state, seen.reason) == (NOT_OBSERVED, "client_broken")
    assert "KeyError" in seen.message


def test_an_answer_in_new_words_is_quoted_without_its_urls() -> None:
    said = "Something new: see https://rr1.googlevideo.com/expire/1/sig/SECRET now"
    seen = classify(resolution(live_status="was_live", reasons=(said,)))
    assert (seen.state, seen.reason) == (NOT_OBSERVED, "unknown_answer")
    assert seen.message.endswith("Something new: see [URL] now")


def test_a_geo_block_names_the_countries() -> None:
    said = ("The uploader has not made this video available in your country",)
    assert "DE, FR" in classify(resolution(reasons=said, countries=("DE", "FR"))).message


def test_a_premiere_is_upcoming_with_its_start() -> None:
    seen = classify(
        resolution(live_status="is_upcoming", media_type="video", starts_at=1_800_000_000)
    )
    assert (seen.state, seen.reason) == (UPCOMING, "premiere")
    assert seen.starts_at is not None
    assert seen.starts_at.isoformat() == "2027-01-15T08:00:00+00:00"


@given(
    st.sampled_from(PollDepth),
    st.sampled_from([None, "is_live", "is_upcoming", "was_live", "post_live", "not_live"]),
    st.lists(st.sampled_from([text for text, _ in SAID]), max_size=3),
    st.sampled_from(["Sign in to confirm you're not a bot", "HTTP Error 429"]),
)
def test_what_concerns_the_egress_is_never_taken_for_the_video(
    depth: PollDepth, live_status: str | None, said: list[str], trouble: str
) -> None:
    seen = classify(resolution(depth, live_status=live_status, reasons=(*said, trouble)))
    assert seen.state is NOT_OBSERVED
    assert not seen.is_permanent
