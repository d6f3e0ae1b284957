"""What the activities about streams are made of, for tests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from activities.declarations import Placement
from activities.gateway_client import GatewayClient
from activities.wait_for_live import LiveWait
from activities.watch_stream import WatchStream
from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.sources.source_resolver import SourceResolver
from media.sources.youtube.resolver_options import YouTubeOptions
from media.sources.youtube.site import YouTubeSite
from media.watching import MemoryBudget
from tests.testkit.engines import opened
from worker.prober import watch_evidence

NO_GATEWAY = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Worker:
    """The parts of a worker that look at streams."""

    sources: SourceResolver
    watching: WatchStream
    waiting: LiveWait


@asynccontextmanager
async def worker(
    *,
    gateway_url: str = NO_GATEWAY,
    allow_private_networks: bool = True,
    with_evidence: bool = False,
) -> AsyncIterator[Worker]:
    async with AsyncExitStack() as stack:
        guard = OutboundGuard(allow_private_networks=allow_private_networks)
        client = await stack.enter_async_context(media_client(guard))
        gateway = GatewayClient(gateway_url, SecretStr("internal-key"))
        stack.push_async_callback(gateway.close)
        youtube = YouTubeSite(YouTubeOptions())
        stack.push_async_callback(youtube.close)
        sources = SourceResolver(client, youtube)
        evidence = None
        if with_evidence:
            making = watch_evidence(gateway, None, memory_bytes=64 * 1024 * 1024, drain_sec=60.0)
            evidence = await stack.enter_async_context(making)
        watching = WatchStream(
            sources=sources,
            probe=await stack.enter_async_context(opened()),
            gateway=gateway,
            segment_max_bytes=1024 * 1024,
            memory=MemoryBudget(128 * 1024 * 1024),
            report_sec=10.0,
            evidence=evidence,
        )
        yield Worker(sources, watching, LiveWait(sources, Placement(), gateway))
