"""The media hosts: playlists and segments of the videos on air."""

import asyncio
from dataclasses import replace

from simulator.origin.encoding import Tracks
from simulator.origin.programme import Programme
from simulator.origin.render import RenderedProgramme, render
from simulator.youtube.broadcast import Broadcast
from simulator.youtube.challenge import solve
from simulator.youtube.exchange import Reply, error, playlist
from simulator.youtube.playlists import master_playlist, media_playlist
from simulator.youtube.recording import RequestKind
from simulator.youtube.renditions import find_rendition, offered, with_tracks
from simulator.youtube.signed_urls import MediaRequest
from simulator.youtube.video import MediaEnd, Video


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

    return playlist(master_playlist(offered(video.layout), url))


def _playlist(asked: MediaRequest, video: Video, broadcast: Broadcast) -> Reply:
    if find_rendition(video.layout, asked.itag) is None:
        return error(404)

    def url(sequence: int) -> str:
        return replace(asked, kind=RequestKind.SEGMENT, sequence=sequence, window_sec=None).url()

    window_sec = asked.window_sec or video.window_sec
    return playlist(
        media_playlist(
            broadcast.window(window_sec),
            url,
            segment_sec=broadcast.segment_sec,
            is_ended=broadcast.is_over and video.media_end is MediaEnd.ENDLIST,
        )
    )
