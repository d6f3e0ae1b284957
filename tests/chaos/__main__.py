"""`python -m tests.chaos`: run the experiments and print what they found."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console

from tests.chaos.bounds import stay_in_bounds
from tests.chaos.clocks import settable, step_clocks
from tests.chaos.full_disk import FULL_SEC, fill_the_disk
from tests.chaos.outages import (
    ANSWERS,
    GATEWAY,
    ORIGIN,
    SQLITE,
    TEMPORAL,
    Outage,
    postgres,
    run_outage,
)
from tests.chaos.rollout import roll_out
from tests.chaos.slot_shortage import SLOTS, run_out_of_slots
from tests.chaos.starts import start_through_crashes
from tests.chaos.stops import finding as stops_finding
from tests.chaos.stops import stop_at_random
from tests.chaos.storm import ROLES, run_storm
from tests.chaos.takeovers import FaultInjection, take_over
from tests.testkit.environment import ChaosEnvironment, NotAsExpected, open_environment
from tests.testkit.findings import Finding, as_markdown, as_table
from tests.testkit.postgres import postgres_server
from tests.testkit.small_disk import can_be_made

Experiment = Callable[[ChaosEnvironment, argparse.Namespace], Awaitable[Finding]]


def _takeover(injection: FaultInjection) -> Experiment:
    async def experiment(env: ChaosEnvironment, options: argparse.Namespace) -> Finding:
        near = [] if injection is FaultInjection.HOLE else ["probe", "probe"]
        async with env.harness(f"service-{injection}", "orchestrator", *near) as harness:
            for _ in range(2 - len(near)):
                await harness.start_far_worker("probe")
            return (await take_over(env, harness, injection, options.times)).finding(options.times)

    return experiment


async def _stops(env: ChaosEnvironment, options: argparse.Namespace) -> Finding:
    async with env.harness("service-stops", "orchestrator", "probe") as harness:
        return stops_finding(await stop_at_random(env, harness, options.times))


async def _starts(env: ChaosEnvironment, options: argparse.Namespace) -> Finding:
    async with env.harness("service-starts") as harness:
        return (await start_through_crashes(env, harness, options.starts)).finding()


async def _shortage(env: ChaosEnvironment, options: argparse.Namespace) -> Finding:
    async with env.harness("service-slots", "all", PROBE_SLOTS=str(SLOTS)) as harness:
        return (await run_out_of_slots(env, harness)).finding()


async def _storm(env: ChaosEnvironment, options: argparse.Namespace) -> Finding:
    async with env.harness("service-storm", *ROLES) as harness:
        return (await run_storm(env, harness, options.streams, options.minutes)).finding()


async def _rollout(env: ChaosEnvironment, options: argparse.Namespace) -> Finding:
    async with env.harness("service-rollout", *ROLES) as harness:
        return (await roll_out(env, harness)).finding()


def _outage(outage: Outage) -> Experiment:
    async def experiment(env: ChaosEnvironment, options: argparse.Namespace) -> Finding:
        async with env.harness(
            f"service-{outage.name}", "orchestrator", "probe", "probe"
        ) as harness:
            return (await run_outage(env, harness, outage, options.away_sec)).finding()

    return experiment


async def _postgres(env: ChaosEnvironment, options: argparse.Namespace) -> Finding:
    with postgres_server() as server:
        url = f"{server.url}/postgres"
        async with env.harness("service-pg", "all", "probe", DATABASE_URL=url) as harness:
            return (await run_outage(env, harness, postgres(server), options.away_sec)).finding()


async def _disk(env: ChaosEnvironment, options: argparse.Namespace) -> Finding:
    if not can_be_made(env.folder):
        raise NotAsExpected("this machine lets nobody mount a file system")
    return (await fill_the_disk(env, min(options.away_sec, FULL_SEC))).finding()


async def _clocks(env: ChaosEnvironment, options: argparse.Namespace) -> Finding:
    variables = settable(env.folder)
    roles = ("orchestrator", "probe", "probe")
    async with env.harness("service-clocks", *roles, **variables) as harness:
        return (await step_clocks(env, harness)).finding()


async def _bounds(env: ChaosEnvironment, options: argparse.Namespace) -> Finding:
    async with env.harness("service-bounds", "orchestrator", "probe", "probe") as harness:
        seen = await stay_in_bounds(env, harness, options.streams, options.steady_minutes)
        return seen.finding()


EXPERIMENTS: dict[str, Experiment] = {
    **{injection.value: _takeover(injection) for injection in FaultInjection},
    "cancel": _stops,
    "starts": _starts,
    "slots": _shortage,
    "rollout": _rollout,
    "storm": _storm,
    "away-temporal": _outage(TEMPORAL),
    "away-gateway": _outage(GATEWAY),
    "away-answers": _outage(ANSWERS),
    "away-postgres": _postgres,
    "away-sqlite": _outage(SQLITE),
    "away-origin": _outage(ORIGIN),
    "disk": _disk,
    "clocks": _clocks,
    "bounds": _bounds,
}


async def run(options: argparse.Namespace, folder: Path) -> list[Finding]:
    """Run the chosen experiments one after the other.

    An experiment that breaks off or takes too long is a finding too: its target is not met.
    """
    findings = []
    async with open_environment(folder, options.seed) as env:
        for name in options.only or EXPERIMENTS:
            minutes = options.limit_minutes + _asked_minutes(name, options)
            limit = asyncio.timeout(minutes * 60)
            try:
                async with limit:
                    finding = await EXPERIMENTS[name](env, options)
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
                if limit.expired():
                    why = f"not done after {minutes:g} minutes, see --limit-minutes"
                finding = Finding(name, f"broke off: {why}", "", False)
            print(f"{finding.fault}: {finding.measured}", flush=True)
            findings.append(finding)
    return findings


def _asked_minutes(name: str, options: argparse.Namespace) -> float:
    """Return how long an experiment is to go on; 0 for those that end by themselves."""
    asked: dict[str, float] = {"storm": options.minutes, "bounds": options.steady_minutes}
    return asked.get(name, 0.0)


def main() -> int:
    """Return 0 when every target is met, 1 otherwise."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="stream-tracker-chaos-") as folder:
        findings = asyncio.run(run(options, Path(folder)))
    if options.markdown:
        print(as_markdown(findings))
    else:
        Console().print(as_table(findings))
    return 0 if all(each.is_met for each in findings) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--only", action="append", choices=EXPERIMENTS, help="repeatable")
    parser.add_argument("--times", type=int, default=20, help="faults and stops of each kind")
    parser.add_argument("--starts", type=int, default=500, help="starts during 5 kills of Temporal")
    parser.add_argument(
        "--streams", type=int, default=20, help="streams in the storm and in `bounds`"
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="length of the storm")
    parser.add_argument("--away-sec", type=float, default=180.0, help="length of an outage")
    parser.add_argument("--steady-minutes", type=float, default=10.0, help="length of `bounds`")
    parser.add_argument("--seed", type=int, default=1, help="of what happens when")
    parser.add_argument(
        "--limit-minutes",
        type=float,
        default=15.0,
        help="of one experiment, beside the length that it is asked for",
    )
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
