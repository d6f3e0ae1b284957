"""The probe of a process: made to work at the start, and whether its decoders are locked in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry, Gauge

from media.decoding import (
    Confinement,
    DecoderFailed,
    DecoderProbe,
    NotConfined,
    Probe,
    open_probe,
)
from runtime.errors import StartError
from runtime.settings import SettingsError, StreamSettings
from worker.ffmpeg_check import check_ffmpeg
from worker.metric_set import MetricSet


class WorkerProbe(NamedTuple):
    """What a process measures with; an ffmpeg of the user has no confinement."""

    probe: Probe
    confinement: Confinement | None

    @property
    def is_confined(self) -> bool:
        """Whether what decodes is locked in."""
        return bool(self.confinement and self.confinement.is_there)


@asynccontextmanager
async def open_worker_probe(
    settings: StreamSettings, *, with_loudness: bool = False
) -> AsyncIterator[WorkerProbe]:
    """Yield the probe that the settings name, with a first decoder that is ready.

    Raises:
        StartError: what they name cannot be used, or decoders have to be locked in and cannot.
    """
    if settings.ffmpeg_path and settings.require_confinement:
        raise SettingsError("REQUIRE_CONFINEMENT: an ffmpeg of FFMPEG_PATH has no such filter")
    if settings.ffmpeg_path:
        await check_ffmpeg(settings.ffmpeg_path)
    confinement = Confinement.wanted(settings.require_confinement)
    opened_probe = open_probe(
        settings.ffmpeg_path,
        at_once=settings.probes_at_once,
        with_loudness=with_loudness,
        confinement=confinement,
    )
    async with opened_probe as probe:
        if isinstance(probe, DecoderProbe):
            await _start(probe)
        yield WorkerProbe(probe, None if settings.ffmpeg_path else confinement)


async def _start(probe: DecoderProbe) -> None:
    try:
        await probe.start()
    except NotConfined as error:
        raise SettingsError(str(error)) from None
    except DecoderFailed as error:
        raise StartError(f"decoders cannot be started: {error}") from None


def confinement_metric(probe: WorkerProbe, registry: CollectorRegistry = REGISTRY) -> MetricSet:
    """Return a metric that shows, while its context is open, whether decoders are locked in."""
    gauge = Gauge(
        "stream_tracker_decoders_confined",
        "1 while decoders are locked in by a system call filter, else 0.",
        registry=None,
    )
    gauge.set_function(lambda: float(probe.is_confined))
    return MetricSet(registry, gauge)


def missing_confinement(probe: WorkerProbe | None) -> str | None:
    """Return what keeps a worker from decoding."""
    confinement = probe.confinement if probe else None
    if confinement and confinement.is_required and confinement.is_there is False:
        return str(NotConfined())
    return None
