"""What another worker kept of a stream is fetched again: evidence of its faults may need it.

That worker may be gone. Segments stay in their playlist for a while, and pictures need two or three
of them.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta

from media.decoding.errors import UndecodableSegment
from media.hls.playlist import MediaPlaylist, Segment
from media.outbound.errors import FetchError
from media.watching.decryption import UnsupportedSegment
from media.watching.faults_begun import faults_begun
from media.watching.footage import PlacedSegment, near_moments
from media.watching.segment_prober import SegmentProber
from media.watching.state import MAIN, WatchState
from media.watching.track_state import start_times
from monitors.evidence import EvidenceLevel
from monitors.incidents import IncidentOpened

FETCHING_SEC = 5.0  # new segments wait meanwhile
TOLD_BEFORE = timedelta(seconds=300)  # evidence of earlier ones has come, or never will


async def fetch_lost_footage(
    state: WatchState, playlist: MediaPlaylist, prober: SegmentProber, at: datetime
) -> None:
    """Fetch what `playlist` still names of faults that began while another worker watched.

    The footage is handed what it needs for pictures: of faults that are no incident yet, and of
    incidents that were told just before.
    """
    footage, track = prober.footage, state.tracks[MAIN]
    if footage.has_old_footage or footage.level is EvidenceLevel.NONE:
        return
    told = [each for each in state.incidents.told_open() if at - _told_at(each) <= TOLD_BEFORE]
    moments = [*faults_begun(state), *(each.started_at for each in told)]
    footage.forget(MAIN)
    if moments and "video" in track.detectors.tracks:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FETCHING_SEC):
                for each in near_moments(_seen(state, playlist), moments):
                    await _fetch(each, prober, track.target_duration_sec)
    footage.take_over(told)


async def _fetch(placed: PlacedSegment, prober: SegmentProber, target_duration_sec: float) -> None:
    with contextlib.suppress(FetchError, UndecodableSegment, UnsupportedSegment):
        media, init_bytes = await prober.fetch(placed.segment, target_duration_sec)
        prober.footage.keep(MAIN, placed.segment, placed.starts_at, media, init_bytes)


def _seen(state: WatchState, playlist: MediaPlaylist) -> list[PlacedSegment]:
    """Return what was judged of a playlist before, and when it was on air."""
    track = state.tracks[MAIN]
    segments = track.cursor.done_of(playlist) or _dated_before(
        playlist, track.cursor.next_sequence if not track.cursor.remembered else None
    )
    if track.ends_at is None:
        return []
    edge = track.ends_at - timedelta(seconds=track.cursor.parts_sec)
    starts = start_times(segments, edge)
    return [PlacedSegment(each, starts[each.sequence]) for each in segments if not each.gap]


def _dated_before(playlist: MediaPlaylist, sequence: int | None) -> list[Segment]:
    """Return the dated segments before a number; a playlist that moved tells no more of them."""
    if sequence is None:
        return []
    return [it for it in playlist.segments if it.sequence < sequence and it.program_date_time]


def _told_at(opened: IncidentOpened) -> datetime:
    return opened.started_at + timedelta(seconds=opened.duration_sec)
