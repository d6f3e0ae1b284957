"""What every probe does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from media.decoding.decode_slots import DecodeUsage
from media.decoding.decoder_probe import Confinement, DecoderProbe
from media.decoding.ffmpeg_probe import FfmpegProbe
from media.decoding.limits import probes_at_once
from monitors.measurement import ProbeContext, SegmentMeasurement


class Probe(Protocol):
    """Measures segments, as many at once as there are cores."""

    async def measure(
        self,
        segment: bytes,
        *,
        duration_sec: float,
        silence_db: float,
        usage: DecodeUsage | None = None,
        context: ProbeContext | None = None,
    ) -> SegmentMeasurement:
        """Measure one segment in one pass.

        Args:
            segment: the whole segment, for fMP4 behind its initialization section.
            duration_sec: what its playlist says of it (EXTINF).
            silence_db: sound that stays under this level is silence, in dBFS.
            context: of the segments before; without it all of the segment is measured.

        Raises:
            UndecodableSegment: it cannot be decoded within the limits.
        """

    async def close(self) -> None:
        pass


@asynccontextmanager
async def open_probe(
    ffmpeg: Path | None = None,
    *,
    at_once: int | None = None,
    with_loudness: bool = False,
    confinement: Confinement | None = None,
) -> AsyncIterator[Probe]:
    """Yield the probe to use: with the user's `ffmpeg`, or the libraries that come with us."""
    probe: Probe
    parallel = probes_at_once(at_once)
    if ffmpeg:
        probe = FfmpegProbe(str(ffmpeg), parallel=parallel, with_loudness=with_loudness)
    else:
        probe = DecoderProbe(
            parallel=parallel, with_loudness=with_loudness, confinement=confinement
        )
    try:
        yield probe
    finally:
        await probe.close()
