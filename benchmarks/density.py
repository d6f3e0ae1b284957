"""Prints how many streams one machine watches in time: `python -m benchmarks.density`.

A whole service (Temporal, gateway, one worker) watches so many live streams on the machine that
also serves the streams and takes the webhooks. Each stream has faults of each kind in turn, and no
two streams' begin at the same time. The delay is from the publication of the segment that completes
a fault, or the recovery from it, to its webhook. The most streams whose 95th percentile stays
within one target duration and a second are what fits. Cores are those used while all streams are on
air.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import ndiff
from itertools import cycle
from pathlib import Path
from typing import Any

import psutil

from benchmarks.chaos.arena import Arena, ChaosHouse, open_arena
from benchmarks.chaos.findings import percentile
from benchmarks.machine import machine
from runtime.event_loop import new_event_loop
from tests.origin import AtEnd, Channel, ChannelOptions, Encoding, RenderedProgramme, SceneOnAir
from tests.service.programmes import rendered
from tests.service.receiver import Received
from tests.service.waiting import NeverCame, until

ENCODING = Encoding(width=320, height=180, fps=15, segment_sec=2.0, video_kbps=120, audio_kbps=48)
FAULTS = (("black", 8.0), ("silent", 8.0), ("frozen", 10.0))
"""Kinds and seconds; each stream begins with another one."""

BEFORE_SEC = 12.0
AFTER_SEC = 10.0
LEAST_BETWEEN_SEC = 20.0
"""From the beginning of one fault to that of the next: three a minute."""

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
LAST_EVENT_SEC = 60.0
LOOK_SEC = 1.0
WRONG_SHOWN = 5
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
        wrong: of each stream whose events are not exactly those of its script, the difference.
        cores: used by each part of the service, and by what is around it, on average.
        memory_mib: when the first stream was about to end.
        playlists_per_segment: requests.
        fetched_again: segments.
        load: average of the machine at the end.
    """

    streams: int
    delays_sec: list[float]
    wrong: list[str]
    cores: dict[str, float]
    memory_mib: dict[str, float]
    playlists_per_segment: float
    fetched_again: int
    load: float

    @property
    def is_in_time(self) -> bool:
        """Whether every event came, no other one did, and the delays are short enough."""
        return not self.wrong and percentile(self.delays_sec, 95) <= BOUND_SEC


def main() -> int:
    """Watch more and more streams and print; return 0 when the first number is in time."""
    options = _options()
    print(machine())
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        crowds = runner.run(_run(Path(folder), options))
    fitting = [crowd for crowd in crowds if crowd.is_in_time]
    _print_memory(crowds)
    print(f"\nin time: {max((each.streams for each in fitting), default=0)} streams")
    return 0 if crowds[0].is_in_time else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", type=int, nargs="+", default=[25, 50, 75, 100, 125])
    parser.add_argument("--seconds", type=float, default=240.0, help="that a stream lasts (240)")
    parser.add_argument(
        "--faults-every",
        type=float,
        default=70.0,
        metavar="SEC",
        help="of each stream (70: each kind once); 20 is three a minute, 0 is none",
    )
    options = parser.parse_args()
    if 0 < options.faults_every < LEAST_BETWEEN_SEC:
        parser.error(f"--faults-every: at least {LEAST_BETWEEN_SEC:g}, or 0")
    return options


def scenes(seconds: float, faults_every_sec: float, first: int) -> list[tuple[str, float]]:
    """Return the scenes of a stream whose faults begin with the kind number `first`."""
    made = [("normal", BEFORE_SEC)]
    left_sec = seconds - BEFORE_SEC
    kinds = cycle([*FAULTS[first:], *FAULTS[:first]])
    while faults_every_sec and left_sec >= max(each for _, each in FAULTS) + AFTER_SEC:
        kind, length_sec = next(kinds)
        rest_sec = min(faults_every_sec, left_sec) - length_sec
        made += [(kind, length_sec), ("normal", rest_sec)]
        left_sec -= length_sec + rest_sec
    return [*made, ("normal", left_sec)] if left_sec else made


