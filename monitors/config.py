"""What a user may set on a monitor."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, model_validator

from monitors.evidence import EvidenceLevel
from monitors.request_headers import check_request_headers, masked

DAY_SEC = 86_400

Seconds = Annotated[float, Field(ge=0, le=DAY_SEC)]
PositiveSeconds = Annotated[float, Field(ge=1, le=DAY_SEC)]

Lufs = Annotated[float, Field(ge=-70, le=0)]
Decibels = Annotated[float, Field(ge=-60, le=20)]


class OnDeliveryFailure(StrEnum):
    """What an event whose webhook exhausted its retries does to its monitor."""

    STOP = "stop"
    CONTINUE = "continue"


class Expect(StrEnum):
    """The tracks that a stream is meant to have."""

    AUTO = "auto"
    BOTH = "av"
    AUDIO = "audio"
    VIDEO = "video"


class AudioTracks(StrEnum):
    """Which audio tracks of a stream are measured."""

    FIRST = "first"
    ALL = "all"


_OF_VIDEO = (
    *("blackout_threshold_sec", "freeze_threshold_sec"),
    *("slate_threshold_sec", "loop_threshold_sec"),
)


class Thresholds(BaseModel, extra="forbid", frozen=True, allow_inf_nan=False):
    """How much of a fault is an incident. All of it may change while a monitor runs."""

    blackout_threshold_sec: Seconds = Field(
        default=30, description="Continuous black before alert.blackout; 0 switches it off."
    )
    silence_threshold_sec: Seconds = Field(
        default=30, description="Continuous silence before alert.silence; 0 switches it off."
    )
    freeze_threshold_sec: Seconds = Field(
        default=60, description="Continuous still picture before alert.freeze; 0 switches it off."
    )
    silence_db_threshold: float = Field(
        default=-50,
        ge=-120,
        le=0,
        description="Sound that stays under this level is silence, in dBFS.",
    )
    recovery_sec: Seconds = Field(
        default=5, description="Continuous good media before the recovery event."
    )
    flapping_recovery_factor: float = Field(
        default=4,
        ge=0,
        le=1000,
        description=(
            "An incident that follows three of its kind within 10 minutes stays open until its "
            "kind has been quiet for recovery_sec times this; the next ones for 10 minutes. "
            "0 tells each fault by itself, however quickly they come."
        ),
    )
    suspend_threshold_sec: PositiveSeconds | None = Field(
        default=None,
        description=(
            "No new segment for this long is stream.suspended; "
            "null is the larger of 10 s and 3 target durations."
        ),
    )
    segment_error_threshold_sec: Seconds = Field(
        default=60,
        description="Fetching or decoding keeps failing this long; 0 switches it off.",
    )
    test_signal_threshold_sec: Seconds = Field(
        default=30,
        description="Colour bars or a 1 kHz tone before alert.test_signal; 0 switches it off.",
    )
    slate_threshold_sec: Seconds = Field(
        default=30,
        description="An uploaded slate is shown before alert.slate; 0 switches it off.",
    )
    loop_threshold_sec: Seconds = Field(
        default=0,
        description=(
            "A piece of 2 to 60 s repeats itself for this long before alert.loop; 0 switches it "
            "off. While it is on, every frame is decoded."
        ),
    )
    channel_loss_threshold_sec: Seconds = Field(
        default=60,
        description=(
            "Front left or right is silent this long, after it was heard, while the other is not, "
            "before alert.channel_loss; 0 switches it off."
        ),
    )
    loudness_target_lufs: Lufs | None = Field(
        default=None,
        description="Loudness that the sound is meant to have (ITU-R BS.1770); null is off.",
    )
    loudness_tolerance_lu: float = Field(
        default=3,
        gt=0,
        le=50,
        description="How far the loudness may be from loudness_target_lufs before alert.loudness.",
    )
    loudness_window_sec: float = Field(
        default=600,
        ge=3,
        le=3600,
        description="Time over which loudness is measured, with the gates of BS.1770.",
    )
    true_peak_max_dbtp: Decibels | None = Field(
        default=None,
        description=(
            "Highest true peak, in dBTP (-1 in EBU R 128); what exceeds it, and runs of full-scale "
            "samples, are clipping. null is off."
        ),
    )
    clipping_threshold_sec: Seconds = Field(
        default=10,
        description=(
            "Clipping at least once a second for this long before alert.clipping; "
            "0 switches it off."
        ),
    )
    phase_threshold_sec: Seconds = Field(
        default=0,
        description=(
            "Left and right cancel each other for this long before alert.phase; 0 switches it off."
        ),
    )
    expect: Expect = Field(
        default=Expect.AUTO,
        description=(
            "Tracks that the stream is meant to have: av, audio, video; "
            "auto: those that it declares, or shows in its first minute."
        ),
    )
    audio_tracks: AudioTracks = Field(
        default=AudioTracks.FIRST,
        description="Audio tracks that are measured: the first, or all that are muxed or declared.",
    )

    def as_expected(self) -> Self:
        """Return these with the detectors off of a track that nobody expects."""
        off = {
            Expect.AUDIO: _OF_VIDEO,
            Expect.VIDEO: ("silence_threshold_sec",),
        }
        names = off.get(self.expect)
        return self.model_copy(update=dict.fromkeys(names, 0.0)) if names else self


def _checked(headers: dict[str, str]) -> dict[str, str]:
    check_request_headers(headers)
    return headers


RequestHeaders = Annotated[dict[str, str], AfterValidator(_checked)]


class ChangeableConfig(Thresholds):
    """What of the config may change while a monitor runs."""

    request_headers: RequestHeaders = Field(
        default={},
        description=(
            "Headers sent with every request for the stream, by name (Referer, User-Agent, "
            "Authorization, ...). Secret: answers show *** for each value. A redirect to another "
            "origin leaves Authorization and Cookie behind. A change names all of them; *** keeps "
            "a value."
        ),
        json_schema_extra={"additionalProperties": {"type": "string"}},
    )


class MonitorConfig(ChangeableConfig):
    """The `config` object of a monitor, every field optional.

    Everywhere but in the order of a user, `request_headers` has masks for values.
    """

    check_interval_sec: PositiveSeconds | None = Field(
        default=None,
        description=(
            "null analyses each segment as soon as it is published; a number looks every that "
            "many seconds and analyses all segments published since."
        ),
    )
    scheduled_start_time: AwareDatetime | None = Field(
        default=None, description="When the stream should start, ISO 8601 with offset."
    )
    scheduled_end_time: AwareDatetime | None = Field(
        default=None, description="When the monitor ends by itself, ISO 8601 with offset."
    )
    start_delay_tolerance_sec: Seconds = Field(
        default=300, description="Lateness after scheduled_start_time before stream.delayed."
    )
    on_delivery_failure: OnDeliveryFailure = Field(
        default=OnDeliveryFailure.STOP,
        description=(
            "stop: a webhook that exhausts its retries ends the monitor in error; "
            "continue: monitoring goes on."
        ),
    )
    evidence: EvidenceLevel = Field(
        default=EvidenceLevel.PICTURE,
        description=(
            "What is kept of each incident: none, picture, clip, capsule; "
            "each includes those before."
        ),
    )

    def with_request_headers(self, headers: Mapping[str, str] | None) -> Self:
        """Return this config with the names of other request headers; None leaves them."""
        if headers is None:
            return self
        return self.model_copy(update={"request_headers": masked(headers)})

    def with_thresholds(self, changed: Mapping[str, Any]) -> Self:
        """Return this config with other thresholds; fields of `Thresholds` by name.

        Raises:
            ValidationError: a field that is no threshold, or a value that it cannot have.
        """
        known = self.model_dump(include=set(Thresholds.model_fields))
        thresholds = Thresholds.model_validate({**known, **changed})
        return self.model_copy(update=dict(thresholds))

    @model_validator(mode="after")
    def _end_after_start(self) -> Self:
        start, end = self.scheduled_start_time, self.scheduled_end_time
        if start and end and end <= start:
            raise ValueError("scheduled_end_time must be after scheduled_start_time")
        return self
