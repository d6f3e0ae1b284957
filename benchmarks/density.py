"""Prints how many streams one machine watches in time: `python -m benchmarks.density`.

A whole service (Temporal, gateway, one worker) watches so many live streams on the machine that
also serves the streams and takes the webhooks. Each stream has faults of each kind in turn, and no
two streams' begin at the same time. The delay is from the publication of the segment that completes
a fault, or the recovery from it, to its webhook. The most streams whose 95th percentile stays
within one target duration and a second are what fits. Cores are those used while all streams are on
air. With several levels of evidence it prints what each costs beside the first.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.fleet import ENCODING, LEAST_BETWEEN_SEC, programmes, put_on_air
from benchmarks.machine import machine
from monitors.evidence import EvidenceLevel
from runtime.serving import new_event_loop
from simulator.origin import RenderedProgramme
from tests.testkit.environment import ChaosEnvironment, ChaosHarness, open_environment
from tests.testkit.findings import percentile

BOUND_SEC = ENCODING.segment_sec + 1.0
WRONG_SHOWN = 5
IN_TIME_SEC = "15.0"
"""A bucket of the worker's histogram."""

SERVICE = ("temporal", "gateway", "worker", "decoders")


@dataclass(frozen=True)
class Usage:
    """Of a group of processes: CPU seconds so far, and memory that is theirs alone (PSS), MiB."""

    cpu_sec: float
    memory_mib: float


@dataclass(frozen=True)
class DensityResult:
    """What came of so many streams.

    Attributes:
        delays_sec: of all events of faults and recoveries.
        wrong: of each stream whose events are not exactly those of its script, the difference.
        cores: used by each part of the service, and by what is around it, on average.
        memory_mib: when the first stream was about to end.
        playlists_per_segment: requests.
        fetched_again: segments.
        load: average of the machine at the end.
        evidence: by kind and outcome, how many; and how much of it was there within 15 s.
    """

    level: EvidenceLevel
    streams: int
    delays_sec: list[float]
    wrong: list[str]
    cores: dict[str, float]
    memory_mib: dict[str, float]
    playlists_per_segment: float
    fetched_again: int
    load: float
    evidence: dict[str, float]

    @property
    def is_in_time(self) -> bool:
        """Whether every event came, no other one did, and the delays are short enough."""
        return not self.wrong and percentile(self.delays_sec, 95) <= BOUND_SEC

    @property
    def service_cores(self) -> float:
        return sum(self.cores[part] for part in SERVICE)

    @property
    def service_mib(self) -> float:
        return sum(self.memory_mib[part] for part in SERVICE)


def main() -> int:
    """Watch more and more streams and print; return 0 when the first number is in time."""
    options = _options()
    print(machine())
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        results = runner.run(_run(Path(folder), options))
    fitting = [result for result in results if result.is_in_time]
    for level in options.evidence:
        _print_memory([each for each in results if each.level is level])
    _print_cost_of_evidence(results)
    print(f"\nin time: {max((each.streams for each in fitting), default=0)} streams")
    return 0 if results[0].is_in_time else 1


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
    parser.add_argument(
        "--evidence",
        type=EvidenceLevel,
        nargs="+",
        default=[EvidenceLevel.NONE],
        metavar="LEVEL",
        help="that is kept of each incident: none (default), picture, clip, capsule; one by one",
    )
    options = parser.parse_args()
    if 0 < options.faults_every < LEAST_BETWEEN_SEC:
        parser.error(f"--faults-every: at least {LEAST_BETWEEN_SEC:g}, or 0")
    return options


async def _run(folder: Path, options: argparse.Namespace) -> list[DensityResult]:
    results = []
    async with open_environment(folder, seed=1) as env:
        made = await programmes(env, options.seconds, options.faults_every)
        spread_sec = options.faults_every or LEAST_BETWEEN_SEC
        for streams in options.streams:
            for level in options.evidence:
                variables = {"PROBE_SLOTS": str(streams)}
                async with env.harness(f"{level}-{streams}", "all", **variables) as harness:
                    watched = _watch(env, harness, made, streams, spread_sec, level)
                    results.append(await watched)
                _print_result(results[-1])
            if not all(each.is_in_time for each in results):
                break
    return results


