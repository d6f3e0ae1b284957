"""Notifications of one incident link its picture."""

from notifications.alertmanager import alerts_of
from notifications.notification import Language
from notifications.pagerduty import event_of
from notifications.wording import message
from tests.notifications.samples import incident, notification

LINK = "https://tracker.example/api/v1/evidence/evd-1?expires=1&signature=2"


def test_everybody_gets_the_link() -> None:
    told = notification(incident(evidence_link=LINK))
    assert f"Picture: {LINK}" in message(told).body.split("\n")
    in_japanese = told.model_copy(update={"language": Language.JAPANESE})
    assert f"画像：{LINK}" in message(in_japanese).body.split("\n")
    assert {"href": LINK, "text": "Picture"} in event_of(told)["links"]
    (alert,) = alerts_of(told)
    assert alert["annotations"]["evidence_url"] == LINK


def test_without_evidence_nothing_is_said_of_it() -> None:
    told = notification(incident())
    assert "Picture" not in message(told).body
    assert [each["text"] for each in event_of(told)["links"]] == ["Stream Tracker"]
    (alert,) = alerts_of(told)
    assert "evidence_url" not in alert["annotations"]


def test_a_group_links_no_single_picture() -> None:
    told = notification(incident(evidence_link=LINK), incident(evidence_link=LINK))
    assert LINK not in message(told).body
