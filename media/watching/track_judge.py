"""Measuring the segments of one track, and judging what was found."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from media.codecs import codec_of
from media.decoding.errors import UndecodableSegment
from media.hls.errors import PlaylistError
from media.hls.playlist import MediaPlaylist, Segment
from media.outbound.errors import FetchError
from media.watching.decryption import UnsupportedSegment
from media.watching.faults_begun import faults_half_way
from media.watching.segment_prober import SegmentListener, SegmentProber, SegmentSeen
from media.watching.state import MAIN, is_additional
from media.watching.step_applier import StepApplier
from media.watching.steps import FailedStep, MediaStep, PlayedStep
from media.watching.track_state import TrackState
from monitors.detectors.skimming import Deferred
from monitors.detectors.stream_time import TIME_TOLERANCE_SEC, SegmentPosition
from monitors.measurement import SegmentMeasurement, Track, Unmeasurable, nothing_of

logger = structlog.get_logger(__name__)

REFUSALS = frozenset({401, 403, 410})  # still refused after retries: the URL has expired
REFUSED_AGAIN_SEC = 60.0  # after a new URL was refused too, give up refused segments for this long
UNDECODABLE = "undecodable"
ENCRYPTED = "encrypted"

MANY_STRETCHES = 100  # more are judged in a thread; ordinary segments have fewer
CATCHING_UP_SEC = 10.0  # stop re-measuring after this: new segments are waiting


class PlaylistLost(Exception):
    """The playlist is no longer where it was; the source must be asked again."""

    def __init__(self, error: FetchError) -> None:
        super().__init__(str(error))
        self.reason = error.code


class TrackJudge:
    """Has the segments of one track measured, and feeds what was found into the watch's state.

    State changes only between awaits: cancelling at any moment leaves it consistent. When
    `are_parts_good` is false, the follower waits for whole segments.
    """

    def __init__(
        self,
        name: str,
        steps: StepApplier,
        prober: SegmentProber,
        on_segment: SegmentListener | None = None,
    ) -> None:
        self._name = name
        self._steps = steps
        self._state = steps.state
        self._config = steps.config
        self._now = steps.now
        self._prober = prober
        self._on_segment = on_segment
        self.are_parts_good = True

    @property
    def _track(self) -> TrackState:
        return self._state.tracks[self._name]

    async def judge_missing_media(self, new: Sequence[Segment]) -> None:
        """Judge what is missing if only this track has stopped."""
        track, state = self._track, self._state
        missing_sec = state.missing_sec(
            self._name,
            new_sec=sum(each.duration_sec for each in new if not each.gap),
            thresholds=self._config,
        )
        if missing_sec <= 0 or track.ends_at is None:
            return
        missing = nothing_of(track.detectors.tracks, missing_sec)
        due = await self._measure_again(track.detectors.video.due_before(missing))
        position = SegmentPosition(
            sequence=max(0, (track.cursor.next_sequence or 0) - 1),
            start_sec=track.stream_sec,
            duration_sec=missing_sec,
            starts_at=track.ends_at,
        )
        await self._judge_media(missing, position, due)
        track.absence.judged_sec += missing_sec

    async def measure(self, segment: Segment, starts_at: datetime, seen_at: datetime) -> None:
        if segment.gap:
            self._pass_over_gap(segment)
            self._cover(segment, starts_at, None)
            return
        try:
            measurement = await self._measure(segment, starts_at)
            due = await self._measure_again(self._track.detectors.video.due_before(measurement))
        except UnsupportedSegment as error:
            self._handle_encrypted(segment, error, starts_at, seen_at)
        except (FetchError, UndecodableSegment) as error:
            self._handle_failure(segment, error, starts_at, seen_at)
        else:
            await self._handle_measurement(segment, measurement, due, starts_at, seen_at)
        self._prober.footage.forget_unneeded(self._state)
        self._prober.footage.hand_out_early(faults_half_way(self._state, self._config))

    async def _measure(self, segment: Segment, starts_at: datetime) -> SegmentMeasurement:
        detectors, footage = self._track.detectors, self._prober.footage
        context = detectors.probe_context(
            segment.duration_sec, self._config, has_room=self._prober.cache.has_room()
        )
        if "video" in detectors.tracks and footage.wants_picture():
            context = context.model_copy(update={"with_picture": True})
        return await self._prober.measure(
            segment,
            target_duration_sec=self._state.target_duration_sec,
            silence_db=self._config.silence_db_threshold,
            context=context,
            keep=partial(footage.keep, self._name, segment, starts_at),
        )

    async def _handle_measurement(
        self,
        segment: Segment,
        measurement: SegmentMeasurement,
        due: Sequence[SegmentMeasurement | None],
        starts_at: datetime,
        seen_at: datetime,
    ) -> None:
        await self._apply_measurement(segment, measurement, starts_at, seen_at, due)
        if measurement.picture:
            self._prober.footage.show(measurement.picture, starts_at)
        broken = self._track.detectors.error_of(measurement) or None
        unmeasurable = self._state.hidden.get(self._name)
        self._cover(segment, starts_at, UNDECODABLE if broken else unmeasurable)
        self._notify_listener(segment, measurement, broken, seen_at)

    def _handle_failure(
        self,
        segment: Segment,
        error: FetchError | UndecodableSegment,
        starts_at: datetime,
        seen_at: datetime,
    ) -> None:
        self._raise_if_refused(error)
        self.are_parts_good &= segment.parts_until is None
        self._segment_failed(segment, error, reason_of(error))
        self._track.absence.moved(seen_at)
        self._pass_over(segment)
        self._cover(segment, starts_at, reason_of(error))
        self._notify_listener(segment, None, str(error), seen_at)

    def _cover(self, segment: Segment, starts_at: datetime, reason: str | None) -> None:
        if self._name == MAIN:
            ends_at = starts_at + timedelta(seconds=segment.duration_sec)
            self._state.cover(starts_at, ends_at, reason)

    async def _measure_again(self, due: Sequence[Deferred]) -> list[SegmentMeasurement | None]:
        return [await self._prober.measure_again(each.measurement) for each in due]

    async def catch_up(self, playlist: MediaPlaylist) -> None:
        """Measure what a lost worker had deferred, as far as the playlist still names it."""
        track, begun = self._track, _clock()
        first = track.detectors.video.deferred_from
        if not track.detectors.video.is_behind or first is None or track.ends_at is None:
            return
        prober, found = self._prober.apart(), list[tuple[SegmentPosition, SegmentMeasurement]]()
        start_sec = track.stream_sec - track.cursor.parts_sec
        for segment in reversed(track.cursor.done_of(playlist)):
            start_sec -= segment.duration_sec
            if (
                start_sec < first.start_sec - TIME_TOLERANCE_SEC
                or _clock() - begun > CATCHING_UP_SEC
            ):
                break
            if segment.gap:
                continue
            position = SegmentPosition(
                sequence=segment.sequence,
                start_sec=start_sec,
                duration_sec=segment.duration_sec,
                starts_at=track.ends_at - timedelta(seconds=track.stream_sec - start_sec),
            )
            with contextlib.suppress(FetchError, UndecodableSegment, UnsupportedSegment):
                measured = await prober.measure(
                    segment,
                    target_duration_sec=self._state.target_duration_sec,
                    silence_db=self._config.silence_db_threshold,
                )
                found.append((position, measured))
        detectors = track.detectors.model_copy(deep=True)
        catch_up = detectors.video.catch_up  # in a thread: they may have many stretches
        await asyncio.to_thread(catch_up, reversed(found), track.stream_sec, self._config)
        track.detectors = detectors

    async def _apply_measurement(
        self,
        segment: Segment,
        measurement: SegmentMeasurement,
        starts_at: datetime,
        seen_at: datetime,
        due: Sequence[SegmentMeasurement | None],
    ) -> None:
        track, state = self._track, self._state
        position = SegmentPosition(
            sequence=segment.sequence,
            start_sec=track.stream_sec,
            duration_sec=segment.duration_sec,
            starts_at=starts_at,
        )
        if segment.discontinuity:
            track.detectors.expect_new_timestamps()
        await self._judge_media(measurement, position, due)
        track.absence.moved(seen_at)
        track.cursor.done(segment)
        state.statistics.downloaded_bytes += measurement.size_bytes
        state.last_check_at = at = self._now()
        state.note_media(measurement)
        self._note_unmeasurable(measurement.unmeasurable, at)
        for sound in measurement.additional_audio:
            if sound.unmeasurable:
                self._note_unmeasurable({"audio": sound.unmeasurable}, at)
        if error := track.detectors.error_of(measurement):
            self._segment_failed(segment, error, UNDECODABLE)
        else:
            unmeasurable = (measurement.unmeasurable.get(kind) for kind in track.detectors.tracks)
            why = next((each.reason for each in unmeasurable if each), None)
            self._segment_succeeded(segment, at, why)

    def _handle_encrypted(
        self, segment: Segment, error: UnsupportedSegment, starts_at: datetime, seen_at: datetime
    ) -> None:
        """Skip a segment that we cannot decrypt; this is not a fault of the stream."""
        track, at = self._track, self._now()
        why = {
            kind: Unmeasurable(
                codec=codec_of(track.codecs, sound=kind == "audio"), reason=ENCRYPTED
            )
            for kind in track.detectors.tracks
        }
        track.absence.moved(seen_at)
        track.detectors.unjudged = track.detectors.tracks
        self._pass_over(segment)
        self._note_unmeasurable(why, at)
        self._note_played(at, ENCRYPTED)
        self._cover(segment, starts_at, ENCRYPTED)
        self._notify_listener(segment, None, str(error), seen_at)

    def _note_unmeasurable(self, found: Mapping[Track, Unmeasurable], at: datetime) -> None:
        for kind in self._track.detectors.tracks & found.keys():
            self._steps.changed(self._state.note_unmeasurable(kind, found[kind], at))

    async def _judge_media(
        self,
        measurement: SegmentMeasurement,
        position: SegmentPosition,
        due: Sequence[SegmentMeasurement | None],
    ) -> None:
        """Judge what comes next in the track, after the deferred segments that are `due`."""
        step = MediaStep(
            at=self._now(),
            track=self._name,
            position=position,
            measurement=measurement,
            due=tuple(due),
        )
        known = [each for each in (measurement, *due) if each]
        if sum(each.stretches for each in known) <= MANY_STRETCHES:
            self._steps.apply(step, found=(measurement, *due))
            return
        detectors = self._track.detectors.model_copy(deep=True)
        changes = await asyncio.to_thread(step.changes, detectors, self._config)
        step = replace(step, at=self._now())
        with self._steps.recorded(step, (measurement, *due)):
            self._track.detectors = detectors
            is_noted = step.settle(self._state, changes, self._config)
        self._steps.changed(is_noted)

    def _segment_succeeded(self, segment: Segment, at: datetime, unmeasurable: str | None) -> None:
        statistics = self._state.statistics
        statistics.total_segments_analyzed += segment.parts_until is None
        statistics.analyzed_sec = round(statistics.analyzed_sec + segment.duration_sec, 6)
        self._note_played(at, unmeasurable)

    def _note_played(self, at: datetime, unmeasurable: str | None) -> None:
        """Note that a segment is good, as far as it can be measured; else why it cannot."""
        self._steps.apply(PlayedStep(at=at, track=self._name, unmeasurable=unmeasurable))

    def _segment_failed(self, segment: Segment, error: str | Exception, reason: str) -> None:
        self._state.statistics.segments_failed += 1
        self._state.failing.add(self._name)
        self.failed(f"segment {segment.sequence}: {error}", reason, found=(error,))

    def _pass_over_gap(self, segment: Segment) -> None:
        if self._track.absence.judged_sec:  # judge_missing_media has already counted this time
            self._track.cursor.done(segment)
        else:
            self._pass_over(segment)

    def _pass_over(self, segment: Segment) -> None:
        self._track.pass_over(segment.duration_sec)
        self._track.cursor.done(segment)

    def failed(self, error: str, reason: str, *, found: Sequence[object] = ()) -> None:
        self.log("cannot measure", error=error)
        step = FailedStep(at=self._now(), track=self._name, error=error, reason=reason)
        self._steps.apply(step, found=found)

    def _raise_if_refused(self, error: Exception) -> None:
        """Keep a refused segment for the next try, unless a new URL was tried just before."""
        # Where all URLs have run out, those of picture and first audio are refused, too.
        if not isinstance(error, FetchError) or error.status not in REFUSALS:
            return
        if is_additional(self._name):
            return
        at, last = self._now(), self._state.refused_at
        if last is None or at - last >= timedelta(seconds=REFUSED_AGAIN_SEC):
            self._state.refused_at = at
            raise PlaylistLost(error) from None

    def _notify_listener(
        self,
        segment: Segment,
        measurement: SegmentMeasurement | None,
        error: str | None,
        seen_at: datetime,
    ) -> None:
        if self._on_segment:
            seen = SegmentSeen(self._name, segment, measurement, error, seen_at, self._now())
            self._on_segment(seen)

    def log(self, event: str, **fields: object) -> None:
        logger.info(event, track=self._name, **fields)


def reason_of(error: FetchError | PlaylistError | UndecodableSegment) -> str:
    if isinstance(error, FetchError):
        return error.code
    if isinstance(error, PlaylistError):
        return "bad_playlist"
    return UNDECODABLE


def _clock() -> float:
    return asyncio.get_running_loop().time()
