"""What a watch judges, step by step: by the same code while a stream is on air and in a replay.

A step says what was seen. Applying it changes the state of a watch, and may draft events there.
What that depends on is in the step, the state and the thresholds, so a step can be applied again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from media.watching.state import WatchState, is_additional
from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.stream_time import SegmentPosition
from monitors.incidents import IncidentChange
from monitors.measurement import SegmentMeasurement


@dataclass(frozen=True, kw_only=True)
class MediaStep:
    """Media of a track was measured, or is missing."""

    step: Literal["media"] = "media"
    at: AwareDatetime
    track: str
    position: SegmentPosition
    measurement: SegmentMeasurement
    # deferred segments that are judged before it, measured in full; None where one is lost
    due: tuple[SegmentMeasurement | None, ...] = ()

    def changes(self, detectors: MediaDetectors, thresholds: Thresholds) -> list[IncidentChange]:
        detectors.video.judge_deferred(self.due, thresholds)
        return detectors.feed(self.measurement, self.position, thresholds)

    def settle(
        self, state: WatchState, changes: Iterable[IncidentChange], thresholds: Thresholds
    ) -> bool:
        """Move the track on, and draft events of what its detectors found."""
        track = state.tracks[self.track]
        track.stream_sec += self.position.duration_sec
        track.ends_at = self.position.wall_clock(self.position.duration_sec)
        return state.note(changes, self.at, thresholds, track.ends_at)

    def apply(self, state: WatchState, thresholds: Thresholds) -> bool:
        changes = self.changes(state.tracks[self.track].detectors, thresholds)
        return self.settle(state, changes, thresholds)


@dataclass(frozen=True, kw_only=True)
class PlayedStep:
    """A segment was good, as far as it can be measured."""

    step: Literal["played"] = "played"
    at: AwareDatetime
    track: str
    unmeasurable: str | None = None

    def apply(self, state: WatchState, thresholds: Thresholds) -> bool:
        state.failing.discard(self.track)
        state.hidden.pop(self.track, None)
        if self.unmeasurable and not is_additional(self.track):
            state.hidden[self.track] = self.unmeasurable
        changes: list[IncidentChange] = []
        if not state.is_failing:
            changes += state.segment_errors.succeeded(self.at)
        if not state.is_rendition_failing:
            hidden = next(iter(state.hidden.values()), None)
            changes += state.renditions.played(self.at, unmeasurable=hidden)
        return state.note(changes, self.at, thresholds)


@dataclass(frozen=True, kw_only=True)
class FailedStep:
    """Something could not be loaded, fetched or decoded; of no track: the source itself."""

    step: Literal["failed"] = "failed"
    at: AwareDatetime
    track: str | None
    error: str
    reason: str

    def apply(self, state: WatchState, thresholds: Thresholds) -> bool:
        if self.track is not None and not is_additional(self.track):
            state.renditions.failed(self.reason, self.at)
        changes = state.segment_errors.failed(self.error, self.at, thresholds)
        return state.note(changes, self.at, thresholds)


@dataclass(frozen=True, kw_only=True)
class PlaylistStep:
    """The playlist of a track was read."""

    step: Literal["playlist"] = "playlist"
    at: AwareDatetime
    track: str
    has_new: bool
    is_over: bool = False  # it has come to its end, which is no standstill
    reason: str | None = None  # why there is nothing new, where that is known

    def apply(self, state: WatchState, thresholds: Thresholds) -> bool:
        is_noted = False
        if not self.is_over:
            changes = state.observe_stall(
                has_new=self.has_new, at=self.at, thresholds=thresholds, reason=self.reason
            )
            is_noted = state.note(changes, self.at, thresholds)
        state.unloaded.discard(self.track)
        if state.is_failing:
            return is_noted
        # What failed was the playlist, and it is back.
        succeeded = state.segment_errors.succeeded(self.at)
        return state.note(succeeded, self.at, thresholds) or is_noted


@dataclass(frozen=True, kw_only=True)
class OffAirStep:
    """The source says that nothing is on air."""

    step: Literal["off_air"] = "off_air"
    at: AwareDatetime

    def apply(self, state: WatchState, thresholds: Thresholds) -> bool:
        state.segment_errors.unobserved(self.at)
        stood = state.stall.observed(False, self.at, state.target_duration_sec, thresholds)
        return state.note(stood, self.at, thresholds)


@dataclass(frozen=True, kw_only=True)
class AudioGoneStep:
    """An additional audio track is not listed any more."""

    step: Literal["audio_gone"] = "audio_gone"
    at: AwareDatetime
    track: str

    def apply(self, state: WatchState, thresholds: Thresholds) -> bool:
        closed = state.tracks[self.track].detectors.close_audio(self.at)
        return state.note(closed, self.at, thresholds)


Step = MediaStep | PlayedStep | FailedStep | PlaylistStep | OffAirStep | AudioGoneStep

STEPS: TypeAdapter[Step] = TypeAdapter(Annotated[Step, Field(discriminator="step")])
"""Steps as JSON."""
