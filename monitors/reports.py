"""What workers tell the gateway, and what a monitor tells of itself.

Fields that are not known are passed over: while a release rolls out, workers are newer than their
gateway.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Self

from pydantic import AwareDatetime, BaseModel, Field

from monitors.coverage import MOST_QUIET_SPANS, MOST_SPANS, ObservedSpan, QuietSpan
from monitors.events import StreamEvent
from monitors.status import (
    HEALTH_ORDER,
    DeliveryStatus,
    Health,
    IncidentKind,
    MonitorStatus,
    Severity,
    StreamStatus,
)

CLOCKS_APART: Final = timedelta(seconds=5)  # the clocks of two machines differ by less


def is_newer(as_of: datetime, known: datetime | None, now: datetime) -> bool:
    """Return whether a report of `as_of` replaces what was reported for `known`.

    What is known for a moment in the future was reported before the clock was set back. It must not
    silence what is reported until then.
    """
    return known is None or known <= as_of or known > now + CLOCKS_APART


class HealthReport(BaseModel):
    """Condition of picture and sound at the last look.

    Attributes:
        last_check_at: when media was last measured; None before the first segment.
        reason: why health is unknown, or which faults a warning is about, in plain words; None
            otherwise.
    """

    video: Health = Health.UNKNOWN
    audio: Health = Health.UNKNOWN
    last_check_at: AwareDatetime | None = None
    reason: str | None = None


class Statistics(BaseModel, allow_inf_nan=False):
    """Counters over the whole life of a monitor.

    Attributes:
        total_segments_analyzed: segments measured.
        segments_failed: segments that could not be fetched or decoded.
        segments_missed: segments that left the live window before they could be fetched.
        sequence_resets: times the programme restarted its media sequence.
        analyzed_sec: stream seconds measured.
        downloaded_bytes: media bytes fetched.
    """

    total_segments_analyzed: int = 0
    segments_failed: int = 0
    segments_missed: int = 0
    sequence_resets: int = 0
    analyzed_sec: float = 0.0
    downloaded_bytes: int = 0
    blackout_events: int = 0
    silence_events: int = 0
    freeze_events: int = 0
    suspended_events: int = 0
    segment_error_events: int = 0
    rendition_events: int = 0
    test_signal_events: int = 0
    slate_events: int = 0
    loop_events: int = 0
    channel_loss_events: int = 0
    loudness_events: int = 0
    clipping_events: int = 0
    phase_events: int = 0

    def count(self, kind: IncidentKind) -> None:
        """Count an incident that opened, in `<kind>_events`."""
        counter = f"{kind}_events"
        setattr(self, counter, getattr(self, counter) + 1)


class VideoFacts(BaseModel):
    """What the picture of the latest segment is; None where it is not known.

    Attributes:
        fps: frames a second.
        bitrate_bps: of the picture alone.
    """

    codec: str | None = Field(default=None, max_length=64)
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bitrate_bps: int | None = None


class AudioFacts(BaseModel):
    """What the sound of the latest segment is; None where it is not known."""

    codec: str | None = Field(default=None, max_length=64)
    channels: int | None = None
    sample_rate_hz: int | None = None


class SoundLevels(BaseModel):
    """How loud the latest sound is; None where it is not measured.

    Attributes:
        momentary_lufs, short_term_lufs: of the latest 0.4 and 3 s (EBU Tech 3341).
        true_peak_dbtp: the largest in the latest segment.
        channels_dbfs: RMS of each channel in the latest segment.
    """

    momentary_lufs: float | None = None
    short_term_lufs: float | None = None
    true_peak_dbtp: float | None = None
    channels_dbfs: list[float] | None = None


class MediaFacts(BaseModel):
    """What is known of the media of a stream that is watched."""

    video: VideoFacts | None = None
    audio: AudioFacts | None = None
    levels: SoundLevels | None = None


class OpenIncident(BaseModel):
    """A fault that has reached its threshold and goes on."""

    kind: IncidentKind
    started_at: AwareDatetime


def overall_health(health: HealthReport, open_incidents: Iterable[OpenIncident]) -> Health:
    """Return the worst of picture, sound and open incidents.

    A track of which nothing is known counts only where nothing is known of the other: a stream may
    have no sound, or no picture.
    """
    found = {health.video, health.audio} - {Health.UNKNOWN}
    for incident in open_incidents:
        is_critical = incident.kind.severity is Severity.CRITICAL
        found.add(Health.ERROR if is_critical else Health.WARNING)
    return max(found, key=HEALTH_ORDER.index, default=Health.UNKNOWN)


class StatusReport(BaseModel):
    """A monitor's condition, reported to the store (`PUT /internal/v1/monitors/{id}/status`)."""

    status: MonitorStatus
    stream_status: StreamStatus = StreamStatus.UNKNOWN
    health: HealthReport = Field(default_factory=HealthReport)
    statistics: Statistics = Field(default_factory=Statistics)
    title: str | None = None  # of the stream; None: not known to the sender
    open_incidents: list[OpenIncident] = []
    media: MediaFacts | None = None  # None: not known to the sender
    # what was observed; may be told again, and late
    coverage: list[ObservedSpan] = Field(default=[], max_length=MOST_SPANS)
    # good time between the faults of incidents, likewise
    quiet_spans: list[QuietSpan] = Field(default=[], max_length=MOST_QUIET_SPANS)
    as_of: AwareDatetime  # when it was so; `is_newer` says which report the store keeps
    # why a monitor is in `error`
    error_reason: str | None = None
    error_message: str | None = None


class StatusReportAnswer(BaseModel):
    """The gateway's answer to a status report: how often a picture of the stream is wanted."""

    picture_interval_sec: float


class EventReport(BaseModel):
    """An event and its delivery (`PUT /internal/v1/monitors/{id}/events/{event_id}`)."""

    event: StreamEvent
    webhook_status: DeliveryStatus = DeliveryStatus.PENDING
    webhook_attempts: int = 0
    webhook_last_error: str | None = None
    sent_at: AwareDatetime | None = None

    @classmethod
    def of_sent(cls, event: StreamEvent, attempts: int, sent_at: datetime) -> Self:
        status = DeliveryStatus.SENT
        return cls(event=event, webhook_status=status, webhook_attempts=attempts, sent_at=sent_at)

    @classmethod
    def of_failed(cls, event: StreamEvent, attempts: int, error: str) -> Self:
        """Return the report of an event that is tried no more."""
        return cls(
            event=event,
            webhook_status=DeliveryStatus.FAILED,
            webhook_attempts=attempts,
            webhook_last_error=error,
        )

    @classmethod
    def of_silenced(cls, event: StreamEvent) -> Self:
        return cls(event=event, webhook_status=DeliveryStatus.SILENCED)


class EventReportAnswer(BaseModel):
    """The gateway's answer to a report of an event."""

    # until when a silence holds back the webhook of an event that was not sent yet; None: none does
    silenced_until: AwareDatetime | None = None
