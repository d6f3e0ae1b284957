"""Rendering a programme with the real ffmpeg, once, into a cache on disk."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped, unused-ignore]

from simulator.origin.encoding import Container
from simulator.origin.programme import (
    INIT_NAME,
    PLAYLIST_NAME,
    Programme,
    SceneSpan,
    ffmpeg_arguments,
    missing_tracks,
    strip_arguments,
)

RENDER_TIMEOUT_SEC = 600
_CACHE_FORMAT = "1"  # part of the cache key; to be raised when the same arguments give other files


class RenderError(RuntimeError):
    """The encoder failed; the message is what it said."""


@dataclass(frozen=True)
class MediaSegment:
    """A segment as published."""

    start_sec: float  # stream time of its first frame, from the programme's first
    duration_sec: float  # as ffmpeg's own playlist says
    data: bytes


@dataclass(frozen=True)
class RenderedProgramme:
    """A programme's media in memory; `init` is the EXT-X-MAP of fragmented MP4."""

    programme: Programme
    segments: tuple[MediaSegment, ...]
    init: bytes | None = None

    @property
    def durations_sec(self) -> list[float]:
        return [segment.duration_sec for segment in self.segments]

    @property
    def peak_bandwidth(self) -> int:
        """Largest segment bit rate, in bits a second."""
        return max(round(len(each.data) * 8 / each.duration_sec) for each in self.segments)


def default_cache_dir() -> Path:
    return Path(tempfile.gettempdir()) / f"stream-tracker-programmes-{os.getuid()}"


def render(programme: Programme, cache_dir: Path | None = None) -> RenderedProgramme:
    """Return the programme's media, rendered now or earlier; raise `RenderError` if ffmpeg fails.

    Blocks while ffmpeg works (about 1 s a minute of programme). Safe in parallel processes: one
    renders, the others wait for it.
    """
    cache = cache_dir or default_cache_dir()
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = cache / cache_key(programme)
    if not folder.is_dir():
        with _alone(folder.with_suffix(".lock")):
            if not folder.is_dir():
                _render_into(folder, programme)
    return _load(folder, programme)


def cache_key(programme: Programme) -> str:
    """Return what names the programme's media: equal for equal ffmpeg runs."""
    words = [_CACHE_FORMAT, Path(ffmpeg_path()).name, *ffmpeg_arguments(programme)]
    lost = [f"{gap.scene.kind}:{gap.start_sec}:{gap.end_sec}" for gap in _gaps(programme)]
    return hashlib.sha256("\0".join(words + lost).encode()).hexdigest()[:32]


def ffmpeg_path() -> str:
    """Return the ffmpeg that renders: the static build from PyPI, never one on PATH."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def run_ffmpeg(arguments: Sequence[str], folder: Path) -> None:
    """Run ffmpeg in `folder`; raise `RenderError` where it failed or took too long."""
    try:
        done = subprocess.run(
            [ffmpeg_path(), *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=RENDER_TIMEOUT_SEC,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RenderError(f"ffmpeg took longer than {RENDER_TIMEOUT_SEC} s") from error
    if done.returncode:
        raise RenderError(done.stderr.decode(errors="replace").strip()[-2000:])


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _render_into(folder: Path, programme: Programme) -> None:
    """Render beside the target and rename: a folder that exists is complete."""
    work = Path(tempfile.mkdtemp(prefix="rendering-", dir=folder.parent))
    try:
        run_ffmpeg(ffmpeg_arguments(programme), work)
        _strip_tracks(work, programme)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _strip_tracks(work: Path, programme: Programme) -> None:
    """Take missing tracks out of the finished segments."""
    # Afterwards, because ffmpeg cuts segments at the picture's keyframes and needs them all.
    if not _gaps(programme):
        return
    for name, start, duration in _listed(work):
        if gaps := missing_tracks(programme, start, start + duration):
            run_ffmpeg(strip_arguments(name, "stripped", duration, gaps), work)
            (work / "stripped").rename(work / name)


def _gaps(programme: Programme) -> list[SceneSpan]:
    return missing_tracks(programme, 0, programme.duration_sec)


def _load(folder: Path, programme: Programme) -> RenderedProgramme:
    segments = tuple(
        MediaSegment(start, duration, (folder / name).read_bytes())
        for name, start, duration in _listed(folder)
    )
    fragmented = programme.encoding.container is Container.FMP4
    init = (folder / INIT_NAME).read_bytes() if fragmented else None
    return RenderedProgramme(programme, segments, init)


def _listed(folder: Path) -> list[tuple[str, float, float]]:
    """Read name, start and duration of each segment from ffmpeg's playlist."""
    lines = (folder / PLAYLIST_NAME).read_text().splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    durations = [
        float(line.removeprefix("#EXTINF:").split(",")[0])
        for line in lines
        if line.startswith("#EXTINF:")
    ]
    starts = accumulate(durations, initial=0.0)
    return [*zip(names, (round(start, 6) for start in starts), durations, strict=False)]
