"""How a process reaches streams: playlists, segments, and YouTube."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from media.outbound.client import Proxies, media_client
from media.outbound.guard import OutboundGuard
from media.sources.source_resolver import SourceResolver
from media.sources.youtube.media_cache import FolderNotPrivate, MediaCache, UrlStore
from media.sources.youtube.request_budget import Egress
from media.sources.youtube.resolver_options import YouTubeOptions
from media.sources.youtube.site import YouTubeSite
from runtime.errors import StartError
from runtime.settings import SettingsError, StreamSettings
from runtime.version import USER_AGENT


class StreamAccess(NamedTuple):
    egress: Egress
    sources: SourceResolver


@asynccontextmanager
async def open_stream_access(
    settings: StreamSettings, guard: OutboundGuard
) -> AsyncIterator[StreamAccess]:
    """Reach streams while the context is open; StartError names a setting that cannot be used."""
    egress = Egress(
        interval_sec=settings.egress_request_interval_sec,
        burst_requests=settings.egress_burst_requests,
    )
    cache = MediaCache(_url_store(settings.youtube_urls_dir))
    async with _media_client(settings, guard) as client:
        youtube = YouTubeSite(_youtube_options(settings), egress=egress)
        try:
            yield StreamAccess(egress, SourceResolver(client, youtube, cache=cache))
        finally:
            await youtube.close()


def _media_client(settings: StreamSettings, guard: OutboundGuard) -> httpx.AsyncClient:
    try:
        client = media_client(
            guard,
            proxy=Proxies(http=settings.http_proxy, https=settings.https_proxy),
            ca_bundle=settings.ca_bundle,
        )
    except ValueError as error:
        raise StartError(f"HTTP_PROXY, HTTPS_PROXY: {error}") from None
    except OSError as error:
        raise StartError(f"CA_BUNDLE: {settings.ca_bundle}: {error.strerror}") from None
    client.headers["User-Agent"] = USER_AGENT
    return client


def _url_store(folder: Path | None) -> UrlStore | None:
    try:
        return UrlStore(folder) if folder else None
    except OSError as error:
        raise SettingsError(f"YOUTUBE_URLS_DIR: {folder}: {error.strerror}") from None
    except FolderNotPrivate as error:
        raise SettingsError(f"YOUTUBE_URLS_DIR: {error}") from None


def _youtube_options(settings: StreamSettings) -> YouTubeOptions:
    given = settings.ytdlp_extractor_args
    try:
        return YouTubeOptions(
            cookies_file=settings.ytdlp_cookies_file,
            proxy=settings.https_proxy,
            ca_bundle=settings.ca_bundle,
            extractor_args=tuple(given.get_secret_value().split()) if given else (),
            ytdlp_path=settings.ytdlp_path,
            streamlink_path=settings.streamlink_path,
        )
    except ValueError as error:
        raise StartError(f"YTDLP_EXTRACTOR_ARGS: {error}") from None
