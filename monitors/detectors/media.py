"""The detectors of what is in the media: blackout, silence, freeze."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field, InstanceOf

from monitors.config import AudioTracks, Expect, Thresholds
from monitors.detectors.faults import REMNANT_SEC, VIDEO_MISSING, FaultDetector, FaultRule
from monitors.detectors.freeze import STILL_NOTICEABLE_SEC, FreezeState, still_findings
from monitors.detectors.silence import SilenceState
from monitors.detectors.skimming import (
    ALWAYS_DEFERRED,
    CATCH_UP,
    Deferred,
    depth_of_next,
    first_that_counts,
    may_defer,
    out_of_reach,
)
from monitors.detectors.sound_clock import SoundClock
from monitors.detectors.stream_time import (
    TIME_TOLERANCE_SEC,
    Condition,
    Finding,
    SegmentPosition,
    Stretch,
    stretches,
)
from monitors.frames import STILL_GAP_SEC, Depth
from monitors.incidents import IncidentChange, SegmentInfo
from monitors.measurement import Interval, ProbeContext, SegmentMeasurement, Track
from monitors.status import Health, IncidentKind

NO_VIDEO_TRACK = "no_video_track"
NO_AUDIO_TRACK = "no_audio_track"
BELOW_THRESHOLD = "below_threshold"

LEARNING_SEC = 60.0
"""Of the media that is measured first: what it shows the stream is expected to go on with. A
picture that a radio shows later, for a moment, is not missed afterwards."""

SEVERITY = [Health.OK, Health.WARNING, Health.ERROR]

_WANTED: dict[Expect, frozenset[Track]] = {
    Expect.BOTH: frozenset({"video", "audio"}),
    Expect.AUDIO: frozenset({"audio"}),
    Expect.VIDEO: frozenset({"video"}),
}

_OF_THE_PICTURE = ("blackout", "freeze", "deferred", "deferred_from", "has_shown")
_OF_THE_SOUND = ("silence", "further", "known_sounds")


class MediaDetectors(BaseModel):
    """The detectors of one sequence of segments, and all that they remember.

    Attributes:
        tracks: what the segments are meant to carry. Where sound and picture come in playlists of
            their own, each has its detectors, and does not miss the other's track.
        next_start_sec: stream time at which the next segment is expected; None before the first.
        deferred: the latest segments whose frames are not judged yet, see
            `monitors.detectors.skimming`; blackout and freeze are at their beginning still. It
            stays in the memory of its worker.
        deferred_from: where the first of these lies; None without any.
        has_shown: whether any picture was seen yet.
        further: the sound tracks beside the first, by their index, where all are measured.
        label: names this sound among the tracks of a stream of which all are measured.
        known: tracks that the stream declares, or had in its first minute: without word of the
            user it is to have them on.
        known_sounds: likewise the sound tracks beside the first, by their index.
        learned_sec: of its first minute, what was measured.
        unjudged: tracks of which nothing could be known in the last segment, or need be.
    """

    tracks: frozenset[Track] = frozenset({"video", "audio"})
    next_start_sec: float | None = None
    blackout: FaultDetector = Field(default_factory=FaultDetector)
    silence: SilenceState = Field(default_factory=SilenceState)
    freeze: FreezeState = Field(default_factory=FreezeState)
    deferred: list[InstanceOf[Deferred]] = Field(default=[], exclude=True)
    deferred_from: SegmentPosition | None = None
    has_shown: bool = False
    further: dict[int, SilenceState] = {}
    label: dict[str, str] = {}
    known: frozenset[Track] = frozenset({"video", "audio"})
    known_sounds: frozenset[int] = frozenset()
    learned_sec: float = 0.0
    unjudged: frozenset[Track] = frozenset()

    def probe_context(
        self, duration_sec: float, thresholds: Thresholds, *, has_room: bool = True
    ) -> ProbeContext:
        """Return what the probe needs to know before it measures the next segment.

        Args:
            duration_sec: of that segment.
            thresholds: that hold now.
            has_room: whether the cache has room for more deferred segments.
        """
        expected, depth = thresholds.as_expected(), Depth.EVERYTHING
        if "video" in self.tracks and self._is_calm():
            grown_sec = self._grown_sec() + duration_sec
            depth = depth_of_next(
                duration_sec, grown_sec, len(self.deferred), expected, has_room=has_room
            )
        return ProbeContext(
            depth=depth,
            reference=self.deferred[-1].measurement.keyframe if self.deferred else None,
            all_sounds=thresholds.audio_tracks is AudioTracks.ALL and "audio" in self.tracks,
        )

    def due(self, measurement: SegmentMeasurement) -> Sequence[Deferred]:
        """Return the deferred segments that are to be judged before `measurement`."""
        if measurement.video_error or "video" in measurement.unmeasurable:
            return ()  # its frames are passed over
        if not may_defer(measurement):
            return tuple(self.deferred)
        is_calm = measurement.is_skimmed or first_that_counts([*self._deferred(), measurement])
        return () if is_calm else tuple(self.deferred[:CATCH_UP])

    def _deferred(self) -> list[SegmentMeasurement]:
        return [each.measurement for each in self.deferred]

    def judge_deferred(
        self, measurements: Iterable[SegmentMeasurement | None], thresholds: Thresholds
    ) -> None:
        """Judge the frames of the first deferred segments.

        They reach no threshold: a segment that could is not deferred.

        Args:
            measurements: of all their frames; None where the segment cannot be had any more: that
                counts as good, so that nothing before it is joined with what comes after it.
            thresholds: that hold now.
        """
        for measurement in measurements:
            first = self.deferred.pop(0)
            self._judge_quietly(measurement, first.position, thresholds)
            self._skip_video(first.missed_after_sec)
            self.deferred_from = self.deferred[0].position if self.deferred else None

    def resume(self, deferred: list[Deferred]) -> None:
        """Go on with what the last watch on the same worker had deferred."""
        is_same = bool(deferred) and deferred[0].position == self.deferred_from
        self.deferred = deferred if is_same else []

    @property
    def is_behind(self) -> bool:
        """Whether the worker that deferred segments was lost, and they with it."""
        return self.deferred_from is not None and not self.deferred

    def catch_up(
        self,
        measured: Iterable[tuple[SegmentPosition, SegmentMeasurement]],
        thresholds: Thresholds,
    ) -> None:
        """Judge what a lost worker had deferred, as far as it was `measured` again.

        The rest counts as good: a fault that began there begins later.
        """
        first, end_sec = self.deferred_from, self.next_start_sec
        self.deferred_from = None
        if first is None or end_sec is None:
            return
        end = first.model_copy(update={"start_sec": end_sec, "duration_sec": 0.0})
        reached_sec = first.start_sec
        for position, measurement in [*measured, (end, None)]:
            lost_sec = position.start_sec - reached_sec
            if lost_sec > TIME_TOLERANCE_SEC:
                lost = first.model_copy(update={"duration_sec": lost_sec})
                self._judge_quietly(None, lost, thresholds)
            if measurement:
                self._judge_quietly(measurement, position, thresholds)
            reached_sec = position.start_sec + position.duration_sec

    def feed(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        """Judge the next segment and return what changed.

        A start later than expected is media that nobody saw, as if it had been skipped. A start
        earlier than expected is a new beginning of stream time, and nothing follows from it. A
        track of which nothing could be decoded is passed over.
        """
        if self.is_behind:
            self.catch_up((), thresholds)
        if self.next_start_sec is not None:
            self.skip(max(0.0, position.start_sec - self.next_start_sec))
        self.next_start_sec = position.start_sec + position.duration_sec
        self._learn_from(measurement, position.duration_sec)
        self.unjudged = self._unjudged(measurement, thresholds.expect)
        thresholds = thresholds.as_expected()
        changes = self._end_unmissed(measurement, position.starts_at)
        if measurement.video_error or self._may_lack("video", measurement):
            self._skip_picture(position.duration_sec)
        elif "video" in self.tracks:
            changes += self._judge_or_defer(measurement, position, thresholds)
        if measurement.audio_error or self._may_lack("audio", measurement):
            self.silence.skip(position.duration_sec)
        elif "audio" in self.tracks:
            changes += self._judge_audio(measurement, position, thresholds)
        return changes + self._judge_further(measurement, position, thresholds)

    def _learn_from(self, measurement: SegmentMeasurement, duration_sec: float) -> None:
        if self.learned_sec < LEARNING_SEC:
            self.known |= self.tracks & _tracks_in(measurement)
            self.known_sounds |= {each.index for each in measurement.further_sound}
            self.learned_sec = min(LEARNING_SEC, self.learned_sec + duration_sec)

    def _end_unmissed(self, measurement: SegmentMeasurement, at: datetime) -> list[IncidentChange]:
        """End what is open of a track that is away and that nobody misses: it may never return."""
        away = self.unjudged - _tracks_in(measurement) - measurement.unmeasurable.keys()
        ended: list[IncidentChange | None] = []
        if "video" in away:
            ended += [
                self.blackout.end(at, _closing(IncidentKind.BLACKOUT)),
                self.freeze.faults.end(at, _closing(IncidentKind.FREEZE)),
            ]
        if "audio" in away:
            label = self.label and self._label(1)
            ended += [self.silence.faults.end(at, _closing(IncidentKind.SILENCE, label))]
        return [each for each in ended if each]

    def _judge_further(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        """Judge the sound tracks beside the first one."""
        heard = {each.index: each for each in measurement.further_sound}
        changes: list[IncidentChange] = []
        if thresholds.audio_tracks is AudioTracks.FIRST:
            others = self.model_copy(update={"silence": SilenceState()})
            self.further = {}
            return others.close_sounds(position.starts_at)
        for index in sorted(heard.keys() | self.further.keys()):
            state = self.further.setdefault(index, SilenceState())
            sound = heard.get(index)
            if sound and (sound.audio_error or sound.unmeasurable):
                state.skip(position.duration_sec)
                continue
            label = self._label(index, sound.audio_language if sound else None)
            rule = self._silence_rule(position, thresholds, label)
            if sound:
                changes += state.follow(sound, measurement.duration_sec, position, rule)
            elif index in self.known_sounds:
                changes += state.miss(position, replace(rule, reason=NO_AUDIO_TRACK))
            else:
                ended = self.further.pop(index).faults.end(position.starts_at, rule)
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
        for silence in (self.silence, *self.further.values()):
            silence.clock = SoundClock()

    def skip(self, duration_sec: float) -> None:
        """Pass over a segment that was missed, or could not be fetched or decoded."""
        if self.next_start_sec is not None:
            self.next_start_sec += duration_sec
        for silence in (self.silence, *self.further.values()):
            silence.skip(duration_sec)
        self._skip_picture(duration_sec)

    def _skip_picture(self, duration_sec: float) -> None:
        if self.deferred:
            self.deferred[-1] = self.deferred[-1].missing_after(duration_sec)
        else:
            self._skip_video(duration_sec)

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
                taken |= {name: getattr(other, name) for name in _OF_THE_PICTURE}
            if "audio" in self.tracks & other.tracks:
                taken |= {name: getattr(other, name) for name in _OF_THE_SOUND}
        return self.model_copy(update=taken)

    def close_sounds(self, at: datetime) -> list[IncidentChange]:
        """End what is open of sound that is no longer measured."""
        ended = []
        for index, state in ((1, self.silence), *self.further.items()):
            rule = _closing(IncidentKind.SILENCE, self._label(index))
            ended.append(state.faults.end(at, rule))
        return [each for each in ended if each]

    def health(self) -> tuple[Health, Health]:
        """Return the condition of picture and sound; unknown before the first segment."""
        video = _worst(self.blackout.health(), self._freeze_health())
        sounds = (self.silence, *self.further.values())
        audio = max((each.faults.health() for each in sounds), key=SEVERITY.index)
        return self._seen("video", video), self._seen("audio", audio)

    def open_incidents(self) -> dict[IncidentKind, datetime]:
        """Return the faults that are incidents now, and the wall clock of their first moment."""
        faults = self._faults().items()
        known = {kind: state.open_since for kind, state in faults if state.open_since}
        sounds = (self.silence, *self.further.values())
        silent = [each.faults.open_since for each in sounds if each.faults.open_since]
        return known | ({IncidentKind.SILENCE: min(silent)} if silent else {})

    def _judge_or_defer(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        if not may_defer(measurement):
            self.judge_deferred([None] * len(self.deferred), thresholds)
            return self._judge_video(measurement, position, thresholds)
        self.deferred.append(Deferred(position, measurement))
        self.deferred_from = self.deferred[0].position
        is_off = thresholds.freeze_threshold_sec <= 0
        unneeded = max(0, len(self.deferred) - ALWAYS_DEFERRED)
        done = unneeded if is_off else first_that_counts(self._deferred())
        self.judge_deferred([None] * done, thresholds)
        return []

    def _judge_quietly(
        self,
        measurement: SegmentMeasurement | None,
        position: SegmentPosition,
        thresholds: Thresholds,
    ) -> None:
        """Judge frames that reach no threshold; without a measurement they are good."""
        if measurement is None or measurement.video_error:
            measurement = SegmentMeasurement(duration_sec=position.duration_sec)
        self._judge_video(measurement, position, out_of_reach(thresholds.as_expected()))

    def _grown_sec(self) -> float:
        """Return how long a freeze that goes on may last already."""
        run = self.freeze.faults.run
        known_sec = run.fault_sec + run.gap_sec if run else 0.0
        return known_sec + sum(each.position.duration_sec for each in self.deferred)

    def _is_calm(self) -> bool:
        """Return whether no fault is known for which each frame has to be looked at."""
        if self.deferred:  # none of these has a dark keyframe
            return True
        return self.blackout.run is None and self._freeze_health() is Health.OK

    def _skip_video(self, duration_sec: float) -> None:
        self.blackout.skip(duration_sec)
        self.freeze.faults.skip(duration_sec)

    def _freeze_health(self) -> Health:
        return self.freeze.faults.health(STILL_NOTICEABLE_SEC)

    def _judge_video(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        blackout = FaultRule(
            kind=IncidentKind.BLACKOUT,
            threshold_sec=thresholds.blackout_threshold_sec,
            recovery_sec=thresholds.recovery_sec,
            segment=_segment_info(position),
        )
        freeze = FaultRule(
            kind=IncidentKind.FREEZE,
            threshold_sec=thresholds.freeze_threshold_sec,
            recovery_sec=thresholds.recovery_sec,
            joint_sec=STILL_GAP_SEC,
            remnant_sec=REMNANT_SEC,
            noticeable_sec=STILL_NOTICEABLE_SEC,
            segment=_segment_info(position),
        )
        black, still = self._seen_in(measurement, position)
        is_present = measurement.has_video and not measurement.is_video_missing
        self.has_shown |= is_present
        return [
            *self.blackout.follow(_cut(black, position, measurement, is_present), blackout),
            *self.freeze.follow(_cut(still, position, measurement, is_present), freeze),
        ]

    def _seen_in(
        self, measurement: SegmentMeasurement, position: SegmentPosition
    ) -> tuple[list[Finding], list[Finding]]:
        """Return what the detectors of blackout and of freeze see in a segment.

        Where pictures are missing, a player goes on showing the last one: that is black, or it is
        frozen. Before the first one there is nothing to show.
        """
        unknown = _whole(position, Condition.UNKNOWN)
        if not measurement.has_video:
            return [replace(_whole(position), reason=NO_VIDEO_TRACK)], [unknown]
        if not measurement.is_video_missing:
            beginning = Interval(start=0.0, end=measurement.video_unseen_sec)
            unseen = Finding(beginning, Condition.UNKNOWN)
            return (
                [unseen, *_faulty(measurement.black)],
                [unseen, *still_findings(measurement)],
            )
        missing = replace(_whole(position), reason=VIDEO_MISSING)
        is_black = self.blackout.run is not None and self.blackout.run.is_faulty
        return ([missing], [unknown]) if is_black or not self.has_shown else ([], [missing])

    def _judge_audio(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        is_all = thresholds.audio_tracks is AudioTracks.ALL
        label = self._label(1, measurement.audio_language) if is_all else {}
        rule = self._silence_rule(position, thresholds, label)
        if measurement.has_audio:
            return self.silence.follow(measurement, measurement.duration_sec, position, rule)
        return self.silence.miss(position, replace(rule, reason=NO_AUDIO_TRACK))

    def _silence_rule(
        self, position: SegmentPosition, thresholds: Thresholds, label: dict[str, str]
    ) -> FaultRule:
        return FaultRule(
            kind=IncidentKind.SILENCE,
            threshold_sec=thresholds.silence_threshold_sec,
            recovery_sec=thresholds.recovery_sec,
            remnant_sec=REMNANT_SEC,
            reason=BELOW_THRESHOLD,
            segment=_segment_info(position),
            details=label,
        )

    def _faults(self) -> dict[IncidentKind, FaultDetector]:
        return {
            IncidentKind.BLACKOUT: self.blackout,
            IncidentKind.FREEZE: self.freeze.faults,
        }

    def _seen(self, track: Track, health: Health) -> Health:
        judged = self.tracks - self.unjudged if self.next_start_sec is not None else ()
        return health if track in judged else Health.UNKNOWN


def _closing(kind: IncidentKind, details: dict[str, str] | None = None) -> FaultRule:
    """Return the rule by which an incident ends whatever is measured."""
    segment = SegmentInfo(sequence=0, duration=0.0)
    return FaultRule(
        kind=kind, threshold_sec=0.0, recovery_sec=0.0, segment=segment, details=details or {}
    )


def _tracks_in(measurement: SegmentMeasurement) -> frozenset[Track]:
    has: dict[Track, bool] = {"video": measurement.has_video, "audio": measurement.has_audio}
    return frozenset(track for track, is_there in has.items() if is_there)


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
    return max(one, other, key=SEVERITY.index)