async def _watch(
    env: ChaosEnvironment,
    harness: ChaosHarness,
    made: Sequence[RenderedProgramme],
    streams: int,
    spread_sec: float,
    level: EvidenceLevel,
) -> DensityResult:
    names = [f"{level}-{streams}-{number}" for number in range(streams)]
    fleet = await put_on_air(env, harness.rest, made, names, spread_sec, evidence=level)
    began, before = time.monotonic(), _used(harness)
    await fleet.until_first_ends()
    took_sec, after = time.monotonic() - began, _used(harness)
    await fleet.until_ended()
    segments = [env.segments(name) for name in names]
    playlists = sum(len(env.origin.requests(name, ending=".m3u8")) for name in names)
    fetched = sum(map(len, segments))
    return DensityResult(
        level=level,
        streams=streams,
        delays_sec=fleet.delays_sec(),
        wrong=fleet.wrong(),
        cores={part: (after[part].cpu_sec - before[part].cpu_sec) / took_sec for part in after},
        memory_mib={part: used.memory_mib for part, used in after.items()},
        playlists_per_segment=playlists / max(1, fetched),
        fetched_again=fetched - sum(len({each.path for each in those}) for those in segments),
        load=os.getloadavg()[0],
        evidence=await _evidence(harness.health_ports[0]),
    )


async def _evidence(health_port: int) -> dict[str, float]:
    """Return what the worker says of the evidence that it collected."""
    async with httpx.AsyncClient(trust_env=False) as client:
        metrics = (await client.get(f"http://127.0.0.1:{health_port}/metrics")).text
    samples = [each for it in text_string_to_metric_families(metrics) for each in it.samples]
    counts = {
        f"{each.labels['kind']} {each.labels['outcome']}": each.value
        for each in samples
        if each.name == "stream_tracker_evidence_collected_total"
    }
    in_time = [
        each.value
        for each in samples
        if each.name == "stream_tracker_evidence_collection_seconds_bucket"
        and each.labels["le"] == IN_TIME_SEC
    ]
    return {**counts, "within 15 s": sum(in_time)} if counts else {}


def _used(harness: ChaosHarness) -> dict[str, Usage]:
    worker = psutil.Process(harness.workers[0].pid)
    decoders, ended = _usage(worker.children(recursive=True)), worker.cpu_times()
    of_ended_sec = ended.children_user + ended.children_system
    return {
        "temporal": _usage([psutil.Process(harness.temporal.pid)]),
        "gateway": _usage([psutil.Process(harness.gateway.pid)]),
        "worker": _usage([worker]),
        "decoders": Usage(decoders.cpu_sec + of_ended_sec, decoders.memory_mib),
        "streams, webhooks": _usage([psutil.Process()]),
    }


def _usage(processes: list[psutil.Process]) -> Usage:
    times = [process.cpu_times() for process in processes]
    memory = sum(process.memory_full_info().pss for process in processes)
    return Usage(sum(each.user + each.system for each in times), memory / 2**20)


def _print_result(result: DensityResult) -> None:
    most = max(result.delays_sec, default=0.0)
    print(
        f"\n{result.streams} streams, evidence {result.level}: "
        f"delay p50 {percentile(result.delays_sec, 50):.2f}, "
        f"p95 {percentile(result.delays_sec, 95):.2f}, max {most:.2f} s of "
        f"{len(result.delays_sec)} events; {len(result.wrong)} streams wrong; "
        f"{result.playlists_per_segment:.2f} playlist requests a segment, "
        f"{result.fetched_again} segments fetched again; load {result.load:.1f}"
    )
    for difference in result.wrong[:WRONG_SHOWN]:
        print(f"  {difference}")
    print(f"{'':20} {'cores':>7} {'MiB':>7}")
    for part, share in result.cores.items():
        print(f"{part:20} {share:7.2f} {result.memory_mib[part]:7.0f}")
    print(f"{'a stream, all of it':20} {result.service_cores / result.streams:7.4f}")
    if result.evidence:
        print("evidence: " + ", ".join(f"{it:.0f} {name}" for name, it in result.evidence.items()))


def _print_memory(results: list[DensityResult]) -> None:
    """Print what one more stream takes, from the first number of streams to the last."""
    if len(results) < 2:
        return
    first, last = results[0], results[-1]
    more = last.streams - first.streams
    grown = (last.service_mib - first.service_mib) / more
    print(f"\nevidence {first.level}: memory of one more stream: {grown:.2f} MiB")


def _print_cost_of_evidence(results: list[DensityResult]) -> None:
    """Print what a level of evidence takes beside the first level, with as many streams."""
    bases: dict[int, DensityResult] = {}
    for each in results:
        base = bases.setdefault(each.streams, each)
        if each is base:
            continue
        more_mib = (each.service_mib - base.service_mib) / each.streams
        print(
            f"\n{each.streams} streams, evidence {each.level} against {base.level}: "
            f"CPU {each.service_cores / base.service_cores:.3f}, {more_mib:+.2f} MiB a stream"
        )


if __name__ == "__main__":
    raise SystemExit(main())
