"""A worker that watches as a probe does, but without media: `python -m benchmarks.scale.probe`."""

import argparse
import asyncio
import contextlib
import math
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpcore
from temporalio import activity
from temporalio.worker import Worker

from activities.declarations import (
    WatchInput,
    WatchOutcome,
    WatchResult,
)
from activities.gateway_client import TIMEOUT_SEC
from media.hls.cursor import REMEMBERED, PlaylistCursor
from media.watching.state import MAIN, WatchState
from media.watching.track_state import TrackState
from monitors.events import EventDraft, EventType, timestamp_text
from monitors.reports import HealthReport, OpenIncident, Statistics, StatusReport
from monitors.status import Health, IncidentKind, MonitorStatus, StreamStatus
from runtime.serving import new_event_loop
from runtime.temporal import connect_temporal
from workflows.options import PROBE_QUEUE

SEGMENT_SEC = 2.0
SEGMENT_BYTES = 75_000
BLACK_SEC = 30.0
"""A fault lasts so long after it was told."""

POLLS = 5
CONNECTIONS = 20
UNTOLD = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)
"""Counters that could not be told are told with the next ones."""


class Counters:
    """Tells the gateway counters as a probe does, at less cost: it shares the cores.

    Args:
        gateway: base URL.
        key: of its internal API.
    """

    def __init__(self, gateway: str, key: str) -> None:
        self._gateway = gateway
        self._headers = [("X-Internal-API-Key", key), ("Content-Type", "application/json")]
        self._pool = httpcore.AsyncConnectionPool(max_connections=CONNECTIONS)

    async def tell(self, monitor_id: str, report: StatusReport) -> None:
        """Tell of one monitor.

        Raises:
            httpcore.TimeoutException, NetworkError, ProtocolError: it could not be told now.
        """
        await self._pool.request(
            "PUT",
            f"{self._gateway}/internal/v1/monitors/{monitor_id}/status",
            headers=self._headers,
            content=report.model_dump_json().encode(),
            extensions={
                "timeout": dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT_SEC)
            },
        )


class PretendedWatching:
    """Watches streams that are black now and then.

    Args:
        counters: how the gateway is told.
        beat_sec: between two heartbeats.
        report_sec: between two reports of a stream's counters.
        faults_per_hour: of each stream, on average.
    """

    def __init__(
        self, counters: Counters, *, beat_sec: float, report_sec: float, faults_per_hour: float
    ) -> None:
        self._counters = counters
        self._beat_sec = beat_sec
        self._report_sec = report_sec
        self._faults_per_sec = faults_per_hour / 3600
        self._usual = _usual_state()

    @activity.defn
    async def watch_stream(self, order: WatchInput) -> WatchResult:
        """Watch until a fault comes or goes, or until the checkpoint."""
        known = order.state or self._usual
        aside = [
            asyncio.create_task(self._heartbeat(known)),
            asyncio.create_task(self._tell_counters(order.monitor_id)),
        ]
        try:
            return await self._until_something(known, self._until_checkpoint(order))
        except asyncio.CancelledError:
            return _seen(WatchOutcome.HANDED_BACK, known, is_black=known["is_black"])
        finally:
            await _stop(aside)

    async def _until_something(self, known: dict[str, Any], checkpoint_sec: float) -> WatchResult:
        is_black = known["is_black"]
        change_sec = BLACK_SEC if is_black else self._until_fault()
        await asyncio.sleep(min(change_sec, checkpoint_sec))
        if change_sec >= checkpoint_sec:
            return _seen(WatchOutcome.CHECKPOINT, known, is_black=is_black)
        return _seen(WatchOutcome.EVENTS_READY, known, is_black=not is_black)

    def _until_fault(self) -> float:
        """Return how long to the next fault, which comes as likely now as later."""
        return random.expovariate(self._faults_per_sec) if self._faults_per_sec else math.inf

    def _until_checkpoint(self, order: WatchInput) -> float:
        """Return how long to the next; the first ones are spread as those of a steady load are."""
        spread = 1.0 if order.state else random.random()  # noqa: S311
        return order.checkpoint_sec * spread

    async def _heartbeat(self, state: dict[str, Any]) -> None:
        while True:
            activity.heartbeat(state)
            await asyncio.sleep(self._beat_sec)

    async def _tell_counters(self, monitor_id: str) -> None:
        began = datetime.now(UTC)
        await asyncio.sleep(SEGMENT_SEC * random.random())  # noqa: S311
        while True:
            with contextlib.suppress(*UNTOLD):
                await self._counters.tell(monitor_id, _counters(began, datetime.now(UTC)))
            await asyncio.sleep(self._report_sec)


