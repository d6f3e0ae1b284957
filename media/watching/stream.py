"""Watching one stream until something happens."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from media.sources.direct import ENDED
from media.sources.source import MediaUrls, Observation, Source, SourceState
from media.sources.youtube.confirmation import DEFAULT_POLICY, ConfirmationPolicy
from media.watching.rendition_switch import RenditionSwitch
from media.watching.resume_hint import ResumeHint
from media.watching.segment_prober import SegmentListener, SegmentProber
from media.watching.state import AUDIO, MAIN, WatchState, is_additional
from media.watching.step_applier import StepApplier
from media.watching.steps import AudioGoneStep, FailedStep, OffAirStep
from media.watching.tasks import cancel, never
from media.watching.track import TrackFollower
from media.watching.track_judge import PlaylistLost
from monitors.config import AudioTracks, MonitorConfig
from monitors.coverage_log import longest_pause
from monitors.detectors.stream_faults import Elapsed
from monitors.events import EndReason
from monitors.measurement import Track

logger = structlog.get_logger(__name__)

LOOK_AGAIN_SEC = 2.0
LONG_LOOK_SEC = 10.0
LONG_LOOK = "look_pending"
LONG_LOOK_MESSAGE = "the look for the stream's media has not ended, or waits for its turn"
"""Reported while a look takes longer than `LONG_LOOK_SEC`: nothing is seen of the stream."""

MANIFEST_GONE_SEC = 90.0
"""A manifest that is gone this long ended its stream, unless its source asks for more patience; an
encoder comes back sooner."""

NOT_LIVE_LOOKS = 2  # consecutive looks that must agree: one bad answer ends no stream
SAID_OVER_APART_SEC = 20.0  # looks closer together than this count as one
STANDSTILL_LOOKS = ((120.0, 20.0), (1800.0, 60.0))
"""How long a stream has stood still, and how often its source is asked until then whether it is
over or goes on elsewhere. The first are within the shortest live window of a new broadcast."""

LONG_STANDSTILL_LOOK_SEC = 180.0

ENDED_MOVES = 2
"""Another rendition must bring this many new segments after ours ended: one that only ends slightly
later does not count."""

LISTED_LATER_SEC = (2.0, 4.0, 8.0, 16.0, 32.0)
"""If a source lists only picture or only sound, ask again after each of these waits: packagers may
list tracks one by one."""

RENEW_BEFORE_SEC = 900.0
RENEW_SHARE = 0.25  # renew this long before expiry, or at this share of a shorter lifetime
RENEW_AGAIN_SEC = 30.0


class StreamUnavailable(Exception):
    """The stream can never be watched; `reason` is a stable word, the message plain words."""

    def __init__(self, observation: Observation) -> None:
        super().__init__(observation.message)
        self.reason = observation.reason


class StreamWatch:
    """Watches one stream, from where `state` says, and keeps `state` and `hint` current."""

    def __init__(
        self,
        source: Source,
        state: WatchState,
        *,
        config: MonitorConfig,
        prober: SegmentProber,
        now: Callable[[], datetime] | None = None,
        on_segment: SegmentListener | None = None,
        confirmation: ConfirmationPolicy = DEFAULT_POLICY,
        long_look_sec: float = LONG_LOOK_SEC,
        hint: ResumeHint | None = None,
    ) -> None:
        self._source = source
        self._state = state
        self._config = config
        self._prober = prober
        self._on_segment = on_segment
        self._confirmation = confirmation
        self._long_look_sec = long_look_sec
        self._hint = hint or ResumeHint()
        self._steps = StepApplier(state, config, clock=now, journal=prober.journal)
        self._now = self._steps.now
        self._renditions = RenditionSwitch(self._steps, prober)
        self._lost = False
        self._known: Observation | None = None

    async def run(self) -> EndReason | None:
        """Watch until there is something to report; return the reason if the stream has ended.

        Something to report is an event in `state.pending_events`, or a change of
        `state.unseen_because()`. Cancelling at any moment leaves `state` consistent.

        Raises:
            StreamUnavailable: the stream can never be watched.
        """
        state = self._state
        state.coverage.pause = longest_pause(self._config.check_interval_sec)
        state.go_on_at(self._steps.clock())
        for name, track in state.tracks.items():
            track.detectors.video.resume(self._hint.deferred.get(name, []))
        try:
            return await self._run()
        finally:
            self._hint.deferred = {
                name: track.detectors.video.deferred for name, track in state.tracks.items()
            }

    async def _run(self) -> EndReason | None:
        state = self._state
        reported = state.unseen_because()
        self._known = self._hint.recall(self._now())
        while not state.pending_events and state.unseen_because() == reported:
            await self._until_next_look()
            known, self._known = self._known, None
            seen = known or await self._look()
            if ended := await self._apply(seen, is_fresh=self._lost):
                state.coverage.stood_still(self._now())
                return ended
            if self._lost or not seen.media:
                wait_sec = max(LOOK_AGAIN_SEC, seen.retry_after_sec or 0.0)
                state.look_again_at = self._now() + timedelta(seconds=wait_sec)
        return None

    async def _look(self) -> Observation:
        """Ask the source; while its answer takes long, the stream counts as unknown."""
        looking = asyncio.create_task(self._source.observe(refresh=self._lost))
        state = self._state
        try:
            done, _ = await asyncio.wait([looking], timeout=self._long_look_sec)
            if not done and state.unknown is None:
                state.unknown, state.unknown_because = LONG_LOOK, LONG_LOOK_MESSAGE
                state.looked_at = self._now()
                state.coverage.unseen(LONG_LOOK, self._now())
            seen = await looking
        finally:
            await cancel(looking)
        if state.unknown == LONG_LOOK and not seen.is_fault:
            state.leave_out(self._now())
        self._hint.found(seen, self._now())
        for rendition, reason in seen.passed_over.items():
            state.renditions.avoid(rendition, reason, self._now())
        return seen

    async def _apply(self, seen: Observation, *, is_fresh: bool) -> EndReason | None:
        self._lost = False
        if seen.media is None:
            return self._learn_without_media(seen)
        # Media of a stream that is over is what is left of it: that is read first.
        said_over = self._judge_said_over(seen) if is_fresh else None
        return said_over or await self._follow(seen, self._rendition_to_watch(seen, seen.media))

    def _rendition_to_watch(self, seen: Observation, found: MediaUrls) -> MediaUrls:
        """Return the first rendition that has not failed, or what the source chose."""
        chosen = self._state.renditions.choose([each.rendition for each in seen.renditions])
        return next((each for each in seen.renditions if each.rendition == chosen), found)

    async def _until_next_look(self) -> None:
        """Wait as long as the last look demanded, whichever worker it was on."""
        again_at = self._state.look_again_at
        if again_at:
            await asyncio.sleep(max(0.0, _seconds(self._now(), again_at)))
            self._state.look_again_at = None

    def _learn_without_media(self, seen: Observation) -> EndReason | None:
        logger.info("no media", state=seen.state.value, reason=seen.reason, message=seen.message)
        state, at = self._state, self._now()
        state.looked_at = at
        state.bad_news = state.bad_news.after(seen, at, self._confirmation)
        if state.bad_news.is_confirmed(self._confirmation):
            raise StreamUnavailable(seen)
        if seen.state in (SourceState.ENDED, SourceState.UPCOMING):
            state.regain_sight(at)
            self._steps.apply(OffAirStep(at=at))
            return self._judge_said_over(seen) or self._judge_gone_manifest(seen, at)
        if seen.is_fault:
            error = f"source: {seen.message}"
            self._steps.apply(FailedStep(at=at, track=None, error=error, reason=seen.reason))
        state.lose_sight(seen.reason, seen.message, at)
        return None

    def _judge_said_over(self, seen: Observation) -> EndReason | None:
        """Count the times in a row that the source said the stream is over."""
        state, at = self._state, self._now()
        if seen.state is SourceState.ENDED:
            if (
                state.said_over_at is None
                or _seconds(state.said_over_at, at) >= SAID_OVER_APART_SEC
            ):
                state.not_live, state.said_over_at = state.not_live + 1, at
        elif seen.state is not SourceState.NOT_OBSERVED:
            state.not_live, state.said_over_at = 0, None
        return EndReason.STREAM_NO_LONGER_LIVE if state.not_live >= NOT_LIVE_LOOKS else None

    def _judge_gone_manifest(self, seen: Observation, at: datetime) -> EndReason | None:
        """Count the time that the manifest is gone and the source says that nothing is on air."""
        if seen.state is not SourceState.UPCOMING:
            return None
        self._state.gone = self._state.gone or Elapsed.since(at)
        gone_sec = self._state.gone.until(at)
        is_over = gone_sec >= (seen.grace_sec or MANIFEST_GONE_SEC)
        return EndReason.MANIFEST_GONE if is_over else None

    async def _follow(self, seen: Observation, media: MediaUrls) -> EndReason | None:
        """Follow the playlists until they end, one is lost or renewed, or something happens."""
        self._steps.has_event.clear()
        urls = self._fit_state(media, seen.renditions)
        others = [each for each in seen.renditions if each.rendition != media.rendition]
        following = asyncio.create_task(self._follow_all(urls, others))
        happened = asyncio.create_task(self._steps.has_event.wait())
        renewal = asyncio.create_task(self._until_renewed(media))
        doubts = asyncio.create_task(self._until_over_or_elsewhere())
        switch = asyncio.create_task(self._renditions.until_another(others))
        listed = asyncio.create_task(self._until_more_is_listed(seen, media))
        tasks = (following, happened, renewal, doubts, switch, listed)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                ended = following.result()
                self._known = None if ended or self._lost else seen
                return ended
            if renewal.done():
                renewal.result()
            if switch.done():
                switch.result()
                self._known = seen
            if listed.done():
                self._known = listed.result()
            return doubts.result() if doubts.done() else None
        finally:
            await cancel(*tasks)

    async def _follow_all(
        self, urls: dict[str, str], others: Sequence[MediaUrls]
    ) -> EndReason | None:
        """Follow to the end; None where the stream is lost, or goes on in another rendition."""
        try:
            async with asyncio.TaskGroup() as followers:
                for name, url in urls.items():
                    follower = TrackFollower(
                        name,
                        url,
                        self._steps,
                        self._prober,
                        looks=self._hint.looks,
                        on_segment=self._on_segment,
                    )
                    followers.create_task(follower.follow())
        except* PlaylistLost as lost:
            self._lost = True
            self._hint.lost()
            reasons = (it.reason for it in lost.exceptions if isinstance(it, PlaylistLost))
            self._state.renditions.lost(next(reasons, "gone"), self._now())
        elsewhere = [each for each in others if each.ends_apart_from(urls[MAIN])]
        if self._lost or await self._renditions.replaces(ENDED, elsewhere, moves=ENDED_MOVES):
            return None
        return EndReason.ENDLIST_DETECTED

    async def _until_more_is_listed(self, seen: Observation, media: MediaUrls) -> Observation:
        """Return a look that names a track that the stream lacked until then."""
        for wait_sec in LISTED_LATER_SEC if seen.renditions else ():
            await asyncio.sleep(wait_sec)
            lacks = {"video", "audio"} - _named(media) - self._state.known_tracks()
            if not lacks:
                break
            found = await self._source.observe()
            if found.media and lacks & _named(found.media):
                self._hint.found(found, self._now())
                return found
        return await never()

    async def _until_renewed(self, media: MediaUrls) -> None:
        """Return once newer URLs are known; the old ones are followed meanwhile."""
        if media.expires_at is None:
            await never()
        life_sec = (media.expires_at - self._now()).total_seconds()
        await asyncio.sleep(life_sec - min(RENEW_BEFORE_SEC, RENEW_SHARE * life_sec))
        while True:
            seen = await self._source.observe(refresh=True)
            if seen.media:
                return
            await asyncio.sleep(max(RENEW_AGAIN_SEC, seen.retry_after_sec or 0.0))

    async def _until_over_or_elsewhere(self) -> EndReason | None:
        """While the stream stands still, ask its source: is it over, or in another broadcast?"""
        seen: Observation | None = None
        while True:
            if not self._state.stall.is_open:  # while an incident flaps, a stall is no event
                seen = None
                await asyncio.sleep(LOOK_AGAIN_SEC)
                continue
            if seen:
                seen = await self._source.observe(refresh=True)
            else:
                seen = await self._source.observe_status(priority=True)
            if ended := self._judge_said_over(seen):
                return ended
            if seen.media and seen.media.broadcast != self._state.broadcast:
                return None
            is_doubtful = seen.state is SourceState.ENDED
            least_sec = LOOK_AGAIN_SEC if is_doubtful else self._standstill_look_sec()
            await asyncio.sleep(max(least_sec, seen.retry_after_sec or 0.0))

    def _standstill_look_sec(self) -> float:
        since = self._state.stall.open_since
        stood_sec = _seconds(since, self._now()) if since else 0.0
        looks = (look_sec for limit_sec, look_sec in STANDSTILL_LOOKS if stood_sec < limit_sec)
        return next(looks, LONG_STANDSTILL_LOOK_SEC)

    def _fit_state(self, media: MediaUrls, ladder: Sequence[MediaUrls]) -> dict[str, str]:
        """Fit the state to where the media is now and what it carries; return URLs by track."""
        state = self._state
        if state.broadcast != media.broadcast:
            state.begin_broadcast(media.broadcast)
        urls, labels = _urls_and_labels(media, self._config.audio_tracks)
        additional = [name for name in urls if is_additional(name)]
        for name in filter(is_additional, state.tracks.keys() - additional):
            self._steps.apply(AudioGoneStep(at=self._now(), track=name))
        state.carry(_tracks_of_playlists(media), additional)
        state.at_end.clear()
        is_other = state.renditions.use(
            media.rendition, {it.rendition: it.rendition_name for it in ladder}, self._now()
        )
        if is_other:
            state.hidden.clear()
        for name, url in urls.items():
            track = state.tracks[name]
            track.codecs = media.codecs
            track.detectors.label = dict(labels.get(name, {}))
            track.detectors.known |= _named(media) & track.detectors.tracks
            track.read_from(url, is_other_rendition=is_other)
        return urls


def _urls_and_labels(
    media: MediaUrls, wanted: AudioTracks
) -> tuple[dict[str, str], dict[str, Mapping[str, str]]]:
    """Return where each track is, and what the labels of its incidents say, both by track."""
    urls = {MAIN: media.main} | ({AUDIO: media.audio} if media.audio else {})
    if wanted is not AudioTracks.ALL:
        return urls, {}
    others = {it.label["track"]: it for it in media.additional_audio}
    labels = {AUDIO if media.audio else MAIN: media.audio_label}
    labels |= {name: it.label for name, it in others.items()}
    return urls | {name: it.url for name, it in others.items()}, labels


def _tracks_of_playlists(media: MediaUrls) -> dict[str, frozenset[Track]]:
    if media.audio is None:
        return {MAIN: media.main_tracks}
    return {MAIN: media.main_tracks - {"audio"}, AUDIO: frozenset({"audio"})}


def _named(media: MediaUrls) -> frozenset[Track]:
    return media.declared | ({"audio"} if media.audio else set())


def _seconds(earlier: datetime, later: datetime) -> float:
    return (later - earlier).total_seconds()
