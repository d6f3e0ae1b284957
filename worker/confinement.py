"""Whether decoders are locked in, told at the start, in /readyz and in a metric."""

from prometheus_client import REGISTRY, CollectorRegistry, Gauge

from media.probe import Confinement, DecoderFailed, DecoderProbe, NotConfined
from runtime.errors import StartError
from runtime.settings import SettingsError, StreamSettings
from worker.metric_set import MetricSet


async def check_confinement(settings: StreamSettings) -> Confinement | None:
    """Start a decoder and return whether it is locked in; None with an ffmpeg of the user.

    Raises:
        StartError: it is not, and has to be, or it cannot be started.
    """
    if settings.ffmpeg_path:
        if settings.require_confinement:
            raise SettingsError("REQUIRE_CONFINEMENT: an ffmpeg of FFMPEG_PATH has no such filter")
        return None
    confinement = Confinement.wanted(settings.require_confinement)
    probe = DecoderProbe(parallel=1, confinement=confinement)
    try:
        await probe.start()
    except NotConfined as error:
        raise SettingsError(str(error)) from None
    except DecoderFailed as error:
        raise StartError(f"decoders cannot be started: {error}") from None
    finally:
        await probe.close()
    return confinement


def confinement_metric(
    confinement: Confinement | None, registry: CollectorRegistry = REGISTRY
) -> MetricSet:
    """Return a metric that shows, while its context is open, whether decoders are locked in."""
    gauge = Gauge(
        "stream_tracker_decoders_confined",
        "1 while decoders are locked in by a system call filter, else 0.",
        registry=None,
    )
    gauge.set_function(lambda: float(bool(confinement and confinement.is_there)))
    return MetricSet(registry, gauge)


def missing_confinement(confinement: Confinement | None) -> str | None:
    """Return what keeps a worker from decoding."""
    if confinement and confinement.is_required and confinement.is_there is False:
        return str(NotConfined())
    return None
