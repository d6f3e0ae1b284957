"""Following one media playlist, segment by segment."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from media.hls.cursor import Advance
from media.hls.errors import PlaylistError
from media.hls.playlist import MediaPlaylist
from media.outbound.errors import FetchError
from media.watching.lost_footage import fetch_lost_footage
from media.watching.reloads import PlaylistReloads
from media.watching.resume_hint import PlaylistLook
from media.watching.segment_prober import SegmentListener, SegmentProber
from media.watching.state import MAIN, is_additional
from media.watching.step_applier import StepApplier
from media.watching.steps import PlaylistStep
from media.watching.track_judge import PlaylistLost, TrackJudge, reason_of
from media.watching.track_state import TrackState, start_times

logger = structlog.get_logger(__name__)

LOST_STATUSES = frozenset({401, 403, 404, 410})  # of a playlist: the source is asked again
GAP = "gap"  # the reason of a suspension while the playlist continues without media (EXT-X-GAP)
OVER_LOOK_SEC = 0.25  # how often an ended track is judged to be missing while another one continues


class TrackFollower:
    """Follows one playlist and feeds what it measures into the watch's state.

    State changes only between awaits: cancelling at any moment leaves it consistent.
    """

    def __init__(
        self,
        name: str,
        url: str,
        steps: StepApplier,
        prober: SegmentProber,
        *,
        looks: dict[str, PlaylistLook],
        on_segment: SegmentListener | None,
    ) -> None:
        self._name = name
        self._steps = steps
        self._state = steps.state
        self._now = steps.now
        self._prober = prober
        self._looks = looks
        if self._last and self._last.url != url:
            del looks[name]
        self._reloads = PlaylistReloads(
            url,
            prober.client,
            check_interval_sec=steps.config.check_interval_sec,
            mirrors=prober.mirrors,
        )
        self._judge = TrackJudge(name, steps, prober, on_segment)

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
        """Follow the playlist to its end (EXT-X-ENDLIST), or until it is lost (`PlaylistLost`)."""
        if not self._is_up_to_date():
            await self._poll()
        while not (self._is_at_end() or self._state.is_over):
            await asyncio.sleep(self._reloads.delay_sec(self._last))
            await self._poll()
        self._state.at_end.add(self._name)
        while not self._state.is_over:
            await asyncio.sleep(OVER_LOOK_SEC)
            await self._judge.judge_missing_media(())

    def _is_up_to_date(self) -> bool:
        """Whether an earlier watch left nothing to do before the playlist is due again."""
        last, cursor = self._last, self._track.cursor
        if last is None or cursor.next_sequence is None:
            return False
        return self._reloads.delay_sec(last) > 0 and not cursor.left(last.playlist)

    def _is_at_end(self) -> bool:
        last = self._last
        return bool(last and last.playlist.ended and not self._track.cursor.left(last.playlist))

    async def _poll(self) -> None:
        """Load the playlist and measure what is new."""
        started = asyncio.get_running_loop().time()
        try:
            look = await self._load()
        except (FetchError, PlaylistError) as error:
            if is_additional(self._name):
                await self._note_lack(error)
            else:
                self._not_loaded(error)
            if self._last:
                self._last = replace(self._last, started=started, changed=False)
            return
        playlist = look.playlist
        await self._judge.catch_up(playlist)
        if self._name == MAIN:
            await fetch_lost_footage(self._state, playlist, self._prober, self._now())
        seen_at = self._now()
        self._steps.read(self._name, playlist, seen_at)
        unseen_sec = self._state.unseen_sec(self._name, seen_at)
        advance = self._track.cursor.advance(playlist, unseen_sec=unseen_sec)
        has_parts = self._last is not None and playlist.edge > self._last.playlist.edge
        self._last = replace(look, changed=advance.changed or has_parts)
        self._note_progress(playlist, advance, seen_at)
        await self._judge.judge_missing_media(advance.segments)
        # The window's end is taken to have been published when it was seen.
        starts = start_times(
            [*playlist.segments, *([playlist.partial] if playlist.partial else [])], seen_at
        )
        in_parts = self._judge.are_parts_good and self._reloads.in_parts(look)
        for segment in self._track.cursor.pieces(playlist, in_parts=in_parts):
            if self._state.pending_events:
                return  # the watch ends, and another goes on from here
            starts_at = starts[segment.sequence] + timedelta(seconds=segment.offset_sec)
            await self._judge.measure(segment, starts_at, seen_at)

    async def _load(self) -> PlaylistLook:
        try:
            return await self._reloads.load(self._last, self._track.cursor)
        except FetchError as error:
            if error.status in LOST_STATUSES and not is_additional(self._name):
                self._not_loaded(error)
                raise PlaylistLost(error) from None
            raise

    def _not_loaded(self, error: FetchError | PlaylistError) -> None:
        self._state.unloaded.add(self._name)
        self._track.absence.unobserved(self._now())
        self._state.coverage.unseen(reason_of(error), self._now())
        self._judge.failed(f"playlist: {error}", reason_of(error))

    async def _note_lack(self, error: FetchError | PlaylistError) -> None:
        """Judge an additional audio track that cannot be loaded while the stream continues."""
        self._judge.log("cannot load", error=str(error))
        self._state.failing.discard(self._name)
        self._track.ends_at = self._track.ends_at or self._now()
        await self._judge.judge_missing_media(())

    def _note_progress(self, playlist: MediaPlaylist, advance: Advance, at: datetime) -> None:
        state = self._state
        self._steps.changed(state.observed(at))
        if advance.changed:
            state.not_live, state.said_over_at = 0, None
        if advance.rejoined:
            self._pass_over_until(at)
        if advance.missed:
            self._judge.log("segments missed", count=advance.missed)
            state.statistics.segments_missed += advance.missed
            self._pass_over_sec(advance.missed_sec)
        if advance.restarted:
            self._track.detectors.expect_new_timestamps()
            self._judge.log("media sequence restarted")
            state.statistics.sequence_resets += 1
        self._track.target_duration_sec = playlist.target_duration_sec
        if self._name == MAIN:
            state.target_duration_sec = playlist.target_duration_sec
        is_gap = bool(playlist.segments) and playlist.segments[-1].gap
        step = PlaylistStep(
            at=at,
            track=self._name,
            has_new=advance.has_media,
            is_over=playlist.ended and not advance.changed,  # however late that is seen
            reason=GAP if is_gap else None,
        )
        self._steps.apply(step)

    def _pass_over_until(self, at: datetime) -> None:
        """Count what came between the last segment of another rendition and the live edge."""
        moved = self._state.stall.elapsed
        if moved is None:
            return
        missed_sec = max(0.0, (at - moved.started_at).total_seconds())
        missed = round(missed_sec / max(self._track.target_duration_sec, 1.0))
        self._state.statistics.segments_missed += missed
        self._pass_over_sec(missed_sec)

    def _pass_over_sec(self, missed_sec: float) -> None:
        """Pass over unseen media, except for what was already judged as missing."""
        if self._name == MAIN:
            self._state.coverage.missed()
        self._track.pass_over(max(0.0, missed_sec - self._track.absence.judged_sec))
