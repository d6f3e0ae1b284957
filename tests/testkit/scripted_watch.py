"""Streams with random faults, judged as a watch judges them, as fast as they can be decoded."""

import io
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from evidence.capsule.contents import CapsuleSubject
from evidence.capsule.writing import write_capsule
from media.decoding.probe import Probe
from media.hls.playlist import InitSegment, MediaPlaylist, Segment
from media.watching import Journal, SegmentCache, SegmentProber, WatchState
from media.watching.state import MAIN
from media.watching.step_applier import StepApplier
from media.watching.steps import PlaylistStep
from media.watching.track_judge import TrackJudge
from media.watching.track_state import TrackState
from monitors.config import MonitorConfig
from monitors.detectors.media_detectors import MediaDetectors
from monitors.events import is_opening
from simulator.origin import TINY, Container, Programme, RenderedProgramme, render

ORIGIN = "https://user-7.stream.example/live/token-abc123"
SUBJECT = CapsuleSubject(
    monitor_id="mon-0190a0b0-0000-7000-8000-000000000001",
    stream_url=f"{ORIGIN}/index.m3u8?key=secret-456",
    release="0.1.0",
)
BEGAN_AT = datetime(2026, 6, 1, tzinfo=UTC)
SEGMENT_MAX_BYTES = 4 << 20
FAULTS = ("black", "silent", "frozen", "black_silent", "cut_to_black", "black_with_logo")
NORMAL = ("normal", "dark", "talking_head", "slow_pan", "quiet_music")


def random_programme(chance: random.Random, scenes: int = 3) -> RenderedProgramme:
    """Return a programme in which each second scene is a fault."""
    listed: list[tuple[str, float]] = []
    for _ in range(scenes):
        listed.append((chance.choice(NORMAL), round(chance.uniform(2.0, 5.0), 1)))
        listed.append((chance.choice(FAULTS), round(chance.uniform(4.5, 8.0), 1)))
    encoding = TINY.model_copy(
        update={
            "segment_sec": chance.choice((1.0, 2.0)),
            "container": chance.choice((Container.MPEGTS, Container.FMP4)),
        }
    )
    return render(Programme.of([*listed, ("normal", 4.0)], encoding))


def random_config(chance: random.Random) -> MonitorConfig:
    return MonitorConfig(
        blackout_threshold_sec=chance.choice((2, 3, 3.5)),
        silence_threshold_sec=chance.choice((2, 3.5, 4)),
        freeze_threshold_sec=chance.choice((3, 4, 6)),
        channel_loss_threshold_sec=chance.choice((0, 5)),
        loop_threshold_sec=chance.choice((0, 0, 5)),
        true_peak_max_dbtp=chance.choice((None, -1)),
        recovery_sec=chance.choice((0.5, 1.5)),
        suspend_threshold_sec=chance.choice((3, 5)),
        segment_error_threshold_sec=chance.choice((3, 5)),
        flapping_recovery_factor=chance.choice((0, 4)),
        request_headers={"Authorization": "***"},
    )


@dataclass(frozen=True)
class Incident:
    """A fault that was told, and its unsigned capsule."""

    event_type: str
    capsule: bytes


class ScriptedWatch:
    """Judges one programme; what befalls it beside its scenes is drawn by chance."""

    def __init__(
        self,
        probe: Probe,
        media: RenderedProgramme,
        config: MonitorConfig,
        chance: random.Random,
        cache_bytes: int = 64 << 20,
    ) -> None:
        self._probe = probe
        self._media = media
        self._config = config
        self._chance = chance
        self._cache_bytes = cache_bytes
        self._now = BEGAN_AT
        self._answers: dict[str, int | bytes] = {}
        self._state = WatchState(
            tracks={MAIN: TrackState(detectors=MediaDetectors(known=frozenset()))}
        )

    async def incidents(self) -> AsyncIterator[Incident]:
        """Yield what is told of the programme, from its beginning to its end."""
        async with httpx.AsyncClient(transport=httpx.MockTransport(self._answer)) as client:
            self._client = client
            self._begin()
            broken_until = 0
            for segment in self._segments():
                if self._chance.random() < 0.05:
                    broken_until = segment.sequence + self._chance.randint(3, 7)
                self._answers[str(segment.sequence)] = self._answer_for(segment, broken_until)
                async for incident in self._play(segment):
                    yield incident

    def _begin(self) -> None:
        """Be a worker that has just taken over."""
        state = json.loads(json.dumps(self._state.model_dump(mode="json")))
        self._state = WatchState.model_validate(state)
        cache = SegmentCache(self._cache_bytes)
        self._journal = Journal(cache)
        self._steps = StepApplier(
            self._state, self._config, clock=lambda: self._now, journal=self._journal
        )
        prober = SegmentProber(
            self._client,
            self._probe,
            segment_max_bytes=SEGMENT_MAX_BYTES,
            cache=cache,
            journal=self._journal,
        )
        self._track = TrackJudge(MAIN, self._steps, prober)

    async def _play(self, segment: Segment) -> AsyncIterator[Incident]:
        if self._chance.random() < 0.03:
            for each in self._stall():
                yield each
        if self._chance.random() < 0.03:
            self._begin()
        self._now += timedelta(seconds=segment.duration_sec + self._chance.uniform(-0.2, 0.2))
        self._steps.read(MAIN, _playlist(segment), self._now)
        self._steps.apply(PlaylistStep(at=self._now, track=MAIN, has_new=True))
        starts_at = self._now - timedelta(seconds=segment.duration_sec + 1)
        await self._track.measure(segment, starts_at, self._now)
        for each in self._told():
            yield each

    def _stall(self) -> list[Incident]:
        for _ in range(self._chance.randint(3, 9)):
            self._now += timedelta(seconds=1)
            self._steps.apply(PlaylistStep(at=self._now, track=MAIN, has_new=False))
        return self._told()

    def _told(self) -> list[Incident]:
        drafts, self._state.pending_events = self._state.pending_events, []
        found = []
        for draft in drafts:
            excerpt = self._journal.excerpt(draft) if is_opening(draft.event_type) else None
            if excerpt:
                file = io.BytesIO()
                write_capsule(file, excerpt, SUBJECT)
                found.append(Incident(draft.event_type.value, file.getvalue()))
        return found

    def _segments(self) -> Sequence[Segment]:
        init = InitSegment(f"{ORIGIN}/init") if self._media.init else None
        return [
            Segment(f"{ORIGIN}/{number}", number, each.duration_sec, init=init)
            for number, each in enumerate(self._media.segments)
        ]

    def _answer_for(self, segment: Segment, broken_until: int) -> int | bytes:
        data = self._media.segments[segment.sequence].data
        if segment.sequence < broken_until:
            return self._chance.choice((400, data[:300], b"no media"))
        return data

    def _answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        body = (self._media.init or b"") if name == "init" else self._answers[name]
        if isinstance(body, int):
            return httpx.Response(body, request=request)
        return httpx.Response(200, stream=httpx.ByteStream(body), request=request)


def _playlist(segment: Segment) -> MediaPlaylist:
    return MediaPlaylist(
        target_duration_sec=segment.duration_sec,
        media_sequence=segment.sequence,
        segments=(segment,),
    )
