"""Which source a stream URL means."""

import asyncio
from collections.abc import Mapping

import httpx

from media.outbound.stream_client import MediaClient, StreamClient
from media.sources.direct import ManifestSource
from media.sources.source import Source
from media.sources.youtube.confirmation import DEFAULT_POLICY, ConfirmationPolicy
from media.sources.youtube.media_cache import MediaCache
from media.sources.youtube.site import YouTubeSite
from media.sources.youtube.video_source import YouTubeSource
from monitors.stream_url import StreamKind, parse_stream_url, youtube_video_id

POLLS_AT_ONCE = 100  # of waiting streams' manifests; YouTube has its own budget


class SourceResolver:
    """Makes the source that a stream URL means."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        youtube: YouTubeSite,
        *,
        confirmation: ConfirmationPolicy = DEFAULT_POLICY,
        cache: MediaCache | None = None,
    ) -> None:
        self.confirmation = confirmation
        self._client = client
        self._youtube = youtube
        self._cache = cache or MediaCache()
        self._poll_slots = asyncio.Semaphore(POLLS_AT_ONCE)

    def new_client(self, request_headers: Mapping[str, str] | None = None) -> StreamClient:
        """A stream's own, whose request headers may still change."""
        return StreamClient(self._client, request_headers)

    def resolve(self, stream_url: str, client: MediaClient) -> Source:
        stream = parse_stream_url(stream_url)
        if stream.kind is not StreamKind.YOUTUBE:
            return ManifestSource(stream_url, client, poll_slots=self._poll_slots)
        video_id = youtube_video_id(stream)
        return YouTubeSource(video_id, self._youtube, client, self._cache)
