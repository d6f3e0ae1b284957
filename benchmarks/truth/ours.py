"""Playing a programme through the judgement of a watch."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx

from benchmarks.truth.encoding import Encoded
from benchmarks.truth.verdict import Told
from media.decoding.probe import Probe
from media.hls.playlist import InitSegment, Segment
from media.watching.segment_prober import SegmentProber
from media.watching.state import MAIN, WatchState
from media.watching.step_applier import StepApplier
from media.watching.track_judge import TrackJudge
from media.watching.track_state import TrackState
from monitors.config import MonitorConfig
from monitors.detectors.media_detectors import MediaDetectors
from monitors.events import EventDraft
from monitors.measurement import ReferenceSlates

BEGAN_AT = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = "http://truth.invalid"
SEGMENT_MAX_BYTES = 64 * 1024 * 1024


class ProgrammeOrigin(httpx.AsyncBaseTransport):
    """Answers with the segments of one programme: /N, and /init."""

    def __init__(self, media: Encoded) -> None:
        self._media = media

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.strip("/")
        body = self._media.init if name == "init" else self._media.pieces[int(name)].data
        return httpx.Response(200, stream=httpx.ByteStream(body), request=request)


async def told_by_ours(
    probe: Probe, media: Encoded, config: MonitorConfig, slates: ReferenceSlates | None = None
) -> list[Told]:
    """Return the incidents that a watch tells of a programme."""
    state = WatchState(tracks={MAIN: TrackState(detectors=MediaDetectors(known=frozenset()))})
    async with httpx.AsyncClient(transport=ProgrammeOrigin(media)) as client:
        prober = SegmentProber(
            client, probe, segment_max_bytes=SEGMENT_MAX_BYTES, slates=lambda: slates
        )
        judge = TrackJudge(MAIN, StepApplier(state, config, clock=lambda: BEGAN_AT), prober)
        start_sec = 0.0
        for segment in _segments(media):
            starts_at = BEGAN_AT + timedelta(seconds=start_sec)
            await judge.measure(segment, starts_at, starts_at)
            start_sec += segment.duration_sec
    return _told(state.pending_events, start_sec)


def _segments(media: Encoded) -> list[Segment]:
    init = InitSegment(f"{ORIGIN}/init") if media.init else None
    return [
        Segment(f"{ORIGIN}/{number}", number, piece.duration_sec, init=init)
        for number, piece in enumerate(media.pieces)
    ]


def _told(events: Sequence[EventDraft], end_sec: float) -> list[Told]:
    told: list[Told] = []
    for event in events:
        name = event.event_type.value.removeprefix("alert.")
        if "started_at" not in event.data:
            continue
        start_sec = _seconds(event.data["started_at"])
        if name.endswith("_recovered"):
            kind = name.removesuffix("_recovered")
            told = [it for it in told if it[:2] != (kind, start_sec)]
            told.append(Told(kind, start_sec, _seconds(event.data["recovered_at"])))
        else:
            told.append(Told(name, start_sec, end_sec))
    return told


def _seconds(moment: str) -> float:
    return (datetime.fromisoformat(moment) - BEGAN_AT).total_seconds()
