"""A thousand events, a receiver that fails a third of the time, and a worker that is killed."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from temporalio import activity
from temporalio.worker import Worker

from activities.declarations import WatchInput, WatchOutcome, WatchResult
from benchmarks.delivery.receiver import MoodyReceiver, receiving
from monitors.events import EndReason, EventDraft, EventType
from monitors.reports import HealthReport, Statistics
from tests.testkit.findings import Finding
from tests.testkit.harness import SIGNING_KEY, ServiceHarness
from tests.testkit.stand_ins import always, reply, scripted_server
from workflows.options import PROBE_QUEUE

MONITORS = 20
AT_ONCE = 6
KILLS = 3
REDELIVERIES = 10
PATIENCE_SEC = 600
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"


PATIENT = {
    "WEBHOOK_MAX_ATTEMPTS": "20",
    "WEBHOOK_BACKOFF_BASE_SEC": "0.5",
    "WEBHOOK_BACKOFF_CAP_SEC": "2",
}
"""Tries until it succeeds, and not as slowly as by default."""

BY_DEFAULT: dict[str, str] = {}
"""Four attempts: where 30 % of them fail, about one event in a hundred is given up."""


class ScriptedProbe:
    """Stands for the probe: each watch tells of `AT_ONCE` incidents at once."""

    def __init__(self, alerts: int) -> None:
        self._alerts = alerts

    @activity.defn
    async def watch_stream(self, order: WatchInput) -> WatchResult:
        """Tell the next ones; end the stream after the last."""
        told: int = (order.state or {"told": 0})["told"]
        now = min(AT_ONCE, self._alerts - told)
        alert = EventDraft(
            event_type=EventType.BLACKOUT, timestamp=datetime.now(UTC), data={"duration_sec": 30.0}
        )
        is_over = told + now == self._alerts
        return WatchResult(
            outcome=WatchOutcome.ENDED if is_over else WatchOutcome.EVENTS_READY,
            end_reason=EndReason.ENDLIST_DETECTED if is_over else None,
            event_drafts=[alert] * now,
            statistics=Statistics(),
            health=HealthReport(),
            open_incidents=[],
            state={"told": told + now},
        )


@dataclass(frozen=True)
class DeliveryResult:
    """What arrived.

    Attributes:
        expected, arrived: events that happened, and those that were taken at least once.
        given_up: events that exhausted their attempts: `failed` in the audit, then sent again by
            `POST .../redeliver` until they were taken.
        disordered: events first taken after a later one of their monitor, except those given up.
        duplicates: requests taken beyond the first of their event.
        altered: events that did not have the same body on every attempt, and when sent again.
        unaudited: events that the store does not call sent in the end.
    """

    settings: str
    expected: int
    arrived: int
    given_up: int
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
            f"{self.given_up} given up and sent again, "
            f"{self.disordered} out of order, {self.duplicates} taken twice, "
            f"{self.altered} altered, {self.forged} with a wrong signature, "
            f"{self.unaudited} not sent in the audit; "
            f"{requests} requests ({failed}) in {self.took_sec:.0f} s"
        )
        wrong = self.disordered + self.altered + self.forged + self.unaudited
        is_met = self.arrived == self.expected and wrong == 0
        target = "0 lost, in order, duplicates only with the same id and body"
        fault = f"receiver fails 30 %, worker killed {KILLS} times; {self.settings}"
        return Finding(fault, measured, target, is_met)


async def lose_nothing(
    folder: Path, events: int, seed: int, settings: Mapping[str, str]
) -> DeliveryResult:
    """Deliver `events` events of `MONITORS` monitors through all of it."""
    each = events // MONITORS
    receiver = MoodyReceiver(SIGNING_KEY.encode(), random.Random(seed))  # noqa: S311
    harness = ServiceHarness(folder, settings)
    try:
        await harness.start("orchestrator")
        probe = Worker(
            harness.client,
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
                await harness.rest.create(
                    f"http://127.0.0.1:{origin.port}/{number}.m3u8",
                    f"http://127.0.0.1:{receiver.port}/",
                    {"on_delivery_failure": "continue"},
                )
                for number in range(MONITORS)
            ]
            await _kill_at_times(harness, receiver, events)
            for monitor_id in ids:
                await harness.rest.until_status(monitor_id, "completed", within_sec=PATIENCE_SEC)
            took_sec = time.monotonic() - began
            given_up = [await _failed(harness, monitor_id, each) for monitor_id in ids]
            unaudited = [
                await _send_again(harness, monitor_id, failed, each)
                for monitor_id, failed in zip(ids, given_up, strict=True)
            ]
        await harness.stop()
    finally:
        harness.discard()
    named = ", ".join(f"{name}={value}" for name, value in settings.items()) or "default settings"
    return _judged(receiver, named, events, set().union(*given_up), sum(unaudited), took_sec)


async def _kill_at_times(harness: ServiceHarness, receiver: MoodyReceiver, events: int) -> None:
    for kill in range(1, KILLS + 1):
        await _until_taken(receiver, events * kill // (KILLS + 1))
        await harness.workers[-1].kill()
        await harness.start_worker("orchestrator")


async def _until_taken(receiver: MoodyReceiver, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SEC):
        while len({event["event_id"] for event in receiver.taken}) < count:
            await asyncio.sleep(0.1)


async def _failed(harness: ServiceHarness, monitor_id: str, count: int) -> set[str]:
    """Return the events of a monitor that exhausted their attempts, once none is pending."""
    events = await harness.rest.until_audited(monitor_id, count, within_sec=PATIENCE_SEC)
    return {event["event_id"] for event in events if event["webhook_status"] != "sent"}


async def _send_again(
    harness: ServiceHarness, monitor_id: str, failed: set[str], count: int
) -> int:
    """Send events again until each was taken, as a user would; return how many never were."""
    for _ in range(REDELIVERIES):
        for event_id in failed:
            path = f"/monitors/{monitor_id}/events/{event_id}/redeliver"
            answer = await harness.rest.http.post(path)
            assert answer.status_code == HTTPStatus.ACCEPTED, answer.text  # noqa: S101
        if not failed:
            break
        failed = await _failed(harness, monitor_id, count)
    return len(failed)


def _judged(
    receiver: MoodyReceiver,
    settings: str,
    expected: int,
    given_up: set[str],
    unaudited: int,
    took_sec: float,
) -> DeliveryResult:
    seen: set[str] = set()
    last: dict[str, int] = {}
    disordered = duplicates = 0
    for event in receiver.taken:
        monitor_id, sequence = event["monitor_id"], event["sequence"]
        if event["event_id"] in seen:
            duplicates += 1
        elif event["event_id"] not in given_up:
            disordered += sequence < last.get(monitor_id, 0)
            last[monitor_id] = max(sequence, last.get(monitor_id, 0))
        seen.add(event["event_id"])
    return DeliveryResult(
        settings=settings,
        expected=expected,
        arrived=len(seen),
        given_up=len(given_up),
        disordered=disordered,
        duplicates=duplicates,
        altered=sum(len(bodies) > 1 for bodies in receiver.bodies.values()),
        forged=receiver.forged,
        unaudited=unaudited,
        answers=receiver.answers,
        took_sec=took_sec,
    )
