"""Segments as ffmpeg's own HLS muxer cuts them, of whatever ffmpeg can make."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from media.decoding.probe import Probe
from monitors.measurement import SegmentMeasurement
from simulator.origin.render import ffmpeg_path

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=12")
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-sc_threshold", "0", "-pix_fmt", "yuv420p")
EVERY_TWO_SEC = (*H264, "-force_key_frames", "expr:gte(t,n_forced*2)")


def tone(sec: float, rate_hz: int = 48_000) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"sine=f=440:r={rate_hz}:d={sec}")


@dataclass(frozen=True)
class Packaged:
    """A playlist's segments and their EXTINF; of fMP4, `init` comes before each."""

    segments: list[bytes]
    durations_sec: list[float]
    init: bytes = b""

    async def measured(self, probe: Probe, silence_db: float = -50.0) -> list[SegmentMeasurement]:
        return [
            await probe.measure(self.init + data, duration_sec=sec, silence_db=silence_db)
            for data, sec in zip(self.segments, self.durations_sec, strict=True)
        ]


def packaged(*arguments: str, init: str | None = None) -> Packaged:
    """Run ffmpeg; `arguments` are inputs and encoders, with `init` segments are fMP4.

    Both probes measure the same: it is made once.
    """
    return _packaged(arguments, init)


@cache
def _packaged(arguments: tuple[str, ...], init: str | None) -> Packaged:
    with tempfile.TemporaryDirectory(prefix="packaged-") as folder:
        return _packaged_in(Path(folder), arguments, init)


def _packaged_in(folder: Path, arguments: tuple[str, ...], init: str | None) -> Packaged:
    command = [ffmpeg_path(), "-loglevel", "error", *arguments, "-f", "hls", "-hls_time", "2"]
    command += ["-hls_list_size", "0", "-hls_segment_filename", str(folder / "%d.media")]
    if init:
        command += ["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", init]
    subprocess.run([*command, str(folder / "p.m3u8")], check=True, timeout=60)
    listed = re.findall(r"#EXTINF:([\d.]+),\n(\S+)", (folder / "p.m3u8").read_text())
    return Packaged(
        [(folder / name).read_bytes() for _, name in listed],
        [float(sec) for sec, _ in listed],
        (folder / init).read_bytes() if init else b"",
    )
