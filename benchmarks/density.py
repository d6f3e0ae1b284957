"""Prints how many streams one machine watches in time: `python -m benchmarks.density`.

A whole service (Temporal, gateway, one worker) watches so many live streams, each with scripted
faults, on the machine that also serves the streams and takes the webhooks. The delay is from the
publication of the segment that completes a fault, or the recovery from it, to its webhook. The most
streams whose 95th percentile stays within one target duration and a second are what fits.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.chaos.arena import Arena, ChaosHouse, open_arena
from benchmarks.chaos.findings import percentile
from benchmarks.machine import machine
from tests.origin import AtEnd, Channel, ChannelOptions, Encoding, RenderedProgramme, SceneOnAir
from tests.service.programmes import rendered
from tests.service.receiver import Received
from tests.service.waiting import NeverCame, until

ENCODING = Encoding(width=320, height=180, fps=15, segment_sec=2.0, video_kbps=120, audio_kbps=48)
CYCLE = (
    *(("normal", 12.0), ("black", 8.0), ("normal", 10.0)),
    *(("silent", 8.0), ("normal", 10.0), ("frozen", 10.0), ("normal", 10.0)),
)
CALM = (("normal", sum(length_sec for _, length_sec in CYCLE)),)
ALERTS = {"black": "alert.blackout", "silent": "alert.silence", "frozen": "alert.freeze"}
THRESHOLD_SEC = {"black": 4.5, "silent": 4.5, "frozen": 6.5}
RECOVERY_SEC = 2.5
"""Each completes in the middle of a segment: a millisecond does not decide in which one."""

CONFIG: dict[str, Any] = {
    "blackout_threshold_sec": THRESHOLD_SEC["black"],
    "silence_threshold_sec": THRESHOLD_SEC["silent"],
    "freeze_threshold_sec": THRESHOLD_SEC["frozen"],
    "recovery_sec": RECOVERY_SEC,
}
ON_AIR = ChannelOptions(window_segments=15, backlog_segments=1, at_end=AtEnd.END)
BOUND_SEC = ENCODING.segment_sec + 1.0
START_SEC = 90.0
LAST_EVENT_SEC = 60.0
SERVICE = ("temporal", "gateway", "worker", "decoders")


@dataclass(frozen=True)
class Usage:
    """Of a group of processes: CPU seconds so far, and memory that is theirs alone (PSS), MiB."""

    cpu_sec: float
    memory_mib: float


@dataclass(frozen=True)
class Crowd:
    """What came of so many streams.

    Attributes:
        delays_sec: of all events of faults and recoveries.
        wrong: streams whose events are not exactly those of the script.
        cores: used by each part of the service, and by what is around it, on average.
        memory_mib: at the end.
        playlists_per_segment: requests.
        fetched_again: segments.
    """

    streams: int
    delays_sec: list[float]
    wrong: int
    cores: dict[str, float]
    memory_mib: dict[str, float]
    playlists_per_segment: float
    fetched_again: int

    @property
    def is_in_time(self) -> bool:
        """Whether every event came, no other one did, and the delays are short enough."""
        return not self.wrong and percentile(self.delays_sec, 95) <= BOUND_SEC


def main() -> int:
    """Watch more and more streams and print; return 0 when the first number is in time."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", type=int, nargs="+", default=[25, 50, 75, 100, 125])
    parser.add_argument("--cycles", type=int, default=2, help="of 68 s, with three faults each (2)")
    parser.add_argument("--calm", action="store_true", help="nothing goes wrong with the streams")
    options = parser.parse_args()
    scenes = CALM if options.calm else CYCLE
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        crowds = asyncio.run(_run(Path(folder), options.streams, scenes * options.cycles))
    fitting = [crowd for crowd in crowds if crowd.is_in_time]
    _print_memory(crowds)
    print(f"\nin time: {max((each.streams for each in fitting), default=0)} streams")
    return 0 if crowds[0].is_in_time else 1


async def _run(
    folder: Path, numbers: Sequence[int], scenes: tuple[tuple[str, float], ...]
) -> list[Crowd]:
    crowds = []
    async with open_arena(folder, seed=1) as arena:
        programme = await rendered(arena.cache, ENCODING, *scenes)
        for streams in numbers:
            variables = {"PROBE_SLOTS": str(streams), "HEARTBEAT_INTERVAL_SEC": "2"}
            async with arena.house(f"house-{streams}", "all", **variables) as house:
                crowds.append(await _watch(arena, house, programme, streams))
            _print_crowd(crowds[-1])
            if not crowds[-1].is_in_time:
                break
    return crowds


