"""`python -m benchmarks.contract` asks the gateway for long; it fails at a 5xx or a broken schema.

A real gateway process on a real Temporal server, on SQLite or PostgreSQL, asked by schemathesis
with its default checks. `make test` does the same for a few seconds.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.gateway.service import KEY, running_gateway
from tests.api.schemathesis import SETTINGS
from tests.testkit.postgres import postgres_server
from tests.testkit.temporal import WRITE_AHEAD, temporal_server


def main() -> int:
    """Ask, and return what schemathesis returns: 0 when everything was as described."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contract", description=__doc__)
    parser.add_argument("--examples", type=int, default=150, help="of each kind and call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        if given.database == "sqlite":
            url = f"sqlite:///{folder}/gateway.db"
            return asyncio.run(ask(folder, url, given.examples, given.seed))
        with postgres_server() as server:
            url = f"{server.url}/postgres"
            return asyncio.run(ask(folder, url, given.examples, given.seed))


async def ask(folder: Path, database_url: str, examples: int, seed: int) -> int:
    """Run schemathesis against a gateway of its own."""
    (folder / "schemathesis.toml").write_text(SETTINGS)
    with temporal_server("--db-filename", str(folder / "temporal.db"), *WRITE_AHEAD) as address:
        async with running_gateway(database_url, address) as client:
            command = [
                *(str(Path(sys.executable).parent / "schemathesis"), "run"),
                f"{client.base_url}/openapi.json",
                *("--header", f"X-API-Key: {KEY}"),
                *("--max-examples", str(examples), "--seed", str(seed), "--no-shrink"),
            ]
            return await asyncio.to_thread(_run, command, folder)


def _run(command: list[str], folder: Path) -> int:
    return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
