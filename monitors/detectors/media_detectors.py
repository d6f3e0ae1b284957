"""The detectors of what is in the media: blackout, silence, freeze."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field, field_serializer

from monitors.config import AudioTracks, Expect, Thresholds
from monitors.detectors.explanations import Cause
from monitors.detectors.fault_detector import (
    REMNANT_SEC,
    Fault,
    FaultRule,
    closing_rule,
    usual_rule,
)
from monitors.detectors.silence import SilenceDetector
from monitors.detectors.sound_detectors import SoundDetectors, sound_checks
from monitors.detectors.stream_time import SegmentPosition
from monitors.detectors.video_detectors import VideoDetectors
from monitors.frames import DecodeDepth
from monitors.incidents import IncidentChange
from monitors.measurement import ProbeContext, SegmentMeasurement, Track
from monitors.sound import SoundChecks
from monitors.status import HEALTH_ORDER, Health, IncidentKind

NO_AUDIO_TRACK = "no_audio_track"
BELOW_THRESHOLD = "below_threshold"

LEARNING_SEC = 60.0
"""Tracks that the first minute shows are expected from then on. A picture that a radio shows later,
for a moment, is not missed afterwards."""

_WANTED: dict[Expect, frozenset[Track]] = {
    Expect.BOTH: frozenset({"video", "audio"}),
    Expect.AUDIO: frozenset({"audio"}),
    Expect.VIDEO: frozenset({"video"}),
}

_OF_AUDIO = ("silence", "sound", "additional", "known_additional")


class MediaDetectors(BaseModel):
    """The detectors of one sequence of segments, and all that they remember."""

    # what the segments are meant to carry. Where sound and picture come in playlists of their own,
    # each has its detectors, and does not miss the other's track.
    tracks: frozenset[Track] = frozenset({"video", "audio"})
    # stream time at which the next segment is expected; None before the first
    next_start_sec: float | None = None
    video: VideoDetectors = Field(default_factory=VideoDetectors)
    silence: SilenceDetector = Field(default_factory=SilenceDetector)
    sound: SoundDetectors = Field(default_factory=SoundDetectors)
    # the additional audio tracks, by their index, where all are measured
    additional: dict[int, SilenceDetector] = {}
    label: dict[str, str] = {}  # names this audio track in events, where all tracks are measured
    # tracks that the stream declares, or had in its first minute. With `expect: auto` they are
    # expected from then on.
    known: frozenset[Track] = frozenset({"video", "audio"})
    # the same for additional audio tracks, by their index
    known_additional: frozenset[int] = frozenset()
    learned_sec: float = 0.0  # how much of its first minute was measured
    # tracks that could not or need not be judged in the last segment
    unjudged: frozenset[Track] = frozenset()

    @field_serializer("tracks", "known", "known_additional", "unjudged", when_used="json")
    def _in_order(self, names: frozenset[Any]) -> list[Any]:
        return sorted(names)  # equal sets are equal texts: so snapshots of a state are compared

    def probe_context(
        self, duration_sec: float, thresholds: Thresholds, *, has_room: bool = True
    ) -> ProbeContext:
        """Return what the probe needs to know before it measures the next segment."""
        depth, deferred = DecodeDepth.EVERYTHING, self.video.deferred
        if "video" in self.tracks:
            expected = thresholds.as_expected()
            depth = self.video.depth_of_next(duration_sec, expected, has_room=has_room)
        return ProbeContext(
            depth=depth,
            reference=deferred[-1].measurement.keyframe if deferred else None,
            with_signatures=thresholds.as_expected().loop_threshold_sec > 0,
            all_sounds=thresholds.audio_tracks is AudioTracks.ALL and "audio" in self.tracks,
            sound_checks=sound_checks(thresholds) if "audio" in self.tracks else SoundChecks(0),
        )

    def feed(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        """Judge the next segment and return what changed.

        If the segment starts later than expected, the media in between is skipped as unseen. If it
        starts earlier, stream time begins again, and nothing else changes. A track of which nothing
        could be decoded is passed over.
        """
        if self.next_start_sec is not None:
            if self.video.is_behind:
                self.video.catch_up((), self.next_start_sec, thresholds)
            if position.start_sec > self.next_start_sec:
                self.skip(position.start_sec - self.next_start_sec)
        self.next_start_sec = position.start_sec + position.duration_sec
        self._learn_from(measurement, position.duration_sec)
        self.unjudged = self._unjudged(measurement, thresholds.expect)
        thresholds = thresholds.as_expected()
        changes = self._end_unmissed(measurement, position.starts_at)
        if measurement.video_error or self._may_lack("video", measurement):
            self.video.skip(position.duration_sec)
        elif "video" in self.tracks:
            changes += self.video.feed(measurement, position, thresholds)
        if measurement.audio_error or self._may_lack("audio", measurement):
            self.silence.skip(position.duration_sec)
            self.sound.skip(position.duration_sec)
        elif "audio" in self.tracks:
            changes += self._judge_audio(measurement, position, thresholds)
        return changes + self._judge_additional(measurement, position, thresholds)

    def _learn_from(self, measurement: SegmentMeasurement, duration_sec: float) -> None:
        if self.learned_sec < LEARNING_SEC:
            self.known |= self.tracks & _tracks_in(measurement)
            self.known_additional |= {each.index for each in measurement.additional_audio}
            self.learned_sec = min(LEARNING_SEC, self.learned_sec + duration_sec)

    def _end_unmissed(self, measurement: SegmentMeasurement, at: datetime) -> list[IncidentChange]:
        """End what is open of a track that is away and that nobody misses: it may never return."""
        away = self.unjudged - _tracks_in(measurement) - measurement.unmeasurable.keys()
        ended: list[IncidentChange | None] = []
        if "video" in away:
            ended += self.video.end(at)
        if "audio" in away:
            label = self.label and self._label(1)
            ended += [self.silence.faults.end(at, closing_rule(IncidentKind.SILENCE, label))]
            ended += self.sound.end(at)
        return [each for each in ended if each]

    def _judge_additional(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        heard = {each.index: each for each in measurement.additional_audio}
        changes: list[IncidentChange] = []
        if thresholds.audio_tracks is AudioTracks.FIRST:
            others = self.model_copy(update={"silence": SilenceDetector()})
            self.additional = {}
            return others.close_audio(position.starts_at)
        for index in sorted(heard.keys() | self.additional.keys()):
            state = self.additional.setdefault(index, SilenceDetector())
            sound = heard.get(index)
            if sound and (sound.audio_error or sound.unmeasurable):
                state.skip(position.duration_sec)
                continue
            label = self._label(index, sound.audio_language if sound else None)
            rule = self._silence_rule(position, thresholds, label)
            if sound:
                changes += state.follow(sound, measurement.duration_sec, position, rule)
            elif index in self.known_additional:
                changes += state.miss(position, replace(rule, reason=NO_AUDIO_TRACK))
            else:
                ended = self.additional.pop(index).faults.end(position.starts_at, rule)
                changes += [ended] if ended else []
        return changes

    def _label(self, index: int, language: str | None = None) -> dict[str, str]:
        named = {"language": language} if language else {}
        return {"track": f"audio {index}", **named, **(self.label if index == 1 else {})}

    def _unjudged(self, measurement: SegmentMeasurement, expect: Expect) -> frozenset[Track]:
        wanted = self.known if expect is Expect.AUTO else _WANTED[expect]
        absent = self.tracks - _tracks_in(measurement)
        unwanted = self.tracks - _WANTED.get(expect, self.tracks)
        return unwanted | (absent - wanted) | (self.tracks & measurement.unmeasurable.keys())

    def _may_lack(self, track: Track, measurement: SegmentMeasurement) -> bool:
        """Return whether nothing of the track is there to be judged, and that is no fault."""
        is_there = track in _tracks_in(measurement) and track not in measurement.unmeasurable
        return track in self.unjudged and not is_there

    def expect_new_timestamps(self) -> None:
        """Note that those of the next segment may have nothing to do with those before."""
        for silence in (self.silence, *self.additional.values()):
            silence.expect_new_timestamps()

    def skip(self, duration_sec: float) -> None:
        """Pass over a segment that was missed, or could not be fetched or decoded."""
        if self.next_start_sec is not None:
            self.next_start_sec += duration_sec
        for silence in (self.silence, *self.additional.values()):
            silence.skip(duration_sec)
        self.sound.skip(duration_sec)
        self.video.skip(duration_sec)

    def error_of(self, measurement: SegmentMeasurement) -> str:
        """Return why a track that these are to judge could not be decoded; empty if it could."""
        errors = {"video": measurement.video_error, "audio": measurement.audio_error}
        return next(
            (error for track, error in errors.items() if error and track in self.tracks), ""
        )

    def inheriting(self, others: Iterable["MediaDetectors"]) -> Self:
        """Return these with what `others` detected in the tracks that these are to carry."""
        taken: dict[str, Any] = {"known": self.known, "learned_sec": self.learned_sec}
        for other in others:
            taken["known"] |= self.tracks & other.known
            taken["learned_sec"] = max(taken["learned_sec"], other.learned_sec)
            if "video" in self.tracks & other.tracks:
                taken["video"] = other.video
            if "audio" in self.tracks & other.tracks:
                taken |= {name: getattr(other, name) for name in _OF_AUDIO}
        return self.model_copy(update=taken)

    def close_audio(self, at: datetime) -> list[IncidentChange]:
        ended = []
        for index, state in ((1, self.silence), *self.additional.items()):
            rule = closing_rule(IncidentKind.SILENCE, self._label(index))
            ended.append(state.faults.end(at, rule))
        return [each for each in ended if each]

    def health(self) -> tuple[Health, Health]:
        """Return the condition of picture and sound; unknown before the first segment."""
        return self._health("video"), self._health("audio")

    def warnings(self) -> list[IncidentKind]:
        found = (it for track in sorted(self._judged(), reverse=True) for it in self._of(track))
        return [kind for kind, health in found if health is Health.WARNING]

    def growing(self) -> list[tuple[IncidentKind, Fault]]:
        """Return the faults of picture and first sound that are no incident yet."""
        detectors = (
            (IncidentKind.BLACKOUT, self.video.blackout),
            (IncidentKind.FREEZE, self.video.freeze.faults),
            (IncidentKind.SILENCE, self.silence.faults),
        )
        return [(kind, each.fault) for kind, each in detectors if each.fault and not each.is_open]

    def causes(self) -> list[Cause]:
        return [*self.video.cards.causes(), *self.sound.tone.causes()]

    def _judge_audio(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        is_all = thresholds.audio_tracks is AudioTracks.ALL
        label = self._label(1, measurement.audio_language) if is_all else {}
        rule = self._silence_rule(position, thresholds, label)
        changes = self.sound.follow(measurement, position, thresholds)
        if measurement.has_audio:
            duration_sec = measurement.duration_sec
            return changes + self.silence.follow(measurement, duration_sec, position, rule)
        return changes + self.silence.miss(position, replace(rule, reason=NO_AUDIO_TRACK))

    def _silence_rule(
        self, position: SegmentPosition, thresholds: Thresholds, label: dict[str, str]
    ) -> FaultRule:
        return usual_rule(
            IncidentKind.SILENCE,
            thresholds,
            position,
            remnant_sec=REMNANT_SEC,
            reason=BELOW_THRESHOLD,
            details=label,
        )

    def _health(self, track: Track) -> Health:
        if track not in self._judged():
            return Health.UNKNOWN
        return max((health for _, health in self._of(track)), key=HEALTH_ORDER.index)

    def _judged(self) -> frozenset[Track]:
        return self.tracks - self.unjudged if self.next_start_sec is not None else frozenset()

    def _of(self, track: Track) -> list[tuple[IncidentKind, Health]]:
        if track == "video":
            return self.video.conditions()
        sounds = (self.silence, *self.additional.values())
        silences = [(IncidentKind.SILENCE, each.faults.health()) for each in sounds]
        return [*silences, *self.sound.conditions()]


def _tracks_in(measurement: SegmentMeasurement) -> frozenset[Track]:
    has: dict[Track, bool] = {"video": measurement.has_video, "audio": measurement.has_audio}
    return frozenset(track for track, is_there in has.items() if is_there)
