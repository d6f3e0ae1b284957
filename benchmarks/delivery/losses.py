"""A thousand events, a receiver that fails a third of the time, and a worker that is killed."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from temporalio import activity
from temporalio.worker import Worker

from activities.declarations import WATCH_STREAM, WatchOrder, WatchOutcome, WatchReturn
from benchmarks.chaos.findings import Finding
from benchmarks.delivery.receiver import MoodyReceiver, receiving
from monitors.events import EndReason, EventType, Happening
from monitors.reports import HealthReport, Statistics
from tests.media.outbound.stand_ins import always, reply, scripted_server
from tests.service.house import SIGNING_KEY, House
from workflows.options import PROBE_QUEUE

MONITORS = 20
AT_ONCE = 6
KILLS = 3
PATIENCE_SEC = 600
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"


class PatientHouse(House):
    """A house whose worker tries until it succeeds, and not as slowly as by default."""

    def _shared(self) -> dict[str, str]:
        patience = {"WEBHOOK_MAX_ATTEMPTS": "20", "WEBHOOK_BACKOFF_BASE_SEC": "0.5"}
        return super()._shared() | patience | {"WEBHOOK_BACKOFF_CAP_SEC": "2"}


class ScriptedProbe:
    """Stands for the probe: each watch tells of `AT_ONCE` incidents at once."""

    def __init__(self, alerts: int) -> None:
        self._alerts = alerts

    @activity.defn(name=WATCH_STREAM)
    async def watch_stream(self, order: WatchOrder) -> WatchReturn:
        """Tell the next ones; end the stream after the last."""
        told: int = (order.state or {"told": 0})["told"]
        now = min(AT_ONCE, self._alerts - told)
        alert = Happening(
            event_type=EventType.BLACKOUT, timestamp=datetime.now(UTC), data={"duration_sec": 30.0}
        )
        is_over = told + now == self._alerts
        return WatchReturn(
            outcome=WatchOutcome.ENDED if is_over else WatchOutcome.HAPPENED,
            end_reason=EndReason.ENDLIST_DETECTED if is_over else None,
            happenings=[alert] * now,
            statistics=Statistics(),
            health=HealthReport(),
            open_incidents=[],
            state={"told": told + now},
        )


@dataclass(frozen=True)
class Delivered:
    """What arrived.

    Attributes:
        expected, arrived: events that happened, and those that were taken at least once.
        disordered: events first taken after a later one of their monitor.
        duplicates: requests taken beyond the first of their event.
        altered: events that did not have the same body on every attempt.
        unaudited: events that the store does not call sent.
    """

    expected: int
    arrived: int
    disordered: int
    duplicates: int
    altered: int
    forged: int
    unaudited: int
    answers: Counter[str]
    took_sec: float

    def finding(self) -> Finding:
        """Compare with the target."""
        requests = sum(self.answers.values())
        failed = ", ".join(f"{count} {mood}" for mood, count in sorted(self.answers.items()))
        measured = (
            f"{self.expected - self.arrived} of {self.expected} lost, "
            f"{self.disordered} out of order, {self.duplicates} taken twice, "
            f"{self.altered} altered, {self.forged} with a wrong signature, "
            f"{self.unaudited} not sent in the audit; "
            f"{requests} requests ({failed}) in {self.took_sec:.0f} s"
        )
        wrong = self.disordered + self.altered + self.forged + self.unaudited
        is_met = self.arrived == self.expected and wrong == 0
        target = "0 lost, in order, duplicates only with the same id and body"
        return Finding(
            f"receiver fails 30 %, worker killed {KILLS} times", measured, target, is_met
        )


async def lose_nothing(folder: Path, events: int, seed: int) -> Delivered:
    """Deliver `events` events of `MONITORS` monitors through all of it."""
    each = events // MONITORS
    receiver = MoodyReceiver(SIGNING_KEY.encode(), random.Random(seed))  # noqa: S311
    house = PatientHouse(folder / "house")
    try:
        await house.start("orchestrator")
        probe = Worker(
            house.client,
            task_queue=PROBE_QUEUE,
            activities=[ScriptedProbe(each - 2).watch_stream],
        )
        async with (
            probe,
            receiving(receiver),
            scripted_server(always(reply(PLAYLIST))) as origin,
        ):
            began = time.monotonic()
            ids = [
                await house.rest.create(
                    f"http://127.0.0.1:{origin.port}/{number}.m3u8",
                    f"http://127.0.0.1:{receiver.port}/",
                    {"on_delivery_failure": "continue"},
                )
                for number in range(MONITORS)
            ]
            await _kill_at_times(house, receiver, events)
            await _until_taken(receiver, events)
            took_sec = time.monotonic() - began
            for monitor_id in ids:
                await house.rest.until_status(monitor_id, "completed", within_sec=60)
            unaudited = [await _unaudited(house, monitor_id, each) for monitor_id in ids]
        await house.stop()
    finally:
        house.discard()
    return _judged(receiver, events, sum(unaudited), took_sec)


async def _kill_at_times(house: House, receiver: MoodyReceiver, events: int) -> None:
    for kill in range(1, KILLS + 1):
        await _until_taken(receiver, events * kill // (KILLS + 1))
        await house.workers[-1].kill()
        await house.start_worker("orchestrator")


async def _until_taken(receiver: MoodyReceiver, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SEC):
        while len({event["event_id"] for event in receiver.taken}) < count:
            await asyncio.sleep(0.1)


async def _unaudited(house: House, monitor_id: str, count: int) -> int:
    events = await house.rest.until_audited(monitor_id, count, within_sec=60)
    return sum(event["webhook_status"] != "sent" for event in events)


def _judged(receiver: MoodyReceiver, expected: int, unaudited: int, took_sec: float) -> Delivered:
    seen: set[str] = set()
    last: dict[str, int] = {}
    disordered = duplicates = 0
    for event in receiver.taken:
        monitor_id, sequence = event["monitor_id"], event["sequence"]
        if event["event_id"] in seen:
            duplicates += 1
        elif sequence < last.get(monitor_id, 0):
            disordered += 1
        seen.add(event["event_id"])
        last[monitor_id] = max(sequence, last.get(monitor_id, 0))
    return Delivered(
        expected=expected,
        arrived=len(seen),
        disordered=disordered,
        duplicates=duplicates,
        altered=sum(len(bodies) > 1 for bodies in receiver.bodies.values()),
        forged=receiver.forged,
        unaudited=unaudited,
        answers=receiver.answers,
        took_sec=took_sec,
    )
