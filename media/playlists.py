"""Fetching a playlist or manifest and reading it, without keeping other streams waiting."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from http import HTTPStatus

from media.dash.parser import is_manifest
from media.dash.playlists import TrackPlaylist
from media.hls.identity import segment_identity
from media.hls.parser import parse_playlist
from media.hls.playlist import MasterPlaylist, MediaPlaylist, Segment
from media.outbound.errors import FetchError
from media.outbound.fetching import fetch_playlist, fetch_segment
from media.outbound.stream_client import MediaClient
from media.reading import read_beside

LARGE_CHARS = 128 * 1024
"""Reading so much takes some 50 ms; anything larger is read in a thread, beside the event loop."""

PUBLISHED_LOOKS = 3
"""A packager may be so many segments later than its manifest's clock."""

ABSENT = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
"""What servers answer for a segment that is not published yet."""

LOOK_MAX_BYTES = 4 * 1024 * 1024
LOOK_TIMEOUT_SEC = 10.0


async def load_playlist(
    client: MediaClient, url: str, *, known: Collection[str] = ()
) -> MasterPlaylist | MediaPlaylist:
    """Fetch and read a playlist, or a DASH manifest as the playlist that says the same.

    Args:
        client: fetches.
        url: of a playlist, a manifest, or one of its tracks (`media.dash.playlists.Track`).
        known: identities of segments that were seen before.

    Raises:
        FetchError: see `media.outbound`.
        PlaylistError: see `media.hls.parser`.
    """
    fetched = await fetch_playlist(client, url)
    if is_manifest(fetched.text):
        read = await read_beside(fetched.text, fetched.final_url, url=url)
        return await _published(client, read, known) if isinstance(read, TrackPlaylist) else read
    if len(fetched.text) <= LARGE_CHARS:
        return parse_playlist(fetched.text, fetched.final_url)
    return await asyncio.to_thread(parse_playlist, fetched.text, fetched.final_url)


async def _published(
    client: MediaClient, track: TrackPlaylist, known: Collection[str]
) -> MediaPlaylist:
    """Return the playlist without segments at its end that are only due, not published.

    A manifest that leaves the segments to the clock goes on when its encoder stands still. So the
    newest of them is asked for, and the few before it; what was seen before needs no question.
    """
    segments = track.playlist.segments
    count = len(segments)
    least = max(track.told, count - PUBLISHED_LOOKS)
    while count > least and not await _is_there(client, segments[count - 1], known):
        count -= 1
    if count > track.told and count == least:
        count = max(track.told, _count_seen(segments, known))
    return replace(track.playlist, segments=segments[:count])


def _count_seen(segments: Sequence[Segment], known: Collection[str]) -> int:
    """Return how many segments there are up to the newest one that is known."""
    counts = range(len(segments), 0, -1)
    return next((it for it in counts if segment_identity(segments[it - 1]) in known), 0)


async def _is_there(client: MediaClient, segment: Segment, known: Collection[str]) -> bool:
    return segment_identity(segment) in known or await _is_published(client, segment)


async def _is_published(client: MediaClient, segment: Segment) -> bool:
    first = segment.byte_range.offset if segment.byte_range else 0
    try:
        await fetch_segment(
            client,
            segment.uri,
            byte_range=(first, 1),
            max_bytes=LOOK_MAX_BYTES,
            total_timeout_sec=LOOK_TIMEOUT_SEC,
        )
    except FetchError as error:
        return error.status not in ABSENT
    return True
