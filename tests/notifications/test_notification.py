"""What is told, and what an answer means."""

import pytest

from monitors.delivery import Failure
from monitors.status import Severity
from notifications.notification import NotificationState, public_stream_url
from notifications.sending import Sent, outcome_of_status
from tests.notifications.samples import incident, notification


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://user:pass@cdn.example/a/live.m3u8?token=x#f", "https://cdn.example/a/live.m3u8"),
        ("https://www.youtube.com/watch?v=abc&t=1", "https://www.youtube.com/watch?v=abc"),
        ("https://cdn.example/watch?v=abc", "https://cdn.example/watch"),
        ("http://[::1", ""),
    ],
)
def test_stream_urls_lose_what_may_be_secret(url: str, public: str) -> None:
    assert public_stream_url(url) == public
    assert incident(stream_url=url).stream_url == public


def test_a_group_shares_its_own_thread_and_the_highest_severity() -> None:
    subjects = [incident(severity=Severity.WARNING, incident_id="inc-1"), incident()]
    single = notification(*subjects[:1])
    group = notification(*subjects, thread_id="grp-1")
    assert (single.thread, single.severity) == ("inc-1", Severity.WARNING)
    assert (group.thread, group.severity) == ("grp-1", Severity.CRITICAL)
    assert notification(state=NotificationState.TEST, subjects=()).thread == "ntf-1"


@pytest.mark.parametrize(
    ("status", "is_final"), [(400, True), (410, True), (404, False), (429, False), (503, False)]
)
def test_only_what_is_wrong_with_the_request_is_final(status: int, is_final: bool) -> None:
    failure = outcome_of_status(status, 7)
    assert isinstance(failure, Failure)
    assert (failure.is_final, failure.asked_sec) == (is_final, 7)
    assert outcome_of_status(202, None) is Sent.DELIVERED


def test_a_single_subject_links_to_its_own_page_and_a_group_to_all() -> None:
    root = "https://tracker.example/"
    assert notification(link=root).more == "https://tracker.example/incidents/inc-7"
    assert notification(incident(link=None), link=root).more == root
    assert notification(incident(), incident(), link=root).more == root
