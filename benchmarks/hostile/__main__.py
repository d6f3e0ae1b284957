"""`python -m benchmarks.hostile`: whether strangers can harm the service, or each other.

20 healthy streams are watched alone, then beside clients, origins, receivers and a DNS zone that
try everything they can. Needs root: the service runs with a resolver of this benchmark.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.hostile.run import Outcome, Scale, run
from benchmarks.machine import machine
from runtime.serving import new_event_loop
from tests.testkit.environment import open_environment
from tests.testkit.findings import as_markdown, as_table


def main() -> int:
    """Return 0 when every target is met, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--streams", type=int, default=Scale.streams, help="healthy ones (20)")
    parser.add_argument("--seconds", type=float, default=Scale.beside_sec, help="beside (600)")
    parser.add_argument("--alone", type=float, default=Scale.alone_sec, help="seconds alone (100)")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    if os.geteuid():
        parser.error("needs root, for a DNS server and a resolv.conf of its own")
    print(machine())
    scale = Scale(options.streams, options.alone, options.seconds)
    with (
        tempfile.TemporaryDirectory(prefix="stream-tracker-hostile-") as folder,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        outcome = runner.run(_run(Path(folder), scale))
    _print(outcome, markdown=options.markdown)
    return 0 if all(each.is_met for each in outcome.findings()) else 1


async def _run(folder: Path, scale: Scale) -> Outcome:
    async with open_environment(folder, seed=1) as env:
        return await run(env, scale)


def _print(outcome: Outcome, *, markdown: bool) -> None:
    for difference in outcome.wrong[:5]:
        print(difference)
    for workflow_id in outcome.running[:5]:
        print(f"{workflow_id} is still running")
    if markdown:
        print(as_markdown(outcome.findings()))
    else:
        table = as_table(outcome.findings())
        table.title = "Hostile strangers"
        Console().print(table)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the SDK's threads sometimes abort the interpreter while it ends
