"""Services whose streams come from the stand-in of YouTube."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.outbound.stream_client import MediaClient
from media.sources.source import Observation, Source
from media.sources.source_resolver import SourceResolver
from media.sources.youtube.confirmation import ConfirmationPolicy
from media.sources.youtube.request_budget import Egress
from media.sources.youtube.resolver_options import YouTubeOptions
from media.sources.youtube.site import YouTubeSite
from runtime.settings import WorkerSettings
from simulator.youtube import SimulatedYouTube
from tests.testkit.harness import INTERNAL_KEY, SIGNING_KEY, ServiceHarness
from worker.main import workers_of
from worker.metrics import youtube_metrics

COOKIE = "Y2hvY29sYXRlLWNoaXA"
COOKIES = f"# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t4102444800\tSID\t{COOKIE}\n"
HASTE_SEC = 1.0
PAUSE_SEC = 6.0


class YouTubeHarness(ServiceHarness):
    """A service whose workers reach the world through the site's proxy, with cookies."""

    def __init__(self, folder: Path, site: SimulatedYouTube) -> None:
        super().__init__(folder)
        self._site = site
        self._cookies = folder / "cookies.txt"
        self._cookies.write_text(COOKIES)

    def logs(self) -> str:
        """Return what all processes said so far."""
        return "".join(log.read_text(errors="replace") for log in self.folder.glob("*.log"))

    def _shared(self) -> dict[str, str]:
        led = {
            "HTTPS_PROXY": self._site.proxy_url,
            "CA_BUNDLE": str(self._site.ca_path),
            "YTDLP_COOKIES_FILE": str(self._cookies),
            "LOG_LEVEL": "debug",
            "EGRESS_REQUEST_INTERVAL_SEC": "0.2",
        }
        return {**super()._shared(), **led}


@asynccontextmanager
async def youtube_harness(
    folder: Path, site: SimulatedYouTube, *roles: str
) -> AsyncIterator[YouTubeHarness]:
    """Run a service while the context is open; nothing may be left of its processes."""
    harness = YouTubeHarness(folder, site)
    try:
        await harness.start(*roles)
        yield harness
        left = await harness.stop()
        assert not left, f"processes of {[each.name for each in left]} are still there"
    finally:
        harness.discard()


@asynccontextmanager
async def hasty_worker(harness: YouTubeHarness, site: SimulatedYouTube) -> AsyncIterator[None]:
    """Run a worker in this process that waits seconds where others wait minutes."""
    options = YouTubeOptions(proxy=site.proxy_url, ca_bundle=site.ca_path)
    egress = Egress(interval_sec=0.05, pauses_sec=(PAUSE_SEC,))
    guard = OutboundGuard(allow_private_networks=True)
    async with AsyncExitStack() as stack:
        media = await stack.enter_async_context(
            media_client(guard, proxy=site.proxy_url, ca_bundle=site.ca_path)
        )
        youtube = YouTubeSite(options, egress=egress)
        stack.push_async_callback(youtube.close)
        stack.enter_context(youtube_metrics(egress))
        hasty = HastySources(media, youtube, confirmation=ConfirmationPolicy(apart_sec=0.5))
        for worker in await stack.enter_async_context(
            workers_of(harness.client, _settings(harness), hasty)
        ):
            await stack.enter_async_context(worker)
        yield


class HastySources(SourceResolver):
    """Finds sources that may be looked at again soon."""

    def resolve(self, stream_url: str, client: MediaClient) -> Source:
        """Return the source of `stream_url`; raises as `SourceResolver.resolve`."""
        return _Hasty(super().resolve(stream_url, client))


class _Hasty:
    def __init__(self, source: Source) -> None:
        self._source = source

    async def observe(self, *, refresh: bool = False) -> Observation:
        return _hastily(await self._source.observe(refresh=refresh))

    async def observe_status(self, *, priority: bool = False) -> Observation:
        return await self._source.observe_status(priority=priority)

    def poll_delay_sec(
        self,
        seen: Observation,
        *,
        now: datetime,
        waiting_since: datetime,
        scheduled_start: datetime | None,
        chance: float,
    ) -> float:
        return HASTE_SEC


def _hastily(seen: Observation) -> Observation:
    return replace(seen, retry_after_sec=min(HASTE_SEC, seen.retry_after_sec or HASTE_SEC))


def _settings(harness: ServiceHarness) -> WorkerSettings:
    return WorkerSettings.model_validate(
        {
            "callback_url": harness.rest.base_url,
            "internal_api_key": INTERNAL_KEY,
            "webhook_signing_key": SIGNING_KEY,
            "allow_private_networks": True,
        }
    )
