"""What is told to people and to the systems that call them. Pure."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, field_validator

from monitors.status import MonitorStatus, Severity


class DestinationType(StrEnum):
    """The services that notifications go to."""

    WEBHOOK = "webhook"
    APPRISE = "apprise"
    PAGERDUTY = "pagerduty"
    ALERTMANAGER = "alertmanager"


class Language(StrEnum):
    """The languages that people are told in."""

    ENGLISH = "en"
    JAPANESE = "ja"


class NotificationState(StrEnum):
    """What a notification says of its subjects.

    `OPENED`, `REMINDER`, `ACKNOWLEDGED` and `CLOSED` are about incidents, `EVENT` is about any
    other event, `TEST` about nothing.
    """

    OPENED = "opened"
    REMINDER = "reminder"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    EVENT = "event"
    TEST = "test"


class Subject(BaseModel):
    """An incident, or another event, of one monitor.

    Attributes:
        name: of the monitor; its id where it has none.
        kind: of the incident; None for other events.
        severity: None for events that are no fault.
        monitor_ended_as: the final status of the monitor whose end closed the incident, so that
            nobody saw a recovery; else None.
        data: of the event, as in webhooks.
        opened_name, opened_labels: name and labels of the monitor when the incident opened, for
            services that know an incident by them; None where that is not known.
        link: where people see more.
        evidence_link: opens its first faulty picture; None where there is none, or no address.
    """

    model_config = ConfigDict(frozen=True)

    monitor_id: str
    name: str
    stream_url: str
    labels: dict[str, str] = {}
    event_type: str
    kind: str | None = None
    severity: Severity | None = None
    incident_id: str | None = None
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    monitor_ended_as: MonitorStatus | None = None
    data: dict[str, Any] = {}
    opened_name: str | None = None
    opened_labels: dict[str, str] | None = None
    link: str | None = None
    evidence_link: str | None = None

    @property
    def is_left_open(self) -> bool:
        """Whether its monitor failed while it was open: it may well go on."""
        return self.monitor_ended_as is MonitorStatus.ERROR

    @field_validator("stream_url")
    @classmethod
    def _without_secrets(cls, value: str) -> str:
        return public_stream_url(value)


class Notification(BaseModel):
    """One message to one destination.

    Attributes:
        notification_id: the same on every attempt.
        at: when what it tells happened; of a reminder, when that was due.
        subjects: several are told at once (a group); none of a test.
        thread_id: what its reminders and its recovery share with it; None for the incident's id.
            A group needs one of its own.
        origin_host: what a group has in common.
        link: where people see more of a group, or of a subject without a link.
    """

    model_config = ConfigDict(frozen=True)

    notification_id: str
    state: NotificationState
    at: AwareDatetime
    subjects: Sequence[Subject] = ()
    thread_id: str | None = None
    origin_host: str | None = None
    link: str | None = None
    language: Language = Language.ENGLISH

    @property
    def thread(self) -> str:
        """The same for all that is told of one incident or group; PagerDuty's `dedup_key`."""
        incident = self.subjects[0].incident_id if self.subjects else None
        return self.thread_id or incident or self.notification_id

    @property
    def more(self) -> str | None:
        """Where people see more: of a single subject, its own page."""
        own = self.subjects[0].link if len(self.subjects) == 1 else None
        return own or self.link

    @property
    def severity(self) -> Severity | None:
        severities = {subject.severity for subject in self.subjects}
        ordered = (Severity.CRITICAL, Severity.WARNING)
        return next((each for each in ordered if each in severities), None)

    @property
    def since(self) -> datetime:
        return min((subject.started_at for subject in self.subjects), default=self.at)


def public_stream_url(url: str) -> str:
    """Return `url` without what may be a secret: credentials, query, fragment.

    The `v` of a YouTube URL stays, it names the video.
    """
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        is_youtube = (parts.hostname or "").removeprefix("www.") in ("youtube.com", "m.youtube.com")
    except ValueError:
        return ""
    video = parse_qs(parts.query).get("v", [""])[0] if is_youtube else ""
    return urlunsplit((parts.scheme, host, parts.path, f"v={video}" if video else "", ""))
