"""The title and the body of a notification, as people read them. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from monitors.status import Severity
from notifications.notification import Notification, NotificationState, Subject
from notifications.texts import TEXTS

MAX_NAME_CHARS: Final = 80
MAX_TEXT_CHARS: Final = 300

NAMES_CHARS: Final = 1200
"""Names of a group in a chat message, together: Discord takes 2,000 characters in all."""

# What else the body tells, and the field of the event's data that has it.
_FIELDS: Final = {
    "message": "message",
    "planned": "scheduled_start_time",
    "codec": "codec",
    "title": "title",
    "slate": "slate",
    "flapping": "flapping",
}

# What a stranger's title must not do: ping a channel, or hide a link behind other words.
_LIVE_MARKUP: Final = re.compile(r"[@!#<](?=\w|[@!#&])|\](?=\()")


@dataclass(frozen=True)
class Message:
    title: str
    body: str


def message(notification: Notification, *, names_chars: int = NAMES_CHARS) -> Message:
    """Return the words of `notification` in its language.

    Names of a group have `names_chars` of room; the rest is counted.
    """
    texts = TEXTS[notification.language]
    lines = _body(notification, texts, names_chars)
    return Message(_title(notification, texts), "\n".join(line for line in lines if line))


def kind_text(kind: str, texts: Mapping[str, str]) -> str:
    return texts.get(f"kind.{kind}") or kind.replace("_", " ")


def duration_text(seconds: float, texts: Mapping[str, str]) -> str:
    """Return a duration in its two largest units, from hours down."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    if whole < 60:
        return texts["duration.seconds"].format(seconds=rest)
    if whole < 3600:
        return texts["duration.minutes"].format(minutes=minutes, seconds=rest)
    return texts["duration.hours"].format(hours=minutes // 60, minutes=minutes % 60)


def plain(text: str, max_chars: int = MAX_TEXT_CHARS) -> str:
    """Return what strangers wrote as one line, without what a chat service acts upon."""
    line = " ".join(part for part in re.split(r"[\s\x00-\x1f\x7f-\x9f]+", text) if part)
    harmless = _LIVE_MARKUP.sub(lambda found: found[0] + "\u200b", line)
    return harmless if len(harmless) <= max_chars else harmless[: max_chars - 1] + "…"


def _title(notification: Notification, texts: Mapping[str, str]) -> str:
    state, subjects = notification.state, notification.subjects
    if state is NotificationState.TEST or not subjects:
        return texts["state.test"]
    who = _who(notification, texts)
    if state is NotificationState.EVENT:
        event_type = subjects[0].event_type
        template = texts.get(f"event.{event_type}") or texts["event.other"]
        return template.format(who=who, type=event_type)
    kinds = dict.fromkeys(kind_text(each.kind or each.event_type, texts) for each in subjects)
    severity = notification.severity or Severity.WARNING
    is_opened = state is NotificationState.OPENED
    key = f"state.opened.{severity}" if is_opened else f"state.{state}"
    if any(each.monitor_ended_as for each in subjects):
        key = "state.unwatched"
    return texts[key].format(who=who, what=texts["list.separator"].join(kinds))


def _who(notification: Notification, texts: Mapping[str, str]) -> str:
    subjects = notification.subjects
    if len(subjects) == 1:
        return plain(subjects[0].name, MAX_NAME_CHARS)
    if notification.origin_host is None:
        return texts["group.who"].format(count=len(subjects))
    return texts["group.who_of"].format(count=len(subjects), host=plain(notification.origin_host))


def _body(
    notification: Notification, texts: Mapping[str, str], names_chars: int
) -> Iterator[str | None]:
    subjects = notification.subjects
    if not subjects:
        yield texts["body.test"]
        return
    yield _when(notification, texts)
    if len(subjects) > 1:
        yield texts["body.streams"].format(text=_names(subjects, texts, names_chars))
    else:
        yield from _details(subjects[0], texts)
        if subjects[0].evidence_link:
            yield texts["body.evidence"].format(text=subjects[0].evidence_link)
    yield notification.more


def _when(notification: Notification, texts: Mapping[str, str]) -> str:
    start, end = notification.since, notification.at
    ends = [each.ended_at for each in notification.subjects]
    if notification.state is NotificationState.EVENT:
        return texts["body.at"].format(start=time_text(start))
    if notification.state is NotificationState.CLOSED:
        end = max((each for each in ends if each is not None), default=end)
    duration = duration_text((end - start).total_seconds(), texts)
    is_closed = notification.state is NotificationState.CLOSED
    template = texts["body.from_to" if is_closed else "body.since"]
    return template.format(start=time_text(start), end=time_text(end), duration=duration)


def time_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _names(subjects: Sequence[Subject], texts: Mapping[str, str], room: int) -> str:
    separator, told = texts["list.separator"], list[str]()
    for subject in subjects:
        name = plain(subject.name, MAX_NAME_CHARS)
        room -= len(name) + len(separator)
        if room < 0:
            more = texts["group.more"].format(count=len(subjects) - len(told))
            return separator.join([*told, more])
        told.append(name)
    return separator.join(told)


def _details(subject: Subject, texts: Mapping[str, str]) -> Iterator[str]:
    data, separator = subject.data, texts["list.separator"]
    told = {
        "reason": _reason(data.get("reason") or data.get("error"), texts),
        "explains": separator.join(kind_text(each, texts) for each in data.get("explains", ())),
        "figures": separator.join(_figures(data, texts)),
        **{name: data.get(field) for name, field in _FIELDS.items()},
        "stream": subject.stream_url,
        "labels": separator.join(f"{key}={value}" for key, value in subject.labels.items()),
    }
    for name, value in told.items():
        if value:
            yield texts[f"body.{name}"].format(text=plain(str(value)))


def _reason(reason: Any, texts: Mapping[str, str]) -> str:
    return texts.get(f"reason.{reason}") or str(reason or "").replace("_", " ")


def _figures(data: Mapping[str, Any], texts: Mapping[str, str]) -> Iterator[str]:
    """Yield what was judged, as far as there are words for it: `loudness -18.2 LUFS`."""
    for name, value in data.items():
        template = texts.get(f"figure.{name}")
        if template and isinstance(value, int | float):
            yield template.format(value=f"{value:g}")