async def _run(folder: Path, options: argparse.Namespace) -> list[Crowd]:
    crowds = []
    async with open_arena(folder, seed=1) as arena:
        programmes = [
            await rendered(
                arena.cache, ENCODING, *scenes(options.seconds, options.faults_every, first)
            )
            for first in range(len(FAULTS))
        ]
        spread_sec = options.faults_every or LEAST_BETWEEN_SEC
        for streams in options.streams:
            variables = {"PROBE_SLOTS": str(streams), "HEARTBEAT_INTERVAL_SEC": "2"}
            async with arena.house(f"house-{streams}", "all", **variables) as house:
                crowds.append(await _watch(arena, house, programmes, streams, spread_sec))
            _print_crowd(crowds[-1])
            if not crowds[-1].is_in_time:
                break
    return crowds


async def _watch(
    arena: Arena,
    house: ChaosHouse,
    programmes: Sequence[RenderedProgramme],
    streams: int,
    spread_sec: float,
) -> Crowd:
    channels = await _put_on_air(arena, house, programmes, streams, spread_sec)
    began, before = time.monotonic(), _used(house)
    first = next(iter(channels.values()))
    await asyncio.sleep(max(0.0, _length_sec(first) - first.position_sec))
    took_sec, after = time.monotonic() - began, _used(house)
    await _until_ended(arena, channels)
    delays = [d for name, channel in channels.items() for d in _delays_sec(arena, name, channel)]
    judged = (_wrong(channel, arena.receiver.events(n)) for n, channel in channels.items())
    segments = [arena.segments(name) for name in channels]
    playlists = sum(len(arena.origin.requests(name, ending=".m3u8")) for name in channels)
    fetched = sum(map(len, segments))
    return Crowd(
        streams=streams,
        delays_sec=delays,
        wrong=[each for each in judged if each],
        cores={part: (after[part].cpu_sec - before[part].cpu_sec) / took_sec for part in after},
        memory_mib={part: used.memory_mib for part, used in after.items()},
        playlists_per_segment=playlists / max(1, fetched),
        fetched_again=fetched - sum(len({each.path for each in those}) for those in segments),
        load=os.getloadavg()[0],
    )


async def _put_on_air(
    arena: Arena,
    house: ChaosHouse,
    programmes: Sequence[RenderedProgramme],
    streams: int,
    spread_sec: float,
) -> dict[str, Channel]:
    """Begin the streams one after the other, evenly over `spread_sec`; return them by name."""
    channels: dict[str, Channel] = {}
    began = time.monotonic()
    for number in range(streams):
        await asyncio.sleep(began + number * spread_sec / streams - time.monotonic())
        name = f"{streams}-{number}"
        programme = programmes[number % len(programmes)]
        channels[name] = arena.origin.add(name, programme, options=ON_AIR)
        await house.rest.create(channels[name].url, arena.receiver.url(name), CONFIG)
    return channels


async def _until_ended(arena: Arena, channels: dict[str, Channel]) -> None:
    """Wait until each stream's last event came, or does not come any more."""
    left_sec = max(_length_sec(each) - each.position_sec for each in channels.values())

    async def all_ended() -> bool:
        await asyncio.sleep(LOOK_SEC)
        return all("stream.ended" in arena.receiver.types(name) for name in channels)

    await asyncio.sleep(max(0.0, left_sec))
    try:
        await until(all_ended, "the end of all", within_sec=LAST_EVENT_SEC)
    except NeverCame as error:
        print(error)


def _length_sec(channel: Channel) -> float:
    return sum(scene.duration_sec for scene in channel.programme.scenes)


def _incidents(channel: Channel) -> list[SceneOnAir]:
    length_sec = _length_sec(channel)  # a stream that has ended is not played again
    return [each for each in channel.scenes_on_air(*ALERTS) if each.start_sec < length_sec]


def _wrong(channel: Channel, events: list[Received]) -> str:
    """Return by what a stream's events miss those of its script; nothing when they do not."""
    expected = ["stream.started"]
    for scene in _incidents(channel):
        alert = ALERTS[scene.scene.kind]
        expected += [alert, f"{alert}_recovered"]
    came = [each.event_type for each in events]
    if came == [*expected, "stream.ended"]:
        return ""
    return " ".join(line for line in ndiff([*expected, "stream.ended"], came) if line[0] != "?")


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
        f"{len(crowd.delays_sec)} events; {len(crowd.wrong)} streams wrong; "
        f"{crowd.playlists_per_segment:.2f} playlist requests a segment, "
        f"{crowd.fetched_again} segments fetched again; load {crowd.load:.1f}"
    )
    for difference in crowd.wrong[:WRONG_SHOWN]:
        print(f"  {difference}")
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
