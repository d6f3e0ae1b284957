"""What listeners of `GET /changes` cost the gateway: the same time without and with them.

Every monitor reports every 10 s, as probes do. `python -m benchmarks.listeners` fails when the
listeners cost more than a tenth of a core.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import psutil

from api.store import open_store
from api.store.monitor_records import MonitorRecord
from benchmarks.gateway.service import INTERNAL_KEY, KEY, running_gateway
from benchmarks.machine import machine
from monitors.config import MonitorConfig
from monitors.random_ids import new_monitor_id
from monitors.status import MonitorStatus, StreamStatus
from tests.testkit.monitor_rows import insert_monitor
from tests.testkit.temporal import temporal_server

REPORT_SEC = 10.0
TARGET_CORES = 0.1


@dataclass(frozen=True)
class Figures:
    """Cores that the gateway used, and the events that all listeners got."""

    without: float
    with_listeners: float
    events: int

    @property
    def cost(self) -> float:
        """Return the cores that the listeners cost."""
        return self.with_listeners - self.without


async def active_monitors(database_url: str, count: int) -> list[str]:
    """Fill a new database with monitors of live streams; return their ids."""
    now, ids = datetime.now(UTC), [new_monitor_id() for _ in range(count)]
    async with open_store(database_url) as store, store.database.write() as connection:
        for number, monitor_id in enumerate(ids):
            record = MonitorRecord(
                monitor_id=monitor_id,
                stream_url=f"https://media.example/{number}/index.m3u8",
                stream_key=f"url:{number}",
                callback_url="https://receiver.example/hook",
                name=f"Channel {number}",
                labels={"team": f"team {number % 7}"},
                config=MonitorConfig(),
                metadata={},
                status=MonitorStatus.MONITORING,
                stream_status=StreamStatus.LIVE,
                created_at=now,
                workflow_started_at=now,
                reported_at=now,
            )
            await insert_monitor(connection, record)
    return ids


async def measure(count: int, listeners: int, seconds: float) -> Figures:
    """Measure a gateway of its own."""
    with tempfile.TemporaryDirectory() as folder, temporal_server() as temporal:
        url = f"sqlite:///{folder}/gateway.db"
        ids = await active_monitors(url, count)
        async with running_gateway(url, temporal) as gateway:
            reporting = asyncio.create_task(_report(gateway.base_url, ids))
            without = await _cores(seconds)
            heard = [0] * listeners
            listening = [
                asyncio.create_task(_listen(gateway.base_url, heard, number))
                for number in range(listeners)
            ]
            with_listeners = await _cores(seconds)
            for task in (reporting, *listening):
                task.cancel()
    return Figures(without, with_listeners, sum(heard))


async def _report(base_url: str, ids: Sequence[str]) -> None:
    """Report every monitor again and again, evenly."""
    headers = {"X-Internal-API-Key": INTERNAL_KEY}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
        clock = asyncio.get_running_loop().time
        due = clock()
        while True:
            for monitor_id in ids:
                report = {
                    "status": "monitoring",
                    "stream_status": "live",
                    "health": {"video": "ok", "audio": "ok"},
                    "as_of": datetime.now(UTC).isoformat(),
                }
                path = f"{base_url}/internal/v1/monitors/{monitor_id}/status"
                (await client.put(path, json=report)).raise_for_status()
                due += REPORT_SEC / len(ids)
                await asyncio.sleep(due - clock())


async def _listen(base_url: str, heard: list[int], number: int) -> None:
    async with (
        httpx.AsyncClient(headers={"X-API-Key": KEY}, timeout=60, trust_env=False) as client,
        client.stream("GET", f"{base_url}/api/v1/changes") as answer,
    ):
        async for line in answer.aiter_lines():
            heard[number] += line == "event: monitor"


async def _cores(seconds: float) -> float:
    """Return how many cores the gateway uses from now on."""
    await asyncio.sleep(10)  # what has just begun
    (gateway,) = (each for each in psutil.Process().children() if "gateway" in each.cmdline())
    before = gateway.cpu_times()
    await asyncio.sleep(seconds)
    after = gateway.cpu_times()
    return (after.user + after.system - before.user - before.system) / seconds


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--monitors", type=int, default=200)
    parser.add_argument("--listeners", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30)
    chosen = parser.parse_args()
    print(machine())
    found = asyncio.run(measure(chosen.monitors, chosen.listeners, chosen.seconds))
    print(
        f"{chosen.monitors} monitors, {chosen.listeners} listeners, {found.events} events heard: "
        f"gateway {found.without:.3f} cores without, {found.with_listeners:.3f} with them; "
        f"cost {found.cost:.3f} (target {TARGET_CORES})"
    )
    return 0 if found.events and found.cost < TARGET_CORES else 1


if __name__ == "__main__":
    sys.exit(main())
