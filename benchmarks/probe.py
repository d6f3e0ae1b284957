"""Prints what measuring 60 s of a stream costs, and what other ways of it cost in the same run.

    python -m benchmarks.probe

The programmes: one that moves, a camera that stands still before somebody who talks, slides that
change every 10 s, and slow ones that change every 30 s. A detector judges what is found, as in a
watch, and says how much of the next segment is decoded.
The ways: ours; one ffmpeg process a segment, one pass (`FFMPEG_PATH`); three processes a segment
(ffprobe, blackdetect, silencedetect) as services like this one use to do it, with the system's
ffmpeg where there is one; and decoding alone, the whole minute in one process with one thread,
which is the floor. CPU seconds are user and system time of all processes that the way starts, and
of this one for it, the lowest of some rounds; the memory is the peak of one process.
Judged are ours: by three processes, and by the floor; slow slides by the floor only, since a static
frame has to be decoded from half of the freeze threshold on.
"""

import argparse
import asyncio
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

from benchmarks.machine import machine
from media.decoding.decoder_probe import DecoderProbe
from media.decoding.ffmpeg_probe import FfmpegProbe
from media.decoding.probe import Probe
from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.skimming import Deferred
from monitors.detectors.stream_time import SegmentPosition
from monitors.measurement import ProbeContext, SegmentMeasurement
from simulator.origin import Encoding, Programme, RenderedProgramme, Scene, SceneKind, render
from simulator.origin.render import ffmpeg_path

SECONDS = 60.0
SILENCE_DB = -50.0
THRESHOLDS = Thresholds()
BEGAN_AT = datetime(2026, 1, 1, tzinfo=UTC)
ENCODINGS = {
    "256x144, 30 fps, 5 s": Encoding(fps=30, segment_sec=5.0, video_kbps=110, audio_kbps=48),
    "320x180, 15 fps, 2 s": Encoding(width=320, height=180, video_kbps=120, audio_kbps=48),
    "1280x720, 30 fps, 2 s": Encoding(
        width=1280, height=720, fps=30, video_kbps=1500, audio_kbps=96
    ),
}
SLOW_SLIDES = "slow slides"
PROGRAMMES = {
    "moving": [Scene(kind=SceneKind.NORMAL, duration_sec=SECONDS)],
    "static camera": [Scene(kind=SceneKind.TALKING_HEAD, duration_sec=SECONDS)],
    "slides": [
        Scene(kind=SceneKind.FROZEN, duration_sec=SECONDS / 6, seed=seed) for seed in range(1, 7)
    ],
    SLOW_SLIDES: [
        Scene(kind=SceneKind.FROZEN, duration_sec=SECONDS / 2, seed=seed) for seed in range(1, 3)
    ],
}
MOST_OF_THREE = 1 / 6
MOST_OF_FLOOR = 1.3


@dataclass(frozen=True)
class Cost:
    """Of measuring a minute: CPU seconds, and the peak memory of one process in MiB."""

    cpu_sec: float
    peak_mib: float


@dataclass(frozen=True)
class Material:
    """A minute of a stream, as segments and as one file."""

    segments: list[bytes]
    segment_sec: float
    files: list[Path]
    whole: Path


