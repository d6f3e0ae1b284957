"""The statuses of a monitor, its stream, its deliveries and its incidents."""

from collections.abc import Mapping
from enum import StrEnum


class MonitorStatus(StrEnum):
    """Where a monitor is in its life."""

    SCHEDULED = "scheduled"
    INITIALIZING = "initializing"
    WAITING = "waiting"
    MONITORING = "monitoring"
    COMPLETED = "completed"
    STOPPED = "stopped"
    ERROR = "error"

    @property
    def is_active(self) -> bool:
        return self in ACTIVE_STATUSES


ACTIVE_STATUSES = frozenset(
    {
        MonitorStatus.SCHEDULED,
        MonitorStatus.INITIALIZING,
        MonitorStatus.WAITING,
        MonitorStatus.MONITORING,
    }
)


class StreamStatus(StrEnum):
    """What is known of the stream itself."""

    UNKNOWN = "unknown"
    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"


class Health(StrEnum):
    """Condition of the picture or of the sound.

    `WARNING`: a fault is there, its threshold is not reached. `ERROR`: an incident is open.
    """

    UNKNOWN = "unknown"
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class DeliveryStatus(StrEnum):
    """What became of an event's webhook."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    SILENCED = "silenced"
    """A silence held it back: sent at its end if the incident is still open, else never."""

    NONE = "none"  # its monitor has no `callback_url`


class IncidentKind(StrEnum):
    """The faults that open and close."""

    BLACKOUT = "blackout"
    SILENCE = "silence"
    FREEZE = "freeze"
    SUSPENDED = "suspended"
    SEGMENT_ERROR = "segment_error"
    RENDITION = "rendition"  # the preferred rendition cannot be watched, another one is
    TEST_SIGNAL = "test_signal"  # colour bars or a tone are on air
    SLATE = "slate"  # a picture that the user uploaded is on air
    LOOP = "loop"  # a short piece is shown again and again
    CHANNEL_LOSS = "channel_loss"  # one channel of the sound is silent while another is heard
    LOUDNESS = "loudness"  # the loudness is not near its target
    CLIPPING = "clipping"  # true peaks are too high
    PHASE = "phase"  # left and right cancel each other

    @property
    def severity(self) -> "Severity":
        return Severity.CRITICAL if self in CRITICAL_KINDS else Severity.WARNING


CRITICAL_KINDS = frozenset(
    {
        IncidentKind.BLACKOUT,
        IncidentKind.SILENCE,
        IncidentKind.FREEZE,
        IncidentKind.SUSPENDED,
        IncidentKind.SEGMENT_ERROR,
    }
)
"""Viewers see or hear these. All other kinds are warnings."""

SEEN_AS: Mapping[IncidentKind, str] = {
    IncidentKind.BLACKOUT: "black or missing picture",
    IncidentKind.FREEZE: "still picture",
    IncidentKind.SILENCE: "silent or missing sound",
    IncidentKind.TEST_SIGNAL: "test signal",
    IncidentKind.SLATE: "slate",
    IncidentKind.LOOP: "repeated piece",
    IncidentKind.CHANNEL_LOSS: "silent channel",
    IncidentKind.LOUDNESS: "loudness off its target",
    IncidentKind.CLIPPING: "clipping",
    IncidentKind.PHASE: "channels that cancel each other",
}
"""What health calls faults of the media that are no incidents yet."""

STREAM_KINDS = frozenset(
    {IncidentKind.SUSPENDED, IncidentKind.SEGMENT_ERROR, IncidentKind.RENDITION}
)
"""These are seen by the clock. All other kinds are of the media, and of its time."""

SOUND_KINDS = frozenset(
    {
        IncidentKind.SILENCE,
        IncidentKind.CHANNEL_LOSS,
        IncidentKind.LOUDNESS,
        IncidentKind.CLIPPING,
        IncidentKind.PHASE,
    }
)
"""These are heard. A test signal may be heard or seen."""


class Severity(StrEnum):
    """How much an incident matters."""

    CRITICAL = "critical"
    WARNING = "warning"


HEALTH_ORDER = [Health.OK, Health.WARNING, Health.ERROR]
