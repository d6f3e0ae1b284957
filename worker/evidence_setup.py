"""Sets up evidence in a worker: the collector, the uploads, and their memory."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from activities.evidence_client import EvidenceClient
from activities.gateway_client import GatewayClient
from activities.watch_evidence import WatchEvidence
from evidence.capsule.collecting import IncidentCapsule
from evidence.collector import EvidenceCollector
from evidence.excerpt_maker import ExcerptMaker
from evidence.picture_uploads import PictureUploads
from evidence.pictures_and_clips import IncidentClip, IncidentPictures
from media.decoding.decoder_probe import Confinement
from media.watching import SegmentCache
from runtime.settings import WorkerSettings
from runtime.version import VERSION
from worker.evidence_metrics import EvidenceMetrics

EVIDENCE_SHARE = 4
"""This part of SEGMENTS_MEMORY_BYTES is for segments that incidents may need."""

LEAST_EVIDENCE_BYTES = 16 * 1024 * 1024
"""Where the largest segments leave less: a worker of one stream, say."""

GRACE_SHARE = 0.5
"""Of the time that a worker has on SIGTERM, for collecting what it has begun to."""


class MemorySplit(NamedTuple):
    """How the memory for segments is split, in bytes."""

    measuring_bytes: int
    evidence_bytes: int


def memory_split(settings: WorkerSettings) -> MemorySplit:
    """Split the memory for segments, leaving enough to measure the largest one."""
    total, largest = settings.segments_memory_bytes, settings.segment_max_bytes
    measuring = max(2 * largest, total - total // EVIDENCE_SHARE)
    return MemorySplit(measuring, max(LEAST_EVIDENCE_BYTES, total - measuring))


@asynccontextmanager
async def watch_evidence(
    gateway: GatewayClient,
    confinement: Confinement | None,
    *,
    memory_bytes: int,
    drain_sec: float,
) -> AsyncIterator[WatchEvidence]:
    """Collect evidence while the context is open, and at its end what was begun.

    Args:
        confinement: of the process that makes pictures and clips.
        memory_bytes: for the segments that incidents may need.
        drain_sec: time that a worker has on SIGTERM.
    """
    client = EvidenceClient(gateway)
    async with AsyncExitStack() as stack:
        metrics = stack.enter_context(EvidenceMetrics())
        of_pictures, of_clips = ExcerptMaker(confinement), ExcerptMaker(confinement)
        for maker in (of_pictures, of_clips):
            stack.push_async_callback(maker.close)
        collector = EvidenceCollector(
            [IncidentPictures(of_pictures), IncidentClip(of_clips), IncidentCapsule(VERSION)],
            client,
            metrics,
            grace_sec=GRACE_SHARE * drain_sec,
        )
        pictures = await stack.enter_async_context(PictureUploads(client, metrics))
        await stack.enter_async_context(collector)
        yield WatchEvidence(collector, pictures, SegmentCache(memory_bytes))
