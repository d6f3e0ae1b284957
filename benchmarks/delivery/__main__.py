"""`python -m benchmarks.delivery`: run the experiments and print what they found."""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.delivery.losses import BY_DEFAULT, PATIENT, lose_nothing
from benchmarks.delivery.neighbours import compare
from tests.testkit.findings import Finding, as_markdown, as_table

LOSSES = {"defaults": BY_DEFAULT, "patient": PATIENT}


async def run(options: argparse.Namespace, folder: Path) -> list[Finding]:
    """Run the experiments one after the other, so that they do not disturb each other."""
    findings = []
    if options.only in (None, "neighbours"):
        findings.append(await compare(options.seconds))
    for name, settings in LOSSES.items():
        if options.only in (None, name):
            delivered = await lose_nothing(folder / name, options.events, options.seed, settings)
            findings.append(delivered.finding())
    return findings


def main() -> int:
    """Return 0 when every target is met, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("--only", choices=["neighbours", *LOSSES])
    parser.add_argument("--events", type=int, default=1000, help="a multiple of 20")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each good stream")
    parser.add_argument("--seed", type=int, default=1, help="of the receiver's moods")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stream-tracker-delivery-") as folder:
        findings = asyncio.run(run(options, Path(folder)))
    if options.markdown:
        print(as_markdown(findings))
    else:
        table = as_table(findings)
        table.title = "Delivery"
        Console().print(table)
    return 0 if all(each.is_met for each in findings) else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the SDK's threads sometimes abort the interpreter while it ends
