"""Picture detectors. Some segments are judged only after later ones have arrived."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import BaseModel, Field, InstanceOf

from monitors.config import Thresholds
from monitors.detectors.cards import CardDetectors, cards_in, slates_in
from monitors.detectors.fault_detector import (
    REMNANT_SEC,
    VIDEO_MISSING,
    FaultDetector,
    closing_rule,
    usual_rule,
)
from monitors.detectors.freeze import STILL_NOTICEABLE_SEC, FreezeDetector, still_findings
from monitors.detectors.lights import Lights
from monitors.detectors.loop import LoopDetector
from monitors.detectors.skimming import (
    LEAST_DEFERRED,
    MEASURED_PER_STILL_SEGMENT,
    Deferred,
    count_settled,
    depth_of_next,
    may_defer,
    out_of_reach,
)
from monitors.detectors.stream_time import (
    TIME_TOLERANCE_SEC,
    Condition,
    Finding,
    SegmentPosition,
    Stretch,
    stretches,
    without,
)
from monitors.frames import FLUENT_INTERVAL_SEC, STILL_GAP_SEC, DecodeDepth
from monitors.incidents import IncidentChange
from monitors.measurement import Interval, SegmentMeasurement
from monitors.status import Health, IncidentKind

NO_VIDEO_TRACK = "no_video_track"

FLUENT_SEC = 60.0  # a stream whose frames came closely for as long as this is no slide show


class VideoDetectors(BaseModel):
    """What the detectors of one sequence of frames remember."""

    cards: CardDetectors = Field(default_factory=CardDetectors)
    blackout: FaultDetector = Field(default_factory=FaultDetector)
    lights: Lights = Field(default_factory=Lights)
    freeze: FreezeDetector = Field(default_factory=FreezeDetector)
    loop: LoopDetector = Field(default_factory=LoopDetector)
    # the latest segments whose frames `blackout` and `freeze` have not judged yet, see
    # `monitors.detectors.skimming`. They stay in the memory of their worker.
    deferred: list[InstanceOf[Deferred]] = Field(default=[], exclude=True)
    deferred_from: SegmentPosition | None = None  # where the first of these lies; None without any
    has_shown: bool = False  # whether any frame was seen yet
    # how long frames came closely and without a pause; it stays `FLUENT_SEC` once it is
    fluent_sec: float = 0.0

    def depth_of_next(
        self, duration_sec: float, thresholds: Thresholds, *, has_room: bool
    ) -> DecodeDepth:
        if not self._is_calm():
            return DecodeDepth.EVERYTHING
        waiting_sec = sum(each.position.duration_sec for each in self.deferred)
        grown_sec = self.freeze.grown_sec + waiting_sec + duration_sec
        waiting = len(self.deferred)
        return depth_of_next(duration_sec, grown_sec, waiting, thresholds, has_room=has_room)

    def due_before(self, measurement: SegmentMeasurement) -> Sequence[Deferred]:
        """Return the deferred segments that are to be judged before `measurement`."""
        if measurement.video_error or "video" in measurement.unmeasurable:
            return ()  # its frames are passed over
        if not may_defer(measurement):
            return tuple(self.deferred)
        is_calm = measurement.is_skimmed or count_settled([*self._deferred(), measurement])
        return () if is_calm else tuple(self.deferred[:MEASURED_PER_STILL_SEGMENT])

    def _deferred(self) -> list[SegmentMeasurement]:
        return [each.measurement for each in self.deferred]

    def judge_deferred(
        self, measurements: Iterable[SegmentMeasurement | None], thresholds: Thresholds
    ) -> None:
        """Judge all frames of the first deferred segments.

        They reach no threshold: a segment that could is not deferred. One that cannot be had any
        more, None, counts as good: nothing before it is joined with what comes after it.
        """
        for measurement in measurements:
            first = self.deferred.pop(0)
            self._judge_quietly(measurement, first.position, thresholds)
            self._skip(first.missed_after_sec)
            self.deferred_from = self.deferred[0].position if self.deferred else None

    def resume(self, deferred: list[Deferred]) -> None:
        """Continue with what the last watch on the same worker had deferred."""
        is_same = bool(deferred) and deferred[0].position == self.deferred_from
        self.deferred = deferred if is_same else []

    @property
    def is_behind(self) -> bool:
        """Whether a worker was lost together with the segments that it had deferred."""
        return self.deferred_from is not None and not self.deferred

    def catch_up(
        self,
        measured: Iterable[tuple[SegmentPosition, SegmentMeasurement]],
        end_sec: float,
        thresholds: Thresholds,
    ) -> None:
        """Judge what a lost worker had deferred, as far as it was `measured` again.

        The rest, up to `end_sec`, counts as good: a fault that began there begins later.
        """
        first, self.deferred_from = self.deferred_from, None
        if first is None:
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
        """Judge the frames of the next segment, now or later."""
        self._note_pace(measurement)
        if not may_defer(measurement):
            self.judge_deferred([None] * len(self.deferred), thresholds)
            return self._judge(measurement, position, thresholds)
        self.deferred.append(Deferred.of(measurement, position))
        self.deferred_from = self.deferred[0].position
        is_off = thresholds.freeze_threshold_sec <= 0
        unneeded = max(0, len(self.deferred) - LEAST_DEFERRED)
        done = unneeded if is_off else count_settled(self._deferred())
        self.judge_deferred([None] * done, thresholds)
        return []

    def _note_pace(self, measurement: SegmentMeasurement) -> None:
        interval_sec = measurement.frame_interval_sec
        is_close = 0 < interval_sec <= FLUENT_INTERVAL_SEC and not measurement.pauses
        if self.fluent_sec < FLUENT_SEC:
            grown_sec = self.fluent_sec + measurement.duration_sec
            self.fluent_sec = min(grown_sec, FLUENT_SEC) if is_close else 0.0

    def _judge_quietly(
        self,
        measurement: SegmentMeasurement | None,
        position: SegmentPosition,
        thresholds: Thresholds,
    ) -> None:
        """Judge frames that reach no threshold; without a measurement they are good."""
        if measurement is None or measurement.video_error:
            measurement = SegmentMeasurement(duration_sec=position.duration_sec)
        self._judge(measurement, position, out_of_reach(thresholds.as_expected()))

    def _is_calm(self) -> bool:
        """Return whether no known fault requires every frame to be decoded."""
        if self.deferred:  # none of these has a dark keyframe
            return True
        is_dark = self.blackout.fault is not None
        return not is_dark and not self.cards.causes() and self._freeze_health() is Health.OK

    def skip(self, duration_sec: float) -> None:
        if self.deferred:
            self.deferred[-1] = self.deferred[-1].missing_after(duration_sec)
        else:
            self._skip(duration_sec)

    def _skip(self, duration_sec: float) -> None:
        self.cards.skip(duration_sec)
        self.blackout.skip(duration_sec)
        self.lights.skip(duration_sec)
        self.freeze.skip(duration_sec)
        self.loop.faults.skip(duration_sec)

    def _freeze_health(self) -> Health:
        return self.freeze.faults.health(STILL_NOTICEABLE_SEC)

    def end(self, at: datetime) -> list[IncidentChange]:
        black = self.blackout.end(at, closing_rule(IncidentKind.BLACKOUT))
        loop = self.loop.faults.end(at, closing_rule(IncidentKind.LOOP))
        ended = [*self.cards.end(at), black, *self.freeze.end(at), loop]
        return [each for each in ended if each]

    def conditions(self) -> list[tuple[IncidentKind, Health]]:
        return [
            (IncidentKind.BLACKOUT, self.blackout.health()),
            (IncidentKind.FREEZE, self._freeze_health()),
            (IncidentKind.LOOP, self.loop.faults.health()),
            *self.cards.conditions(),
        ]

    def _judge(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> list[IncidentChange]:
        blackout = usual_rule(IncidentKind.BLACKOUT, thresholds, position)
        freeze = usual_rule(
            IncidentKind.FREEZE,
            thresholds,
            position,
            joint_sec=STILL_GAP_SEC,
            remnant_sec=REMNANT_SEC,
            noticeable_sec=STILL_NOTICEABLE_SEC,
        )
        loop = usual_rule(IncidentKind.LOOP, thresholds, position)
        black, still = self._seen_in(measurement, position, thresholds)
        is_present = measurement.has_video and not measurement.is_video_missing
        self.has_shown |= is_present
        return [
            *self.cards.follow(measurement, position, thresholds),
            *self.blackout.follow(_cut(black, position, measurement, is_present), blackout),
            *self.freeze.follow(_cut(still, position, measurement, is_present), freeze),
            *self.loop.follow(measurement.signatures, position, loop),
        ]

    def _seen_in(
        self, measurement: SegmentMeasurement, position: SegmentPosition, thresholds: Thresholds
    ) -> tuple[list[Finding], list[Finding]]:
        """Return what the detectors of blackout and of freeze see in a segment."""
        # Where pictures are missing, a player keeps showing the last one: that is black, or it is
        # frozen. Before the first one there is nothing to show.
        unknown = _whole(position, Condition.UNKNOWN)
        if not measurement.has_video:
            return [replace(_whole(position), reason=NO_VIDEO_TRACK)], [unknown]
        if not measurement.is_video_missing:
            beginning = Interval(start=0.0, end=measurement.video_unseen_sec)
            unseen = Finding(beginning, Condition.UNKNOWN)
            slates = slates_in(measurement, thresholds)
            alive = self.lights.alive(measurement)
            black = [piece for _, piece in without(measurement.black, [*slates, *alive])]
            cards = cards_in(measurement, thresholds)
            is_fluent = self.fluent_sec >= FLUENT_SEC
            return (
                [unseen, *map(Finding, black)],
                [unseen, *still_findings(measurement, cards, is_fluent=is_fluent)],
            )
        missing = replace(_whole(position), reason=VIDEO_MISSING)
        is_black = self.blackout.fault is not None and self.blackout.fault.is_faulty
        return ([missing], [unknown]) if is_black or not self.has_shown else ([], [missing])


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
