"""`python -m benchmarks.gateway` prints the figures, and fails when one misses its target."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.gateway.creating import AT_ONCE, CreationRates, time_creations
from benchmarks.gateway.load import Latencies
from benchmarks.gateway.reading import ReadTimes, stored_monitors, time_reads
from benchmarks.gateway.service import running_gateway
from tests.testkit.postgres import postgres_server
from tests.testkit.temporal import WRITE_AHEAD, temporal_server

READS_PER_SEC = 50
READ_TARGET_MS = 20
CREATION_TARGET = 0.6


@dataclass(frozen=True)
class Scale:
    """How much is done."""

    monitors: int
    seconds: float
    creations: int
    rounds: int


@dataclass(frozen=True)
class Figures:
    """What was measured on one kind of database."""

    database: str
    reads: ReadTimes
    creations: CreationRates

    @property
    def is_good(self) -> bool:
        """Whether all targets are met."""
        reads = (self.reads.listing, self.reads.last_page, self.reads.single)
        worst_ms = max(latencies.percentile_ms(0.95) for latencies in reads)
        return worst_ms < READ_TARGET_MS and self.creations.share >= CREATION_TARGET


async def measure(name: str, database_url: str, folder: Path, scale: Scale) -> Figures:
    """Measure a gateway on one database, with a Temporal server of its own."""
    ids = await stored_monitors(database_url, scale.monitors)
    with temporal_server("--db-filename", str(folder / "temporal.db"), *WRITE_AHEAD) as address:
        async with running_gateway(database_url, address) as http:
            reads = await time_reads(http, ids, per_sec=READS_PER_SEC, seconds=scale.seconds)
            temporal = await Client.connect(address, data_converter=pydantic_data_converter)
            creations = await time_creations(
                http, temporal, count=scale.creations, rounds=scale.rounds
            )
    return Figures(name, reads, creations)


def table(figures: Figures) -> str:
    """Return the figures of one database as text."""
    creations = figures.creations
    rates = ", ".join(
        f"{gateway:.0f} of {bare:.0f}"
        for gateway, bare in zip(creations.gateway, creations.bare, strict=True)
    )
    return "\n".join(
        [
            f"{figures.database}",
            _row("list, first page", figures.reads.listing),
            _row("list, last page", figures.reads.last_page),
            _row("one monitor", figures.reads.single),
            f"  creations/s, {AT_ONCE} at once   {rates} bare starts/s: {creations.share:.2f}"
            f" (target {CREATION_TARGET})",
        ]
    )


def _row(what: str, latencies: Latencies) -> str:
    shares = " ".join(f"p{share * 100:.0f} {latencies.percentile_ms(share):6.1f}" for share in _P)
    return f"  {what:<18} {shares} ms at {READS_PER_SEC}/s (p95 target {READ_TARGET_MS})"


_P = (0.5, 0.95, 0.99)


@contextmanager
def databases(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """Yield the name and URL of an empty database of each kind."""
    with postgres_server() as server:
        yield [
            ("SQLite", f"sqlite:///{folder}/gateway.db"),
            ("PostgreSQL", f"{server.url}/postgres"),
        ]


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("--monitors", type=int, default=10_000, help="stored before the reads")
    parser.add_argument("--seconds", type=float, default=10, help="that each kind of read lasts")
    parser.add_argument("--creations", type=int, default=400, help="in each round")
    parser.add_argument("--rounds", type=int, default=3, help="of creations")
    scale = Scale(**vars(parser.parse_args()))
    good = []
    with tempfile.TemporaryDirectory() as path, databases(Path(path)) as found:
        for name, url in found:
            own_folder = Path(path) / name
            own_folder.mkdir()
            figures = asyncio.run(measure(name, url, own_folder, scale))
            print(table(figures), flush=True)
            good.append(figures.is_good)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
