"""The media hosts: playlists and segments of the videos on air.

Playlists are of HLS (RFC 8216), as the site words them: unlike most, it stamps only the first
segment, and those behind a discontinuity, with EXT-X-PROGRAM-DATE-TIME.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from simulator.origin.clock import as_datetime
from simulator.origin.encoding import Tracks
from simulator.origin.programme import Programme
from simulator.origin.render import RenderedProgramme, render
from simulator.youtube.broadcast import Broadcast, OnAir, without_gap
from simulator.youtube.challenge import solve
from simulator.youtube.exchange import Reply, error, playlist
from simulator.youtube.recording import RequestKind
from simulator.youtube.renditions import Rendition, find_rendition, offered, with_tracks
from simulator.youtube.signed_urls import MediaRequest
from simulator.youtube.video import MediaEnd, Video

VIDEO_CODEC = "avc1.4D400C"
AUDIO_CODEC = "mp4a.40.5"


class MediaHosts:
    """Answers for `manifest.googlevideo.com` and the segment hosts. Renders when first asked."""

    def __init__(self) -> None:
        self._rendered: dict[Programme, RenderedProgramme] = {}
        self._rendering = asyncio.Lock()

    async def answer(self, asked: MediaRequest, video: Video) -> Reply:
        broadcast = video.broadcasts.get(asked.broadcast)
        if broadcast is None or video.media_end is MediaEnd.GONE:
            return error(404)
        if asked.expires_at <= video.now or not _is_answered(asked, video):
            return error(403)
        match asked.kind:
            case RequestKind.MASTER:
                return _master(asked, video)
            case RequestKind.PLAYLIST:
                return _playlist(asked, video, broadcast)
        return await self._segment(asked, video, broadcast)

    async def _segment(self, asked: MediaRequest, video: Video, broadcast: Broadcast) -> Reply:
        segment = broadcast.find(asked.sequence)
        rendition = find_rendition(video.layout, asked.itag)
        if segment is None or rendition is None:
            return error(404)
        media = await self._render(with_tracks(segment.programme, rendition.tracks))
        # Sound alone is cut at its own frames: its last segment may be missing.
        index = min(segment.index, len(media.segments) - 1)
        kind = "audio" if rendition.tracks is Tracks.AUDIO else "video"
        return Reply(200, media.segments[index].data, f"{kind}/mp2t")

    async def _render(self, programme: Programme) -> RenderedProgramme:
        async with self._rendering:
            if programme not in self._rendered:
                self._rendered[programme] = await asyncio.to_thread(render, programme)
        return self._rendered[programme]


def _is_answered(asked: MediaRequest, video: Video) -> bool:
    """Tell whether a master playlist's challenge, where one is needed, is answered."""
    if asked.kind is not RequestKind.MASTER or not video.needs_javascript:
        return True
    return asked.challenge == solve(video.challenge(asked.expires_at))


def _master(asked: MediaRequest, video: Video) -> Reply:
    def url(itag: int) -> str:
        return replace(asked, kind=RequestKind.PLAYLIST, itag=itag, challenge=None).url()

    return playlist(_master_playlist(offered(video.layout), url))


def _playlist(asked: MediaRequest, video: Video, broadcast: Broadcast) -> Reply:
    if find_rendition(video.layout, asked.itag) is None:
        return error(404)

    def url(sequence: int) -> str:
        return replace(asked, kind=RequestKind.SEGMENT, sequence=sequence, window_sec=None).url()

    window_sec = asked.window_sec or video.window_sec
    return playlist(
        _media_playlist(
            broadcast.window(window_sec),
            url,
            segment_sec=broadcast.segment_sec,
            is_ended=broadcast.is_over and video.media_end is MediaEnd.ENDLIST,
        )
    )


def _master_playlist(renditions: Sequence[Rendition], url: Callable[[int], str]) -> str:
    """Return the master playlist (RFC 8216 4.3.4); `url` gives an itag's media playlist."""
    lines = ["#EXTM3U", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for rendition in renditions:
        if rendition.tracks is Tracks.AUDIO:
            lines.append(_sound(rendition, url(rendition.itag)))
    for rendition in renditions:
        if rendition.tracks is not Tracks.AUDIO:
            lines += [_picture(rendition), url(rendition.itag)]
    return "\n".join(lines) + "\n"


def _sound(rendition: Rendition, url: str) -> str:
    return (
        f'#EXT-X-MEDIA:URI="{url}",TYPE=AUDIO,GROUP-ID="{rendition.audio_group}",'
        'NAME="Default",DEFAULT=YES,AUTOSELECT=YES'
    )


def _picture(rendition: Rendition) -> str:
    group = f',AUDIO="{rendition.audio_group}"' if rendition.audio_group else ""
    return (
        f"#EXT-X-STREAM-INF:BANDWIDTH={rendition.bandwidth},"
        f'CODECS="{VIDEO_CODEC},{AUDIO_CODEC}",RESOLUTION={rendition.width}x{rendition.height},'
        f"FRAME-RATE=30,CLOSED-CAPTIONS=NONE{group}"
    )


def _media_playlist(
    segments: Sequence[OnAir],
    url: Callable[[int], str],
    *,
    segment_sec: float,
    is_ended: bool = False,
) -> str:
    """Return a media playlist (RFC 8216 4.3.3); `url` gives a media sequence's segment."""
    first = segments[0] if segments else None
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{math.ceil(segment_sec)}",
        f"#EXT-X-MEDIA-SEQUENCE:{first.sequence if first else 0}",
    ]
    if first and first.cuts:
        # Counts the tags that have left the playlist; the first segment still shows its own.
        lines.append(f"#EXT-X-DISCONTINUITY-SEQUENCE:{first.cuts - first.is_cut}")
    before = None
    for segment in segments:
        lines += [*_marks(before, segment), f"#EXTINF:{segment.duration_sec},"]
        lines.append(url(segment.sequence))
        before = segment
    return "\n".join([*lines, "#EXT-X-ENDLIST"] if is_ended else lines) + "\n"


def _marks(before: OnAir | None, segment: OnAir) -> list[str]:
    marks = ["#EXT-X-DISCONTINUITY"] if segment.is_cut else []
    if before is None or not without_gap(before, segment):
        moment = as_datetime(segment.captured_at).isoformat(timespec="milliseconds")
        marks.append(f"#EXT-X-PROGRAM-DATE-TIME:{moment}")
    return marks
