"""The forms of destinations' URLs."""

import pytest

from notifications.destination_urls import (
    BadDestinationUrl,
    alertmanager_target,
    check_destination_url,
    masked_url,
    pagerduty_target,
    requested_url,
)
from notifications.notification import DestinationType

KEY = "R0123456789abcdefghijklmnopqrstu"
PAGERDUTY = f"https://events.pagerduty.com/v2/enqueue?routing_key={KEY}"


@pytest.mark.parametrize(
    ("type", "url", "reason"),
    [
        ("webhook", "ftp://hooks.example/", "must be an http:// or https:// URL"),
        ("webhook", "https://user:pass@hooks.example/", "must have no user or password in it"),
        ("webhook", "https://hooks.example/" + "x" * 2048, "at most 2048 characters"),
        ("pagerduty", "https://events.pagerduty.com/v2/enqueue", r"\?routing_key=KEY"),
        ("pagerduty", PAGERDUTY[:-1], "32 letters and digits"),
        ("alertmanager", "https://alerts.example/?x=1", "without a query"),
        ("alertmanager", "https://[::1/", "must be an http:// or https:// URL"),
        ("alertmanager", "https://alerts.example:99999/", "must be an http:// or https:// URL"),
        ("apprise", "no url", "must be an Apprise URL"),
        ("apprise", "dbus://", "dbus:// is not allowed"),
        ("apprise", "SYSLOG://x", "syslog:// is not allowed"),
    ],
)
def test_bad_urls_are_refused_with_a_reason_that_tells_nothing(
    type: str, url: str, reason: str
) -> None:
    with pytest.raises(BadDestinationUrl, match=reason) as refused:
        check_destination_url(DestinationType(type), url)
    assert "pass@" not in str(refused.value)


@pytest.mark.parametrize(
    ("type", "url", "requested"),
    [
        ("webhook", "https://hooks.example/a?b=c", "https://hooks.example/a?b=c"),
        ("pagerduty", PAGERDUTY, PAGERDUTY),
        ("alertmanager", "http://u:p@am.example:9093/", "http://am.example:9093/api/v2/alerts"),
        ("apprise", "slack://a/b/c", None),
    ],
)
def test_good_urls(type: str, url: str, requested: str | None) -> None:
    check_destination_url(DestinationType(type), url)
    assert requested_url(DestinationType(type), url) == requested


def test_targets_have_their_secrets_apart() -> None:
    assert pagerduty_target(PAGERDUTY) == ("https://events.pagerduty.com/v2/enqueue", KEY)
    for path in ("", "/", "/api/v2/alerts", "/api/v2/alerts/"):
        endpoint, userinfo = alertmanager_target(f"https://u:p%40x@am.example/prefix{path}")
        assert endpoint == "https://am.example/prefix/api/v2/alerts"
        assert userinfo == "u:p@x"


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        (PAGERDUTY, "https://events.pagerduty.com/***"),
        ("https://u:p@am.example:9093/x", "https://am.example:9093/***"),
        ("tgram://123:secret/chat", "tgram://***"),
        ("mailto://user:pass@example.com", "mailto://***"),
        ("secret", "***"),
    ],
)
def test_masks_keep_no_secret(url: str, masked: str) -> None:
    assert masked_url(url) == masked
