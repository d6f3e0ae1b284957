"""Starts the monitors, lets them run, and prints what that took: `python -m benchmarks.scale`."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import benchmarks.scale
from benchmarks.machine import machine
from benchmarks.scale.experiment import Load, run_load
from benchmarks.scale.printing import print_result
from tests.testkit.postgres import postgres_server


def main() -> int:
    """Run and print; return 0 when all monitors were watched, and none was lost meanwhile."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=benchmarks.scale.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--monitors", type=int, default=1000, help="(1000)")
    parser.add_argument("--minutes", type=float, default=3.0, help="of steady state (3)")
    parser.add_argument(
        "--heartbeat-sec", type=float, default=8.0, help="HEARTBEAT_INTERVAL_SEC of the probes (8)"
    )
    parser.add_argument(
        "--timeout-sec", type=float, default=30.0, help="HEARTBEAT_TIMEOUT_SEC (30)"
    )
    parser.add_argument(
        "--report-sec", type=float, default=10.0, help="REPORT_INTERVAL_SEC of the probes (10)"
    )
    parser.add_argument(
        "--faults-per-hour", type=float, default=1.0, help="of each monitor, with its end (1)"
    )
    load = Load(**vars(parser.parse_args()))
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as folder, postgres_server() as postgres:
        result = asyncio.run(run_load(Path(folder), f"{postgres.url}/postgres", load))
    print_result(result)
    return 0 if result.is_steady else 1


if __name__ == "__main__":
    sys.exit(main())