async def _watch(
    arena: Arena, house: ChaosHouse, programme: RenderedProgramme, streams: int
) -> Crowd:
    channels: dict[str, Channel] = {}
    began, before = time.monotonic(), _used(house)
    for number in range(streams):
        name = f"{streams}-{number}"
        channels[name] = arena.origin.add(name, programme, options=ON_AIR)
        await house.rest.create(channels[name].url, arena.receiver.url(name), CONFIG)
    await _until_ended(arena, channels)
    took_sec, after = time.monotonic() - began, _used(house)
    delays = [d for name, channel in channels.items() for d in _delays_sec(arena, name, channel)]
    wrong = sum(_is_wrong(channel, arena.receiver.events(n)) for n, channel in channels.items())
    segments = [arena.segments(name) for name in channels]
    playlists = sum(len(arena.origin.requests(name, ending=".m3u8")) for name in channels)
    fetched = sum(map(len, segments))
    return Crowd(
        streams=streams,
        delays_sec=delays,
        wrong=wrong,
        cores={part: (after[part].cpu_sec - before[part].cpu_sec) / took_sec for part in after},
        memory_mib={part: used.memory_mib for part, used in after.items()},
        playlists_per_segment=playlists / max(1, fetched),
        fetched_again=fetched - sum(len({each.path for each in those}) for those in segments),
    )


async def _until_ended(arena: Arena, channels: dict[str, Channel]) -> None:
    """Wait until each stream's last event came, or does not come any more."""
    length_sec = max(
        sum(scene.duration_sec for scene in c.programme.scenes) for c in channels.values()
    )

    async def all_ended() -> bool:
        return all("stream.ended" in arena.receiver.types(name) for name in channels)

    try:
        await until(all_ended, "the end of all", within_sec=length_sec + START_SEC + LAST_EVENT_SEC)
    except NeverCame as error:
        print(error)


def _incidents(channel: Channel) -> list[SceneOnAir]:
    return channel.scenes_on_air(*ALERTS)


def _is_wrong(channel: Channel, events: list[Received]) -> bool:
    expected = ["stream.started"]
    for scene in _incidents(channel):
        alert = ALERTS[scene.scene.kind]
        expected += [alert, f"{alert}_recovered"]
    return [each.event_type for each in events] != [*expected, "stream.ended"]


def _delays_sec(arena: Arena, name: str, channel: Channel) -> list[float]:
    """Return the delays of a stream's events of faults, in order, as far as they came."""
    arrivals = [each for each in arena.receiver.events(name) if each.event_type[:6] == "alert."]
    known = []
    for scene in _incidents(channel):
        known.append(scene.start_sec + THRESHOLD_SEC[scene.scene.kind])
        known.append(scene.end_sec + RECOVERY_SEC)
    return [
        arrival.at - channel.available_at(moment).timestamp()
        for arrival, moment in zip(arrivals, known, strict=False)
    ]


def _used(house: ChaosHouse) -> dict[str, Usage]:
    worker = psutil.Process(house.workers[0].pid)
    helpers = worker.children(recursive=True)
    return {
        "temporal": _usage([psutil.Process(house.temporal.pid)]),
        "gateway": _usage([psutil.Process(house.gateway.pid)]),
        "worker": _usage([worker]),
        "decoders": _usage(helpers),
        "streams, webhooks": _usage([psutil.Process()]),
    }


def _usage(processes: list[psutil.Process]) -> Usage:
    times = [process.cpu_times() for process in processes]
    memory = sum(process.memory_full_info().pss for process in processes)
    return Usage(sum(each.user + each.system for each in times), memory / 2**20)


def _print_crowd(crowd: Crowd) -> None:
    most = max(crowd.delays_sec, default=0.0)
    cores = sum(crowd.cores[part] for part in SERVICE)
    print(
        f"\n{crowd.streams} streams: delay p50 {percentile(crowd.delays_sec, 50):.2f}, "
        f"p95 {percentile(crowd.delays_sec, 95):.2f}, max {most:.2f} s of "
        f"{len(crowd.delays_sec)} events; {crowd.wrong} streams wrong; "
        f"{crowd.playlists_per_segment:.2f} playlist requests a segment, "
        f"{crowd.fetched_again} segments fetched again"
    )
    print(f"{'':20} {'cores':>7} {'MiB':>7}")
    for part, share in crowd.cores.items():
        print(f"{part:20} {share:7.2f} {crowd.memory_mib[part]:7.0f}")
    print(f"{'a stream, all of it':20} {cores / crowd.streams:7.4f}")


def _print_memory(crowds: list[Crowd]) -> None:
    """Print what one more stream takes, from the first number of streams to the last."""
    if len(crowds) < 2:
        return
    first, last = crowds[0], crowds[-1]
    more = last.streams - first.streams
    grown = sum(last.memory_mib[part] - first.memory_mib[part] for part in SERVICE)
    print(f"\nmemory of one more stream: {grown / more:.2f} MiB")


if __name__ == "__main__":
    raise SystemExit(main())
