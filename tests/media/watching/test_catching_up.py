"""A worker that takes over measures what the lost one had deferred, that and no more."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

from media.decoding.decode_slots import DecodeUsage
from media.hls.cursor import PlaylistCursor
from media.hls.playlist import MediaPlaylist
from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.watching import SegmentProber, WatchState
from media.watching.state import MAIN
from media.watching.step_applier import StepApplier
from media.watching.track_judge import TrackJudge
from media.watching.track_state import TrackState
from monitors.config import MonitorConfig
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.stream_time import SegmentPosition
from monitors.detectors.video_detectors import VideoDetectors
from monitors.measurement import ProbeContext, SegmentMeasurement
from tests.media.hls.build import TARGET_SEC, window
from tests.testkit.stand_ins import ScriptedServer, always, reply, scripted_server

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GAP = 4
DEFERRED_FROM = 2


class NotesThreads(SegmentMeasurement):
    """Notes which threads judge it."""

    def __getattribute__(self, name: str) -> object:
        if name == "is_video_missing":
            judging.add(threading.get_ident())
        return super().__getattribute__(name)


judging: set[int] = set()


class GoodProbe:
    async def measure(
        self,
        segment: bytes,
        *,
        duration_sec: float,
        silence_db: float,
        usage: DecodeUsage | None = None,
        context: ProbeContext | None = None,
    ) -> SegmentMeasurement:
        return NotesThreads(duration_sec=duration_sec)

    async def close(self) -> None:
        pass


def playlist_of(server: ScriptedServer) -> MediaPlaylist:
    playlist = window(0, 6)
    segments = (
        replace(each, uri=server.url(f"/{each.sequence}", "127.0.0.1"), gap=each.sequence == GAP)
        for each in playlist.segments
    )
    return replace(playlist, segments=tuple(segments))


def state_after(playlist: MediaPlaylist) -> WatchState:
    """Return the state of a watch that is done with all of it, and was lost."""
    cursor = PlaylistCursor()
    for segment in cursor.advance(playlist, unseen_sec=playlist.window_sec).segments:
        cursor.done(segment)
    deferred_from = SegmentPosition(
        sequence=DEFERRED_FROM,
        start_sec=DEFERRED_FROM * TARGET_SEC,
        duration_sec=TARGET_SEC,
        starts_at=NOW,
    )
    track = TrackState(
        cursor=cursor,
        detectors=MediaDetectors(video=VideoDetectors(deferred_from=deferred_from)),
        stream_sec=playlist.window_sec,
        ends_at=NOW,
    )
    return WatchState(tracks={MAIN: track})


async def test_what_was_judged_before_a_gap_is_not_judged_twice_nor_on_the_event_loop() -> None:
    judging.clear()
    async with (
        scripted_server(always(reply(b"media"))) as server,
        media_client(OutboundGuard(allow_private_networks=True)) as client,
    ):
        playlist = playlist_of(server)
        state = state_after(playlist)
        judge = TrackJudge(
            MAIN,
            StepApplier(state, MonitorConfig(), clock=lambda: NOW),
            SegmentProber(client, GoodProbe(), segment_max_bytes=1024),
        )
        await judge.catch_up(playlist)
        assert [request.path for request in server.requests] == ["/6", "/5", "/3", "/2"]
    assert not state.tracks[MAIN].detectors.video.is_behind
    assert threading.get_ident() not in judging