def _usual_state() -> dict[str, Any]:
    """Return a state as large as that of a stream that has been watched for a while."""
    newest = 100_000
    remembered = {newest - back: f"{back:016x}" for back in range(REMEMBERED)}
    cursor = PlaylistCursor(next_sequence=newest + 1, newest_sequence=newest, remembered=remembered)
    state = WatchState(tracks={MAIN: TrackState(cursor=cursor, playlist="0" * 16)})
    return {**state.model_dump(mode="json"), "is_black": False}


def _seen(outcome: WatchOutcome, known: dict[str, Any], *, is_black: bool) -> WatchResult:
    at = datetime.now(UTC)
    began = at - timedelta(seconds=BLACK_SEC)
    data = {"duration_sec": BLACK_SEC, "started_at": timestamp_text(began), "threshold_sec": 30.0}
    event_type = EventType.BLACKOUT if is_black else EventType.BLACKOUT_RECOVERED
    happened = EventDraft(event_type=event_type, timestamp=at, data=data)
    return WatchResult(
        outcome=outcome,
        event_drafts=[happened] if outcome is WatchOutcome.EVENTS_READY else [],
        statistics=Statistics(total_segments_analyzed=100_000),
        health=HealthReport(video=Health.ERROR if is_black else Health.OK, audio=Health.OK),
        open_incidents=[OpenIncident(kind=IncidentKind.BLACKOUT, started_at=began)] * is_black,
        state={**known, "is_black": is_black},
    )


def _counters(began: datetime, at: datetime) -> StatusReport:
    watched_sec = (at - began).total_seconds()
    segments = 1 + int(watched_sec / SEGMENT_SEC)
    return StatusReport(
        status=MonitorStatus.MONITORING,
        stream_status=StreamStatus.LIVE,
        health=HealthReport(video=Health.OK, audio=Health.OK, last_check_at=at),
        statistics=Statistics(
            total_segments_analyzed=segments,
            analyzed_sec=segments * SEGMENT_SEC,
            downloaded_bytes=segments * SEGMENT_BYTES,
        ),
        as_of=at,
    )


async def _stop(tasks: Iterable[asyncio.Task[None]]) -> None:
    pending = list(tasks)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


async def _work(options: argparse.Namespace) -> None:
    watching = PretendedWatching(
        Counters(options.gateway, options.key),
        beat_sec=options.beat_sec,
        report_sec=options.report_sec,
        faults_per_hour=options.faults_per_hour,
    )
    interval = timedelta(seconds=options.beat_sec)
    worker = Worker(
        await connect_temporal(lazy=False),
        task_queue=PROBE_QUEUE,
        activities=[watching.watch_stream],
        max_concurrent_activities=options.slots,
        max_concurrent_activity_task_polls=POLLS,
        max_heartbeat_throttle_interval=interval,
        default_heartbeat_throttle_interval=interval,
    )
    await worker.run()


def main() -> None:
    """Work until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateway", required=True, help="base URL")
    parser.add_argument("--key", required=True, help="of the gateway's internal API")
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--beat-sec", type=float, required=True)
    parser.add_argument("--report-sec", type=float, required=True)
    parser.add_argument("--faults-per-hour", type=float, required=True)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_work(parser.parse_args()))


if __name__ == "__main__":
    main()
