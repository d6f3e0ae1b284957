"""What people read."""

from datetime import timedelta

import pytest

from monitors.events import EventType
from monitors.status import IncidentKind, Severity
from notifications.notification import Language, NotificationState
from notifications.texts import TEXTS
from notifications.wording import duration_text, kind_text, message, plain
from tests.notifications.samples import AT, incident, notification


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", IncidentKind)
@pytest.mark.parametrize(
    "state",
    [
        NotificationState.OPENED,
        NotificationState.REMINDER,
        NotificationState.ACKNOWLEDGED,
        NotificationState.CLOSED,
    ],
)
def test_each_kind_has_words_in_each_language(
    kind: str, state: NotificationState, language: Language
) -> None:
    said = message(notification(incident(kind=kind), state=state, language=language))
    assert f"kind.{kind}" in TEXTS[language]
    assert "News 24" in said.title
    assert kind_text(kind, TEXTS[language]) in said.title
    assert "{" not in said.title + said.body


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    "event_type",
    [
        each
        for each in EventType
        if not each.startswith("alert.") and each not in ("stream.suspended", "stream.resumed")
    ],
)
def test_each_other_event_has_a_title_in_each_language(
    event_type: EventType, language: Language
) -> None:
    subject = incident(event_type=event_type, kind=None, severity=None, incident_id=None)
    said = message(notification(subject, state=NotificationState.EVENT, language=language))
    assert f"event.{event_type}" in TEXTS[language]
    assert said.title.endswith("News 24") or "News 24" in said.title


@pytest.mark.parametrize(
    ("language", "title"),
    [
        (Language.ENGLISH, "[No longer monitored] News 24: picture is black"),
        (Language.JAPANESE, "【監視終了】News 24：映像が真っ黒です"),
    ],
)
def test_what_ends_with_its_monitor_has_not_recovered(language: Language, title: str) -> None:
    ended = incident(monitor_ended_as="stopped")
    told = notification(ended, state=NotificationState.CLOSED, language=language)
    assert message(told).title == title


def test_both_languages_say_the_same_things() -> None:
    assert TEXTS[Language.ENGLISH].keys() == TEXTS[Language.JAPANESE].keys()


@pytest.mark.parametrize("language", Language)
def test_a_kind_without_words_is_told_by_its_name(language: Language) -> None:
    said = message(notification(incident(kind="lip_sync"), language=language))
    assert "lip sync" in said.title
    other = incident(event_type="stream.renamed", kind=None, severity=None)
    event = message(notification(other, state=NotificationState.EVENT, language=language))
    assert "stream.renamed" in event.title


def test_an_incident_says_who_what_since_when_how_bad_and_where_to_look() -> None:
    labels = {"team": "news", "site": "osaka"}
    data = {"reason": "too_loud", "loudness_lufs": -18.2, "target_lufs": -23.0, "window_sec": 600}
    subject = incident(kind="loudness", severity="warning", labels=labels, data=data)
    said = message(notification(subject))
    assert said.title == "[Warning] News 24: loudness is off target"
    assert said.body.splitlines() == [
        "Since 2026-11-26 12:00:05 UTC (30 s so far).",
        "Reason: too loud",
        "Measured: loudness -18.2 LUFS, target -23 LUFS",
        "Stream: https://cdn.example/news/live.m3u8",
        "Labels: team=news, site=osaka",
        "https://tracker.example/incidents/inc-7",
    ]


def test_a_slate_says_which_and_what_it_explains() -> None:
    data = {"slate": "be-right-back", "explains": ["freeze", "silence"]}
    said = message(notification(incident(kind="slate", severity="warning", data=data)))
    assert said.title == "[Warning] News 24: slate on air"
    assert "Explains: picture is frozen, no sound\nSlate: be-right-back\n" in said.body


def test_a_flapping_fault_says_so() -> None:
    said = message(notification(incident(data={"flapping": True})))
    assert "It comes and goes, and is reported as one incident.\n" in said.body


def test_a_recovery_says_from_when_to_when() -> None:
    subject = incident(ended_at=AT + timedelta(seconds=200))
    said = message(notification(subject, state="closed", language="ja"))
    assert said.title == "【復旧】News 24：映像が真っ黒です"
    assert said.body.startswith(
        "期間：2026-11-26 12:00:05 UTC ～ 2026-11-26 12:03:55 UTC（3分50秒）\n"
    )


def test_a_group_names_its_monitors_as_far_as_there_is_room() -> None:
    subjects = [
        incident(name=f"Channel {number}", kind="suspended", severity=Severity.WARNING)
        for number in range(1000)
    ]
    told = notification(*subjects, origin_host="cdn.example", link="https://tracker.example/i")
    short, full = message(told), message(told, names_chars=30_000)
    assert short.title == "[Warning] 1000 streams of cdn.example: stream has stalled"
    assert len(short.body) < 1500
    assert "Channel 0, Channel 1, " in short.body
    assert " more\n" in short.body
    assert "Channel 999\n" in full.body
    assert "more" not in full.body


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("Live @everyone", "Live @\u200beveryone"),
        ("<!channel> now", "<\u200b!\u200bchannel> now"),
        ("<@U123>", "<\u200b@\u200bU123>"),
        ("[here](http://evil.example)", "[here]\u200b(http://evil.example)"),
        ("two\r\nlines\x00\x1b[2J", "two lines [2J"),
        ("mail@ example & 5 < 6!", "mail@ example & 5 < 6!"),
    ],
)
def test_what_strangers_wrote_pings_nobody(hostile: str, harmless: str) -> None:
    assert plain(hostile) == harmless
    assert harmless in message(notification(incident(name=hostile))).title


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [
        (0.4, "0 s", "0秒"),
        (59.6, "1 min 0 s", "1分0秒"),
        (3599, "59 min 59 s", "59分59秒"),
        (93_780, "26 h 3 min", "26時間3分"),
    ],
)
def test_durations(seconds: float, english: str, japanese: str) -> None:
    assert duration_text(seconds, TEXTS[Language.ENGLISH]) == english
    assert duration_text(seconds, TEXTS[Language.JAPANESE]) == japanese
