"""Following one media playlist, segment by segment."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from media.codecs import codec_of
from media.decoding.errors import UndecodableSegment
from media.hls.cursor import Advance
from media.hls.errors import PlaylistError
from media.hls.playlist import MediaPlaylist, Segment
from media.outbound.errors import FetchError
from media.watching.decryption import UnsupportedSegment
from media.watching.reloads import PlaylistReloads
from media.watching.resume_hint import PlaylistLook
from media.watching.segment_prober import SegmentListener, SegmentProber, SegmentSeen
from media.watching.state import MAIN, TrackState, WatchState, is_further
from monitors.config import MonitorConfig
from monitors.detectors.media import MediaDetectors
from monitors.detectors.skimming import Deferred
from monitors.detectors.stream_time import TIME_TOLERANCE_SEC, SegmentPosition
from monitors.incidents import IncidentChange
from monitors.measurement import SegmentMeasurement, Track, Unmeasurable, nothing_of

logger = structlog.get_logger(__name__)

LOST_STATUSES = frozenset({401, 403, 404, 410})
"""Answers to a playlist that mean: find out anew where the stream is."""

REFUSALS = frozenset({401, 403, 410})
"""Answers to a segment, asked for more than once, that mean the same: its URL has run out."""

REFUSED_AGAIN_SEC = 60.0
"""Where a new URL did not help, segments are given up for so long before the next is asked for."""

GAP = "gap"
"""Why a stream is suspended whose playlist goes on without media (EXT-X-GAP)."""

UNDECODABLE = "undecodable"
ENCRYPTED = "encrypted"

MANY_STRETCHES = 100
"""Of black, stillness and silence. A segment with more is judged beside the event loop; no usual
one has so many."""

OVER_LOOK_SEC = 0.25
"""A track that is over is missing, for as long as another one is not."""

CATCHING_UP_SEC = 10.0
"""After this long no more segments of a lost worker are measured: newer ones wait for it."""


class PlaylistLost(Exception):
    """The playlist is no longer where it was; the source must be asked again.

    Attributes:
        reason: stable word.
    """

    def __init__(self, error: FetchError) -> None:
        super().__init__(str(error))
        self.reason = error.code


class TrackFollower:
    """Follows one playlist and feeds what it measures into the watch's state.

    State changes only between awaits: cancelling at any moment leaves it consistent.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        state: WatchState,
        config: MonitorConfig,
        meter: SegmentProber,
        now: Callable[[], datetime],
        looks: dict[str, PlaylistLook],
        on_change: Callable[[], None],
        on_segment: SegmentListener | None = None,
    ) -> None:
        self._name = name
        self._url = url
        self._state = state
        self._config = config
        self._meter = meter
        self._now = now
        self._looks = looks
        if self._last and self._last.url != url:
            del looks[name]
        self._reloads = PlaylistReloads(
            url,
            meter.client,
            check_interval_sec=config.check_interval_sec,
            mirrors=meter.mirrors,
        )
        self._are_parts_good = True
        self._on_change = on_change
        self._on_segment = on_segment

    @property
    def _last(self) -> PlaylistLook | None:
        return self._looks.get(self._name)

    @_last.setter
    def _last(self, look: PlaylistLook) -> None:
        self._looks[self._name] = look

    @property
    def _track(self) -> TrackState:
        return self._state.tracks[self._name]

    async def follow(self) -> None:
        """Follow the playlist until its end (EXT-X-ENDLIST).

        Raises:
            PlaylistLost: it is gone, or may no longer be read.
        """
        if not self._is_up_to_date():
            await self._look()
        while not (self._is_at_end() or self._state.is_over):
            await asyncio.sleep(self._reloads.delay_sec(self._last))
            await self._look()
        self._state.at_end.add(self._name)
        while not self._state.is_over:
            await asyncio.sleep(OVER_LOOK_SEC)
            await self._note_absence(())

    def _is_up_to_date(self) -> bool:
        """Tell whether an earlier watch left nothing to do before the playlist is due again."""
        last, cursor = self._last, self._track.cursor
        if last is None or cursor.next_sequence is None:
            return False
        return self._reloads.delay_sec(last) > 0 and not cursor.left(last.playlist)

    def _is_at_end(self) -> bool:
        last = self._last
        return bool(last and last.playlist.ended and not self._track.cursor.left(last.playlist))

    async def _look(self) -> None:
        """Load the playlist and measure what is new."""
        started = _clock()
        try:
            look = await self._load()
        except (FetchError, PlaylistError) as error:
            if is_further(self._name):
                await self._note_lack(error)
            else:
                self._not_loaded(error)
            if self._last:
                self._last = replace(self._last, started=started, changed=False)
            return
        playlist = look.playlist
        await self._catch_up(playlist)
        seen_at = self._now()
        unseen_sec = self._state.unseen_sec(self._name, seen_at)
        advance = self._track.cursor.advance(playlist, unseen_sec=unseen_sec)
        has_parts = self._last is not None and playlist.edge > self._last.playlist.edge
        self._last = replace(look, changed=advance.changed or has_parts)
        self._note_progress(playlist, advance, seen_at)
        await self._note_absence(advance.segments)
        starts = _start_times(playlist, seen_at)
        in_parts = self._are_parts_good and self._reloads.in_parts(look)
        for segment in self._track.cursor.pieces(playlist, in_parts=in_parts):
            if self._state.happened:
                return  # the watch ends, and another goes on from here
            starts_at = starts[segment.sequence] + timedelta(seconds=segment.offset_sec)
            await self._measure(segment, starts_at, seen_at)

    async def _load(self) -> PlaylistLook:
        try:
            return await self._reloads.load(self._last, self._track.cursor)
        except FetchError as error:
            if error.status in LOST_STATUSES and not is_further(self._name):
                self._not_loaded(error)
                raise PlaylistLost(error) from None
            raise

    def _not_loaded(self, error: FetchError | PlaylistError) -> None:
        self._state.unloaded.add(self._name)
        self._track.absence.unobserved(self._now())
        self._failed(f"playlist: {error}", _reason(error))

    async def _note_lack(self, error: FetchError | PlaylistError) -> None:
        """Judge a sound track beside the first that cannot be had while the stream goes on."""
        self._log("cannot load", error=str(error))
        self._state.failing.discard(self._name)
        self._track.ends_at = self._track.ends_at or self._now()
        await self._note_absence(())

    def _note_progress(self, playlist: MediaPlaylist, advance: Advance, at: datetime) -> None:
        state = self._state
        self._changed(state.observed(at))
        if advance.changed:
            state.not_live, state.said_over_at = 0, None
        if advance.rejoined:
            self._pass_over_until(at)
        if advance.missed:
            self._log("segments missed", count=advance.missed)
            state.statistics.segments_missed += advance.missed
            self._pass_over_sec(advance.missed_sec)
        if advance.restarted:
            self._track.detectors.expect_new_timestamps()
            self._log("programme restarted")
            state.statistics.sequence_resets += 1
        self._track.target_duration_sec = playlist.target_duration_sec
        if self._name == MAIN:
            state.target_duration_sec = playlist.target_duration_sec
        self._note_pace(playlist, advance, at)
        state.unloaded.discard(self._name)
        if not state.is_failing:  # what failed was the playlist, and it is back
            self._changed(state.note(state.errors.succeeded(at, self._config), at))

    def _pass_over_until(self, at: datetime) -> None:
        """Count what came between the last segment of another rendition and the live edge."""
        moved = self._state.pace.stalled
        if moved is None:
            return
        missed_sec = max(0.0, (at - moved.started_at).total_seconds())
        missed = round(missed_sec / max(self._track.target_duration_sec, 1.0))
        self._state.statistics.segments_missed += missed
        self._pass_over_sec(missed_sec)

    def _pass_over_sec(self, missed_sec: float) -> None:
        """Pass over media that was not seen, but for what was judged as missing."""
        self._track.pass_over(max(0.0, missed_sec - self._track.absence.judged_sec))

    def _note_pace(self, playlist: MediaPlaylist, advance: Advance, at: datetime) -> None:
        if playlist.ended and not advance.changed:
            return  # it is over; that is no standstill, however late the end is seen
        is_gap = bool(playlist.segments) and playlist.segments[-1].gap
        changes = self._state.note_pace(
            has_new=advance.has_media,
            at=at,
            thresholds=self._config,
            reason=GAP if is_gap else None,
        )
        self._changed(self._state.note(changes, at))

    async def _note_absence(self, new: Sequence[Segment]) -> None:
        """Judge what is missing where this track stops alone."""
        track, state = self._track, self._state
        missing_sec = state.missing_sec(
            self._name,
            new_sec=sum(each.duration_sec for each in new if not each.gap),
            thresholds=self._config,
        )
        if missing_sec <= 0 or track.ends_at is None:
            return
        missing = nothing_of(track.detectors.tracks, missing_sec)
        due = await self._measure_again(track.detectors.video.due(missing))
        position = SegmentPosition(
            sequence=max(0, (track.cursor.next_sequence or 0) - 1),
            start_sec=track.stream_sec,
            duration_sec=missing_sec,
            starts_at=track.ends_at,
        )
        await self._apply(missing, position, due)
        track.absence.judged_sec += missing_sec

    async def _measure(self, segment: Segment, starts_at: datetime, seen_at: datetime) -> None:
        if segment.gap:
            self._pass_over_gap(segment)
            return
        context = self._track.detectors.probe_context(
            segment.duration_sec, self._config, has_room=self._meter.cache.has_room()
        )
        try:
            measurement = await self._meter.measure(
                segment,
                target_duration_sec=self._state.target_duration_sec,
                silence_db=self._config.silence_db_threshold,
                context=context,
            )
            due = await self._measure_again(self._track.detectors.video.due(measurement))
        except UnsupportedSegment as error:
            self._pass_over_encrypted(segment, seen_at)
            self._show(segment, None, str(error), seen_at)
        except (FetchError, UndecodableSegment) as error:
            self._ask_anew_when_refused(error)
            self._are_parts_good &= segment.parts_until is None
            self._segment_failed(segment, str(error), _reason(error))
            self._track.absence.moved(seen_at)
            self._pass_over(segment)
            self._show(segment, None, str(error), seen_at)
        else:
            await self._judge(segment, measurement, starts_at, seen_at, due)
            broken = self._track.detectors.error_of(measurement) or None
            self._show(segment, measurement, broken, seen_at)

    async def _measure_again(self, due: Sequence[Deferred]) -> list[SegmentMeasurement | None]:
        return [await self._meter.measure_again(each.measurement) for each in due]

    async def _catch_up(self, playlist: MediaPlaylist) -> None:
        """Measure what a lost worker had deferred, as far as the playlist still names it."""
        track, cursor, begun = self._track, self._track.cursor, _clock()
        first = track.detectors.video.deferred_from
        if not track.detectors.video.is_behind or first is None or track.ends_at is None:
            return
        found, start_sec = list[tuple[SegmentPosition, SegmentMeasurement]](), track.stream_sec
        start_sec -= cursor.parts_sec
        for segment in reversed(cursor.done_of(playlist)):
            start_sec -= segment.duration_sec
            if (
                start_sec < first.start_sec - TIME_TOLERANCE_SEC
                or _clock() - begun > CATCHING_UP_SEC
            ):
                break
            position = SegmentPosition(
                sequence=segment.sequence,
                start_sec=start_sec,
                duration_sec=segment.duration_sec,
                starts_at=track.ends_at - timedelta(seconds=track.stream_sec - start_sec),
            )
            with contextlib.suppress(FetchError, UndecodableSegment, UnsupportedSegment):
                found.append((position, await self._measured_apart(segment)))
        track.detectors.video.catch_up(reversed(found), track.stream_sec, self._config)

    async def _measured_apart(self, segment: Segment) -> SegmentMeasurement:
        return await self._meter.apart().measure(
            segment,
            target_duration_sec=self._state.target_duration_sec,
            silence_db=self._config.silence_db_threshold,
        )

    async def _judge(
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
        await self._apply(measurement, position, due)
        track.absence.moved(seen_at)
        track.cursor.done(segment)
        state.statistics.downloaded_bytes += measurement.size_bytes
        state.last_check_at = at = self._now()
        self._note_unmeasurable(measurement.unmeasurable, at)
        for sound in measurement.further_sound:
            if sound.unmeasurable:
                self._note_unmeasurable({"audio": sound.unmeasurable}, at)
        if error := track.detectors.error_of(measurement):
            self._segment_failed(segment, error, UNDECODABLE)
        else:
            hidden = (measurement.unmeasurable.get(kind) for kind in track.detectors.tracks)
            why = next((each.reason for each in hidden if each), None)
            self._segment_succeeded(segment, at, why)

    def _pass_over_encrypted(self, segment: Segment, seen_at: datetime) -> None:
        """Pass over a segment that cannot be measured: nobody has to have the key of it."""
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
        self._nothing_fails(at, ENCRYPTED)

    def _note_unmeasurable(self, found: Mapping[Track, Unmeasurable], at: datetime) -> None:
        for kind in self._track.detectors.tracks & found.keys():
            self._changed(self._state.note_unmeasurable(kind, found[kind], at))

    async def _apply(
        self,
        measurement: SegmentMeasurement,
        position: SegmentPosition,
        due: Sequence[SegmentMeasurement | None],
    ) -> None:
        """Judge what comes next in the track, after the deferred segments that are `due`."""
        track, state = self._track, self._state
        judge = partial(_judged, due, measurement, position, self._config)
        known = [each for each in (measurement, *due) if each]
        if sum(each.stretches for each in known) <= MANY_STRETCHES:
            changes = judge(track.detectors)
        else:
            detectors = track.detectors.model_copy(deep=True)
            changes = await asyncio.to_thread(judge, detectors)
            track.detectors = detectors
        track.stream_sec += position.duration_sec
        track.ends_at = position.wall_clock(position.duration_sec)
        self._changed(state.note(changes, self._now()))

    def _segment_succeeded(self, segment: Segment, at: datetime, unmeasurable: str | None) -> None:
        statistics = self._state.statistics
        statistics.total_segments_analyzed += segment.parts_until is None
        statistics.analyzed_sec = round(statistics.analyzed_sec + segment.duration_sec, 6)
        self._nothing_fails(at, unmeasurable)

    def _nothing_fails(self, at: datetime, unmeasurable: str | None) -> None:
        """Note that a segment is good, as far as it can be measured; else why it cannot."""
        state = self._state
        state.failing.discard(self._name)
        state.hidden.pop(self._name, None)
        if unmeasurable and not is_further(self._name):
            state.hidden[self._name] = unmeasurable
        changes = [] if state.is_failing else state.errors.succeeded(at, self._config)
        if not state.is_rendition_failing:
            hidden = next(iter(state.hidden.values()), None)
            changes += state.renditions.played(at, unmeasurable=hidden)
        self._changed(state.note(changes, at))

    def _segment_failed(self, segment: Segment, error: str, reason: str) -> None:
        self._state.statistics.segments_failed += 1
        self._state.failing.add(self._name)
        self._failed(f"segment {segment.sequence}: {error}", reason)

    def _pass_over_gap(self, segment: Segment) -> None:
        if self._track.absence.judged_sec:  # what it stands for is judged by the clock
            self._track.cursor.done(segment)
        else:
            self._pass_over(segment)

    def _pass_over(self, segment: Segment) -> None:
        self._track.pass_over(segment.duration_sec)
        self._track.cursor.done(segment)

    def _failed(self, error: str, reason: str) -> None:
        self._log("cannot measure", error=error)
        at = self._now()
        if not is_further(self._name):
            self._state.renditions.failed(reason, at)
        self._changed(self._state.note(self._state.errors.failed(error, at, self._config), at))

    def _ask_anew_when_refused(self, error: Exception) -> None:
        """Keep a refused segment for the next try, unless a new URL was tried just before.

        Where all URLs have run out, those of picture and first sound are refused, too.

        Raises:
            PlaylistLost: the source is to be asked anew.
        """
        if not isinstance(error, FetchError) or error.status not in REFUSALS:
            return
        if is_further(self._name):
            return
        at, last = self._now(), self._state.refused_at
        if last is None or at - last >= timedelta(seconds=REFUSED_AGAIN_SEC):
            self._state.refused_at = at
            raise PlaylistLost(error) from None

    def _changed(self, changed: bool) -> None:
        if changed:
            self._on_change()

    def _show(
        self,
        segment: Segment,
        measurement: SegmentMeasurement | None,
        error: str | None,
        seen_at: datetime,
    ) -> None:
        if self._on_segment:
            seen = SegmentSeen(self._name, segment, measurement, error, seen_at, self._now())
            self._on_segment(seen)

    def _log(self, event: str, **fields: object) -> None:
        logger.info(event, track=self._name, **fields)


def _judged(
    due: Sequence[SegmentMeasurement | None],
    measurement: SegmentMeasurement,
    position: SegmentPosition,
    config: MonitorConfig,
    detectors: MediaDetectors,
) -> list[IncidentChange]:
    detectors.video.judge_deferred(due, config)
    return detectors.feed(measurement, position, config)


def _reason(error: FetchError | PlaylistError | UndecodableSegment) -> str:
    """Return a stable word for what is wrong."""
    if isinstance(error, FetchError):
        return error.code
    if isinstance(error, PlaylistError):
        return "bad_playlist"
    return UNDECODABLE


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _start_times(playlist: MediaPlaylist, seen_at: datetime) -> dict[int, datetime]:
    """Return the wall clock of each segment's first moment, by media sequence.

    EXT-X-PROGRAM-DATE-TIME where the playlist tells (RFC 8216 4.3.2.6); else the window's end is
    taken to have been published when it was seen.
    """
    starts: dict[int, datetime] = {}
    edge = seen_at
    for segment in reversed(
        [*playlist.segments, *([playlist.partial] if playlist.partial else [])]
    ):
        edge -= timedelta(seconds=segment.duration_sec)
        starts[segment.sequence] = segment.program_date_time or edge
    return starts
