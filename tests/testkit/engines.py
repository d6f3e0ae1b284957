"""Both probes, by name: tests run with each."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import StrEnum

from media.decoding.decoder_probe import DecoderProbe
from media.decoding.ffmpeg_probe import FfmpegProbe
from media.decoding.limits import ProbeLimits
from media.decoding.probe import Probe
from simulator.origin.render import ffmpeg_path


class Engine(StrEnum):
    DECODERS = "decoders"
    FFMPEG = "ffmpeg"


OpenProbe = Callable[..., AbstractAsyncContextManager[Probe]]
"""Takes `parallel`, `limits` and `with_loudness`, all with defaults."""


@asynccontextmanager
async def opened(
    engine: Engine = Engine.DECODERS,
    *,
    parallel: int = os.cpu_count() or 1,
    limits: ProbeLimits | None = None,
    with_loudness: bool = True,
) -> AsyncIterator[Probe]:
    probe: Probe
    if engine is Engine.FFMPEG:
        probe = FfmpegProbe(
            ffmpeg_path(), parallel=parallel, limits=limits, with_loudness=with_loudness
        )
    else:
        probe = DecoderProbe(parallel=parallel, limits=limits, with_loudness=with_loudness)
    try:
        yield probe
    finally:
        await probe.close()
