"""The detectors of what is in the media: blackout, silence, freeze."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from monitors.config import Thresholds
from monitors.detectors.faults import FaultRule, FaultState
from monitors.detectors.freeze import (
    STILL_GAP_SEC,
    STILL_NOTICEABLE_SEC,
    FreezeState,
    still_findings,
)
from monitors.detectors.timeline import Condition, Finding, SegmentPosition, Stretch, stretches
from monitors.incidents import IncidentChange, SegmentInfo
from monitors.measurement import Interval, SegmentMeasurement
from monitors.status import Health, IncidentKind

Track = Literal["video", "audio"]

NO_VIDEO_TRACK = "no_video_track"
NO_AUDIO_TRACK = "no_audio_track"
BELOW_THRESHOLD = "below_threshold"


class MediaDetectors(BaseModel):
    """The detectors of one sequence of segments, and all that they remember.

    Attributes:
        tracks: what the segments are meant to carry. Where sound and picture come in playlists of
            their own, each has its detectors, and does not miss the other's track.
        next_start_sec: stream time at which the next segment is expected; None before the first.
    """

    tracks: frozenset[Track] = frozenset({"video", "audio"})
    next_start_sec: float | None = None
    blackout: FaultState = Field(default_factory=FaultState)
    silence: FaultState = Field(default_factory=FaultState)
    freeze: FreezeState = Field(default_factory=FreezeState)

    def feed(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        """Judge the next segment and return what changed.

        A start later than expected is media that nobody saw, as if it had been skipped. A start
        earlier than expected is a new beginning of stream time, and nothing follows from it.
        """
        if self.next_start_sec is not None:
            self.skip(max(0.0, position.start_sec - self.next_start_sec))
        self.next_start_sec = position.start_sec + position.duration_sec
        changes: list[IncidentChange] = []
        if "video" in self.tracks:
            changes += self._judge_video(measurement, position, thresholds)
        if "audio" in self.tracks:
            changes += self._judge_audio(measurement, position, thresholds)
        return changes

    def skip(self, duration_sec: float) -> None:
        """Pass over a segment that was missed, or could not be fetched or decoded."""
        if self.next_start_sec is not None:
            self.next_start_sec += duration_sec
        for faults in self._faults().values():
            faults.skip(duration_sec)

    def inheriting(self, others: Iterable["MediaDetectors"]) -> Self:
        """Return these with what `others` detected in the tracks that these are to carry."""
        taken: dict[str, Any] = {}
        for other in others:
            if "video" in self.tracks & other.tracks:
                taken |= {"blackout": other.blackout, "freeze": other.freeze}
            if "audio" in self.tracks & other.tracks:
                taken |= {"silence": other.silence}
        return self.model_copy(update=taken)

    def health(self) -> tuple[Health, Health]:
        """Return the condition of picture and sound; unknown before the first segment."""
        video = _worst(self.blackout.health(), self.freeze.faults.health(STILL_NOTICEABLE_SEC))
        return self._seen("video", video), self._seen("audio", self.silence.health())

    def open_incidents(self) -> dict[IncidentKind, datetime]:
        """Return the faults that are incidents now, and the wall clock of their first moment."""
        faults = self._faults().items()
        return {kind: state.open_since for kind, state in faults if state.open_since}

    def _judge_video(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        seen = measurement.has_video
        blackout = FaultRule(
            kind=IncidentKind.BLACKOUT,
            threshold_sec=thresholds.blackout_threshold_sec,
            recovery_sec=thresholds.recovery_sec,
            reason=None if seen else NO_VIDEO_TRACK,
            segment=_segment_info(position),
        )
        freeze = FaultRule(
            kind=IncidentKind.FREEZE,
            threshold_sec=thresholds.freeze_threshold_sec,
            recovery_sec=thresholds.recovery_sec,
            joint_sec=STILL_GAP_SEC,
            noticeable_sec=STILL_NOTICEABLE_SEC,
            segment=_segment_info(position),
        )
        black = _faulty(measurement.black) if seen else [_whole(position)]
        still = still_findings(measurement) if seen else [_whole(position, Condition.UNKNOWN)]
        return [
            *self.blackout.follow(_cut(black, position, measurement, seen), blackout),
            *self.freeze.follow(_cut(still, position, measurement, seen), freeze),
        ]

    def _judge_audio(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        heard = measurement.has_audio
        rule = FaultRule(
            kind=IncidentKind.SILENCE,
            threshold_sec=thresholds.silence_threshold_sec,
            recovery_sec=thresholds.recovery_sec,
            reason=BELOW_THRESHOLD if heard else NO_AUDIO_TRACK,
            segment=_segment_info(position),
        )
        silent = _faulty(measurement.silent) if heard else [_whole(position)]
        return self.silence.follow(_cut(silent, position, measurement, heard), rule)

    def _faults(self) -> dict[IncidentKind, FaultState]:
        return {
            IncidentKind.BLACKOUT: self.blackout,
            IncidentKind.SILENCE: self.silence,
            IncidentKind.FREEZE: self.freeze.faults,
        }

    def _seen(self, track: Track, health: Health) -> Health:
        known = track in self.tracks and self.next_start_sec is not None
        return health if known else Health.UNKNOWN


def _faulty(intervals: Iterable[Interval]) -> list[Finding]:
    return [Finding(interval) for interval in intervals]


def _whole(position: SegmentPosition, condition: Condition = Condition.FAULTY) -> Finding:
    return Finding(Interval(start=0.0, end=position.duration_sec), condition)


def _cut(
    findings: Iterable[Finding],
    position: SegmentPosition,
    measurement: SegmentMeasurement,
    has_track: bool,
) -> list[Stretch]:
    measured_sec = measurement.duration_sec if has_track else position.duration_sec
    return stretches(findings, position, measured_sec)


def _segment_info(position: SegmentPosition) -> SegmentInfo:
    return SegmentInfo(sequence=position.sequence, duration=position.duration_sec)


def _worst(one: Health, other: Health) -> Health:
    return max(one, other, key=[Health.OK, Health.WARNING, Health.ERROR].index)
