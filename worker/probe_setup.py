"""Opens the probe of a process: checks an ffmpeg of the user, starts and confines a decoder."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from media.decoding.decoder_probe import Confinement, DecoderProbe
from media.decoding.errors import NotConfined
from media.decoding.probe import Probe, open_probe
from media.processes.run_once import Limits, ProcessFailed, run_bounded
from runtime.errors import StartError
from runtime.settings import SettingsError, StreamSettings

LEAST_FFMPEG_VERSION = 6
FFMPEG_LIMITS = Limits(wall_sec=20, cpu_sec=20, memory_bytes=2 << 30, output_bytes=64 << 10)

_FFMPEG_RELEASE = re.compile(rb"ffmpeg version n?(\d+)\.")


class WorkerProbe(NamedTuple):
    """An open probe; an ffmpeg of the user has no confinement."""

    probe: Probe
    confinement: Confinement | None

    @property
    def is_confined(self) -> bool:
        return bool(self.confinement and self.confinement.is_there)


@asynccontextmanager
async def open_worker_probe(
    settings: StreamSettings, *, with_loudness: bool = False
) -> AsyncIterator[WorkerProbe]:
    """Open the probe that the settings name; its first decoder is ready.

    Raises StartError where they name what cannot be used, or decoders cannot be confined but must.
    """
    if settings.ffmpeg_path and settings.require_confinement:
        raise SettingsError("REQUIRE_CONFINEMENT: an ffmpeg of FFMPEG_PATH has no such filter")
    if settings.ffmpeg_path:
        await check_ffmpeg(settings.ffmpeg_path)
    confinement = Confinement.from_setting(settings.require_confinement)
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
    except ProcessFailed as error:
        raise StartError(f"decoders cannot be started: the decoder {error}") from None


def missing_confinement(probe: WorkerProbe | None) -> str | None:
    """Return why a worker must not decode; None when it may."""
    confinement = probe.confinement if probe else None
    if confinement and confinement.is_required and confinement.is_there is False:
        return str(NotConfined())
    return None


async def check_ffmpeg(path: Path) -> None:
    """Raise StartError if `path` is no ffmpeg that is new enough."""
    try:
        finished = await run_bounded([str(path), "-version"], stdin=b"", limits=FFMPEG_LIMITS)
    except ProcessFailed as error:
        raise StartError(f"FFMPEG_PATH: {error}") from None
    output = finished.stdout
    if not output.startswith(b"ffmpeg version "):
        raise StartError(f"FFMPEG_PATH: {path} is not ffmpeg")
    release = _FFMPEG_RELEASE.match(output)
    # A build between two releases carries no number (N-118000-g...): it is taken as it is.
    if release and int(release[1]) < LEAST_FFMPEG_VERSION:
        raise StartError(
            f"FFMPEG_PATH: {path} is ffmpeg {release[1].decode()}, {LEAST_FFMPEG_VERSION} is needed"
        )
