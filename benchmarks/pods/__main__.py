"""`python -m benchmarks.pods`: run the experiments with Pods and print what they found."""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console

from benchmarks.pods.experiments import crash, first_segments, steady_state
from benchmarks.pods.restarts import restarts
from tests.testkit.findings import Finding, as_markdown, as_table


async def run(options: argparse.Namespace, folder: Path) -> list[Finding]:
    """Run the experiments one after the other, so that they do not disturb each other."""
    experiments: dict[str, Callable[[Path], Awaitable[Finding]]] = {
        "start": lambda at: first_segments(at, options.repeats),
        "steady": lambda at: steady_state(at, options.monitors, options.seconds),
        "crash": lambda at: crash(at, 50, 60.0),
        "restarts": lambda at: restarts(at, 100, options.minutes * 60, 30.0),
    }
    findings = []
    for name, experiment in experiments.items():
        if options.only in (None, name):
            (folder / name).mkdir()
            findings.append(await experiment(folder / name))
    return findings


def main() -> int:
    """Return 0 when every target is met, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pods", description=__doc__)
    parser.add_argument("--only", choices=["start", "steady", "crash", "restarts"])
    parser.add_argument("--repeats", type=int, default=5, help="monitors that are started")
    parser.add_argument("--monitors", type=int, default=500, help="in steady state")
    parser.add_argument("--seconds", type=float, default=60.0, help="of steady state")
    parser.add_argument("--minutes", type=float, default=10.0, help="of restarts")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stream-tracker-pods-") as folder:
        findings = asyncio.run(run(options, Path(folder)))
    if options.markdown:
        print(as_markdown(findings))
    else:
        table = as_table(findings)
        table.title = "Pods"
        Console(width=120).print(table)
    return 0 if all(each.is_met for each in findings) else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the SDK's threads sometimes abort the interpreter while it ends
