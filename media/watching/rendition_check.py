"""Checks whether a rendition that is not being watched plays."""

import asyncio
from collections.abc import Iterable, Sequence

from media.decoding.errors import UndecodableSegment
from media.hls.errors import PlaylistError
from media.hls.identity import segment_identity
from media.hls.playlist import MediaPlaylist
from media.outbound.errors import FetchError
from media.playlists.loading import load_playlist
from media.sources.source import MediaUrls
from media.watching.decryption import UnsupportedSegment
from media.watching.segment_prober import SegmentProber
from monitors.measurement import SegmentMeasurement, Track

MOST_ASKED = 8
"""Renditions that are asked for at once, the preferred ones first."""

LOOKS = 5
LOOK_SHARE = 0.5
"""A playlist is loaded at most this often, this part of a target duration apart: one that is alive
has a new segment within 1.5 target durations (RFC 8216 6.2.1)."""

LEAST_LOOK_SEC = 0.5


async def first_that_plays(
    candidates: Iterable[MediaUrls],
    prober: SegmentProber,
    *,
    wanted: frozenset[Track],
    moves: int = 1,
) -> MediaUrls | None:
    """Return the first rendition that gets new segments and whose newest can be measured.

    None of its tracks may be broken. Tracks that are not `wanted` may be missing or unmeasurable.

    Args:
        candidates: the preferred ones first; at most `MOST_ASKED` are asked for.
        prober: of the stream; it remembers nothing of the others.
        wanted: tracks of which there must be media.
        moves: how often new segments must be seen to come.
    """
    asked = list(candidates)[:MOST_ASKED]
    playlists = await asyncio.gather(*(_moving(each, prober, moves) for each in asked))
    for media, found in zip(asked, playlists, strict=True):
        if found and await _can_be_measured(media, found, prober.apart(), wanted):
            return media
    return None


async def _moving(
    media: MediaUrls, prober: SegmentProber, moves: int
) -> list[MediaPlaylist] | None:
    """Return the playlists of a rendition when all of them move on; None where one does not."""
    urls = [media.main, media.audio] if media.audio else [media.main]
    found = await asyncio.gather(*(_moved(url, prober, moves) for url in urls))
    playlists = [each for each in found if each]
    return playlists if len(playlists) == len(found) else None


async def _moved(url: str, prober: SegmentProber, moves: int) -> MediaPlaylist | None:
    """Return the playlist once new segments came `moves` times; None where it is not live."""
    known = await _loaded(url, prober)
    looks = LOOKS * moves
    while known and looks:
        await asyncio.sleep(max(LEAST_LOOK_SEC, LOOK_SHARE * known.target_duration_sec))
        latest, looks = await _loaded(url, prober), looks - 1
        if latest is None:
            return None
        if _newest(latest) != _newest(known):
            known, moves = latest, moves - 1
        if moves == 0:
            return known
    return None


async def _loaded(url: str, prober: SegmentProber) -> MediaPlaylist | None:
    """Return a playlist that may still grow; None if it is over or cannot be loaded."""
    try:
        playlist = await load_playlist(prober.client, url)
    except (FetchError, PlaylistError):
        return None
    if isinstance(playlist, MediaPlaylist) and playlist.segments and not playlist.ended:
        return playlist
    return None


def _newest(playlist: MediaPlaylist) -> tuple[int, str]:
    newest = playlist.segments[-1]
    return newest.sequence, segment_identity(newest)


async def _can_be_measured(
    media: MediaUrls,
    playlists: Sequence[MediaPlaylist],
    prober: SegmentProber,
    wanted: frozenset[Track],
) -> bool:
    sound: frozenset[Track] = frozenset({"audio"})
    carried = [media.main_tracks - sound, sound] if media.audio else [media.main_tracks]
    found = frozenset[Track]()
    try:
        for playlist, tracks in zip(playlists, carried, strict=True):
            measured = await prober.measure(
                playlist.segments[-1],
                target_duration_sec=playlist.target_duration_sec,
                silence_db=0.0,
            )
            if tracks & _broken_in(measured):
                return False
            found |= tracks & _seen_in(measured)
    except (FetchError, UndecodableSegment, UnsupportedSegment):
        return False
    return wanted <= found


def _broken_in(measured: SegmentMeasurement) -> frozenset[Track]:
    """Return what cannot be decoded, although it needs nothing of the segments before."""
    broken: dict[Track, bool] = {
        "video": bool(measured.video_error) and not measured.needs_lead,
        "audio": bool(measured.audio_error),
    }
    return frozenset(track for track, is_broken in broken.items() if is_broken)


def _seen_in(measured: SegmentMeasurement) -> frozenset[Track]:
    """Return the tracks of which there is media that can be measured."""
    there: dict[Track, bool] = {
        "video": measured.has_video and not measured.is_video_missing,
        "audio": measured.has_audio and measured.audio_sec > 0,
    }
    return frozenset(track for track, is_there in there.items() if is_there) - (
        measured.unmeasurable.keys()
    )