def main() -> int:
    """Measure and print; return 0 when the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="of which the cheapest counts (5)")
    parser.add_argument("--programme", choices=PROGRAMMES, help="only this one")
    asked = parser.parse_args()
    rounds, shown_ones = asked.rounds, [asked.programme] if asked.programme else [*PROGRAMMES]
    print(machine())
    within = True
    for (name, encoding), shown in product(ENCODINGS.items(), shown_ones):
        rendered = render(Programme(tuple(PROGRAMMES[shown]), encoding))
        with tempfile.TemporaryDirectory() as folder:
            costs = asyncio.run(_measure(_material(rendered, Path(folder)), rounds))
        _print_costs(f"{name}, {shown}", costs)
        within &= _are_met(costs, with_three=shown != SLOW_SLIDES)
    return 0 if within else 1


def _are_met(costs: dict[str, Cost], *, with_three: bool) -> bool:
    ours, three, floor = costs["ours"], costs["three processes"], costs["decoding alone"]
    is_little = ours.cpu_sec <= MOST_OF_THREE * three.cpu_sec or not with_three
    return is_little and ours.cpu_sec <= MOST_OF_FLOOR * floor.cpu_sec


def _print_costs(name: str, costs: dict[str, Cost]) -> None:
    three, floor = costs["three processes"], costs["decoding alone"]
    print(f"\n{name:36} {'CPU s':>8} {'peak MiB':>9} {'of three':>9} {'of floor':>9}")
    for way, cost in costs.items():
        print(
            f"{way:36} {cost.cpu_sec:8.3f} {cost.peak_mib:9.0f} "
            f"{cost.cpu_sec / three.cpu_sec:9.2f} {cost.cpu_sec / floor.cpu_sec:9.2f}"
        )


def _material(rendered: RenderedProgramme, folder: Path) -> Material:
    segments = [segment.data for segment in rendered.segments]
    files = []
    for number, segment in enumerate(segments):
        files.append(folder / f"{number}.ts")
        files[-1].write_bytes(segment)
    whole = folder / "whole.ts"
    whole.write_bytes(b"".join(segments))
    return Material(segments, rendered.programme.encoding.segment_sec, files, whole)


async def _measure(material: Material, rounds: int) -> dict[str, Cost]:
    decoders, passes = DecoderProbe(parallel=1), FfmpegProbe(ffmpeg_path(), parallel=1)
    ours, one_pass = Viewing(decoders, material), Viewing(passes, material)
    ways: dict[str, Callable[[], Awaitable[Cost]]] = {
        "ours": lambda: _ours(decoders, ours),
        "one pass, a process a segment": lambda: _counted(one_pass.next_minute),
        "three processes": lambda: _counted(lambda: _three_processes(material)),
        "decoding alone": lambda: _counted(lambda: _floor(material)),
    }
    await ours.next_minute()  # the decoder starts, once for hours, and the stream is known
    found: dict[str, list[Cost]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            found[way].append(await run())
    await decoders.close()
    return {way: min(costs, key=lambda cost: cost.cpu_sec) for way, costs in found.items()}


class Viewing:
    """Measures and judges a stream that shows the same minute again and again, as a watch does."""

    def __init__(self, probe: Probe, material: Material) -> None:
        self._probe = probe
        self._material = material
        self._detectors = MediaDetectors()
        self._sequence = 0

    async def next_minute(self) -> None:
        """Go on with each segment of the material."""
        for _ in self._material.segments:
            await self._next()
            self._sequence += 1

    async def _next(self) -> None:
        detectors, segment_sec = self._detectors, self._material.segment_sec
        context = detectors.probe_context(segment_sec, THRESHOLDS)
        measured = await self._measured(self._sequence, context)
        again = [await self._in_full(each) for each in detectors.video.due_before(measured)]
        detectors.video.judge_deferred(again, THRESHOLDS)
        detectors.feed(measured, _position(self._sequence, segment_sec), THRESHOLDS)

    async def _in_full(self, deferred: Deferred) -> SegmentMeasurement:
        is_known = not deferred.measurement.is_skimmed
        return (
            deferred.measurement if is_known else await self._measured(deferred.position.sequence)
        )

    async def _measured(
        self, sequence: int, context: ProbeContext | None = None
    ) -> SegmentMeasurement:
        segments, duration_sec = self._material.segments, self._material.segment_sec
        segment = segments[sequence % len(segments)]
        return await self._probe.measure(
            segment, duration_sec=duration_sec, silence_db=SILENCE_DB, context=context
        )


def _position(sequence: int, duration_sec: float) -> SegmentPosition:
    start_sec = sequence * duration_sec
    return SegmentPosition(
        sequence=sequence,
        start_sec=start_sec,
        duration_sec=duration_sec,
        starts_at=BEGAN_AT + timedelta(seconds=start_sec),
    )


async def _ours(probe: DecoderProbe, viewing: Viewing) -> Cost:
    """Count what the decoders use, and what this process does for them."""
    (pid,) = probe.process_ids()
    before = _running_sec(pid) + _own_sec()
    await viewing.next_minute()
    return Cost(_running_sec(pid) + _own_sec() - before, _peak_mib(pid))


async def _counted(run: Callable[[], Awaitable[None]]) -> Cost:
    """Count what the processes that `run` starts use, and what this one does for them."""
    before = _children_sec() + _own_sec()
    await run()
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return Cost(_children_sec() + _own_sec() - before, peak_kib / 1024)


async def _three_processes(material: Material) -> None:
    ffmpeg = shutil.which("ffmpeg") or ffmpeg_path()
    ffprobe = shutil.which("ffprobe")
    inspect = [ffprobe, "-v", "error", "-show_format", "-show_streams"] if ffprobe else [ffmpeg]
    for file in material.files:
        source = ["-hide_banner", "-i", str(file)]
        _run([*inspect, *source])
        _run([ffmpeg, *source, "-vf", "blackdetect=d=0.1:pix_th=0.1", "-an", "-f", "null", "-"])
        _run([ffmpeg, *source, "-af", "silencedetect=n=-50dB:d=0.1", "-vn", "-f", "null", "-"])


async def _floor(material: Material) -> None:
    decode = ["-v", "error", "-threads", "1", "-i", str(material.whole), "-f", "null", "-"]
    _run([ffmpeg_path(), *decode])


def _run(command: list[str]) -> None:
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _running_sec(pid: int) -> float:
    """Return the time that a process of one thread has run, from the scheduler's own count."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def _own_sec() -> float:
    return _used_sec(resource.RUSAGE_SELF)


def _children_sec() -> float:
    return _used_sec(resource.RUSAGE_CHILDREN)


def _used_sec(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
