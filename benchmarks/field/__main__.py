"""`python -m benchmarks.field`: live sources as encoders and packagers make them.

Each plays the same programme with a black, a frozen and a silent stretch and one without sound
samples. A source passes when every segment is measured once, and each of the four is told once
with its length to 0.1 s.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.field import packagers
from benchmarks.field.recipes import RECIPES, Recipe
from benchmarks.field.run import Gallery, watch_all
from benchmarks.field.server import serve_files
from benchmarks.field.verdict import Verdict
from benchmarks.machine import machine
from runtime.serving import new_event_loop
from tests.testkit.environment import open_environment


def main() -> int:
    """Return 0 when every source passes, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.field", description=__doc__)
    parser.add_argument(
        "--only", action="append", help="sources whose name contains this; may be given again"
    )
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--keep", type=Path, help="folder for what the sources write")
    options = parser.parse_args()
    chosen = [
        each
        for each in (*RECIPES, *packagers.installed())
        if any(part in each.name for part in options.only or [""])
    ]
    print(machine())
    for name, how in packagers.missing().items():
        print(f"not tried: {name}, which {how} installs")
    with (
        tempfile.TemporaryDirectory(prefix="stream-tracker-field-") as folder,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        verdicts = runner.run(_run(options.keep or Path(folder), chosen))
    print(_markdown(verdicts)) if options.markdown else Console().print(_table(verdicts))
    return 1 if any(each.faults for each in verdicts) else 0


async def _run(folder: Path, recipes: Sequence[Recipe]) -> list[Verdict]:
    served = folder / "served"
    served.mkdir(parents=True)
    async with (
        open_environment(folder, seed=1) as env,
        serve_files(served) as server,
        env.harness("service", "orchestrator", "probe") as harness,
    ):
        gallery = Gallery(served, folder / "cache", server, env.receiver, harness.rest)
        return await watch_all(gallery, recipes, _set_details)


def _set_details(verdict: Verdict) -> None:
    print(f"{verdict.source}: {'; '.join(verdict.faults) or 'as scripted'}", flush=True)


def _table(verdicts: Sequence[Verdict]) -> Table:
    table = Table(
        "source", "segments", "fetched again", "off by at most", "", title="Field", expand=True
    )
    for each in verdicts:
        table.add_row(*_row(each))
    return table


def _markdown(verdicts: Sequence[Verdict]) -> str:
    rows = ["| source | segments | fetched again | off by at most | |", "|---|---|---|---|---|"]
    return "\n".join([*rows, *(f"| {' | '.join(_row(each))} |" for each in verdicts)])


def _row(verdict: Verdict) -> tuple[str, ...]:
    counts = str(verdict.segments), str(verdict.sent_again)
    outcome = "; ".join(verdict.faults) or "as scripted"
    outcome += f" ({verdict.note})" if verdict.note else ""
    return verdict.source, *counts, f"{verdict.off_sec:.3f} s", outcome


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the SDK's threads sometimes abort the interpreter while it ends
